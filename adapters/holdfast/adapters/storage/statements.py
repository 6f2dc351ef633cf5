"""The writer's statements: compiled once from the tables by SQLAlchemy Core, executed on the driver's connection.

Core spends about as long on a row's parameters as SQLite on the row itself; a compiled statement costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import insert
from sqlalchemy.dialects import sqlite

from holdfast.adapters.storage import schema

if TYPE_CHECKING:
    from sqlalchemy import Insert, Table

ROSTERS = {"session": schema.sessions, "link": schema.links}

MOVE_ROSTER = {
    kind: f"UPDATE {table.name} SET version = ?, hash = ?, position = ? WHERE stream = ?"  # noqa: S608 - our tables
    for kind, table in ROSTERS.items()
}
"""Moves the chain's head in an existing row, where an append brought no new one."""

LARGEST_CHUNK = 64
"""Rows a statement; 64 × 16 columns stay far below SQLite's limit of parameters."""


@lru_cache(maxsize=64)
def insert_many(table: Table, rows: int) -> str:
    """Return one INSERT of this many rows for SQLite.

    `OR ROLLBACK` because a multi-row INSERT that may fail half-way keeps a statement journal, which costs 40 %; any
    failure undoes the whole transaction here anyway. One statement instead of a row each also gives up the
    interpreter lock once and not once a row, which is what a busy event loop would make the writer wait for.
    """
    return _repeated(insert(table).prefix_with("OR ROLLBACK"), len(table.columns), rows)


@lru_cache(maxsize=64)
def upsert_many(table: Table, rows: int) -> str:
    """Return one upsert of this many roster rows for SQLite."""
    statement = sqlite.insert(table).prefix_with("OR ROLLBACK")
    changing = [c.name for c in table.columns if c.name not in {"stream", "id"}]
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.stream], set_={name: statement.excluded[name] for name in changing}
    )
    return _repeated(statement, len(table.columns), rows)


def _repeated(statement: Insert, columns: int, rows: int) -> str:
    """Return the statement for one row as one for many: compiling a thousand parameters takes megabytes for good."""
    before, values, after = str(statement.compile(dialect=sqlite.dialect())).partition(f"({', '.join('?' * columns)})")
    assert values
    return before + ", ".join([values] * rows) + after


def chunks(total: int) -> list[int]:
    """Return how many rows each statement takes: powers of two, so that a handful of statements covers all sizes."""
    sizes: list[int] = []
    size = LARGEST_CHUNK
    while total:
        while size > total:
            size //= 2
        sizes.append(size)
        total -= size
    return sizes
