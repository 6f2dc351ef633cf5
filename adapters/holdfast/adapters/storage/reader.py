"""What can be asked of a store without changing it: the port `Reading` over its tables."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal, cast

from msgspec import Raw
from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.attachments.keeping import altered, gone, state
from holdfast.adapters.storage.cursor import decode_cursor, encode_cursor
from holdfast.adapters.storage.mapper import ROW_COLUMNS, to_recorded
from holdfast.adapters.storage.reading import fetch, head_position, stream_number
from holdfast.adapters.storage.views import inbox, pages, roster
from holdfast.adapters.storage.views.check import fresh_digests
from holdfast.adapters.storage.views.search import search
from holdfast.adapters.storage.views.source import log_tail
from holdfast.adapters.storage.views.tables import tracked
from holdfast.adapters.storage.views.titles import Titles
from holdfast.domain.answers import Attachment, LogEvent, Page
from holdfast.domain.attachments import is_name
from holdfast.domain.errors import AmbiguousNameError, NotFoundError
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from holdfast.adapters.storage.mapper import EventRow
    from holdfast.adapters.storage.store import Store
    from holdfast.domain.answers import Hit
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.search.query import Query

SHORTEST_PREFIX: Final = 4

CHUNK: Final = 1_000
"""Events read at a time by those who pass them on."""

_POLL_S = 0.1
_TURN_LIMIT = 500


class Reader:
    """Everything that can be asked of one open store. Each answer is one snapshot of it."""

    def __init__(self, store: Store) -> None:
        """Read from `store`, which the caller keeps open."""
        self._store = store
        self._titles = Titles()
        store.remind(self)

    def forget(self, session_id: StreamId) -> None:
        """Hold no title of a session that was erased: all of them are read again when somebody searches."""
        del session_id
        self._titles = Titles()

    def resolve(self, name: str) -> StreamId:
        """Return the session that an id, a prefix of it, or a title names.

        Raises:
            NotFoundError: No session fits, or the prefix is too short to be meant.
            AmbiguousNameError: Several do.
        """
        if "\0" in name:
            raise _nobody(name)
        sessions = schema.sessions.c
        with self._store.reading() as connection:
            if connection.scalar(select(sessions.id).where(sessions.id == name)) is not None:
                return StreamId(name)
            prefixed = _with_prefix(connection, name) if len(name) >= SHORTEST_PREFIX else []
            found = prefixed or roster.titled(connection, name)
            erased = not found and connection.scalar(_erased.where(schema.keys.c.id == name)) is not None
        if erased:
            msg = f"session {name} was erased: nothing is left of it but its place in the log"
            raise NotFoundError(msg)
        if not found:
            raise _nobody(name)
        if len(found) > 1:
            raise AmbiguousNameError(name, tuple(found))
        return StreamId(found[0])

    def rows(self, *, ended: bool = False) -> list[Row]:
        """Return the roster in the order of every list; ended sessions only when asked for."""
        with self._store.reading() as connection:
            return roster.decoded(roster.listed(connection, ended=ended))

    def row(self, session_id: StreamId) -> Row:
        """Return one session's row.

        Raises:
            NotFoundError: There is no such session.
        """
        with self._store.reading() as connection:
            return roster.one(connection, session_id)

    def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        """Return the newest items, or those before a cursor.

        Raises:
            NotFoundError: There is no such session.
            CursorError: The cursor belongs to another store, lies beyond the head, or is none.
        """
        with self._store.reading() as connection:
            return page_of(connection, self._store.id, session_id, before=before, limit=limit)

    def last_turn(self, session_id: StreamId) -> Page:
        """Return the items since the person spoke last.

        Raises:
            NotFoundError: There is no such session.
        """
        with self._store.reading() as connection:
            row = roster.one(connection, session_id)
            items, earlier = pages.since_last_prompt(connection, session_id, limit=_TURN_LIMIT)
            return Page(row, items, head_position(connection), cursor_of(self._store.id, earlier))

    def around(self, session_id: StreamId, item_id: str, *, each_side: int = 3) -> Page:
        """Return one item with those before and after it.

        Raises:
            NotFoundError: There is no such session, or no such item in it.
        """
        with self._store.reading() as connection:
            row = roster.one(connection, session_id)
            found = None if "\0" in item_id else pages.around(connection, session_id, item_id, each_side=each_side)
            if found is None:
                msg = f"there is no item {item_id!r} in session {session_id}: see `holdfast show {session_id} --json`"
                raise NotFoundError(msg)
            items, earlier = found
            return Page(row, items, head_position(connection), cursor_of(self._store.id, earlier))

    def offers(self, session_id: StreamId) -> Offers:
        """Return what the session's peer offers a person to choose from.

        Raises:
            NotFoundError: There is no such session.
        """
        with self._store.reading() as connection:
            return roster.offers(connection, session_id)

    def attachment(self, session_id: StreamId, name: str) -> Attachment:
        """Return what an event of a session refers to by this SHA-256; its content is read as it is asked for.

        It is read once before, to see that it is what it should be: half of a wrong answer cannot be taken back.

        Raises:
            NotFoundError: No event of the session refers to it, or it is gone.
            StoreDamagedError: It was altered.
        """
        attachments = self._store.attachments
        with self._store.reading() as connection:
            number = stream_number(connection, session_id) if is_name(name) else None
            use = None if number is None else referred.refers(connection, number, name)
            if use is None:
                msg = f"session {session_id} has no attachment {name[:64]!r}"
                raise NotFoundError(msg)
            size = attachments.size(connection, name)
            found = "missing" if size is None else state(attachments, connection, name, size)
        if size is None or found == "missing":
            raise gone(name)
        if found == "altered":
            raise altered(name)
        return Attachment(size, use == "text", self._pieces(name))

    def _pieces(self, name: str) -> Iterator[bytes]:
        with self._store.reading() as connection:
            yield from self._store.attachments.pieces(connection, name)

    def search(self, query: Query, *, limit: int = 20) -> list[Hit]:
        """Return the items that fit, the best first, and sessions whose titles do.

        Raises:
            NotFoundError: A session that the query names is not there.
        """
        with self._store.reading() as connection:
            return search(connection, query, limit, self._titles)

    def inbox(self) -> list[Request]:
        """Return what waits for a person, the oldest first."""
        with self._store.reading() as connection:
            return inbox.waiting(connection, log_tail(connection, after=tracked(connection, inbox.NAME)))

    def events(
        self, *, since: int = 0, session_id: StreamId | None = None, types: Sequence[str] = (), follow: bool = False
    ) -> Iterator[LogEvent]:
        """Yield events with positions above `since`, in order; with `follow` for ever, as they are committed.

        Holds no transaction between two chunks, so a slow consumer holds nothing up.
        """
        position = since
        while True:
            with self._store.reading() as connection:
                head = head_position(connection)
                chunk = log_events(connection, position, head, session_id, types)
            yield from chunk
            if len(chunk) == CHUNK:
                position = chunk[-1].recorded.position or head
            elif follow:
                position = max(head, position)
                time.sleep(_POLL_S)  # another process writes: there is nothing to wait on
            else:
                return

    def digests(self) -> dict[str, str]:
        """Return a digest for every view as it would be built anew from the log.

        Raises:
            ViewsDifferError: A stored view shows something else.
        """
        with self._store.reading() as connection:
            return fresh_digests(connection)


_erased = select(schema.keys.c.id).where(schema.keys.c.kind == "session", schema.keys.c.salt.is_(None))


def _nobody(name: str) -> NotFoundError:
    msg = f"there is no session {name!r}: give an id, at least {SHORTEST_PREFIX} characters of one, or a title"
    return NotFoundError(msg)


def _with_prefix(connection: Connection, prefix: str) -> list[str]:
    sessions = schema.sessions.c
    found = connection.scalars(select(sessions.id).where(sessions.id.startswith(prefix, autoescape=True)))
    return sorted(found.all())


def log_events(
    connection: Connection,
    after: int,
    head: int,
    session_id: StreamId | None,
    types: Sequence[str],
    *,
    limit: int = CHUNK,
) -> list[LogEvent]:
    """Return the first events at positions in (after, head], their payloads as they are stored."""
    events, keys = schema.events.c, schema.keys.c
    columns = [events[name] for name in ROW_COLUMNS]
    statement = select(*columns, keys.id, keys.kind).join_from(schema.events, schema.keys, events.stream == keys.stream)
    statement = statement.where(events.position > after, events.position <= head)
    if session_id is not None:
        statement = statement.where(events.stream == stream_number(connection, session_id))
    if types:
        statement = statement.where(events.type.in_(types))
    rows = fetch(connection, statement.order_by(events.position).limit(limit))
    return [_log_event(row) for row in rows]


def _log_event(row: tuple[object, ...]) -> LogEvent:
    header, name, kind = (
        cast("EventRow", row[:-2]),
        cast("StreamId", row[-2]),
        cast("Literal['session', 'link']", row[-1]),
    )
    data = header[-1]
    return LogEvent(to_recorded(name, header, Unknown), kind, header[3], None if data is None else Raw(data.encode()))


def page_of(connection: Connection, store_id: str, session_id: StreamId, *, before: str | None, limit: int) -> Page:
    """Return a page of a transcript as of a snapshot.

    Raises:
        NotFoundError: There is no such session.
        CursorError: The cursor belongs to another store, lies beyond the head, or is none.
    """
    row = roster.one(connection, session_id)
    head = head_position(connection)
    below = None if before is None else decode_cursor(before, store_id, head)
    items, earlier = pages.page(connection, session_id, below=below, limit=limit)
    return Page(row, items, head, cursor_of(store_id, earlier))


def cursor_of(store_id: str, earlier: int | None) -> str | None:
    """Return the cursor of the page below an ordinal, which is a position; None where there is no such page."""
    return None if earlier is None else encode_cursor(store_id, earlier)
