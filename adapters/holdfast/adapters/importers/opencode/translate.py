"""What messages of opencode say in the words of the log. Pure.

Files are rewritten as a message grows: only what is new in it becomes facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw, json

from holdfast.adapters.importers.draft import Draft
from holdfast.adapters.importers.fields import count, file_block, inner, text
from holdfast.adapters.importers.known import KnownItems
from holdfast.adapters.importers.names import item_name
from holdfast.adapters.importers.opencode.tools import hint_of, kind_of
from holdfast.adapters.importers.titles import title
from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.session import Session

_UNNAMED = ("New session - ", "Child session - ")
_SILENT = frozenset({"agent", "compaction", "patch", "snapshot", "step-finish", "step-start"})
"""Parts by which the tool keeps house: their content stands in others, or is for the model."""

_STATUSES: dict[str, e.ToolStatus] = {
    "completed": "completed",
    "error": "failed",
    "pending": "pending",
    "running": "in_progress",
}


def about(fields: JsonObject, session: Session) -> list[Fact]:
    """Return the title of a session, where it has one that is news."""
    named = text(fields, "title")
    news = named and not named.startswith(_UNNAMED) and named != session.state.title and not session.state.named
    return [e.InfoChanged(title=named)] if news else []


def message(
    name: str, fields: JsonObject, parts: Sequence[JsonObject], session: Session, recent: RecentItems
) -> list[Fact]:
    """Return what a message says that `session` does not know yet."""
    known = recent if isinstance(recent, KnownItems) else KnownItems()
    draft = Draft(session, known)
    if text(fields, "role") == "user":
        _person(name, parts, draft, known)
    else:
        _agent(name, fields, parts, draft, known)
    return draft.facts


def _person(name: str, parts: Sequence[JsonObject], draft: Draft, known: KnownItems) -> None:
    """Add what a person said; a text that the tool adds in that name is marked as such."""
    blocks: list[JsonObject] = []
    for part in parts:
        item_id = item_name(part.get("id")) or f"{name}.part"
        words = text(part, "text")
        match text(part, "type"):
            case "text" if part.get("synthetic") is True or part.get("ignored") is True:
                if words.strip() and not known.has(item_id):
                    draft.add(e.NoticeAdded(item_id, "injected", words.strip()))
            case "text" if words.strip():
                blocks.append({"type": "text", "text": words})
            case "file":
                named = text(part, "filename") or "file"
                blocks.append(file_block(text(part, "url"), named))
            case _:
                pass
    if blocks and not known.has(name):
        draft.begin_turn(name, e.MessageSent(name, Raw(json.encode(blocks))))


def _agent(name: str, fields: JsonObject, parts: Sequence[JsonObject], draft: Draft, known: KnownItems) -> None:
    model = "/".join(filter(None, (text(fields, "providerID"), text(fields, "modelID"))))
    mode = text(fields, "mode") or text(fields, "agent")
    texts = 0
    for number, part in enumerate(parts):
        part_name = item_name(part.get("id")) or f"{name}.{number}"
        texts += text(part, "type") == "text"
        # Texts of one message are one message, taken up again after something else came between.
        text_name = name if texts == 1 else f"{name}#{texts}"
        if fields.get("summary") is True:
            _summary(part, draft, known, part_name, done=_is_last(fields))
        else:
            _part(part, draft, known, part_name, text_name)
    _tokens(name, fields, draft, known)
    if draft.facts and model and model != draft.session.summary.model:
        draft.add(e.InfoChanged(model=model))
    if draft.facts and mode and mode != draft.session.state.mode:
        draft.add(e.ModeChanged(mode))
    error = inner(fields, "error")
    if error and text(error, "name") != "MessageAbortedError":
        _failure(name, error, f"turn-{text(fields, 'parentID')}", draft, known)
    elif draft.facts and draft.turn is not None and (error or _is_last(fields)):
        # Where nothing is new the open turn is that of a later message.
        draft.end_turn(name, "cancelled" if error else "end_turn")


def _failure(name: str, error: JsonObject, turn: str, draft: Draft, known: KnownItems) -> None:
    """Interrupt the turn, once; a failure that is told after an import closed the turn is a notice."""
    reason = text(inner(error, "data"), "message") or text(error, "message") or text(error, "name") or "an error"
    if known.has(turn) or known.has(f"{name}.error"):
        return
    if draft.turn is not None:
        draft.interrupt_turn(name, reason)
    else:
        draft.add(e.NoticeAdded(f"{name}.error", "error", reason))


def _summary(part: JsonObject, draft: Draft, known: KnownItems, name: str, *, done: bool) -> None:
    """Add what the agent wrote to go on from, instead of all that was said."""
    words = text(part, "text").strip() if text(part, "type") == "text" else ""
    if words and done and not known.has(name):
        draft.add(e.NoticeAdded(name, "summary", words))


def _part(part: JsonObject, draft: Draft, known: KnownItems, name: str, text_name: str) -> None:
    words = text(part, "text")
    match text(part, "type"):
        case "text" if words.strip():
            if rest := known.rest(text_name, words):
                draft.in_turn(name)
                draft.add(e.TextAppended(text_name, rest))
        case "reasoning" if words.strip():
            if rest := known.rest(name, words):
                draft.in_turn(name)
                draft.add(e.ThoughtAppended(name, rest))
        case "tool":
            _tool(part, draft, known, name)
        case "retry" if not known.has(name):
            draft.add(e.NoticeAdded(name, "error", text(inner(inner(part, "error"), "data"), "message") or "retried"))
        case "text" | "reasoning" | "retry":
            pass
        case kind if kind not in _SILENT and not known.has(name):
            draft.add(e.RawReceived(name, kind or "part", Raw(json.encode(part))))
        case _:
            pass


def _tool(part: JsonObject, draft: Draft, known: KnownItems, name: str) -> None:
    use, state = text(part, "callID"), inner(part, "state")
    item_id = item_name(use) or name
    status = _STATUSES.get(text(state, "status"))
    came = state.get("error") if status == "failed" else state.get("output")
    output = NOTHING if came is None else Raw(json.encode(came))
    tool = text(part, "tool") or "tool"
    said = title(tool, hint_of(state))
    arguments = Raw(json.encode(state["input"])) if state.get("input") else NOTHING
    if not known.has(item_id):
        draft.in_turn(name)
        draft.add(
            e.ToolCalled(item_id, use, title=said, kind=kind_of(tool), status=status, input=arguments, output=output)
        )
    elif not known.tool_says(item_id, status, output=bool(output)):
        # Arguments are whole only when the tool begins to run.
        draft.add(e.ToolUpdated(item_id, use, title=said, status=status, input=arguments, output=output))


def _tokens(name: str, fields: JsonObject, draft: Draft, known: KnownItems) -> None:
    used = inner(fields, "tokens")
    cost = fields.get("cost")
    report = e.UsageReported(
        "message",
        name,
        input=count(used, "input"),
        output=count(used, "output") + count(used, "reasoning"),
        cache_creation=count(inner(used, "cache"), "write"),
        cache_read=count(inner(used, "cache"), "read"),
        cost=f"{cost} USD" if isinstance(cost, int | float) and cost else None,
    )
    if report.total != known.tokens(name):
        draft.add(report)


def _is_last(fields: JsonObject) -> bool:
    """Tell whether a message is done, and none follows on its tools. Early versions did not say how it finished."""
    return bool(count(inner(fields, "time"), "completed")) and text(fields, "finish") not in {"tool-calls", "unknown"}
