"""A socket that answers what a test put there, byte for byte: for what a daemon never says while it is well."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.domain.daemon import Running

Answer = bytes | None
"""What is sent before the connection is closed; None keeps it open, in silence, until the test is over."""


def ok(body: bytes, kind: str = "application/json", status: str = "200 OK") -> bytes:
    """Return a whole answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def chunked(*chunks: bytes, whole: bool = True) -> bytes:
    """Return an answer in chunks; one that is not whole breaks off after them."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + body + (b"0\r\n\r\n" if whole else b"")


class Canned:
    """Listens until it is closed; the last answer is given again and again.

    Attributes:
        asked: Every request that came in, as it came.
    """

    def __init__(self, path: Path, *answers: Answer) -> None:
        self.asked: list[bytes] = []
        self._answers = list(answers)
        self._silent: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (self._listener, *self._silent):
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked.append(self._request(connection))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if answer is None:
                self._silent.append(connection)
            else:
                connection.sendall(answer)
                connection.close()

    def _request(self, connection: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        size = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length:")), 0)
        while len(body) < size:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


class Finder:
    """The port over a socket of a test's own."""

    def __init__(self, find: Callable[[], Running | None]) -> None:
        self._find = find

    def running(self, *, wait_s: float = 0.0) -> Running | None:
        return self._find()

    def token(self) -> str:
        return "secret"
