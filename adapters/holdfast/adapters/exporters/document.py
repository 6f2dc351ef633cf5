"""A transcript as a document has it: entries with their parts. Every text is made harmless and free of secrets here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from msgspec import MsgspecError, Raw, json

from holdfast.adapters.exporters import pictures
from holdfast.domain.escaping import block, one_line
from holdfast.domain.projections import bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.domain.exported import Removed
    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)\Z")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{1,20}")
_ROLES = {"user": "You", "assistant": "Agent", "system": "System"}


class Part(NamedTuple):
    """One text of an entry: `prose` is what was said, `code` everything to be shown as it is.

    That of a `picture` is its address, which holds all of it.
    """

    kind: Literal["prose", "code", "picture"]
    text: str
    label: str = ""


class Entry(NamedTuple):
    """One item of a transcript.

    Attributes:
        kind: That of the item.
        who: Who speaks, or what it is.
        at: When it first appeared, microseconds since the epoch.
        notes: What else is to be known of it, each in a few words.
        parts: Its texts.
    """

    kind: str
    who: str
    at: int
    notes: tuple[str, ...]
    parts: tuple[Part, ...]


def facts(row: Row, clean: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield what is to be known of a session as a whole, as names and values."""
    shown = {
        "session": row.id,
        "agent": row.agent,
        "model": row.model,
        "folder": row.cwd,
        "created": row.created_at,
        "updated": row.updated_at,
        "imported from": row.imported_from,
    }
    yield from ((name, one_line(clean(value))) for name, value in shown.items() if value)


def title(row: Row, clean: Callable[[str], str]) -> str:
    """Return the title of a session."""
    return one_line(clean(row.title)) or "(untitled)"


def entry(item: Item, row: Row, clean: Callable[[str], str], *, with_pictures: bool = False) -> Entry:
    """Return what a document shows of an item."""
    made = _entry(item, row, clean)
    addresses = pictures.shown(item) if with_pictures else ()
    return made._replace(parts=(*made.parts, *(Part("picture", each) for each in addresses)))


def counted(items: Iterator[Item], removed: Removed) -> Iterator[Item]:
    """Yield `items`, and count what is left out of them where secrets are looked for: nobody can look into images."""
    for item in items:
        if removed.looked:
            removed.left_out += pictures.count(item)
        yield item


def _entry(item: Item, row: Row, clean: Callable[[str], str]) -> Entry:

    def line(text: str | None) -> str:
        return one_line(clean(text or ""))

    def code(label: str, lines: list[str]) -> tuple[Part, ...]:
        return (Part("code", block(clean("\n".join(lines))), label),) if lines else ()

    role = item.role or "assistant"
    speaker = line(item.author or (role == "assistant" and row.agent) or _ROLES.get(role, role))
    thread = f"side chain {line(item.thread)}" if item.thread else ""
    text = block(clean(item.settled().text))
    prose = (Part("prose", text),) if text else ()
    match item.kind:
        case "message":
            notes = [thread, line(item.status) if item.status in ("failed", "unknown") else "", line(item.reason)]
            parts = (*prose, *code("", bodies.beyond_text(item.content)))
            return _made(item, speaker, notes, parts)
        case "thought":
            return _made(item, speaker, ["thought", thread], prose)
        case "tool_call":
            notes = [line(item.tool), line(item.status), thread]
            parts = (*code("in", _arguments(item.input, clean)), *code("out", bodies.result(item.output)))
            return _made(item, line(item.title or item.tool or "tool"), notes, parts)
        case "permission":
            decided = f"{item.decision} by {item.decided_by}" if item.decision and item.decided_by else item.decision
            notes = ["permission", line(item.status), line(decided), line(item.reason)]
            return _made(item, line(item.title or "permission"), notes, code("in", _arguments(item.input, clean)))
        case "plan":
            steps = [f"[{status or ' '}] {step}" for status, step in bodies.plan(item.content)]
            return _made(item, speaker, ["plan", thread], code("", steps))
        case "notice":
            return _made(item, line(item.status or "notice"), ["notice", thread], prose)
        case "raw":
            body = bodies.result(item.content) if item.content else []
            return _made(item, line(item.title or "raw"), ["raw"], (*prose, *code("", body)))


def pieces(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield the pieces of what was said: prose with None, code between fences with its language, perhaps empty."""
    fence, language, lines = "", "", list[str]()
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if fence:
            if found is not None and found[1].startswith(fence) and not found[2].strip():
                yield language, "\n".join(lines)
                fence, lines = "", []
            else:
                lines.append(line)
        elif found is not None:
            if lines:
                yield None, "\n".join(lines)
            named = _LANGUAGE.match(found[2].strip())
            fence, language, lines = found[1], named[0] if named else "", []
        else:
            lines.append(line)
    if fence or lines:
        yield language if fence else None, "\n".join(lines)


def told(removed: Removed) -> str:
    """Return in words what was taken out of a document."""
    if not removed.looked:
        return "Nothing was redacted: secrets stand where they were said."
    count = sum(removed.kinds.values())
    left_out = f" Images left out, since nobody can look for secrets in them: {removed.left_out}."
    return f"Secrets recognised and redacted: {count}.{left_out if removed.left_out else ''}"


def _arguments(raw: Raw, clean: Callable[[str], str]) -> list[str]:
    """Return the arguments of a tool. Their lines have no quotes that tell where a value ends: a secret goes before."""
    try:
        value = cast("object", json.decode(raw)) if raw else None
    except (MsgspecError, RecursionError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        return bodies.arguments(raw)
    named = cast("dict[str, object]", value)
    kept = {name: _argument(name, each, clean) for name, each in named.items()}
    return bodies.arguments(raw if kept == named else Raw(json.encode(kept)))


def _argument(name: str, value: object, clean: Callable[[str], str]) -> object:
    """Return what is shown of an argument: nothing of a text, a list or an object whose name speaks of a secret."""
    if value in ("", [], {}) or value is None or isinstance(value, int | float):
        return value
    probe = f'{name}="-"'
    cleaned = clean(probe)
    return value if cleaned == probe else cleaned.removeprefix(f"{name}=")


def _made(item: Item, who: str, notes: list[str], parts: tuple[Part, ...]) -> Entry:
    return Entry(item.kind, who, item.at, tuple(note for note in notes if note), parts)
