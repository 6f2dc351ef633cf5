"""What each message of a recording says in the words of the log. Pure.

The name of a turn ends in that of the request which began it, so that the answer finds it without a memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from holdfast.adapters.importers.acp.line import parts_of
from holdfast.adapters.importers.acp.updates import changed_mode, changed_model, options, tool, update
from holdfast.adapters.importers.draft import Draft
from holdfast.adapters.importers.fields import count, inner, text
from holdfast.adapters.importers.lines import is_array, is_object
from holdfast.adapters.importers.port import Translation
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.acp.line import AcpLine
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

REPLAY = "replay-"
"""Begins the names of turns in which the agent repeats what the log has. What is said in them is not recorded."""

HISTORY = "history-"
"""Begins the names of turns in which the agent tells a history that the log does not have."""

_SETUP = frozenset(
    {
        "authenticate",
        "initialize",
        "logout",
        "session/cancel",
        "session/close",
        "session/delete",
        "session/fork",
        "session/list",
        "session/new",
        "session/set_config_option",
        "session/set_model",
    }
)
_TALK = frozenset(
    {
        "session/load",
        "session/prompt",
        "session/request_permission",
        "session/resume",
        "session/set_mode",
        "session/update",
    }
)
_SERVICES = ("$/", "fs/", "terminal/")
"""Begin the methods by which agents use what clients offer. What comes of it stands in the uses of tools as well."""

KNOWN = _SETUP | _TALK


def translate(line: AcpLine, session: Session, recent: RecentItems, anchor: str) -> Translation:
    """Return what `line` says that `session` does not know yet. See `holdfast.adapters.importers.port.Record`."""
    draft = Draft(session, recent)
    useful = _asked(line, draft, anchor) if line.method else _answered(line, draft, anchor)
    if useful is None:
        draft.add(e.RawReceived(anchor, line.method or "record", Raw(line.line)))
    return Translation(tuple(draft.facts), skipped=not useful)


def _asked(line: AcpLine, draft: Draft, anchor: str) -> bool | None:
    """Add what a request or a notification says; False where that is nothing, None where nobody can tell."""
    match line.method:
        case "session/prompt":
            content = line.verbatim.prompt
            said = e.MessageSent(anchor, content.copy() if content else Raw(b"[]"))
            draft.begin_turn(f"{anchor}/{line.rpc_id}", said)
        case "session/load" | "session/resume":
            known = draft.session.summary.messages > 0
            draft.begin_turn(f"{REPLAY if known else HISTORY}{anchor}/{line.rpc_id}")
        case "session/update":
            repeated = (draft.turn or "").startswith(f"turn-{REPLAY}")
            told = (draft.turn or "").startswith(f"turn-{HISTORY}")
            return update(line, draft, anchor, repeated=repeated, told=told)
        case "session/request_permission":
            _permission(line, draft, anchor)
        case "session/set_mode":
            changed_mode(draft, text(line.params, "modeId"))
        case method if method.startswith(_SERVICES):
            return False
        case method:
            return True if method in _SETUP else None
    return True


def _answered(line: AcpLine, draft: Draft, anchor: str) -> bool | None:
    """Add what an answer says. Only one to a prompt ends a turn, and only the turn that the prompt began."""
    if not line.message:
        return None
    result, error = line.result, line.message.get("error")
    turn = draft.turn
    # A turn that an import closed too early went on under another name.
    own = turn is None or "/" not in turn or turn.endswith(f"/{line.rpc_id}")
    if is_object(error):
        reason = text(error, "message") or "the agent answered with an error"
        if own and turn is not None:
            draft.interrupt_turn(anchor, reason)
        else:
            draft.add(e.NoticeAdded(anchor, "error", reason))
    elif stop_reason := text(result, "stopReason"):
        if own:
            _usage(inner(result, "usage"), draft, anchor)
            draft.end_turn(anchor, stop_reason)
    elif is_object(result.get("outcome")):
        outcome = inner(result, "outcome")
        chosen = text(outcome, "optionId") or text(outcome, "outcome")
        draft.add(e.NoticeAdded(anchor, "permission", f"answered: {chosen}" if chosen else "answered"))
    elif turn is not None and turn.endswith(f"/{line.rpc_id}"):
        _configured(line, draft)
        draft.end_turn(anchor, "end_turn")
    else:
        return _configured(line, draft)
    return True


def _configured(line: AcpLine, draft: Draft) -> bool:
    """Add the mode and the model that an answer names; agents name them in three ways."""
    result = line.result
    options(draft, result.get("configOptions"))
    changed_mode(draft, text(inner(result, "modes"), "currentModeId"))
    changed_model(draft, text(inner(result, "models"), "currentModelId"))
    return bool(draft.facts) or "sessionId" in result or "protocolVersion" in result


def _usage(usage: dict[str, object], draft: Draft, anchor: str) -> None:
    report = e.UsageReported(
        "message",
        draft.in_turn(anchor),
        input=count(usage, "inputTokens"),
        output=count(usage, "outputTokens"),
        cache_creation=count(usage, "cachedWriteTokens"),
        cache_read=count(usage, "cachedReadTokens"),
    )
    if report.total:
        draft.add(report)


def _permission(line: AcpLine, draft: Draft, anchor: str) -> None:
    """Add a question as a notice: nobody can answer it any more. Some agents name their tool nowhere else."""
    asked = inner(line.params, "toolCall")
    tool(asked, parts_of(line.verbatim.tool_call), draft, announced=False)
    offered = line.params.get("options")
    names = [
        text(each, "name") or text(each, "optionId")
        for each in (offered if is_array(offered) else [])
        if is_object(each)
    ]
    title = text(asked, "title") or text(asked, "kind") or "permission"
    draft.add(e.NoticeAdded(anchor, "permission", f"{title}\n{' / '.join(filter(None, names))}".strip()))
