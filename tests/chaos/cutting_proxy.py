"""A way to PostgreSQL that is cut after a given message, in whichever direction that went."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_SOCKET = ".s.PGSQL.5432"


class Messages:
    """Splits one direction of the protocol (PostgreSQL 15, §55.2) into whole messages."""

    def __init__(self, *, begins_bare: bool) -> None:
        """With `begins_bare`, the first message has no type: clients start like this."""
        self._bare = begins_bare
        self._waiting = bytearray()

    def take(self, data: bytes) -> list[bytes]:
        """Return the messages that these bytes complete."""
        self._waiting += data
        found: list[bytes] = []
        while True:
            start = 0 if self._bare else 1
            if len(self._waiting) < start + 4:
                return found
            (length,) = struct.unpack_from(">I", self._waiting, start)
            if len(self._waiting) < start + length:
                return found
            found.append(bytes(self._waiting[: start + length]))
            del self._waiting[: start + length]
            self._bare = False


class CuttingProxy:
    """Listens on a socket of its own, hands everything on, and cuts the writer's connection once, after message `cut`.

    Attributes:
        cut: Count of the message after which the connection is cut, both directions counted together, from 1.
        word: What a message must hold to count.
        passed: How many of them the writer's connections have exchanged.
        done: Whether it was cut.
    """

    def __init__(self, server: Path, folder: Path, cut: int, word: bytes = b"") -> None:
        self.cut = cut
        self.word = word
        self.passed = 0
        self.done = False
        self.folder = folder
        self._server = str(server / _SOCKET)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen(16)
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="cutting-proxy")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waker.close()
        self._thread.join()
        self._listener.close()
        (self.folder / _SOCKET).unlink()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            pairs: list[_Pair] = []
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        for pair in pairs:
                            pair.close(selector)
                        self._woken.close()
                        return
                    if key.fileobj is self._listener:
                        client, _ = self._listener.accept()
                        pairs.append(_Pair(self, client, self._server, selector))
                    elif isinstance(key.data, _Way):
                        key.data.hand_on(selector)


class _Pair:
    """One connection: the client's half and the server's."""

    def __init__(
        self, proxy: CuttingProxy, client: socket.socket, server: str, selector: selectors.BaseSelector
    ) -> None:
        self.proxy = proxy
        self.writes = False
        self.closed = False
        self._client = client
        self._upstream = socket.socket(socket.AF_UNIX)
        try:
            self._upstream.connect(server)
        except OSError:
            self.close(None)
            return
        selector.register(client, selectors.EVENT_READ, _Way(self, client, self._upstream, from_client=True))
        selector.register(self._upstream, selectors.EVENT_READ, _Way(self, self._upstream, client, from_client=False))

    def close(self, selector: selectors.BaseSelector | None) -> None:
        """Cut both halves."""
        if self.closed:
            return
        self.closed = True
        for half in (self._client, self._upstream):
            with suppress(KeyError, ValueError):  # it may never have got so far
                if selector is not None:
                    selector.unregister(half)
            half.close()


class _Way:
    """One direction of a connection."""

    def __init__(self, pair: _Pair, source: socket.socket, target: socket.socket, *, from_client: bool) -> None:
        self._pair = pair
        self._source = source
        self._target = target
        self._from_client = from_client
        self._messages = Messages(begins_bare=from_client)

    def hand_on(self, selector: selectors.BaseSelector) -> None:
        """Hand on what has come; cut where it is time."""
        pair = self._pair
        if pair.closed:
            return
        try:
            data = self._source.recv(65536)
            for message in self._messages.take(data):
                if self._from_client and b"holdfast writer" in message[:400]:
                    pair.writes = True
                self._target.sendall(message)
                if pair.writes and pair.proxy.word in message and self._counts(pair.proxy):
                    pair.close(selector)
                    return
        except OSError:
            data = b""
        if not data:
            pair.close(selector)

    @staticmethod
    def _counts(proxy: CuttingProxy) -> bool:
        proxy.passed += 1
        if proxy.done or proxy.passed != proxy.cut:
            return False
        proxy.done = True
        return True
