"""How far a terminal is behind what was sent to it: over a slow line that is not to be seen, and so it is asked.

After each frame goes a question that every terminal answers, in its turn: *are you well?* (DSR, ECMA-48 §8.3.35).
As long as answers are missing, no more frames are drawn; what changes meanwhile is in the next one.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

ASK: Final = "\x1b[5n"
"""The question."""

_ANSWERS: Final = ("\x1b[0n", "\x1b[3n")
_LONGEST: Final = len(_ANSWERS[0])

_AHEAD: Final = 2
"""Frames that may be on their way: with fewer, a line with a long delay would stand idle."""

_MUCH: Final = 2_000
"""Characters on their way after which not even a second frame goes out: a key would wait for both."""

_LOST_S: Final = 20.0
"""After so long an answer is taken for lost."""


class Pace:
    """Counts frames that are on their way. Frames are sent by one thread, answers come on another."""

    def __init__(self, caught_up: Callable[[], None]) -> None:
        """Begin with nothing sent; `caught_up` is called, on the thread of the answers, with each answer."""
        self._caught_up = caught_up
        self._lock = Lock()
        self._sent: deque[tuple[float, int]] = deque()
        self._answers = False
        self._rest = ""

    @property
    def behind(self) -> bool:
        """Whether the terminal has enough to do; never for one that has not answered at all."""
        with self._lock:
            while self._sent and monotonic() - self._sent[0][0] > _LOST_S:
                self._sent.popleft()
            return self._answers and (len(self._sent) >= _AHEAD or sum(size for _, size in self._sent) > _MUCH)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come, from one that answers."""
        with self._lock:
            return self._answers and bool(self._sent)

    def sent(self, size: int = 0) -> None:
        """Note that a frame of so many characters and the question went out."""
        with self._lock:
            if len(self._sent) < _AHEAD or self._answers:
                self._sent.append((monotonic(), size))

    def heard(self, typed: str) -> str:
        """Return what a person typed, without answers; what may become one is kept until more has come."""
        if not self._rest and "\x1b" not in typed:
            return typed
        typed = self._rest + typed
        self._rest = ""
        for answer in _ANSWERS:
            pieces = typed.split(answer)
            if len(pieces) > 1:
                self._answered(len(pieces) - 1)
                typed = "".join(pieces)
        # A lone escape is a key: only where an answer is due it may be the first of one, for a moment.
        for size in range(_LONGEST - 1, 0 if self.waiting else 1, -1):
            if typed.endswith(tuple(answer[:size] for answer in _ANSWERS)):
                self._rest = typed[-size:]
                return typed[:-size]
        return typed

    def rest(self) -> str:
        """Return what was kept and did not become an answer."""
        rest, self._rest = self._rest, ""
        return rest

    def _answered(self, count: int) -> None:
        with self._lock:
            self._answers = True
            for _ in range(min(count, len(self._sent))):
                self._sent.popleft()
        self._caught_up()
