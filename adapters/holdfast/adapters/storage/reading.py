"""Reading the log: rows in bounded chunks, decoded directly. Costs per call are told at each function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.mapper import ROW_COLUMNS, EventRow, to_recorded
from holdfast.adapters.storage.refill import Refill
from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.recorded import StreamId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Executable, Select

    from holdfast.domain.recorded import Recorded

CHUNK = 2_000
"""Rows held at a time."""

_events = schema.events.c
_row = tuple(schema.events.c[name] for name in ROW_COLUMNS)
_FEED_COLUMNS = (*ROW_COLUMNS, "stream")

# Built once: putting a statement together takes longer than running it.
_of_stream = (
    select(*_row)
    .where(_events.stream == bindparam("stream"))
    .where(_events.version > bindparam("after"), _events.version <= bindparam("until"))
    .order_by(_events.version)
    .limit(bindparam("chunk"))
)
_LAST_VERSION = 2**31 - 1


class Names:
    """The ids of streams by their numbers, read once each. Safe to share: a number never changes its id."""

    def __init__(self) -> None:
        self._known: dict[int, StreamId] = {}

    def of(self, connection: Connection, numbers: set[int]) -> dict[int, StreamId]:
        """Return a table that holds at least these numbers.

        Raises:
            StoreDamagedError: An event belongs to a stream without a key.
        """
        missing = [number for number in numbers if number not in self._known]
        if missing:
            keys = schema.keys.c
            rows = connection.execute(select(keys.stream, keys.id).where(keys.stream.in_(missing)))
            self._known |= {row.stream: row.id for row in rows}
            for number in missing:
                if number not in self._known:
                    msg = f"stream {number} has events but no key: run holdfast verify"
                    raise StoreDamagedError(msg)
        return self._known


def head_position(connection: Connection) -> int:
    """Return the position of the last event. One step in the index."""
    return connection.scalar(select(func.max(_events.position))) or 0


def stream_number(connection: Connection, stream: str) -> int | None:
    """Return the number under which a stream's events stand. One look-up."""
    return connection.scalar(select(schema.keys.c.stream).where(schema.keys.c.id == stream))


def version_at(connection: Connection, stream: str, position: int) -> int:
    """Return the version of a stream's last event at or before a position, 0 for none. A step back from its end."""
    number = stream_number(connection, stream)
    newest_first = select(_events.version).where(_events.stream == number, _events.position <= position)
    return connection.scalar(newest_first.order_by(_events.version.desc()).limit(1)) or 0


def select_stream(
    connection: Connection, stream: str, *, after: int = 0, until: int | None = None, chunk: int = CHUNK
) -> Iterator[Recorded]:
    """Yield a stream's events with versions in (after, until], in order.

    Costs one index range a chunk; memory for one chunk.
    """
    number = stream_number(connection, stream)
    if number is None:
        return
    name = StreamId(stream)
    wanted = {
        "stream": number,
        "after": after,
        "until": _LAST_VERSION if until is None else min(until, _LAST_VERSION),
        "chunk": chunk,
    }
    refill = Refill(columns=ROW_COLUMNS, stream=number)
    while True:
        rows = cast("list[EventRow]", refill(connection, fetch(connection, _of_stream, wanted)))
        for row in rows:
            yield to_recorded(name, row)
        if len(rows) < chunk:
            return
        wanted["after"] = rows[-1][1]


