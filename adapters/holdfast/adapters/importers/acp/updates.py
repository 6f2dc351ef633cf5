"""Updates of a session: what the agent says and does, and how it describes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from holdfast.adapters.importers.acp.line import Verbatim, parts_of
from holdfast.adapters.importers.fields import count, inner, text
from holdfast.adapters.importers.lines import is_array, is_object
from holdfast.adapters.importers.names import item_name
from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.acp.line import AcpLine
    from holdfast.adapters.importers.draft import Draft
    from holdfast.adapters.importers.lines import JsonObject

_STATUSES: dict[str, e.ToolStatus] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
    "canceled": "failed",
    "rejected": "failed",
}


def update(line: AcpLine, draft: Draft, anchor: str, *, repeated: bool, told: bool) -> bool | None:
    """Add what a `session/update` says; None where nobody can tell.

    Args:
        line: The notification.
        draft: Takes the facts.
        anchor: Names the line.
        repeated: Whether the agent repeats what the log has.
        told: Whether it tells a history in which people speak as well.
    """
    fields, verbatim = inner(line.params, "update"), parts_of(line.verbatim.update)
    match text(fields, "sessionUpdate"):
        case "available_commands_update":
            if verbatim.available_commands:
                draft.add(e.CommandsChanged(verbatim.available_commands.copy()))
        case "current_mode_update":
            changed_mode(draft, text(fields, "currentModeId"))
        case "config_option_update":
            options(draft, fields.get("configOptions"))
        case "session_info_update":
            title = text(fields, "title")
            if title and title != draft.session.state.title:
                draft.add(e.InfoChanged(title=title))
        case "usage_update":
            _context(fields, draft)
        case kind if repeated and kind in _SPOKEN:
            pass
        case kind:
            return _spoken(kind, fields, verbatim, draft, anchor, told=told)
    return True


_SPOKEN = frozenset(
    {"agent_message_chunk", "agent_thought_chunk", "plan", "tool_call", "tool_call_update", "user_message_chunk"}
)


def _spoken(kind: str, fields: JsonObject, verbatim: Verbatim, draft: Draft, anchor: str, *, told: bool) -> bool | None:
    match kind:
        case "agent_message_chunk" | "agent_thought_chunk":
            _speech(kind, fields, verbatim, draft, anchor)
        case "user_message_chunk":
            # In the turn of a prompt it is the prompt's echo.
            said = e.MessageSent(anchor, Raw(b"[" + bytes(verbatim.content) + b"]"))
            if told:
                draft.add(said)
            elif draft.turn is None:
                draft.begin_turn(anchor, said)
        case "tool_call" | "tool_call_update":
            draft.in_turn(anchor)
            tool(fields, verbatim, draft, announced=kind == "tool_call")
        case "plan" if verbatim.entries:
            draft.add(e.PlanChanged(f"{draft.in_turn(anchor)}.plan", verbatim.entries.copy()))
        case _:
            return None
    return True


def _speech(kind: str, fields: JsonObject, verbatim: Verbatim, draft: Draft, anchor: str) -> None:
    """Add a piece of a message or of a thought. Where the agent does not name messages, a turn has one of each."""
    content = inner(fields, "content")
    words, turn = text(content, "text"), draft.in_turn(anchor)
    named = item_name(fields.get("messageId"))
    if text(content, "type") != "text":
        if verbatim.content:
            draft.add(e.MessageReceived(anchor, Raw(b"[" + bytes(verbatim.content) + b"]")))
    elif not words:
        pass  # some agents open every message with an empty piece
    elif kind == "agent_message_chunk":
        draft.add(e.TextAppended(draft.item(named or f"{turn}.message", None), words))
    else:
        draft.add(e.ThoughtAppended(draft.item(f"{named or turn}.thought", None), words))


def tool(fields: JsonObject, verbatim: Verbatim, draft: Draft, *, announced: bool) -> None:
    """Add what is said of a use of a tool. Nothing needs to be announced: updates may come alone."""
    use = text(fields, "toolCallId")
    item_id = item_name(use)
    if item_id is None:
        return
    kind = e.ToolCalled if announced else e.ToolUpdated
    draft.add(
        kind(
            item_id,
            use,
            title=text(fields, "title") or None,
            kind=text(fields, "kind") or None,
            status=_STATUSES.get(text(fields, "status")),
            input=_kept(verbatim.raw_input),
            output=_kept(verbatim.raw_output),
            content=_kept(verbatim.content),
            locations=_kept(verbatim.locations),
        )
    )


def _kept(raw: Raw) -> Raw:
    return raw.copy() if raw else NOTHING


def changed_mode(draft: Draft, mode: str) -> None:
    """Add the mode, where it is another one."""
    if mode and mode != draft.session.state.mode:
        draft.add(e.ModeChanged(mode))


def changed_model(draft: Draft, model: str) -> None:
    """Add the model, where it is another one."""
    if model and model != draft.session.summary.model:
        draft.add(e.InfoChanged(model=model))


def options(draft: Draft, offered: object) -> None:
    """Add what the options of the agent say of its mode and its model."""
    for each in offered if is_array(offered) else []:
        if is_object(each) and text(each, "category") == "mode":
            changed_mode(draft, text(each, "currentValue"))
        elif is_object(each) and text(each, "category") == "model":
            changed_model(draft, text(each, "currentValue"))


def _context(fields: JsonObject, draft: Draft) -> None:
    cost = inner(fields, "cost")
    amount = cost.get("amount")
    draft.add(
        e.UsageReported(
            "context",
            context_used=count(fields, "used"),
            context_size=count(fields, "size") or None,
            cost=f"{amount} {text(cost, 'currency')}".strip() if isinstance(amount, int | float) else None,
        )
    )
