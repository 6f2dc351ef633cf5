"""Writing rows of views, the same on both dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from holdfast.adapters.storage import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table
    from sqlalchemy.dialects import postgresql


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert `rows`, or let them replace those with the same primary key."""
    if not rows:
        return
    statement = sqlite.insert(table) if connection.dialect.name == "sqlite" else _postgres_insert(table)
    keys = [column.name for column in table.primary_key.columns]
    others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def _postgres_insert(table: Table) -> postgresql.Insert:
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - two megabytes, where there is a server

    return postgresql.insert(table)


def tracked(connection: Connection, view: str) -> int:
    """Return the position up to which `view` is folded, 0 for one that was never begun."""
    found = connection.scalar(select(schema.projections.c.position).where(schema.projections.c.name == view))
    return found or 0


def track(connection: Connection, view: str, position: int) -> None:
    """Note, in the transaction of the change itself, that `view` is folded up to `position`."""
    upsert(connection, schema.projections, [{"name": view, "position": position}])
