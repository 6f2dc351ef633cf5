"""Entries of a transcript as they come over the wire, read without trust: whatever a field holds is shown somehow."""

from __future__ import annotations

from datetime import UTC, datetime
from json import dumps
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"

_SHORT = 100


def text(item: Json, name: str) -> str:
    """Return a field as text; nothing where it holds something else."""
    value = item.get(name)
    return value if isinstance(value, str) else ""


def number(item: Json, name: str) -> int:
    """Return a field as a whole number; 0 where it holds something else."""
    value = item.get(name)
    return value if isinstance(value, int) else 0


def objects(value: object) -> list[Json]:
    """Return the objects of a list."""
    return (
        [cast("Json", each) for each in cast("list[object]", value) if isinstance(each, dict)]
        if isinstance(value, list)
        else []
    )


def moment(item: Json) -> datetime | None:
    """Return when an item first appeared, where the person is; None where it does not say."""
    stamp = text(item, "at") or text(item, "requested_at")
    try:
        when = datetime.fromisoformat(stamp)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def clock(item: Json) -> str:
    """Return the time of day."""
    when = moment(item)
    return "" if when is None else f"{when:%H:%M}"


def decided(item: Json) -> str:
    """Return the time of day at which a question was answered; nothing where it does not say."""
    return clock({"at": item.get("decided_at")})


def now() -> str:
    """Return the time of day that it is."""
    return f"{datetime.now().astimezone():%H:%M}"


def spoken(item: Json) -> str:
    """Return the words of a message: what stands beside them is shown as what it is."""
    blocks = objects(item.get("content"))
    if not blocks:
        return text(item, "text")
    return "\n".join(text(block, "text") for block in blocks if block.get("type") == "text")


def arguments(value: object) -> list[tuple[str, str]]:
    """Return the arguments of a tool by their names; what has no names stands under none."""
    if not isinstance(value, dict):
        return [] if value is None else [("", plain(value))]
    return [(str(name), plain(each)) for name, each in cast("dict[str, object]", value).items()]


def output(item: Json) -> str:
    """Return what a person would read of a tool's result."""
    return readable(item.get("output")) or readable(item.get("content"))


def diffs(item: Json) -> list[tuple[str, str | None, str]]:
    """Return path, text before and text after of each file that a tool changed."""
    found: list[tuple[str, str | None, str]] = []
    for block in objects(item.get("content")):
        if block.get("type") == "diff" and isinstance(new := block.get("newText"), str):
            old = block.get("oldText")
            found.append((text(block, "path"), old if isinstance(old, str) else None, new))
    return found


def readable(value: object) -> str:
    """Return the texts of a JSON value; everything else of it as JSON."""
    match value:
        case None:
            return ""
        case str():
            return value.rstrip("\n")
        case list():
            return "\n".join(filter(None, (_readable_block(each) for each in cast("list[object]", value))))
        case {"output": str(inner)} if len(cast("Json", value)) == 1:
            return inner.rstrip("\n")
        case _:
            return plain(value)


def plain(value: object) -> str:
    """Return a text as it is, and other JSON on one line where it is short."""
    if isinstance(value, str):
        return value
    line = dumps(value, ensure_ascii=False)
    return line if len(line) <= _SHORT else dumps(value, ensure_ascii=False, indent=2)


def _readable_block(block: object) -> str:
    match block:
        case {"type": "text", "text": str(inner)}:
            return inner.rstrip("\n")
        case {"type": "content"}:
            return _readable_block(cast("Json", block).get("content"))
        case {"type": "diff"}:
            return ""
        case {"type": "image" | "audio"}:
            return f"[{cast('Json', block)['type']}]"
        case _:
            return plain(block)


def plan(item: Json) -> list[tuple[str, str]]:
    """Return the entries of a plan, each with its status."""
    return [
        (text(entry, "status") or "pending", text(entry, "content") or plain(entry))
        for entry in objects(item.get("content"))
    ]


def options(item: Json) -> list[tuple[str, str, str]]:
    """Return the answers that are offered: id, kind, name."""
    return [
        (text(each, "option_id"), text(each, "kind"), text(each, "name") or text(each, "option_id"))
        for each in objects(item.get("options"))
    ]


def command(value: object) -> str | None:
    """Return the exact command that a tool is to run, where its arguments name one."""
    if not isinstance(value, dict):
        return None
    given = cast("Json", value).get("command")
    if isinstance(given, str):
        return given
    if isinstance(given, list) and all(isinstance(each, str) for each in cast("list[object]", given)):
        from shlex import join  # rarely needed

        return join(cast("list[str]", given))
    return None
