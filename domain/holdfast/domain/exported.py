"""An exported session: the lines of its file, and what the ports say of exports. No I/O, and no hash is computed here.

The lines are a promise (`docs/reference/export.md`): a file exported today must import and verify in ten years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from holdfast.domain.attachments import Reference
from holdfast.domain.recorded import ActorKind

Format = Literal["jsonl", "md", "html", "bundle"]

FORMAT: Final = 1
EVENTS_NAME: Final = "events.jsonl"
CHAIN_NAME: Final = "chain.txt"
CHECKPOINTS_NAME: Final = "checkpoints.jsonl"
SUMS_NAME: Final = "SHA256SUMS"
LINE_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of the longest line that is read; nothing that was exported comes near it."""


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line.

    Attributes:
        holdfast_export: Version of this format.
        session_id: The session, as its hashes name it.
        store: The store it comes from, whose checkpoints vouch for it.
        salt: The key of the payload digests, hexadecimal; None for a session that was erased.
        exported_at: Microseconds since the epoch, UTC.
    """

    holdfast_export: int
    session_id: str
    store: str
    salt: str | None
    exported_at: int


class EventLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One event with everything that enters its hash. Times are microseconds since the epoch; bytes are hexadecimal.

    `data` is the payload as it is stored, in a string: its digest is over these very bytes.
    """

    position: int
    session_id: str
    version: int
    event_id: str
    type: str
    schema: int
    recorded_at: int
    occurred_at: int | None
    cause: str | None
    actor: ActorKind
    device: str | None
    source: str | None
    source_offset: int | None
    data: str | None
    digest: str | None
    hash: str


class Origin(Struct, frozen=True):
    """A session as the log holds it: the header of its file, and its events in order, read as they are asked for.

    Attributes:
        content: Yields what a reference in an event stands for. Raises `StoreDamagedError` where that is gone, or was
            altered.
    """

    header: Header
    events: Iterator[EventLine]
    content: Callable[[Reference], Iterator[bytes]]


class Evidence(Struct, frozen=True):
    """What vouches for a session beyond its own chain.

    Attributes:
        after: The signed checkpoint that `hashes` goes on from, by its position; 0 for the beginning of the log.
        hashes: The hash of every event of the log from there on, in order of position.
        checkpoints: The signed checkpoints, as they are in their file.
        keys: Public keys by the names of their files, PEM.
    """

    after: int
    hashes: Iterator[bytes]
    checkpoints: bytes
    keys: dict[str, bytes]


class Removed(Struct):
    """What an export left out. Complete once the export was read to its end.

    Attributes:
        kinds: How many secrets of each kind.
        looked: Whether any were looked for.
        left_out: How many images and other files are not in it, because nobody can look for secrets in them.
    """

    kinds: dict[str, int] = {}
    looked: bool = False
    left_out: int = 0

    def count(self, kind: str) -> None:
        """Count one more."""
        self.kinds[kind] = self.kinds.get(kind, 0) + 1


class Export(Struct, frozen=True):
    """One export: files by name, each in pieces that end at the ends of lines. A single file has no name.

    They must be read in order, each to its end.
    """

    files: Iterator[tuple[str, Iterator[bytes]]]
    removed: Removed


encode_line = msgspec.json.Encoder().encode
_decode_header = msgspec.json.Decoder(Header).decode
_decode_event = msgspec.json.Decoder(EventLine).decode


def read_header(line: bytes) -> Header | None:
    """Return the header that a line holds; None for anything else."""
    try:
        return _decode_header(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_event(line: bytes) -> EventLine | None:
    """Return the event that a line holds; None for anything else."""
    try:
        return _decode_event(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def last_line(events: int, sha256: str) -> bytes:
    """Return the line that ends a file: how many events it has, and the SHA-256 of every byte before this line."""
    return b'{"end":{"events":%d,"sha256":"%s"}}\n' % (events, sha256.encode())
