"""Following a store for those who show it: the port `Tail`, each answer read on a worker thread in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.storage.cursor import decode_cursor
from holdfast.adapters.storage.reader import log_events, page_of
from holdfast.adapters.storage.reading import head_position, version_at
from holdfast.adapters.storage.views import inbox, pages, roster
from holdfast.adapters.storage.views.source import log_tail
from holdfast.adapters.storage.views.tables import tracked
from holdfast.domain.tail import Bell, Inbox, Offered, Roster, Stretch

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.answers import Page
    from holdfast.domain.projections.items import Item
    from holdfast.domain.recorded import StreamId


class StoreTail:
    """An open store as the gateway follows it."""

    def __init__(self, store: Store) -> None:
        """Follow `store`, which the caller keeps open."""
        self._store = store

    def cursor(self, position: int) -> str:
        """Return the opaque cursor after `position`."""
        return self._store.cursor(position)

    async def position_of(self, cursor: str | int) -> int:
        """Return the position a cursor stands for.

        Raises:
            CursorError: It is another store's, beyond the head, or none at all.
        """
        return decode_cursor(cursor, self._store.id, await self.head())

    async def head(self) -> int:
        """Return the position of the last event. One step in the index."""
        return await self._store.read_async(head_position)

    async def stretch(
        self, after: int, *, session_id: StreamId | None = None, types: Sequence[str] = (), limit: int = 1_000
    ) -> Stretch:
        """Return at most `limit` events above `after`: from memory where they are the newest, else from an index."""
        fresh = self._store.latest(after, stream=session_id, types=types, limit=limit)
        if fresh is not None:
            events, end = fresh
            return Stretch(events, end, len(events) < limit)

        def read(connection: Connection) -> Stretch:
            head = max(head_position(connection), after)
            events = log_events(connection, after, head, session_id, types, limit=limit)
            at_end = len(events) < limit
            end = head if at_end else events[-1].recorded.position or head
            return Stretch(events, end, at_end)

        return await self._store.read_async(read)

    async def roster(self, among: Collection[StreamId] | None = None) -> Roster:
        """Return these rows or all. One statement, nothing is decoded."""

        def read(connection: Connection) -> Roster:
            return Roster(roster.stored(connection, among), head_position(connection))

        return await self._store.read_async(read)

    async def inbox(self) -> Inbox:
        """Return what waits. Costs the stored rows, and the events that the stored view has not seen."""

        def read(connection: Connection) -> Inbox:
            fresh = log_tail(connection, after=tracked(connection, inbox.NAME))
            return Inbox(inbox.placed(connection, fresh), head_position(connection))

        return await self._store.read_async(read)

    async def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        """Return a piece of a transcript and its position.

        Raises:
            NotFoundError: There is no such session.
            CursorError: The cursor belongs to another store, lies beyond the head, or is none.
        """
        return await self._store.read_async(
            lambda connection: page_of(connection, self._store.id, session_id, before=before, limit=limit)
        )

    async def offers(self, session_id: StreamId) -> Offered:
        """Return what a session's peer offers.

        Raises:
            NotFoundError: There is no such session.
        """

        def read(connection: Connection) -> Offered:
            return Offered(roster.offers(connection, session_id), head_position(connection))

        return await self._store.read_async(read)

    async def items(self, session_id: StreamId, item_ids: Collection[str]) -> list[Item]:
        """Return those of these items that there are."""
        return await self._store.read_async(lambda connection: pages.chosen(connection, session_id, item_ids))

    async def version_at(self, session_id: StreamId, position: int) -> int:
        """Return the version of the last event of a session at or before a position. A few steps in its index."""
        return await self._store.read_async(lambda connection: version_at(connection, session_id, position))

    def bell(self) -> Bell:
        """Return what rings when something is committed."""
        return self._store.bell()
