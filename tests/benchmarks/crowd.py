"""Many clients at once, as cheap as they can be: bare sockets that count what they are sent and decode none of it."""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from tests.frontends.gateway.serving import TOKEN

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

ROOT: Final = Path(__file__).parents[2]

_EVENT = b'"event_id"'
_PATIENCE_S = 120.0
_PIECE = 1 << 20


class Server:
    """The process that serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._line()

    def tell(self, line: str) -> None:
        """Have something done, and do not wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def done(self) -> str:
        """Wait for the answer to what was told."""
        return self._line()

    def memory_kib(self) -> int:
        """Return how much it has resident."""
        self.tell("memory")
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the server ended"
        return line


@contextmanager
def served(folder: Path, kind: str = "stream") -> Generator[Server]:
    """Start a server over an empty store in `folder`."""
    command = [sys.executable, "-m", "tests.benchmarks.crowd_server", str(folder), kind]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(_PATIENCE_S)
        finally:
            process.kill()


class Reader:
    """One client after its hello."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        place = urlsplit(url)
        self._token = token
        self.socket = socket.create_connection((place.hostname or "", place.port or 0), timeout=_PATIENCE_S)
        self._protocol = ClientProtocol(parse_uri(url), subprotocols=[Subprotocol("holdfast.v1")])
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        self.events = 0
        self.caught_up = False
        self._rest = b""

    def shake_hands(self, frames: Iterable[dict[str, object]]) -> None:
        """Finish the handshake, say hello and ask for something."""
        self.greet()
        self.ask(frames)

    def greet(self) -> None:
        """Finish the handshake and say hello."""
        while self._protocol.state is State.CONNECTING:
            self._protocol.receive_data(self.socket.recv(1))  # not a byte of the first frame
        self.ask([{"type": "hello", "client": "crowd", "token": self._token}])

    def ask(self, frames: Iterable[dict[str, object]]) -> None:
        """Send frames."""
        for frame in frames:
            self._protocol.send_text(msgspec.json.encode(frame))
        self._flush()

    def take(self) -> bytes:
        """Take what is there and count the events in it."""
        data = self.socket.recv(_PIECE)
        whole = self._rest + data
        self.events += whole.count(_EVENT)
        self.caught_up = self.caught_up or b'"caught_up"' in whole
        self._rest = b"" if whole.endswith(b"}") else whole[-len(_EVENT) + 1 :]
        return data

    def _flush(self) -> None:
        self.socket.sendall(b"".join(self._protocol.data_to_send()))


@contextmanager
def crowd(url: str, count: int, frames: Sequence[dict[str, object]]) -> Generator[list[Reader]]:
    """Attach many clients that ask for the same."""
    readers: list[Reader] = []
    try:
        for _ in range(count):
            readers.append(Reader(url))
            readers[-1].greet()  # at once: who does not say hello is not waited for
        for reader in readers:  # only now: who has asked must read
            reader.ask(frames)
        yield readers
    finally:
        for reader in readers:
            reader.socket.close()


def drink(readers: Sequence[Reader], *, until_events: int = 0, caught_up: bool = False) -> float:
    """Read until each has so many events, or has caught up; return when that was, by the monotonic clock."""
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ, reader)
        waiting = len(readers)
        deadline = monotonic() + _PATIENCE_S
        while waiting:
            assert monotonic() < deadline, f"{waiting} clients are not served"
            for key, _ in selector.select(1.0):
                ready: Reader = key.data
                assert ready.take(), "a client was cut off"
                if ready.events >= until_events and (ready.caught_up or not caught_up):
                    selector.unregister(ready.socket)
                    waiting -= 1
    return monotonic()
