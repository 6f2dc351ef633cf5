"""A SQLite store as schema 1 left it: its search index finds no word by its beginning."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MONTH_US = 30 * 86_400_000_000


def with_first_index(path: Path) -> None:
    """Turn the closed store at `path` back into one of schema 1."""
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("BEGIN")
        rows = plain.execute("SELECT id, words, stream, at FROM passages").fetchall()
        plain.execute("DROP TABLE passage_words")
        plain.execute("CREATE VIRTUAL TABLE passage_words USING fts5(words, scope, content='', tokenize='ascii')")
        for number, words, stream, at in rows:
            passage = (number, zlib.decompress(words).decode(), f"s{stream} m{at // _MONTH_US}")
            plain.execute("INSERT INTO passage_words (rowid, words, scope) VALUES (?, ?, ?)", passage)
        plain.execute("UPDATE alembic_version SET version_num = 'holdfast_0001'")
        plain.execute("PRAGMA user_version = 1")
        plain.execute("COMMIT")
