"""One request and its answer on a Unix socket: bytes and lines. Nothing here knows what they mean."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

ANSWER_WITHIN_S: Final = 30.0
"""How long a daemon may be silent where it says something at least every fifteen seconds."""

_PIECE = 1 << 16


class UnixConnection(HTTPConnection):
    """HTTP to a path instead of a host.

    Attributes:
        socket: What it goes over; `sock`, of the class above, forgets it while an answer is still read.
    """

    def __init__(self, path: str, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self.socket = socket(AF_UNIX, SOCK_STREAM)

    def connect(self) -> None:
        """Connect."""
        self.socket.settimeout(self.timeout)
        self.socket.connect(self._path)
        self.sock = self.socket

    def close(self) -> None:
        """Close, also where it never was connected."""
        super().close()
        self.socket.close()


class Answer:
    """An answer whose head has come."""

    def __init__(self, response: HTTPResponse, connection: UnixConnection) -> None:
        self._response = response
        self._socket = connection.socket
        self.kind = (response.getheader("Content-Type") or "").partition(";")[0].strip()

    def read(self) -> bytes:
        """Return all of its body."""
        return self._response.read()

    def lines(self, deadline: float | None = None) -> Iterator[bytes]:
        """Yield its lines as they come, without those that are empty: they only say that the daemon is there."""
        rest: list[bytes] = []
        while True:
            if deadline is not None:
                self._socket.settimeout(until(deadline))
            piece = self._response.read1(_PIECE)
            if not piece:
                break
            first, *others = piece.split(b"\n")
            rest.append(first)
            for other in others:
                if line := b"".join(rest):
                    yield line
                rest = [other]
        if line := b"".join(rest):
            yield line


def until(deadline: float) -> float:
    """Return how long a daemon may be silent where nobody waits beyond a deadline. A socket takes 0 for no waiting."""
    return min(ANSWER_WITHIN_S, max(0.001, deadline - time.monotonic()))
