"""What a chat of Gemini CLI says in the words of the log. Pure.

A message is written again, whole, when a tool was used, when tokens were counted, or when the history was compacted:
only what is new in it becomes facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw, json

from holdfast.adapters.importers.draft import Draft
from holdfast.adapters.importers.fields import count, inner, text
from holdfast.adapters.importers.gemini.tools import hint_of, kind_of
from holdfast.adapters.importers.known import KnownItems
from holdfast.adapters.importers.lines import is_array, is_object
from holdfast.adapters.importers.names import item_name
from holdfast.adapters.importers.port import Translation
from holdfast.adapters.importers.titles import title
from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_INJECTED = ("<session_context>", "<state_snapshot>", "This is the Gemini CLI. We are setting up the context")
_STATUSES: dict[str, e.ToolStatus] = {
    "awaiting_approval": "pending",
    "cancelled": "failed",
    "error": "failed",
    "executing": "in_progress",
    "scheduled": "pending",
    "success": "completed",
    "validating": "pending",
}


def translate(fields: JsonObject, session: Session, recent: RecentItems, anchor: str) -> Translation:
    """Return what a record says that `session` does not know yet."""
    known = recent if isinstance(recent, KnownItems) else KnownItems()
    draft = Draft(session, known)
    changed = inner(fields, "$set")
    useful = True
    if "$rewindTo" in fields:
        draft.add(e.NoticeAdded(anchor, "info", "what was said after a message was taken back"))
    elif text(fields, "type"):
        _message(fields, draft, known, anchor)
    else:
        useful = _about(changed or fields, draft)
        messages = changed.get("messages")
        for number, each in enumerate(messages if is_array(messages) else []):
            if is_object(each):
                _message(each, draft, known, f"{anchor}.{number}")
                useful = True
    return Translation(tuple(draft.facts), skipped=not useful)


def _about(fields: JsonObject, draft: Draft) -> bool:
    summary = text(fields, "summary").strip()
    state = draft.session.state
    if summary and not state.named and summary != state.title:
        draft.add(e.InfoChanged(title=summary))
    return bool(summary) or "sessionId" in fields


def _message(fields: JsonObject, draft: Draft, known: KnownItems, anchor: str) -> None:
    name = item_name(fields.get("id")) or anchor
    match text(fields, "type"):
        case "user" if not known.has(name):
            _person(fields, draft, name)
        case "user":
            pass
        case "gemini":
            _agent(fields, draft, known, name)
        case "info" | "warning" | "error" as kind:
            said = "".join(_words(fields.get("content"))).strip()
            if said and not known.has(name):
                draft.add(e.NoticeAdded(name, kind, said))
        case kind:
            if not known.has(name):
                draft.add(e.RawReceived(name, kind or "message", Raw(json.encode(fields))))


def _person(fields: JsonObject, draft: Draft, name: str) -> None:
    """Add what a person said: as it was typed, where it was expanded for the model."""
    content = fields.get("displayContent") or fields.get("content")
    said = "".join(_words(content))
    blocks: list[JsonObject] = [{"type": "text", "text": said}] if said.strip() else []
    for part in content if is_array(content) else []:
        data = inner(part, "inlineData") if is_object(part) else {}
        if data:
            kind = "image" if text(data, "mimeType").startswith("image/") else "resource"
            blocks.append({"type": kind, "mimeType": text(data, "mimeType"), "data": text(data, "data")})
    if said.lstrip().startswith(_INJECTED):
        draft.add(e.NoticeAdded(name, "injected", said.strip()))
    elif blocks:
        draft.begin_turn(name, e.MessageSent(name, Raw(json.encode(blocks))))


def _agent(fields: JsonObject, draft: Draft, known: KnownItems, name: str) -> None:
    model = text(fields, "model")
    if model and model != draft.session.summary.model:
        draft.add(e.InfoChanged(model=model))
    begun = len(draft.facts)
    thoughts = fields.get("thoughts")
    for number, each in enumerate(filter(is_object, thoughts if is_array(thoughts) else [])):
        item_id = f"{name}.thought.{number}"
        thought = "\n".join(filter(None, (text(each, "subject"), text(each, "description"))))
        if thought and not known.has(item_id):
            draft.in_turn(name)
            draft.add(e.ThoughtAppended(item_id, thought))
    said = "".join(_words(fields.get("content")))
    if said.strip() and (rest := known.rest(name, said)):
        draft.in_turn(name)
        draft.add(e.TextAppended(name, rest))
    calls = fields.get("toolCalls")
    used = list(filter(is_object, calls if is_array(calls) else []))
    for number, each in enumerate(used):
        _tool(each, draft, known, f"{name}.tool.{number}", name)
    _tokens(inner(fields, "tokens"), draft, known, name)
    if said.strip() and not used and "tokens" in fields and len(draft.facts) > begun and draft.turn is not None:
        draft.end_turn(name, "end_turn")


def _tool(call: JsonObject, draft: Draft, known: KnownItems, name: str, message: str) -> None:
    use = text(call, "id")
    item_id = item_name(use) or name
    status = _STATUSES.get(text(call, "status"))
    came = _returned(call)
    output = NOTHING if came is None else Raw(json.encode(came))
    if not known.has(item_id):
        tool = text(call, "name") or "tool"
        draft.in_turn(message)
        draft.add(
            e.ToolCalled(
                item_id,
                use,
                title=title(tool, hint_of(call)),
                kind=kind_of(tool),
                status=status,
                input=Raw(json.encode(call["args"])) if "args" in call else NOTHING,
                output=output,
            )
        )
    elif not known.tool_says(item_id, status, output=bool(output)):
        draft.add(e.ToolUpdated(item_id, use, status=status, output=output))


def _returned(call: JsonObject) -> object:
    """Return what a tool returned: without the envelope in which the model gets it, where nothing else is in that."""
    came = call.get("result")
    if not is_array(came) or len(came) != 1 or not is_object(came[0]) or came[0].keys() != {"functionResponse"}:
        return call.get("resultDisplay") if came is None else came
    response = inner(inner(came[0], "functionResponse"), "response")
    return next(iter(response.values())) if response.keys() in ({"output"}, {"error"}) else came


def _tokens(used: JsonObject, draft: Draft, known: KnownItems, name: str) -> None:
    """Add the tokens of a message. Input counts what came from the cache; output does not count what was thought."""
    cached = count(used, "cached")
    report = e.UsageReported(
        "message",
        name,
        input=max(count(used, "input") - cached, 0) + count(used, "tool"),
        output=count(used, "output") + count(used, "thoughts"),
        cache_read=cached,
    )
    if report.total != known.tokens(name):
        draft.add(report)


def _words(content: object) -> list[str]:
    """Return the texts of a content: one text, one part, or several of both."""
    if isinstance(content, str):
        return [content]
    if is_object(content):
        return [] if content.get("thought") is True else [text(content, "text")]
    return [said for each in content for said in _words(each)] if is_array(content) else []
