"""Sessions in the shape that opencode stores, as short as a test needs them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields

SESSION = "ses_e04c2891bffeHCjsm3mzvkVu3N"
NOON = 1770120000000
TITLE = "List the files"

_TABLES = """
CREATE TABLE IF NOT EXISTS session
    (id TEXT PRIMARY KEY, project_id TEXT, directory TEXT, title TEXT, version TEXT, time_created INTEGER,
     time_updated INTEGER);
CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, session_id TEXT, time_updated INTEGER, data TEXT);
CREATE TABLE IF NOT EXISTS part
    (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_updated INTEGER, data TEXT);
"""
_ticks = count(1)


def part(kind: str, name: str, **fields: object) -> Fields:
    return {"id": name, "type": kind, "sessionID": SESSION, **fields}


def text(name: str, words: str, **fields: object) -> Fields:
    return part("text", name, text=words, **fields)


def used(name: str, status: str = "completed", **state: object) -> Fields:
    call: Fields = {"status": status, "input": {"command": "ls"}, "title": "lists", **state}
    return part("tool", name, callID=f"call_{name}", tool="bash", state=call)


def message(name: str, role: str, *parts: Fields, at: int = 0, **fields: object) -> tuple[Fields, list[Fields]]:
    """Return a message and its parts; what an answer has beside them goes into `fields`."""
    time = {"created": NOON + at * 1000, **({"completed": NOON + at * 1000 + 500} if role == "assistant" else {})}
    head: Fields = {"id": name, "sessionID": SESSION, "role": role, "time": time, **fields}
    return head, list(parts)


def answer(name: str, *parts: Fields, at: int = 0, **fields: object) -> tuple[Fields, list[Fields]]:
    return message(
        name,
        "assistant",
        *parts,
        at=at,
        **{"providerID": "stub", "modelID": "big", "mode": "build", "cost": 0, **fields},
    )


def tokens(input_: int, output: int, reasoning: int = 0, read: int = 0, write: int = 0) -> Fields:
    return {"input": input_, "output": output, "reasoning": reasoning, "cache": {"read": read, "write": write}}


FAILED = {"name": "APIError", "data": {"message": "no quota"}}
MESSAGES = [
    message("msg_1", "user", text("prt_10", "list the files"), text("prt_11", "<context>", synthetic=True), at=1),
    answer(
        "msg_2",
        part("step-start", "prt_20"),
        part("reasoning", "prt_21", text="hm", time={"start": NOON}),
        text("prt_22", "I look."),
        used("prt_23", output="a b"),
        text("prt_24", "One more."),
        used("prt_25", "error", error="denied"),
        part("step-finish", "prt_26", tokens=tokens(1, 1)),
        at=2,
        finish="tool-calls",
        tokens=tokens(100, 20, 5, 40, 7),
    ),
    answer("msg_3", text("prt_30", "Done."), at=4, finish="stop", tokens=tokens(10, 2)),
    message("msg_4", "user", text("prt_40", "again"), part("file", "prt_41", filename="a.py", url="file:///a"), at=6),
    answer("msg_5", part("hologram", "prt_50"), at=8, parentID="msg_4", error=FAILED),
]
"""Two turns with something of everything in them, the last one broken off."""


def stored(folder: Path, *messages: tuple[Fields, list[Fields]], **about: object) -> Path:
    """Write a session over what is there, and return where its file is."""
    session: Fields = {
        "id": SESSION,
        "version": "1.1.0",
        "projectID": "global",
        "directory": "/srv/demo",
        "title": TITLE,
        "time": {"created": NOON, "updated": NOON},
        **about,
    }
    for head, parts in messages:
        _write(folder / "message" / session["id"] / f"{head['id']}.json", head)
        for each in parts:
            _write(folder / "part" / head["id"] / f"{each['id']}.json", each)
    return _write(folder / "session" / "global" / f"{session['id']}.json", session)


def database(path: Path, *messages: tuple[Fields, list[Fields]], session: str = SESSION, title: str = TITLE) -> Path:
    """Write a session as later versions do: over what is there, in a database that may be open elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)
        about = (session, "global", "/srv/demo", title, "1.18.33", NOON, NOON)
        connection.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", about)
        for head, parts in messages:
            at = NOON + next(_ticks)
            row = (head["id"], session, at, _without(head, "id", "sessionID"))
            connection.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?)", row)
            for each in parts:
                piece = (each["id"], head["id"], session, at, _without(each, "id", "sessionID"))
                connection.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?)", piece)
    return path


def _without(fields: Fields, *names: str) -> str:
    return json.dumps({name: value for name, value in fields.items() if name not in names})


def _write(path: Path, fields: Fields) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields, indent=2), "utf-8")
    return path
