"""How much room things take: sessions, days, files. Every number here costs a scan, and is for those who ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import LargeBinary, cast, func, select, text

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments import referred
from holdfast.domain.compaction import ROW_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from holdfast.domain.recorded import StreamId

_events = schema.events.c


def stored_bytes(connection: Connection, sessions: Sequence[tuple[StreamId, int]] | None = None) -> int:
    """Return how many bytes the events of some sessions take, or of all: payloads, digests, what else is in a row."""
    statement = select(func.sum(event_bytes(connection)))
    if sessions is not None:
        statement = statement.where(_events.stream.in_([number for _, number in sessions]))
    return int(connection.scalar(statement) or 0)


def event_bytes(connection: Connection) -> ColumnElement[int]:
    """Return the expression for what one event takes."""
    if connection.dialect.name == "sqlite":
        payload = func.length(cast(_events.data, LargeBinary))  # of a text, it would count characters
        digest = func.length(_events.digest)
    else:
        payload = func.octet_length(_events.data)
        digest = func.octet_length(_events.digest)
    return func.coalesce(payload, 0) + func.coalesce(digest, 0) + ROW_BYTES


class Taken(NamedTuple):
    """What one session takes, attachments included; what several refer to counts for each of them."""

    id: str
    number: int
    events: int
    bytes: int


def largest(connection: Connection) -> list[Taken]:
    """Return what each session takes, the largest first. Reads the whole log."""
    keys = schema.keys.c
    taken = func.sum(event_bytes(connection))
    statement = (
        select(keys.id, keys.stream, func.count(), taken)
        .join_from(schema.keys, schema.events, keys.stream == _events.stream)
        .where(keys.kind == "session")
        .group_by(keys.id, keys.stream)
        .order_by(taken.desc(), keys.stream)
    )
    beside = referred.bytes_by_stream(connection)
    found = [
        Taken(name, number, events, int(size) + beside.get(number, 0))
        for name, number, events, size in connection.execute(statement)
    ]
    return sorted(found, key=lambda each: -each.bytes)


def bytes_after(connection: Connection, position: int) -> int:
    """Return how many bytes the events after a position take. Reads them."""
    statement = select(func.sum(event_bytes(connection))).where(_events.position > position)
    return int(connection.scalar(statement) or 0)


def free_bytes(connection: Connection) -> int:
    """Return how much of a SQLite file holds nothing; 0 for a server, which knows that by itself."""
    if connection.dialect.name != "sqlite":
        return 0
    pages = connection.scalar(text("PRAGMA freelist_count")) or 0
    return int(pages * (connection.scalar(text("PRAGMA page_size")) or 0))


def file_bytes(connection: Connection) -> int:
    """Return how large the database is: the file, or all that the server keeps of it."""
    if connection.dialect.name == "sqlite":
        pages = connection.scalar(text("PRAGMA page_count")) or 0
        return int(pages * (connection.scalar(text("PRAGMA page_size")) or 0))
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
