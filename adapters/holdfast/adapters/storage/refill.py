"""Rows whose payloads gave way to a compaction, with the payloads that a fold needs. Rows of an erasure stay empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from holdfast.adapters.storage import schema
from holdfast.domain.compaction import COMPACTED, REDUCIBLE, Compactions
from holdfast.domain.session.codec import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

Row = tuple[Any, ...]

HELD: Final = 64 * 1024 * 1024
"""Characters of compacted text that are held at a time, over all sessions that are read together."""

_events = schema.events.c
_compacted = (
    select(_events.version, _events.type, _events.schema, _events.data)
    .where(_events.stream == bindparam("stream"), _events.type.in_(COMPACTED), _events.data.is_not(None))
    .order_by(_events.version)
)


class Refill:
    """Puts payloads into rows that lack them.

    Costs a look at each row, and one range of a session's index where a row of it is empty; what was found is held for
    the rows that come next.
    """

    def __init__(self, *, columns: Sequence[str], stream: int | None = None) -> None:
        """Work on rows with these columns; where they do not name the stream, all are of the one that is given."""
        self._data = columns.index("data")
        self._type = columns.index("type")
        self._version = columns.index("version")
        self._stream = columns.index("stream") if "stream" in columns else None
        self._only = 0 if stream is None else stream
        self._held: dict[int, Compactions] = {}

    def __call__(self, connection: Connection, rows: list[Row]) -> list[Row]:
        """Return `rows`, the same list where nothing is missing."""
        data = self._data
        if None not in [row[data] for row in rows]:
            return rows
        return [row if row[data] is not None else self._filled(connection, row) for row in rows]

    def forget(self) -> None:
        """Let go of what was found."""
        self._held.clear()

    def _filled(self, connection: Connection, row: Row) -> Row:
        tag = row[self._type]
        if tag not in REDUCIBLE:
            return row
        stream: int = self._only if self._stream is None else row[self._stream]
        compactions = self._held.get(stream)
        if compactions is None:
            compactions = compactions_of(connection, stream)
            while self._held and compactions.size + sum(held.size for held in self._held.values()) > HELD:
                del self._held[next(iter(self._held))]
            self._held[stream] = compactions
        payload = compactions.payload(row[self._version], tag)
        return row if payload is None else (*row[: self._data], payload, *row[self._data + 1 :])


def compactions_of(connection: Connection, stream: int) -> Compactions:
    """Return what the compacted events of a stream say. Reads the stream's index."""
    compactions = Compactions()
    for version, tag, version_of_schema, data in connection.execute(_compacted, {"stream": stream}):
        compactions.add(decode(tag, version_of_schema, data), version)
    return compactions
