"""The wire between a daemon and an agent host, without I/O: five verbs, framed by two lengths.

Frozen at version 1: old hosts outlive upgrades, so a verb may gain fields and never change its meaning. The verbs are
`hello`, `write`, `ack`, `status` and `stop`; docs/reference/agent-host.md is the contract. Standard library only.
"""

from __future__ import annotations

import json
import struct

TYPE_CHECKING = False  # the module typing is a tenth of a host's memory
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

VERSION = 1
HEADER_LIMIT = 1 << 20
BODY_LIMIT = 1 << 26

_LENGTHS = struct.Struct(">II")


class WireError(Exception):
    """The other end does not speak this protocol; the connection is of no more use."""


def encode(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a message: the lengths of header and body, the header as JSON, the body as it is.

    Raises:
        WireError: It is longer than the other end would take.
    """
    data = json.dumps(header, separators=(",", ":")).encode()
    if len(data) > HEADER_LIMIT or len(body) > BODY_LIMIT:
        raise WireError(f"a message of {len(data)} and {len(body)} bytes is over the limit")
    return _LENGTHS.pack(len(data), len(body)) + data + body


class Decoder:
    """Bytes in, messages out. Holds at most one message, whose size is bounded."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Take bytes in any slices; yield header and body of each message they complete.

        Raises:
            WireError: What came is no message, or one over the limits.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(buffer)
            if head > HEADER_LIMIT or body > BODY_LIMIT:
                raise WireError(f"a message of {head} and {body} bytes is over the limit")
            start = _LENGTHS.size + head
            if len(buffer) < start + body:
                return
            message = _header(bytes(buffer[_LENGTHS.size : start])), bytes(buffer[start : start + body])
            del buffer[: start + body]
            yield message


def _header(data: bytes) -> dict[str, Any]:
    try:
        header: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a header is no JSON: {error}") from error
    if header.__class__ is not dict:
        raise WireError("a header is no object")
    checked: dict[str, Any] = header
    return checked
