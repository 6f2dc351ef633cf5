"""The writer's statements: compiled once from the tables by SQLAlchemy Core, executed on the driver's connection.

Core spends about as long on a row's parameters as SQLite on the row itself; a compiled statement costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, LargeBinary, insert
from sqlalchemy.dialects import sqlite

from holdfast.adapters.storage import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Insert, Table

ROSTERS = {"session": schema.sessions, "link": schema.links}

MOVE_ROSTER = {
    kind: f"UPDATE {table.name} SET version = ?, hash = ?, position = ? WHERE stream = ?"  # noqa: S608 - our tables
    for kind, table in ROSTERS.items()
}
"""Moves the chain's head in an existing row, where an append brought no new one."""

LARGEST_CHUNK = 64
"""Rows a statement; 64 × 16 columns stay far below SQLite's limit of parameters."""


Column = tuple[object, ...]
"""What rows hold in one column, in their order."""


def filled(table: Table, rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[str, ...], list[Column]]:
    """Return the names of the columns in which any of these rows holds something, and what they hold there.

    `sqlite3` looks for an adapter of every value but those of four classes, which takes it five times as long as to
    bind the value: NULLs are left out where a whole column of them can be, and the others are of those classes.
    """
    names: list[str] = []
    columns: list[Column] = []
    for (name, plain), column in zip(_columns(table), zip(*rows, strict=True), strict=True):
        if column.count(None) < len(column):
            names.append(name)
            columns.append(column if plain is None else tuple([None if v is None else plain(v) for v in column]))
    return tuple(names), columns


@lru_cache
def _columns(table: Table) -> list[tuple[str, type[bytearray | int] | None]]:
    plain: dict[type, type[bytearray | int]] = {LargeBinary: bytearray, Boolean: int}
    return [(column.name, plain.get(type(column.type))) for column in table.columns]


@lru_cache(maxsize=256)
def insert_many(table: Table, names: tuple[str, ...], rows: int) -> str:
    """Return one INSERT of this many rows for SQLite, with values for these columns.

    `OR ROLLBACK` because a multi-row INSERT that may fail half-way keeps a statement journal, which costs 40 %; any
    failure undoes the whole transaction here anyway. One statement instead of a row each also gives up the
    interpreter lock once and not once a row, which is what a busy event loop would make the writer wait for.
    """
    return _repeated(insert(table).prefix_with("OR ROLLBACK"), names, rows)


@lru_cache(maxsize=64)
def upsert_many(table: Table, names: tuple[str, ...], rows: int) -> str:
    """Return one upsert of this many roster rows for SQLite."""
    statement = sqlite.insert(table).prefix_with("OR ROLLBACK")
    changing = [name for name in names if name not in {"stream", "id"}]
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.stream], set_={name: statement.excluded[name] for name in changing}
    )
    return _repeated(statement, names, rows)


def _repeated(statement: Insert, names: tuple[str, ...], rows: int) -> str:
    """Return the statement for one row as one for many: compiling a thousand parameters takes megabytes for good."""
    compiled = str(statement.compile(dialect=sqlite.dialect(), column_keys=names))
    before, values, after = compiled.partition(f"({', '.join('?' * len(names))})")
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
