"""The latest frames of a connection, for people who want to see what was really said. In memory only, and bounded."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Final

from holdfast.adapters.supervision.pieces import Pieces
from holdfast.domain.keeping import Direction, PeerFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from holdfast.adapters.supervision.secrets import Secrets

FRAMES: Final = 256
FRAME_BYTES: Final = 4 * 1024
"""So much of one frame is kept: its method and its first arguments stand at its beginning."""

RING_BYTES: Final = 128 * 1024


class News:
    """What all rings share: the numbers of their frames, and whoever wants to hear that there are new ones."""

    def __init__(self) -> None:
        self.numbers: Iterator[int] = count(1)
        self.listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` for every frame from here on; returns how to stop that."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Ring:
    """The latest frames of one link, over all its connections.

    What comes in has gone through the veil already, and what goes out is made of what the log holds, so that no known
    value of a credential is in a frame. One that a peer cuts up and says in several frames is hidden here.
    """

    def __init__(self, news: News, now: Callable[[], int], secrets: Secrets) -> None:
        """Keep nothing yet; `now` gives microseconds since the epoch, `secrets` is what no frame may show."""
        self._news = news
        self._pieces = Pieces(secrets)
        self._now = now
        self._frames: deque[tuple[int, int, Direction, bytes, int]] = deque()
        self._held = 0
        self._head, self._size = b"", 0

    def heard(self, data: bytes, *, lines: bool) -> None:
        """Take in what the peer said: one message, or a slice of lines."""
        if not lines:
            self._hear(data[:FRAME_BYTES], len(data))
            return
        *whole, rest = data.split(b"\n")
        for line in whole:
            size = self._size + len(line)
            if size:
                self._hear(self._head + line[: FRAME_BYTES - len(self._head)], size)
            self._head, self._size = b"", 0
        self._head += rest[: FRAME_BYTES - len(self._head)]
        self._size += len(rest)

    def said(self, data: bytes) -> None:
        """Take in what the peer was told."""
        for line in data.split(b"\n") if len(data) <= RING_BYTES else (data,):
            if line:
                self._add("out", line[:FRAME_BYTES], len(line))

    def broken_off(self) -> None:
        """The connection is over: what was begun and never ended is a frame as well."""
        if self._size:
            self._hear(self._head, self._size)
        self._head, self._size = b"", 0

    def after(self, number: int) -> Sequence[PeerFrame]:
        """Return the frames that are kept and came after a number, in order."""
        return [
            PeerFrame(each, at, direction, head.decode("utf-8", "replace"), size)
            for each, at, direction, head, size in self._frames
            if each > number
        ]

    def _hear(self, head: bytes, size: int) -> None:
        self._add("in", self._pieces.hide(head), size)

    def _add(self, direction: Direction, head: bytes, size: int) -> None:
        self._frames.append((next(self._news.numbers), self._now(), direction, head, size))
        self._held += len(head)
        while len(self._frames) > FRAMES or self._held > RING_BYTES:
            self._held -= len(self._frames.popleft()[3])
        for listener in self._news.listeners:
            listener()
