"""The log as the views read it: decoded events in order of position, in batches, with the numbers of their streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct
from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.mapper import ROW_COLUMNS, to_recorded
from holdfast.adapters.storage.reading import fetch
from holdfast.adapters.storage.refill import Refill
from holdfast.domain.recorded import Recorded, StreamId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from holdfast.adapters.storage.mapper import EventRow

SIZE: Final = 2_000
"""Events folded, and views written, at a time."""

_events = schema.events
_NAMES = ("stream", *ROW_COLUMNS)
_COLUMNS = [_events.c[name] for name in _NAMES]


class Batch(Struct, frozen=True):
    """Events of sessions, each with the number of its stream; `end` is the last position that was looked at."""

    end: int
    events: list[tuple[int, Recorded]]


class Stream(Struct, frozen=True, gc=False):
    """One stream as its key names it."""

    number: int
    kind: str
    id: StreamId


class Streams:
    """The streams that events were met of; each is asked of the database once, for a number never names another."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[int, Stream] = {}

    def meet(self, connection: Connection, numbers: set[int]) -> dict[int, Stream]:
        """Return what is known by number, these numbers included, but for those that name no stream."""
        keys = schema.keys.c
        missing = numbers - self._known.keys()
        if missing:
            found = connection.execute(select(keys.stream, keys.kind, keys.id).where(keys.stream.in_(missing)))
            self._known.update({number: Stream(number, kind, name) for number, kind, name in found})
        return self._known


def stream_named(connection: Connection, name: str) -> Stream | None:
    """Return the stream of this id, or None."""
    keys = schema.keys
    found = connection.execute(select(keys.c.stream, keys.c.kind, keys.c.id).where(keys.c.id == name)).one_or_none()
    return None if found is None else Stream(*found)


def batches(connection: Connection, *, after: int, met: Streams | None = None, size: int = SIZE) -> Iterator[Batch]:
    """Yield the events of sessions above position `after`, from `size` events of any kind at a time.

    Events of links and of unknown streams are left out; the views are of sessions. Whoever reads on and on hands in the
    streams that it `met` before.
    """
    refill = Refill(columns=_NAMES)
    met = Streams() if met is None else met
    while True:
        statement = select(*_COLUMNS).where(_events.c.position > after).order_by(_events.c.position).limit(size)
        rows = refill(connection, fetch(connection, statement))
        if not rows:
            return
        after = rows[-1][1]
        known = met.meet(connection, {row[0] for row in rows})
        events = [
            (stream.number, to_recorded(stream.id, cast("EventRow", row[1:])))
            for row in rows
            if (stream := known.get(row[0])) is not None and stream.kind == "session"
        ]
        yield Batch(after, events)


def log_tail(connection: Connection, *, after: int) -> Iterator[Recorded]:
    """Yield the events of all sessions above position `after`."""
    for batch in batches(connection, after=after):
        for _, recorded in batch.events:
            yield recorded


def tail(connection: Connection, stream: Stream, *, after: int) -> list[Recorded]:
    """Return the events of one stream above position `after`."""
    chosen = (_events.c.stream == stream.number) & (_events.c.position > after)
    rows = fetch(connection, select(*_COLUMNS).where(chosen).order_by(_events.c.version))
    return [to_recorded(stream.id, cast("EventRow", row[1:])) for row in Refill(columns=_NAMES)(connection, rows)]
