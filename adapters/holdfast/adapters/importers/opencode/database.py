"""The database of opencode: one SQLite file with all its sessions, which is only ever read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.importers.lines import LINE_LIMIT, json_object, mended

if TYPE_CHECKING:
    from collections.abc import Generator
    from hashlib import blake2b

    from holdfast.adapters.importers.lines import JsonObject

_PATIENCE_S = 2.0
_NEEDED = 3
_TABLES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name IN ('session', 'message', 'part')"

_SHELF = """
SELECT id, max(time_updated,
    coalesce((SELECT max(time_updated) FROM message WHERE session_id = session.id), 0),
    coalesce((SELECT max(time_updated) FROM part WHERE session_id = session.id), 0))
FROM session ORDER BY time_created, id"""
_SESSION = "SELECT directory, project_id, title, version, time_created FROM session WHERE id = ?"
_MESSAGES = "SELECT id, CASE WHEN length(data) <= ? THEN data END FROM message WHERE session_id = ? ORDER BY id"
_PARTS = """
SELECT message_id, id, CASE WHEN length(data) <= ? THEN data END FROM part WHERE session_id = ? ORDER BY id"""

Row = tuple[object, ...]
Rows = Callable[..., list[Row]]
Messages = list[tuple[str, "JsonObject", list["JsonObject"]]]


def sessions_in(path: Path) -> dict[str, int] | None:
    """Return the sessions of a database, each with when it was last written to; None, where it is not of opencode.

    Raises:
        OSError: It cannot be read.
    """
    with _reading(path) as rows:
        if len(rows(_TABLES)) < _NEEDED:
            return None
        return {_text(name): at for name, at in rows(_SHELF) if isinstance(at, int)}


def session_in(path: Path, session_id: str, digest: blake2b) -> tuple[JsonObject, Messages, int] | None:
    """Return what files would hold of a session: about it, its messages with their parts, how many are damaged.

    Args:
        path: The database.
        session_id: The session.
        digest: Takes in all that is read.

    Raises:
        OSError: It cannot be read.
    """
    with _reading(path) as rows:
        about = rows(_SESSION, session_id)
        heads = rows(_MESSAGES, LINE_LIMIT, session_id)
        pieces = rows(_PARTS, LINE_LIMIT, session_id)
    if not about:
        return None
    for row in (*about, *heads, *pieces):
        digest.update(repr(row).encode())
    malformed = 0
    parts: dict[str, list[JsonObject]] = {}
    for message_id, name, data in pieces:
        part = _object(data)
        malformed += part is None
        if part is not None:
            parts.setdefault(_text(message_id), []).append({**part, "id": _text(name)})
    messages: Messages = []
    for name, data in heads:
        head = _object(data)
        malformed += head is None
        if head is not None:
            messages.append((_text(name), {**head, "id": _text(name)}, parts.get(_text(name), [])))
    directory, project, title, version, created = about[0]
    fields: JsonObject = {
        "id": session_id,
        "directory": _text(directory),
        "projectID": _text(project),
        "title": _text(title),
        "version": _text(version),
        "time": {"created": created},
    }
    return fields, messages, malformed


@contextmanager
def _reading(path: Path) -> Generator[Rows]:
    """Read the database as it is at one moment, while opencode may go on writing to it."""
    # Where nobody has it open there is no write-ahead log, and reading must not leave one behind.
    is_open = _size(Path(f"{path}-wal")) > 0
    address = f"{path.absolute().as_uri()}?mode=ro{'' if is_open else '&immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)) as connection:
            connection.text_factory = bytes  # of which not all need be UTF-8
            connection.execute("BEGIN")

            def rows(query: str, *values: str | int) -> list[Row]:
                return connection.execute(query, values).fetchall()

            yield rows
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _object(data: object) -> JsonObject | None:
    return json_object(mended(data)) if isinstance(data, bytes) else None
