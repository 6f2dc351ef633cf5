"""Titles of sessions, searched by the same words as items. No index: there are few, and they are kept in memory."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.reading import fetch, head_position
from holdfast.adapters.storage.views import pages, transcript
from holdfast.domain.answers import Hit
from holdfast.domain.recorded import StreamId
from holdfast.domain.search.hits import fits, snippet
from holdfast.domain.search.words import words
from holdfast.domain.timestamps import from_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from holdfast.domain.search.query import Query


class _Metadata(msgspec.Struct, frozen=True):
    first_message_preview: str | None = None


class _Named(msgspec.Struct, frozen=True):
    """The part of a roster row that says what somebody called the session."""

    created_at: str = "1970-01-01T00:00:00Z"
    title: str = ""
    metadata: _Metadata = _Metadata()


_decode = msgspec.json.Decoder(_Named).decode


class Titles:
    """The titles that people and agents gave, read from the roster once and then followed.

    One that is only the beginning of the first message is none: that message is found itself.
    """

    def __init__(self) -> None:
        self._named: dict[int, tuple[list[str], frozenset[str], int]] = {}
        self._end = 0
        self._lock = Lock()

    def find(self, connection: Connection, query: Query, sessions: frozenset[int] | None) -> list[int]:
        """Return the streams of the sessions whose titles fit, the one that began last first.

        Costs the rows that changed since the last call, and a look at each title.

        Args:
            connection: A snapshot.
            query: What to look for; without a word that is wanted, titles are not meant.
            sessions: The numbers of those to look at; None for all.
        """
        if not query.wanted:
            return []
        needed = {word for term in query.wanted for word in (term.words[:-1] if term.prefix else term.words)}
        with self._lock:
            self._follow(connection)
            fitting = [
                (at, stream)
                for stream, (named, distinct, at) in self._named.items()
                if needed <= distinct  # most titles go here, in a tenth of a microsecond
                and (sessions is None or stream in sessions)
                and (query.after is None or at >= query.after)
                and (query.before is None or at < query.before)
                and fits(query, named)
            ]
        return [stream for _, stream in sorted(fitting, reverse=True)]

    def hits(self, connection: Connection, query: Query, streams: list[int]) -> Iterator[Hit]:
        """Yield what is shown of sessions that were found, each with its first item; those that are gone have none."""
        table = schema.sessions.c
        chosen = select(table.stream, table.id, table.position, table.row).where(table.stream.in_(streams))
        rows = {stream: rest for stream, *rest in connection.execute(chosen)}
        for stream in streams:
            if stream not in rows:
                with self._lock:
                    self._named.pop(stream, None)
                continue
            name, position, row = rows[stream]
            named = _decode(row)
            stored = transcript.oldest(connection, stream, above=0, limit=1)
            first = stored or pages.following(connection, StreamId(name), after=0, limit=1)
            yield Hit(
                session_id=StreamId(name),
                item_id=first[0].id if first else "",
                position=position,
                title=named.title,
                snippet=snippet(query, named.title),
                kind="title",
                role=None,
                at=from_text(named.created_at),
            )

    def _follow(self, connection: Connection) -> None:
        table = schema.sessions.c
        head = head_position(connection)
        if head <= self._end:
            return
        for stream, row in fetch(connection, select(table.stream, table.row).where(table.position > self._end)):
            named = _decode(row)
            if named.title and named.title != named.metadata.first_message_preview:
                found = words(named.title)
                self._named[stream] = found, frozenset(found), from_text(named.created_at)
            else:
                self._named.pop(stream, None)
        self._end = head
