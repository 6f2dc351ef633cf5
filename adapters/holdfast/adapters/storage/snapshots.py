"""States of aggregates kept to shorten a replay. Disposable: a fold of another number ignores and overwrites them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import delete, insert, select

from holdfast.adapters.storage import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

_snapshots = schema.snapshots.c


class Snapshot(Struct, frozen=True):
    """The state of a stream after `version`, as JSON that only its own fold understands."""

    version: int
    state: str


def save_snapshot(connection: Connection, stream: int, snapshot: Snapshot, *, fold: int) -> None:
    """Keep the latest state of a stream in place of older ones. One row a stream.

    Args:
        connection: The writer's, inside a job.
        stream: The number of the stream.
        snapshot: The state.
        fold: Counts up whenever `evolve` or the state's shape changes.
    """
    connection.execute(delete(schema.snapshots).where(_snapshots.stream == stream))
    row = {"stream": stream, "version": snapshot.version, "fold": fold, "state": snapshot.state}
    connection.execute(insert(schema.snapshots).values(row))


def latest_snapshot(connection: Connection, stream: int, *, fold: int, until: int | None = None) -> Snapshot | None:
    """Return the state that `fold` left behind, or None. One look-up.

    Args:
        connection: Any.
        stream: The number of the stream.
        fold: Snapshots of other folds do not count.
        until: The greatest version that is of use.
    """
    statement = select(_snapshots.version, _snapshots.state).where(_snapshots.stream == stream, _snapshots.fold == fold)
    if until is not None:
        statement = statement.where(_snapshots.version <= until)
    row = connection.execute(statement.order_by(_snapshots.version.desc()).limit(1)).first()
    return None if row is None else Snapshot(row.version, row.state)
