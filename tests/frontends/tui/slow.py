"""A terminal at the end of a slow line, and a slow line to the daemon. Both take their time: that is what they are."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import struct
import termios
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.support.cli import HOLDFAST, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

PATIENCE_S = 90.0
_TICK_S = 0.02
_ASK, _ANSWER = b"\x1b[5n", b"\x1b[0n"


class SlowTerminal:
    """Runs the program; takes so many bytes a second of what it writes, and answers what it asks when it comes to that.

    Attributes:
        seen: All that has come over the line.
    """

    def __init__(self, home: Path, *args: str, bytes_per_s: int, size: tuple[int, int] = (100, 30)) -> None:
        self.seen = bytearray()
        self._rate = bytes_per_s
        self._over = threading.Event()
        self._pid, self._line = pty.fork()
        if not self._pid:
            environ = {**environment(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            os.execve(HOLDFAST, [str(HOLDFAST), *args], environ)
        fcntl.ioctl(self._line, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.kill(self._pid, signal.SIGWINCH)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        asked = 0
        with suppress(OSError):  # the program has ended
            while not self._over.is_set() and (piece := os.read(self._line, max(1, int(self._rate * _TICK_S)))):
                self.seen += piece
                while (at := self.seen.find(_ASK, asked)) >= 0:
                    asked = at + len(_ASK)
                    os.write(self._line, _ANSWER)
                time.sleep(len(piece) / self._rate)

    def type(self, text: str) -> None:
        """Type."""
        os.write(self._line, text.encode())

    def until(self, holds: Callable[[bytes], bool], since: int = 0) -> int:
        """Return how many bytes had come when something held of what has come since."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds(bytes(self.seen[since:])):
            assert time.monotonic() < deadline, bytes(self.seen[-2000:])
            time.sleep(_TICK_S)
        return len(self.seen)

    def close(self) -> None:
        """End the program, at once."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._over.set()
        self._reader.join()
        os.close(self._line)


@contextmanager
def slow_link(path: Path, *, bytes_per_s: int, delay_s: float) -> Generator[None]:
    """Put a slow line between a Unix socket and whoever connects to it from now on."""
    behind = path.with_name(f"{path.name}.fast")
    path.rename(behind)
    over = threading.Event()
    threads: list[threading.Thread] = []

    def carry(source: socket.socket, target: socket.socket, rate: int) -> None:
        with suppress(OSError):
            while not over.is_set() and (piece := source.recv(max(1, int(rate * _TICK_S)))):
                due = time.monotonic() + delay_s  # every piece is late by so much, and none overtakes another
                pieces.append((due, target, piece))
                time.sleep(len(piece) / rate)
        pieces.append((time.monotonic() + delay_s, target, b""))

    pieces: list[tuple[float, socket.socket, bytes]] = []

    def deliver() -> None:
        while not over.is_set():
            while pieces and pieces[0][0] <= time.monotonic():
                _, target, piece = pieces.pop(0)
                with suppress(OSError):
                    target.sendall(piece) if piece else target.shutdown(socket.SHUT_WR)
            time.sleep(_TICK_S / 2)

    def accept() -> None:
        with suppress(OSError):
            while not over.is_set():
                ours, _ = listener.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                theirs.connect(str(behind))
                open_ones.extend((ours, theirs))
                for source, target in ((ours, theirs), (theirs, ours)):
                    begin(carry, source, target, bytes_per_s)

    def begin(work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        threads.append(thread)
        thread.start()

    open_ones: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        begin(deliver)
        begin(accept)
        try:
            yield
        finally:
            over.set()
            for each in (listener, *open_ones):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            path.unlink()
            behind.rename(path)
