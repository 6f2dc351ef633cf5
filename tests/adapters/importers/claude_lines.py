"""Lines in the shape that Claude Code writes, as short as a test needs them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "claude-session.jsonl"
"""The transcript that ships with Holdfast."""

SESSION = "0b2f6a5e-51c3-4d0e-9d5e-7f6a1c2b3d4e"

Fields = dict[str, Any]


def line(kind: str, uuid: str = "u1", at: int = 0, **fields: object) -> Fields:
    """Return a line of the conversation, `at` seconds after noon."""
    return {
        "parentUuid": None,
        "isSidechain": False,
        "type": kind,
        "uuid": uuid,
        "timestamp": f"2026-02-03T12:{at // 60:02}:{at % 60:02}.000Z",
        "userType": "external",
        "cwd": "/srv/demo",
        "sessionId": SESSION,
        "version": "2.1.197",
        "gitBranch": "main",
        **fields,
    }


def user(content: object, uuid: str = "u1", at: int = 0, **fields: object) -> Fields:
    """Return a line in the person's name."""
    return line("user", uuid, at, message={"role": "user", "content": content}, **fields)


def assistant(*blocks: object, message: str = "msg_1", uuid: str = "a1", at: int = 1, **fields: object) -> Fields:
    """Return a line of the agent; `stop_reason`, `usage` and `model` go into its message."""
    inner: Fields = {
        "id": message,
        "type": "message",
        "role": "assistant",
        "model": fields.pop("model", "claude-sonnet-4-5"),
        "content": list(blocks),
        "stop_reason": fields.pop("stop_reason", None),
    }
    if "usage" in fields:
        inner["usage"] = fields.pop("usage")
    return line("assistant", uuid, at, message=inner, **fields)


def picture(content: bytes) -> Fields:
    """Return the block of a picture, as the tool sends it to the model."""
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(content).decode()}
    return {"type": "image", "source": source}


def said(text: str) -> Fields:
    return {"type": "text", "text": text}


def thought(text: str) -> Fields:
    return {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}


def called(use: str, name: str = "Bash", **arguments: object) -> Fields:
    return {"type": "tool_use", "id": use, "name": name, "input": arguments}


def came(use: str, content: object = "done", **fields: object) -> Fields:
    return {"type": "tool_result", "tool_use_id": use, "content": content, **fields}


def tokens(input_: int = 1, output: int = 2, created: int = 3, read: int = 4) -> Fields:
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": read,
    }


def encoded(lines: Iterable[Fields | bytes]) -> bytes:
    return b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in lines)


def written(path: Path, *lines: Fields | bytes) -> Path:
    """Write a transcript and return where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(lines))
    return path


TURN: tuple[Fields | bytes, ...] = (
    user("one", "u1", 0, permissionMode="default"),
    assistant(thought("hm"), said("first "), uuid="a1", usage=tokens()),
    assistant(said("words"), uuid="a2", at=2, usage=tokens()),
    assistant(called("t1", command="ls"), uuid="a3", at=3, usage=tokens(), stop_reason="tool_use"),
    b"half a li",
    user([came("t1", "é")], "u2", 4),
    {"type": "last-prompt", "sessionId": SESSION},
    assistant(said("more"), uuid="a4", at=5, usage=tokens(2), stop_reason="end_turn"),
    {"type": "ai-title", "aiTitle": "A title", "sessionId": SESSION},
    user([said("two")], "u3", 6, permissionMode="plan"),
    user([said("[Request interrupted by user]")], "u4", 7),
    {"type": "hologram", "sessionId": SESSION},
)
"""Two turns with something of everything in them, the last one interrupted."""
