"""What all served views have in common: snapshots that are shared for a moment, and patches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from time import monotonic
from typing import TYPE_CHECKING, Final

import anyio
from msgspec import Struct

from holdfast.frontends.gateway.views.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.recorded import StreamId

_SHARED_S: Final = 0.25
"""How long a snapshot is given to others who come. It is never wrong: its patches follow it."""

_SHAPES: Final = 8


class Snapshot(Struct, frozen=True):
    """A view at a position.

    Attributes:
        place: Where the patches after it begin.
        body: The members of a `snapshot` frame after `position`, and the brace that closes it.
    """

    position: int
    place: int
    body: bytes


class View(ABC):
    """One view, whoever looks at it.

    Attributes:
        name: What subscribers call it.
        session_id: The session that it is of; None for a view over all.
        patches: What changed lately.
        lookers: One for each subscription: what wakes the attachment that has it.
    """

    name: str
    session_id: StreamId | None = None

    def __init__(self) -> None:
        self.patches = Patches()
        self.lookers: list[Callable[[], None]] = []
        self._lock = anyio.Lock()
        self._made: dict[tuple[int, bool], tuple[float, Snapshot]] = {}

    async def snapshot(self, limit: int, *, ended: bool) -> Snapshot:
        """Return the view as it is, or as it was a moment ago for those who came then.

        Args:
            limit: Items at the most, the newest of a transcript.
            ended: Whether a roster has the ended sessions too.

        Raises:
            NotFoundError: What it would show does not exist.
        """
        shape = (limit, ended)
        async with self._lock:
            made = self._made.get(shape)
            if made is not None and monotonic() - made[0] < _SHARED_S and made[1].place >= self.patches.first:
                return made[1]
            place = self.patches.next
            position, body = await self.read(limit, ended=ended)
            snapshot = Snapshot(position, place, body)
            if len(self._made) >= _SHAPES:
                self._made.clear()
            self._made[shape] = (monotonic(), snapshot)
            return snapshot

    def wake(self) -> None:
        """Let everybody who looks at it see what is new."""
        for waker in self.lookers:
            waker()

    @abstractmethod
    async def read(self, limit: int, *, ended: bool) -> tuple[int, bytes]:
        """Read a snapshot and its position in one transaction."""

    @abstractmethod
    async def follow(self, events: Sequence[LogEvent], end: int) -> None:
        """Fold the events that came after the last ones, up to `end`; those of its session, where it has one."""
