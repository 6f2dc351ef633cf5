"""Items folded beside the writer: read and changed in memory on a reading connection, and written in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views import inbox, transcript
from holdfast.adapters.storage.views.tables import track, tracked, upsert
from holdfast.domain.projections.inbox import project
from holdfast.domain.projections.transcript import touched

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.adapters.storage.views.source import Batch
    from holdfast.domain.projections.items import Item
    from holdfast.domain.recorded import Recorded

_MOST: Final = 4_000
"""Events that are folded before their items are written."""

_KEPT: Final = 4 * 1024 * 1024
"""Characters of items that are remembered from one time to the next while sessions are at work."""


class Sheaf:
    """What events have made of transcripts since a position. Each text is written once, however often it has grown.

    Attributes:
        end: Everything up to here is in it.
        spots: Stream, ordinal and position of every item that changed, once it was bound.
    """

    def __init__(self, start: int, known: Sheaf | None = None) -> None:
        """Begin after `start`, where both views stand; `known` is what was written just before."""
        self.end = start
        self.spots: list[tuple[int, int, int]] = []
        self._start = start
        self._events = 0
        self._items = {} if known is None or known.end != start else known.latest()
        self._changed: dict[tuple[int, str], None] = {}
        self._asked: list[tuple[int, Recorded]] = []
        self._rows: list[dict[str, object]] = []

    def latest(self) -> dict[int, dict[str, Item]]:
        """Return the items that changed, as they are stored now: those that still grow need not be read again."""
        items: dict[int, dict[str, Item]] = {}
        length = 0
        for stream, item_id in reversed(self._changed):
            item = self._items[stream][item_id]
            length += item.length
            if length > _KEPT:
                break
            items.setdefault(stream, {})[item_id] = item
        return items

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return self._events >= _MOST

    @property
    def empty(self) -> bool:
        """Whether nothing was added."""
        return self.end == self._start

    def add(self, connection: Connection, batch: Batch) -> None:
        """Fold the events after the last ones; an erasure must not be among them."""
        by_stream: dict[int, list[Recorded]] = {}
        for stream, recorded in batch.events:
            by_stream.setdefault(stream, []).append(recorded)
            if project(recorded) is not None:
                self._asked.append((stream, recorded))
        for stream, happened in by_stream.items():
            items = self._items.setdefault(stream, {})
            named = {item_id for recorded in happened if (item_id := touched(recorded.event)) is not None}
            items.update((item.id, item) for item in transcript.some(connection, stream, named - items.keys()))
            _, changed, _ = transcript.replay(items, happened)
            self._changed.update(dict.fromkeys((stream, item_id) for item_id in changed))
        self._events += len(batch.events)
        self.end = batch.end

    def bind(self) -> None:
        """Make the rows: nothing is left to do for the writer but to write them."""
        changed = [(stream, self._items[stream][item_id]) for stream, item_id in self._changed]
        self._rows = [transcript.as_row(stream, item) for stream, item in changed]
        self.spots = [(stream, item.ordinal, item.position) for stream, item in changed]

    def write(self, connection: Connection) -> bool:
        """Write it, in the writer's transaction; False where it was folded from what is not true any more.

        Somebody else may have folded or rebuilt meanwhile, and of a session that was erased nothing may come back.
        """
        if {tracked(connection, name) for name in (transcript.NAME, inbox.NAME)} != {self._start}:
            return False
        keys = schema.keys.c
        erased = select(keys.stream).where(keys.stream.in_(list(self._items)), keys.salt.is_(None)).limit(1)
        if connection.scalar(erased) is not None:
            return False
        upsert(connection, schema.items, self._rows)
        inbox.fold(connection, self._asked)
        for name in (transcript.NAME, inbox.NAME):
            track(connection, name, self.end)
        return True