class Feed:
    """A place in the log that moves as it is read, optionally through one stream or some types only.

    Costs one range of the primary key a chunk, of the stream's index where there is one stream. A filter by type reads
    past what it leaves out.

    Attributes:
        position: Everything up to here has been read.
    """

    def __init__(
        self, names: Names, *, after: int = 0, stream: str | None = None, types: Sequence[str] = (), chunk: int = CHUNK
    ) -> None:
        self.position = after
        self._names = names
        self._stream = stream
        self._types = tuple(types)
        self._chunk = chunk
        self._place: tuple[int, int] | None = None
        self._refill = Refill(columns=_FEED_COLUMNS)

    def read(self, connection: Connection, until: int | None = None) -> tuple[list[Recorded], bool]:
        """Return the next events, and whether nothing came after them in the snapshot of this transaction.

        The head is read before the rows: what is committed in between on a database without snapshots is then read
        next time, and never skipped.
        """
        head = head_position(connection)
        if until is not None:
            head = min(head, until)
        if head <= self.position or not self._find_stream(connection):
            self.position = max(head, self.position)
            return [], True
        rows = self._refill(connection, fetch(connection, self._statement(head)))
        table = self._names.of(connection, {row[13] for row in rows})
        events = [to_recorded(table[row[13]], cast("EventRow", row[:13])) for row in rows]
        at_end = len(rows) < self._chunk
        self.position = head if at_end else rows[-1][0]
        if at_end:
            self._refill.forget()
        if self._place is not None and rows:
            self._place = (self._place[0], rows[-1][1])
        return events, at_end

    def _find_stream(self, connection: Connection) -> bool:
        """Find number and version in a filtered stream once; a stream may well begin later."""
        if self._stream is None or self._place is not None:
            return True
        number = stream_number(connection, self._stream)
        if number is None:
            return False
        before = select(func.max(_events.version)).where(_events.stream == number, _events.position <= self.position)
        version = connection.scalar(before)
        self._place = (number, -1 if version is None else version)
        return True

    def _statement(self, head: int) -> Select[Any]:
        statement = select(*_row, _events.stream).where(_events.position <= head)
        if self._place is None:
            statement = statement.where(_events.position > self.position).order_by(_events.position)
        else:
            number, version = self._place
            statement = statement.where(_events.stream == number, _events.version > version).order_by(_events.version)
        if self._types:
            statement = statement.where(_events.type.in_(self._types))
        return statement.limit(self._chunk)


def select_log(connection: Connection, feed: Feed, until: int | None = None) -> Iterator[Recorded]:
    """Yield what a feed has not read yet, up to `until`, in order of position; memory for one chunk."""
    at_end = False
    while not at_end:
        events, at_end = feed.read(connection, until)
        yield from events


def fetch(
    connection: Connection, statement: Executable, parameters: Mapping[str, object] | None = None
) -> list[tuple[Any, ...]]:
    """Return a statement's rows as the driver's own tuples: Core's rows cost as much again as the query."""
    result = connection.execute(statement, parameters)
    cursor = result.cursor
    assert cursor is not None
    try:
        return cast("list[tuple[Any, ...]]", cursor.fetchall())
    finally:
        result.close()


def by_cause(connection: Connection, stream: str, cause: str) -> list[Recorded]:
    """Return the events that the command of this client id led to, in order. One look-up in the partial index."""
    number = stream_number(connection, stream)
    if number is None:
        return []
    statement = select(*_row).where(_events.stream == number, _events.cause == cause).order_by(_events.version)
    return _recorded(connection, stream, number, statement)


def source_offset(connection: Connection, stream: str, source: bytes) -> int | None:
    """Return the greatest offset of a source that the stream holds: where to read on. Scans that stream."""
    number = stream_number(connection, stream)
    statement = select(func.max(_events.source_offset)).where(_events.stream == number, _events.source == source)
    offset: int | None = connection.scalar(statement)
    return offset


def latest(connection: Connection, stream: str, limit: int) -> list[Recorded]:
    """Return the latest events of a stream, the oldest of them first. One index range."""
    number = stream_number(connection, stream)
    statement = select(*_row).where(_events.stream == number).order_by(_events.version.desc()).limit(limit)
    return _recorded(connection, stream, number, statement)[::-1]


def at_versions(connection: Connection, stream: str, versions: Collection[int]) -> list[Recorded]:
    """Return these events of a stream, in order. One look-up in its index each."""
    number = stream_number(connection, stream)
    statement = select(*_row).where(_events.stream == number, _events.version.in_(versions)).order_by(_events.version)
    return _recorded(connection, stream, number, statement)


def _recorded(connection: Connection, stream: str, number: int | None, statement: Executable) -> list[Recorded]:
    rows = Refill(columns=ROW_COLUMNS, stream=number)(connection, fetch(connection, statement))
    return [to_recorded(StreamId(stream), cast("EventRow", row)) for row in rows]
