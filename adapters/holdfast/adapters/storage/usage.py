"""How much room things take: sessions, days, files. Every number here costs a scan, and is for those who ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import LargeBinary, cast, func, select, text

from holdfast.adapters.storage import schema
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


def file_bytes(connection: Connection) -> int:
    """Return how large the database is: the file, or all that the server keeps of it."""
    if connection.dialect.name == "sqlite":
        pages = connection.scalar(text("PRAGMA page_count")) or 0
        return int(pages * (connection.scalar(text("PRAGMA page_size")) or 0))
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
