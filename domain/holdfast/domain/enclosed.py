"""Attachments in an exported file: pieces on lines of their own, before the event that refers to them first."""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from holdfast.domain.attachments import CONTENT_LIMIT, is_name, references

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT: Final = 2
"""Version of the export format of a session with attachments: what knows only the first would lose them."""

FILE_PREFIX: Final = "attachment-"
"""In a bundle an attachment is a file: this, and its SHA-256."""

_START: Final = b'{"attachment":'


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of an attachment.

    Attributes:
        attachment: SHA-256 of the whole.
        size: Bytes of the whole.
        at: Where the piece begins.
        data: The piece, in base64.
    """

    attachment: str
    size: int
    at: int
    data: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def is_piece(line: bytes) -> bool:
    """Tell whether a line is a piece of an attachment."""
    return line.startswith(_START)


def lines(name: str, size: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of one attachment."""
    at = 0
    for piece in pieces:
        yield _encode(Line(name, size, at, b64encode(piece).decode())) + b"\n"
        at += len(piece)


class Enclosed:
    """What was read of the attachments of one file.

    Attributes:
        names: Those that are complete.
        contents: The same by their names, until somebody takes them; empty where nothing is held.
    """

    def __init__(self, *, hold: bool) -> None:
        """Read, and with `hold` keep what was read."""
        self.names: set[str] = set()
        self.contents: dict[str, bytes] = {}
        self._hold = hold
        self._line: Line | None = None
        self._seen = 0
        self._sum = sha256()
        self._pieces: list[bytes] = []

    def take(self, line: bytes) -> str | None:
        """Take the next piece; return what is wrong with it, in words."""
        try:
            read = _decode(line)
            piece = a2b_base64(read.data, strict_mode=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, NotBase64, ValueError, RecursionError):
            return "a piece of an attachment cannot be read"
        if not is_name(read.attachment) or not 0 < read.size <= CONTENT_LIMIT or not piece:
            return "a piece of an attachment cannot be one"
        if self._line is None:
            self._line, self._seen, self._sum, self._pieces = read, 0, sha256(), []
        if (read.attachment, read.size) != (self._line.attachment, self._line.size) or read.at != self._seen:
            return f"the pieces of attachment {self._line.attachment} do not follow each other"
        self._seen += len(piece)
        self._sum.update(piece)
        if self._hold:
            self._pieces.append(piece)
        if self._seen < read.size:
            return None
        self._line = None
        if self._seen > read.size or self._sum.hexdigest() != read.attachment:
            return f"attachment {read.attachment} is not as it was written"
        self.names.add(read.attachment)
        if self._hold:
            self.contents[read.attachment] = b"".join(self._pieces)
            self._pieces = []
        return None

    def put(self, name: str, content: bytes) -> bool:
        """Take one that was read elsewhere; tell whether it is what its name says."""
        if self._line is not None or sha256(content).hexdigest() != name:
            return False
        self.names.add(name)
        if self._hold:
            self.contents[name] = content
        return True

    def lacks(self, data: str | None) -> str | None:
        """Return the name of an attachment that an event refers to and that did not come before it."""
        if self._line is not None:
            return self._line.attachment
        return next((each.sha256 for each in references(data or "") if each.sha256 not in self.names), None)

    def drain(self) -> dict[str, bytes]:
        """Return what came since the last time, and hold it no more."""
        contents, self.contents = self.contents, {}
        return contents
