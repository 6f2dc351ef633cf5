"""Single keys from a terminal, and waiting for them. Nothing here knows what they mean."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

Key = Literal["pause", "forward", "back", "quit"]

_KEYS: dict[bytes, Key] = {
    b" ": "pause",
    b"j": "forward",
    b"\x1b[C": "forward",
    b"\x1bOC": "forward",
    b"k": "back",
    b"\x1b[D": "back",
    b"\x1bOD": "back",
    b"q": "quit",
}


_PRESSED = re.compile(rb"\x1b[\[O].|.", re.DOTALL)


class Keys(Protocol):
    """Where keys come from."""

    def wait(self, timeout_s: float | None) -> tuple[Key | None, float]:
        """Wait for a key, at most `timeout_s`; return it, None for none, and how long it took in seconds."""
        ...


class NoKeys:
    """Nobody is there to press any."""

    def wait(self, timeout_s: float | None) -> tuple[Key | None, float]:
        """Wait for the whole time."""
        time.sleep(timeout_s or 0)
        return None, timeout_s or 0


class TerminalKeys:
    """Keys of the terminal that standard input is."""

    def __init__(self) -> None:
        """Nothing was typed yet."""
        self._typed: deque[bytes] = deque()

    def wait(self, timeout_s: float | None) -> tuple[Key | None, float]:
        """Wait for a key that means something; the end of input means that nobody will press one any more."""
        began = time.monotonic()
        while True:
            while self._typed:
                key = _KEYS.get(self._typed.popleft())
                if key is not None:
                    return key, time.monotonic() - began
            left = None if timeout_s is None else max(0.0, timeout_s - (time.monotonic() - began))
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], left)
            if not ready:
                return None, time.monotonic() - began
            typed = os.read(sys.stdin.fileno(), 64)
            if not typed:
                return "quit", time.monotonic() - began
            self._typed.extend(_PRESSED.findall(typed))


@contextmanager
def terminal_keys() -> Generator[Keys, None, None]:
    """Take keys as they are pressed, without Enter and without showing them, until the context is left."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSADRAIN)
    try:
        yield TerminalKeys()
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
