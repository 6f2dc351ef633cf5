"""The contracts of `eventsourcing` on top of a store. It knows nothing of payloads; neither does the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from eventsourcing import persistence
from sqlalchemy import insert, select, update

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.mapper import ROW_COLUMNS, EventRow, to_stored_row
from holdfast.adapters.storage.reading import fetch, head_position, stream_number
from holdfast.adapters.storage.refill import Refill
from holdfast.adapters.storage.subscription import RecorderSubscription
from holdfast.domain.errors import VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from holdfast.adapters.storage.commit import RosterRow
    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.mapper import StoredEvent
    from holdfast.adapters.storage.store import Store

_events = schema.events.c
_row = tuple(schema.events.c[name] for name in ROW_COLUMNS)


class StreamRecorder(persistence.AggregateRecorder):
    """Reads and writes single streams."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def insert_events(self, stored_events: Sequence[persistence.StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write the events and block until they are durable.

        Raises:
            IntegrityError: Other events stand at those versions.
        """
        self._insert(stored_events, kwargs.get("row"))
        return None

    def _insert(self, events: Sequence[persistence.StoredEvent], row: RosterRow | None) -> list[int]:
        if not events:
            return []
        try:
            return self._store.submit(events, row).result()
        except VersionConflictError as error:
            raise persistence.IntegrityError(str(error)) from error

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return a stream's events with versions in (gt, lte]. One index range."""
        stream = str(originator_id)
        with self._store.reading() as connection:
            number = stream_number(connection, stream)
            if number is None:
                return []
            statement = select(*_row).where(_events.stream == number)
            if gt is not None:
                statement = statement.where(_events.version > gt)
            if lte is not None:
                statement = statement.where(_events.version <= lte)
            statement = statement.order_by(_events.version.desc() if desc else _events.version).limit(limit)
            rows = Refill(columns=ROW_COLUMNS, stream=number)(connection, fetch(connection, statement))
            return [to_stored_row(stream, cast("EventRow", row)) for row in rows]


class LogRecorder(StreamRecorder, persistence.ApplicationRecorder):
    """Reads and writes the whole log."""

    def insert_events(self, stored_events: Sequence[persistence.StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write the events, block until they are durable, and return their positions.

        Raises:
            IntegrityError: Other events stand at those versions.
        """
        return self._insert(stored_events, kwargs.get("row"))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[persistence.Notification]:
        """Return events by position. One range of the primary key."""
        statement = select(*_row, schema.keys.c.id).join(schema.keys, schema.keys.c.stream == _events.stream)
        if start is not None:
            after = _events.position >= start if inclusive_of_start else _events.position > start
            statement = statement.where(after)
        if stop is not None:
            statement = statement.where(_events.position <= stop)
        if topics:
            statement = statement.where(_events.type.in_(list(topics)))
        with self._store.reading() as connection:
            rows = fetch(connection, statement.order_by(_events.position).limit(limit))
        return [persistence.Notification(row[13], row[1], row[3], (row[12] or "").encode(), id=row[0]) for row in rows]

    def max_notification_id(self) -> int | None:
        """Return the last position, or None for an empty log."""
        with self._store.reading() as connection:
            return head_position(connection) or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> persistence.Subscription[persistence.ApplicationRecorder]:
        """Follow the log in a thread of its own; blocks its consumer, so not for event loops."""
        return RecorderSubscription(self, gt, topics, self._store.listen)


class ProjectionRecorder(persistence.TrackingRecorder):
    """Keeps how far each projection has come."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def insert_tracking(self, tracking: persistence.Tracking) -> None:
        """Move a projection forward.

        Raises:
            IntegrityError: It has come that far before.
        """

        def track(transaction: WriteTransaction) -> None:
            track_projection(transaction, tracking.application_name, tracking.notification_id)

        self._store.write(track)

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return how far a projection has come, or None."""
        projections = schema.projections.c
        with self._store.reading() as connection:
            position: int | None = connection.scalar(
                select(projections.position).where(projections.name == application_name)
            )
        return position


def track_projection(transaction: WriteTransaction, name: str, position: int) -> None:
    """Move a projection forward in the transaction of what it has projected.

    Raises:
        IntegrityError: It has come that far before: whoever asks has projected the same events twice.
    """
    connection = transaction.connection
    projections = schema.projections.c
    known = connection.scalar(select(projections.position).where(projections.name == name))
    if known is None:
        connection.execute(insert(schema.projections).values(name=name, position=position))
    elif known < position:
        connection.execute(update(schema.projections).where(projections.name == name).values(position=position))
    else:
        msg = f"the projection {name} stands at {known} and cannot go to {position}"
        raise persistence.IntegrityError(msg)
