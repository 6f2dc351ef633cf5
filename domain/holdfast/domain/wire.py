"""The JSON shapes of the public contract that are not a struct of the domain as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Raw, json

from holdfast.domain.session.facts import BY_CLASS, Unknown
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.answers import Hit, LogEvent, Page
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.items import Item, ItemKind
    from holdfast.domain.session.events import Option
    from holdfast.domain.session.facts import Fact

Shape = dict[str, object]

encode = json.Encoder().encode

# What an item of a kind always has; anything else is there when it says something.
_BY_KIND: dict[ItemKind, tuple[str, ...]] = {
    "message": ("role", "author", "text", "status"),
    "thought": ("role", "text"),
    "tool_call": ("title", "tool", "status", "input", "output"),
    "plan": ("content",),
    "permission": ("title", "status", "input", "options", "decision"),
    "notice": ("role", "status", "text"),
    "raw": ("title", "content", "text"),
}
_FIELDS = (
    "role",
    "author",
    "text",
    "status",
    "title",
    "tool",
    "input",
    "output",
    "content",
    "options",
    "decision",
    "decided_by",
    "decided_at",
    "reason",
    "thread",
    "turn_id",
)


def page(listed: Page) -> Shape:
    """Return a piece of a transcript, as `show --json` prints it."""
    return {
        "session": listed.session,
        "items": [item(each) for each in listed.items],
        "position": listed.position,
        "before": listed.before,
    }


def item(listed: Item) -> Shape:
    """Return one entry of a transcript, its text whole and its JSON as JSON."""
    listed.settled()
    shape: Shape = {"id": listed.id, "position": listed.position, "kind": listed.kind, "at": to_text(listed.at)}
    always = _BY_KIND[listed.kind]
    for name in _FIELDS:
        value: object = getattr(listed, name)
        if isinstance(value, Raw):
            value = value or None
        elif name == "options":
            value = options(listed.options)
        elif name == "decided_at":
            value = None if listed.decided_at is None else to_text(listed.decided_at)
        if name in always or value not in (None, "", []):
            shape[name] = value
    return shape


def options(offered: Sequence[Option]) -> list[Shape]:
    """Return the answers that an agent offers."""
    return [{"option_id": each.option_id, "kind": each.kind, "name": each.name} for each in offered]


def hit(found: Hit) -> Shape:
    """Return one hit of a search."""
    return {
        "session_id": found.session_id,
        "item_id": found.item_id,
        "position": found.position,
        "title": found.title,
        "snippet": found.snippet,
        "permalink": found.permalink,
        "kind": found.kind,
        "role": found.role,
        "at": to_text(found.at),
    }


def request(waiting: Request) -> Shape:
    """Return one entry of the inbox."""
    return {
        "request_id": waiting.request_id,
        "session_id": waiting.session_id,
        "turn_id": waiting.turn_id,
        "title": waiting.title,
        "input": waiting.input or None,
        "options": options(waiting.options),
        "requested_at": to_text(waiting.requested_at),
    }


def _schema(fact: Fact) -> int:
    return fact.schema if isinstance(fact, Unknown) else BY_CLASS[type(fact)].schema


def event(logged: LogEvent) -> bytes:
    """Return one event as a line of JSON."""
    recorded = logged.recorded
    of_session = logged.stream_kind == "session"
    line = encode(
        {
            "position": recorded.position,
            "event_id": str(UUID(bytes=recorded.event_id)),
            "session_id": recorded.originator_id if of_session else None,
            "link_id": None if of_session else recorded.originator_id,
            "version": recorded.originator_version,
            "type": logged.type,
            "schema": _schema(recorded.event),
            "recorded_at": to_text(recorded.recorded_at),
            "occurred_at": None if recorded.occurred_at is None else to_text(recorded.occurred_at),
            "cause": recorded.cause,
            "actor": {"kind": recorded.actor.kind, "device": recorded.actor.device},
            "data": logged.data,
        }
    )
    # A payload is kept as its peer wrote it, and JSON allows line ends between its tokens.
    return json.format(line, indent=-1) if b"\n" in line or b"\r" in line else line
