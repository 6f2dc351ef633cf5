"""The hash chain of one stream: pure functions over bytes. No rows, no files, no clock.

The byte layout is a promise (`docs/reference/integrity.md`): verifiers in other languages are written from
that page, and a log written today must verify in ten years. Change nothing here without a new first byte.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GENESIS = bytes(32)
"""What stands before the first event of a stream, and before the first event of the log hash."""

SALT_BYTES = 32
HASH_BYTES = 32

_BLOCK_BYTES = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

# Which fields are absent, prev, digest, position, version, event id, schema, recorded_at, occurred_at, actor,
# source offset; then the byte lengths of source, stream, type, cause and device, which follow in that order.
_HEADER = Struct(">B32s32sqq16siqqhqIIIII").pack
_NO_OCCURRED_AT, _NO_CAUSE, _NO_DEVICE, _NO_SOURCE, _NO_SOURCE_OFFSET = 1, 2, 4, 8, 16


def payload_digest(salt: bytes, data: bytes) -> bytes:
    """Return the HMAC-SHA256 of a payload under its stream's salt: what an erasure leaves of it."""
    return keyed(salt)(data)


def keyed(salt: bytes) -> Callable[[bytes], bytes]:
    """Return `payload_digest` for one salt, to be kept while a stream is written or verified.

    Two plain hashes (RFC 2104) over prepared keys: `hmac.digest` fetches its algorithm anew on every call,
    which takes three times as long.
    """
    if len(salt) > _BLOCK_BYTES:
        salt = sha256(salt).digest()
    block = salt.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = block.translate(_INNER), block.translate(_OUTER)

    def digest(data: bytes) -> bytes:
        return sha256(outer + sha256(inner + data).digest()).digest()

    return digest


def link(  # noqa: PLR0917 - called by position where it is hot
    prev: bytes,
    position: int,
    stream: str,
    version: int,
    event_id: bytes,
    type: str,  # noqa: A002 - the column's name
    schema: int,
    recorded_at: int,
    occurred_at: int | None,
    cause: str | None,
    actor: int,
    device: str | None,
    source: bytes | None,
    source_offset: int | None,
    digest: bytes,
) -> bytes:
    """Return the hash of one event from the hash before it, its header and the digest of its payload.

    It runs once per event on the writer thread, so it checks nothing: the caller vouches for the sizes
    (`prev` and `digest` 32 bytes, `event_id` 16), which the framing would pad or cut without a word.

    Raises:
        struct.error: A number does not fit its column.
    """
    absent = 0
    if occurred_at is None:
        absent = _NO_OCCURRED_AT
        occurred_at = 0
    if cause is None:
        absent |= _NO_CAUSE
        cause_bytes = b""
    else:
        cause_bytes = cause.encode()
    if device is None:
        absent |= _NO_DEVICE
        device_bytes = b""
    else:
        device_bytes = device.encode()
    if source is None:
        absent |= _NO_SOURCE
        source = b""
    if source_offset is None:
        absent |= _NO_SOURCE_OFFSET
        source_offset = 0
    stream_bytes = stream.encode()
    type_bytes = type.encode()
    return sha256(
        _HEADER(
            absent, prev, digest, position, version, event_id, schema, recorded_at, occurred_at, actor,
            source_offset, len(source), len(stream_bytes), len(type_bytes), len(cause_bytes),
            len(device_bytes),
        )
        + source + stream_bytes + type_bytes + cause_bytes + device_bytes
    ).digest()  # fmt: skip


def extend(log_hash: bytes, hashes: list[bytes]) -> bytes:
    """Return the log hash after these event hashes, given in position order.

    A stream's chain says nothing about its neighbours. The log hash runs through all of them, so one signed
    checkpoint vouches for every event before it.
    """
    for event_hash in hashes:
        log_hash = sha256(log_hash + event_hash).digest()
    return log_hash
