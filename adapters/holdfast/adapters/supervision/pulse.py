"""A beat that all busy links share: what comes in between two beats is read, written and shown together."""

from __future__ import annotations

from itertools import cycle
from time import thread_time
from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEAT_S: Final = 0.01
"""How long pieces of text may gather. A commit costs about the same for one event and for a hundred of them."""

GROUPS: Final = 4
"""What one group has said is written and shown while the others gather, so that nobody waits for all of them."""

_EACH_S: Final = 0.000_14
"""What each who is busy needs of a beat: about so long it takes to read one, and to write and show what it said."""

_READING: Final = 0.6
"""The part of a beat in which peers may be read. What they said has to be written and shown as well."""

_LEAST_S: Final = 0.0005

_GO_S: Final = 0.001
"""How long one go may take: so long whoever wants something else of the loop waits."""

_SMALLEST_BYTES: Final = 256
_LARGEST_BYTES: Final = 256 * 1024


class Pulse:
    """Wakes everybody who rests, a group at a time. While nobody does, nothing happens.

    What one group has said is written and shown while the next one is read: nobody waits for all others.
    """

    def __init__(self, beat_s: float = BEAT_S, groups: int = GROUPS) -> None:
        """Beat every `beat_s` seconds for each of the groups once `run` is at work, or seldomer where many are busy."""
        self._beat_s = beat_s
        self._groups = [Group() for _ in range(groups)]
        self._next = cycle(self._groups)
        self._wanted = anyio.Event()

    @property
    def share_s(self) -> float:
        """How long each of those who are busy now may read in a beat."""
        return max(_LEAST_S, _READING * self._beat_s / max(1, self._busy))

    @property
    def _busy(self) -> int:
        return sum(group.busy for group in self._groups)

    def join(self) -> Group:
        """Return the group of one more who may be busy."""
        return next(self._next)

    async def rest(self, group: Group, go_on: Callable[[], bool]) -> None:
        """Return at the next beat of a group; who rests is busy, and has a part of it.

        Args:
            group: Whose beat.
            go_on: Does at the beat what there is to do; where it says that it did, the rest goes on.
        """
        self._wanted.set()
        await group.rest(go_on)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            due = anyio.current_time()
            while any(group.resting for group in self._groups):
                step_s = max(self._beat_s, _EACH_S * self._busy) / len(self._groups)
                for group in self._groups:
                    due += step_s
                    await anyio.sleep(max(0.0, due - anyio.current_time()))
                    group.beat()
                due = max(due, anyio.current_time())


class Group:
    """Those who are woken together.

    Attributes:
        resting: What each of them who rests does at the beat, and how it is woken.
        busy: How many rested at the last beat.
    """

    def __init__(self) -> None:
        self.resting: list[tuple[Callable[[], bool], anyio.Event]] = []
        self.busy = 0

    async def rest(self, go_on: Callable[[], bool]) -> None:
        """Return at a beat at which there is nothing that can be done without waiting."""
        woken = anyio.Event()
        self.resting.append((go_on, woken))
        try:
            await woken.wait()
        finally:
            if not woken.is_set():
                self.resting = [each for each in self.resting if each[1] is not woken]

    def beat(self) -> None:
        """Have everybody do what there is to do, and wake the others."""
        resting, self.resting = self.resting, []
        self.busy = len(resting)
        for each in resting:
            go_on, woken = each
            if go_on():
                self.resting.append(each)
            else:
                woken.set()


class Turn:
    """How much of what one peer says is read before others have their turn: so many bytes a go, so long a beat.

    What a byte costs differs by three powers of ten: there are lines of two bytes and lines of a megabyte.
    """

    def __init__(self, pulse: Pulse, group: Group) -> None:
        self._pulse = pulse
        self._group = group
        self._bytes = 4 * 1024
        self._left_s = pulse.share_s
        self._begun = 0.0
        self._fresh = True

    @property
    def over(self) -> bool:
        """Whether it is somebody else's turn."""
        return self._left_s <= 0

    @property
    def fresh(self) -> bool:
        """Whether nothing was read since the last rest."""
        return self._fresh

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Cut what was received; how long the one before took decides how much the next one holds."""
        start = 0
        while start < len(data):
            piece = data[start : start + self._bytes]
            start += len(piece)
            yield piece

    def begin(self) -> None:
        """Begin to read a piece."""
        self._begun = thread_time()

    def end(self, size: int) -> None:
        """A piece of this many bytes was read."""
        took = thread_time() - self._begun
        self._left_s -= took
        self._fresh = False
        fitting = int(size * _GO_S / max(took, 1e-6))
        self._bytes = max(_SMALLEST_BYTES, min(fitting, 2 * self._bytes, _LARGEST_BYTES))

    def renew(self) -> None:
        """A beat: read again, for as long as others leave."""
        self._left_s = self._pulse.share_s
        self._fresh = True

    async def rest(self, go_on: Callable[[], bool] = lambda: False) -> None:
        """Leave the loop to others until the next beat, and further on while `go_on` says that it needs no task."""
        await self._pulse.rest(self._group, go_on)
        self.renew()
