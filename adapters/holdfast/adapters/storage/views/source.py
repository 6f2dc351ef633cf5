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


def streams(connection: Connection) -> dict[int, Stream]:
    """Return every stream by its number."""
    keys = schema.keys
    found = connection.execute(select(keys.c.stream, keys.c.kind, keys.c.id)).all()
    return {number: Stream(number, kind, name) for number, kind, name in found}


def stream_named(connection: Connection, name: str) -> Stream | None:
    """Return the stream of this id, or None."""
    keys = schema.keys
    found = connection.execute(select(keys.c.stream, keys.c.kind, keys.c.id).where(keys.c.id == name)).one_or_none()
    return None if found is None else Stream(*found)


def batches(connection: Connection, *, after: int, known: dict[int, Stream], size: int = SIZE) -> Iterator[Batch]:
    """Yield the events of sessions above position `after`, from `size` events of any kind at a time.

    Events of links and of unknown streams are left out; the views are of sessions.
    """
    refill = Refill(columns=_NAMES)
    while True:
        statement = select(*_COLUMNS).where(_events.c.position > after).order_by(_events.c.position).limit(size)
        rows = refill(connection, fetch(connection, statement))
        if not rows:
            return
        after = rows[-1][1]
        events = [
            (stream.number, to_recorded(stream.id, cast("EventRow", row[1:])))
            for row in rows
            if (stream := known.get(row[0])) is not None and stream.kind == "session"
        ]
        yield Batch(after, events)


def log_tail(connection: Connection, *, after: int) -> Iterator[Recorded]:
    """Yield the events of all sessions above position `after`."""
    for batch in batches(connection, after=after, known=streams(connection)):
        for _, recorded in batch.events:
            yield recorded


def tail(connection: Connection, stream: Stream, *, after: int) -> list[Recorded]:
    """Return the events of one stream above position `after`."""
    chosen = (_events.c.stream == stream.number) & (_events.c.position > after)
    rows = fetch(connection, select(*_COLUMNS).where(chosen).order_by(_events.c.version))
    return [to_recorded(stream.id, cast("EventRow", row[1:])) for row in Refill(columns=_NAMES)(connection, rows)]
