"""Where exports are made from: an open store and the folder of its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.storage import origin
from holdfast.adapters.storage.attachments.whole import content_of
from holdfast.adapters.storage.opening import now_us
from holdfast.adapters.storage.views import pages, roster
from holdfast.domain.errors import NotFoundError, StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.attachments import Reference
    from holdfast.domain.exported import Evidence, Origin
    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import StreamId

_ITEMS = 500


class StoreSource:
    """One open store as exporters see it."""

    def __init__(self, store: Store, checkpoints: Path) -> None:
        """Read from `store`, which the caller keeps open, and from the folder `checkpoints`."""
        self._store = store
        self._checkpoints = checkpoints

    def row(self, session_id: StreamId) -> Row:
        """Return the session's row."""
        with self._store.reading() as connection:
            return roster.one(connection, session_id)

    def items(self, session_id: StreamId) -> Iterator[Item]:
        """Yield the items of its transcript, the oldest first; no transaction is held between two chunks."""
        after = 0
        while True:
            with self._store.reading() as connection:
                chunk = pages.following(connection, session_id, after=after, limit=_ITEMS)
            yield from chunk
            if len(chunk) < _ITEMS:
                return
            after = chunk[-1].ordinal

    def content(self, reference: Reference) -> bytes | None:
        """Return what an item refers to; None where it is gone, or was altered."""
        with self._store.reading() as connection:
            try:
                return content_of(self._store.attachments, connection, reference)
            except (NotFoundError, StoreDamagedError):
                return None

    def origin(self, session_id: StreamId) -> Origin:
        """Return its events as they are hashed."""
        return origin.origin(self._store, session_id, now_us())

    def evidence(self, first: int, last: int) -> Evidence:
        """Return what vouches for events between two positions."""
        return origin.evidence(self._store, self._checkpoints, first, last)
