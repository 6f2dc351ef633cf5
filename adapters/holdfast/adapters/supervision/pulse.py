"""A beat that all busy links share: what comes in between two beats is read, written and shown together."""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEAT_S: Final = 0.01
"""How long pieces of text may gather. A commit costs about the same for one event and for a hundred of them."""

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
    """Has everybody who rests go on at the same moment. While nobody does, nothing happens."""

    def __init__(self, beat_s: float = BEAT_S) -> None:
        """Beat every `beat_s` seconds once `run` is at work, or seldomer where many are busy."""
        self._beat_s = beat_s
        self._resting: list[tuple[Callable[[], bool], anyio.Event]] = []
        self._wanted = anyio.Event()
        self._busy = 0

    @property
    def share_s(self) -> float:
        """How long each of those who are busy now may read in a beat."""
        return max(_LEAST_S, _READING * self._beat_s / max(1, self._busy))

    async def rest(self, go_on: Callable[[], bool]) -> None:
        """Return at the next beat at which there is nothing to do without waiting; who rests is busy.

        Args:
            go_on: Called at each beat: does what there is to do, and says whether there was anything.
        """
        woken = anyio.Event()
        self._resting.append((go_on, woken))
        self._wanted.set()
        try:
            await woken.wait()
        finally:
            if not woken.is_set():
                self._resting = [each for each in self._resting if each[1] is not woken]

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            while self._resting:
                beat_s = max(self._beat_s, _EACH_S * self._busy)
                await anyio.sleep(beat_s - anyio.current_time() % beat_s)
                self._beat()

    def _beat(self) -> None:
        resting, self._resting = self._resting, []
        self._busy = len(resting)
        for each in resting:
            go_on, woken = each
            if go_on():
                self._resting.append(each)
            else:
                woken.set()


class Turn:
    """How much of what one peer says is read before others have their turn: so many bytes a go, so long a beat.

    What a byte costs differs by three powers of ten: there are lines of two bytes and lines of a megabyte.
    """

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
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
        await self._pulse.rest(go_on)
        self.renew()
