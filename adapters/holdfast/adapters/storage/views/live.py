"""Views kept up while sessions are at work: in small bites, so that no append waits for long."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views import inbox, passages, projector, transcript
from holdfast.adapters.storage.views.sheaf import Sheaf
from holdfast.adapters.storage.views.source import Batch, Streams, batches
from holdfast.adapters.storage.views.tables import track, tracked
from holdfast.domain.session.events import SessionErased

if TYPE_CHECKING:
    from sqlalchemy import Connection

_GOAL_S: Final = 0.004
"""How long a bite should take while sessions are at work: so long an append may have to wait."""

_ALONE_S: Final = 0.04
"""How long one may take while nobody appends, which is how a long log is folded soon."""

_LARGEST: Final = 2_000
_SMALLEST: Final = 64
"""A bite has costs that do not depend on its size. On a machine with more to do than it can, nothing fits into the
time, and smaller bites than this would let the views fall behind for good."""

_FEWEST: Final = 4
"""Items that are indexed at a time: each may be a long text."""

_STILL_S: Final = 2.0
"""An item that has not changed for so long is indexed: one that grows would have to be indexed again and again."""

_LATEST_S: Final = 10.0
"""And so is one that grows for longer than this. Searches read it by itself until then."""


_CROWD: Final = 4_000
"""Items that wait for the index at the most: all of them are looked at again and again."""

Next = Literal["more", "write", "fold", "nothing"]


class Bites:
    """Folds what is new, one bite a call; each is the work of one transaction.

    The words of items are not those of events: what was folded tells which items they are, and only these are indexed.
    Where that was not seen, because an earlier process folded, the log is asked again.
    """

    def __init__(self) -> None:
        self._stale: OrderedDict[tuple[int, int], _Stale] = OrderedDict()
        self._met = Streams()
        self._goal_s = _GOAL_S
        self._items = _Size(_FEWEST)
        self._events = _Size(_SMALLEST)
        self._gathered = _Size(_SMALLEST)
        self._sheaf: Sheaf | None = None
        self._written: Sheaf | None = None
        self._begun = False

    @property
    def crowded(self) -> bool:
        """Whether so many items wait for the index that it comes first."""
        return len(self._stale) > _CROWD

    def make_way(self, *, wanted: bool) -> None:
        """Say whether others want to append: bites are short then, and long otherwise."""
        self._goal_s = _GOAL_S if wanted else _ALONE_S

    def gather(self, connection: Connection) -> Next:
        """Fold the next events on a reading connection, and say what comes next.

        `more` of this, `write`, a bite of `fold` on the writer where it cannot be done beside it, or `nothing`.
        """
        begun = monotonic()
        sheaf = self._sheaf
        if sheaf is None:
            places = {tracked(connection, name) for name in (transcript.NAME, inbox.NAME)}
            if not self._begun or len(places) > 1:
                return "fold"
            sheaf = self._sheaf = Sheaf(places.pop(), self._written)
            self._written = None
        batch = next(batches(connection, after=sheaf.end, met=self._met, size=self._gathered.value), None)
        if batch is not None and any(isinstance(recorded.event, SessionErased) for _, recorded in batch.events):
            return "fold" if sheaf.empty else self._bound(sheaf)
        if batch is not None:
            sheaf.add(connection, batch)
            self._gathered.took(monotonic() - begun, self._goal_s)
            return self._bound(sheaf) if sheaf.full else "more"
        if sheaf.empty:
            self._sheaf = None
            return "nothing"
        return self._bound(sheaf)

    def _bound(self, sheaf: Sheaf) -> Next:
        sheaf.bind()
        return "write"

    def write(self, connection: Connection) -> bool:
        """Write what was gathered; False where it has to be read again: then a bite of `fold` comes first."""
        sheaf, self._sheaf = self._sheaf, None
        if sheaf is None or not sheaf.write(connection):
            return False
        self._written = sheaf
        now = monotonic()
        for stream, ordinal, position in sheaf.spots:
            self._note((stream, ordinal), position, now)
        return True

    def fold(self, connection: Connection) -> int:
        """Fold the next events into transcripts and inbox; return how many are left."""
        begun = monotonic()
        self._sheaf = self._written = None
        left = self._fold(connection) if self._begun else self._catch_up(connection)
        self._events.took(monotonic() - begun, self._goal_s)
        return left

    def index(self, connection: Connection, *, everything: bool) -> bool:
        """Index the next items that have come to rest; tell whether more of them wait.

        Args:
            connection: The writer's, inside a transaction that the caller commits.
            everything: Those that may still grow as well.
        """
        begun = monotonic()
        chosen = self._due(begun, everything=everything)[: self._items.value]
        for spot in chosen:
            del self._stale[spot]
        passages.bring_up(connection, chosen)
        head = tracked(connection, transcript.NAME)
        seen = min((stale.since for stale in self._stale.values()), default=head + 1) - 1
        if seen > tracked(connection, passages.NAME):
            track(connection, passages.NAME, seen)
        self._items.took(monotonic() - begun, self._goal_s)
        return bool(self._due(begun, everything=everything))

    def _catch_up(self, connection: Connection) -> int:
        """Fold all views as any other program would, until they stand at the same place."""
        left = projector.step(connection, self._events.value)
        self._begun = left == 0
        return left

    def _fold(self, connection: Connection) -> int:
        head = connection.scalar(select(func.max(schema.events.c.position))) or 0
        start = min(tracked(connection, transcript.NAME), tracked(connection, inbox.NAME))
        if start >= head:
            return 0
        batch = next(batches(connection, after=start, met=self._met, size=self._events.value), Batch(head, []))
        for stream, recorded in batch.events:
            if isinstance(recorded.event, SessionErased):
                passages.forget(connection, stream)
        now = monotonic()
        for stream, ordinal, position in transcript.fold(connection, batch.events):
            self._note((stream, ordinal), position, now)
        inbox.fold(connection, batch.events)
        for name in (transcript.NAME, inbox.NAME):
            track(connection, name, batch.end)
        return head - batch.end

    def _note(self, spot: tuple[int, int], position: int, now: float) -> None:
        known = self._stale.get(spot)
        if known is None:
            self._stale[spot] = _Stale(position, now)
        else:
            known.changed_at = now

    def _due(self, now: float, *, everything: bool) -> list[tuple[int, int]]:
        return [
            spot
            for spot, stale in self._stale.items()
            if everything or now - stale.changed_at >= _STILL_S or now - stale.noted_at >= _LATEST_S
        ]


class _Stale:
    """An item that is not indexed as it is: since which position, since when, and when it changed last."""

    __slots__ = ("changed_at", "noted_at", "since")

    def __init__(self, since: int, now: float) -> None:
        self.since = since
        self.noted_at = self.changed_at = now


class _Size:
    """How much is done at a time: what fitted into the time last time, and not suddenly much more."""

    def __init__(self, smallest: int) -> None:
        self.value = 64
        self._smallest = smallest

    def took(self, duration_s: float, goal_s: float) -> None:
        fitting = int(self.value * goal_s / max(duration_s, 1e-6))
        self.value = max(self._smallest, min(fitting, 2 * self.value, _LARGEST))
