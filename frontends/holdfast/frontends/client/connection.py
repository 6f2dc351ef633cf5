"""One request and its answer on a Unix socket: as much of HTTP as our own daemon speaks (RFC 9112), and no more.

Not `http.client`: what that imports takes a quarter of the time in which a list of sessions has to be on the screen.
"""

from __future__ import annotations

import time
from contextlib import suppress
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ANSWER_WITHIN_S: Final = 30.0
"""How long a daemon may be silent where it says something at least every fifteen seconds."""

_PIECE = 1 << 16
_HEAD_LIMIT = 1 << 16


class BrokenAnswerError(Exception):
    """The answer ends before it is complete, or is none."""


class UnixConnection:
    """A connection for one request."""

    def __init__(self, path: str, timeout_s: float | None) -> None:
        """Prepare to connect to a path; `timeout_s` is how long silence is borne."""
        self._path = path
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        self._socket.settimeout(timeout_s)

    def connect(self) -> None:
        """Connect.

        Raises:
            OSError: Nobody listens there.
        """
        self._socket.connect(self._path)

    def ask(self, method: str, place: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Ask, and return the answer once its head has come.

        Raises:
            BrokenAnswerError: The head is not complete, or is none.
            OSError: The connection broke, or the other side is silent for too long.
        """
        head = {"Host": "localhost", "Connection": "close", **headers}
        if content is not None or method != "GET":
            head["Content-Length"] = str(len(content or b""))
        lines = [f"{method} {place} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        with suppress(BrokenPipeError):  # whoever refuses a long body may answer before it has read all of it
            self._socket.sendall("\r\n".join(lines).encode("latin-1") + (content or b""))
        return Answer(self._socket)

    def close(self) -> None:
        """Close, also where it never was connected."""
        self._socket.close()


class Answer:
    """An answer whose head has come.

    Attributes:
        status: The status code.
        reason: What it says beside that.
        kind: The media type of its body.
    """

    def __init__(self, source: socket) -> None:
        self._socket = source
        self._read = b""
        self._at = 0
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, _, status = head[0].partition(" ")
        code, _, self.reason = status.partition(" ")
        if not version.startswith("HTTP/1.") or not code.isdecimal():
            raise BrokenAnswerError
        self.status = int(code)
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        self.kind = fields.get("content-type", "").partition(";")[0].strip()
        self._chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        size = fields.get("content-length", "")
        self._size = int(size) if size.isdecimal() else None

    def read(self) -> bytes:
        """Return all of its body.

        Raises:
            BrokenAnswerError: It is not complete; so for `lines`.
        """
        return b"".join(self._pieces())

    def lines(self, deadline: float | None = None) -> Iterator[bytes]:
        """Yield its lines as they come, without those that are empty: they only say that the daemon is there.

        Args:
            deadline: When to stop waiting for the next one, by the monotonic clock.
        """
        rest: list[bytes] = []
        for piece in self._pieces(deadline):
            first, *others = piece.split(b"\n")
            rest.append(first)
            for other in others:
                if line := b"".join(rest):
                    yield line
                rest = [other]
        if line := b"".join(rest):
            yield line

    def _pieces(self, deadline: float | None = None) -> Iterator[bytes]:
        """Yield the body in pieces of any size."""
        if self._chunked:
            while size := self._chunk_size(deadline):
                yield from self._exactly(size, deadline)
                if b"".join(self._exactly(2, deadline)) != b"\r\n":
                    raise BrokenAnswerError
        elif self._size is not None:
            yield from self._exactly(self._size, deadline)
        elif self.status != 204:
            while piece := self._taken(_PIECE, deadline):
                yield piece

    def _chunk_size(self, deadline: float | None) -> int:
        try:
            return int(self._until(b"\r\n", deadline).partition(b";")[0], 16)
        except ValueError as error:
            raise BrokenAnswerError from error

    def _exactly(self, size: int, deadline: float | None) -> Iterator[bytes]:
        while size:
            piece = self._taken(size, deadline)
            if not piece:
                raise BrokenAnswerError
            yield piece
            size -= len(piece)

    def _until(self, end: bytes, deadline: float | None = None) -> bytes:
        """Return what comes before `end`, and leave what follows it."""
        while (found := self._read.find(end, self._at)) < 0:
            if len(self._read) - self._at > _HEAD_LIMIT or not self._receive(deadline):
                raise BrokenAnswerError
        line = self._read[self._at : found]
        self._at = found + len(end)
        return line

    def _taken(self, size: int, deadline: float | None) -> bytes:
        """Return at most `size` bytes, at least one; nothing at the end."""
        if self._at == len(self._read) and not self._receive(deadline):
            return b""
        piece = self._read[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _receive(self, deadline: float | None) -> bool:
        """Wait for more; return whether there was any."""
        if deadline is not None:
            self._socket.settimeout(until(deadline))
        piece = self._socket.recv(_PIECE)
        self._read = self._read[self._at :] + piece
        self._at = 0
        return bool(piece)


def until(deadline: float) -> float:
    """Return how long a daemon may be silent where nobody waits beyond a deadline. A socket takes 0 for no waiting."""
    return min(ANSWER_WITHIN_S, max(0.001, deadline - time.monotonic()))
