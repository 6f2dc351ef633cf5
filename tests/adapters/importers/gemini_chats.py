"""Chats in the shape that Gemini CLI writes, as short as a test needs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.adapters.importers.claude_lines import written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields

SESSION = "70e80e34-45da-44ca-9051-61f97665098e"

ABOUT: Fields = {
    "sessionId": SESSION,
    "projectHash": "5e1f",
    "startTime": "2026-02-03T12:00:00.000Z",
    "lastUpdated": "2026-02-03T12:30:00.000Z",
}


def message(kind: str, name: str, content: object, at: int = 0, **fields: object) -> Fields:
    timestamp = f"2026-02-03T12:{at // 60:02}:{at % 60:02}.500Z"
    return {"id": name, "timestamp": timestamp, "type": kind, "content": content, **fields}


def used(use: str = "call_1", status: str = "success", output: object = "ok", **fields: object) -> Fields:
    result = None if output is None else [{"functionResponse": {"id": use, "response": {"output": output}}}]
    call = {"id": use, "name": "run_shell_command", "args": {"command": "ls"}, "result": result, "status": status}
    return {**call, "timestamp": "2026-02-03T12:00:02.000Z", **fields}


def tokens(input_: int, output: int, cached: int = 0, thoughts: int = 0) -> Fields:
    total = input_ + output + thoughts
    return {"input": input_, "output": output, "cached": cached, "thoughts": thoughts, "tool": 0, "total": total}


THOUGHT = {"subject": "Looking", "description": "At the files.", "timestamp": "2026-02-03T12:00:01.000Z"}
ASKED = message("user", "m1", [{"text": "list the files"}], 1)
CALLED = message(
    "gemini",
    "m2",
    "I look.",
    2,
    model="gemini-x",
    thoughts=[THOUGHT],
    toolCalls=[used()],
    tokens=tokens(100, 20, 40, 5),
)
DONE = message("gemini", "m3", "Done.", 4, model="gemini-x", thoughts=[], tokens=tokens(10, 2))
MESSAGES = [
    ASKED,
    CALLED,
    DONE,
    message("info", "m4", "Request cancelled.", 6),
    message("user", "m5", "again", 8),
    message("error", "m6", [{"text": "no quota"}], 9),
    message("hologram", "m7", "?", 10),
]
"""Two turns with something of everything in them."""


def chat(path: Path, *messages: object, **about: object) -> Path:
    """Write a chat as one document, over what is there, and return where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**ABOUT, **about, "messages": messages}, indent=2), "utf-8")
    return path


def lines(path: Path, *records: Fields | bytes) -> Path:
    """Write a chat in lines."""
    return written(path, ABOUT, *records)
