"""A server's socket with a knife in the middle: it cuts a connection before or after it hands a message on."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

_SOCKET = ".s.PGSQL.5432"


class CuttingProxy:
    """Forwards a Unix socket of PostgreSQL until a client sends `word`, then cuts that connection once.

    Attributes:
        folder: The folder of its socket, to be used as the host.
        cuts: How many connections are still to be cut.
    """

    def __init__(self, server: Path, word: bytes, when: Literal["before", "after"]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hf-cut-"))
        self.cuts = 0
        self._server = server / _SOCKET
        self._word = word
        self._when = when
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / _SOCKET))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._open:
            _close(end)
        for thread in self._threads:
            thread.join(10)
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                self._open += [client, server]
                for source, target, cutting in ((client, server, True), (server, client, False)):
                    thread = threading.Thread(target=self._forward, args=(source, target, cutting), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _forward(self, source: socket.socket, target: socket.socket, cutting: bool) -> None:
        with suppress(OSError):  # one of the two was closed
            while data := source.recv(65_536):
                if cutting and self.cuts > 0 and self._word in data:
                    self.cuts -= 1
                    self._cut(source, target, data)
                    return
                target.sendall(data)
        _close(source)
        _close(target)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        _close(client)
        if self._when == "after":
            server.sendall(data)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            # The other direction reads the reply, finds nobody to hand it to, and closes.
            return
        _close(server)


def _close(end: socket.socket) -> None:
    with suppress(OSError):  # it was closed before
        end.shutdown(socket.SHUT_RDWR)
    end.close()
