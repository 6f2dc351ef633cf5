"""Folding new events into the stored views, in batches, each view's position in the transaction of its change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.views import inbox, passages, transcript
from holdfast.adapters.storage.views.source import SIZE, Batch, batches
from holdfast.adapters.storage.views.tables import track, tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from holdfast.domain.recorded import Recorded

    Fold = Callable[[Connection, Sequence[tuple[int, Recorded]]], object]

FOLDS: Final[dict[str, Fold]] = {
    transcript.NAME: transcript.fold,
    inbox.NAME: inbox.fold,
    passages.NAME: passages.fold,
}
"""The views that are folded in batches, in this order: the words for search are those of the transcript's items.

The roster is not among them: the writer keeps it in each append.
"""


def step(connection: Connection, size: int = SIZE) -> int:
    """Fold the next batch into every view that is behind; return how many events are left.

    Args:
        connection: The writer's, inside a transaction that the caller commits.
        size: Events at the most.
    """
    head = connection.scalar(select(func.max(schema.events.c.position))) or 0
    referred.refresh(connection, most=4 * size)
    behind = {name: position for name in FOLDS if (position := tracked(connection, name)) < head}
    if not behind:
        return 0
    start = min(behind.values())
    batch = next(batches(connection, after=start, size=size), Batch(head, []))
    for name, position in behind.items():
        fresh = [each for each in batch.events if (each[1].position or 0) > position]
        FOLDS[name](connection, fresh)
        track(connection, name, max(position, batch.end))
    return head - batch.end
