"""Events of a rollout: what Codex told its frontends. Turns, tokens and failures stand in them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers.codex import calls
from holdfast.adapters.importers.codex.speech import BY_EVENT, TASK, agent_said, agent_thought, person_said
from holdfast.adapters.importers.fields import count, inner, text
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.codex.line import CodexLine
    from holdfast.adapters.importers.draft import Draft
    from holdfast.adapters.importers.lines import JsonObject

_SILENT = frozenset(
    {
        "context_compacted",
        "image_generation_end",
        "item_completed",
        "sub_agent_activity",
        "thread_goal_updated",
        "web_search_end",
    }
)
"""Events whose content stands in an item as well, or that are the tool's own business."""

_CANCELLED = frozenset({"interrupted", "replaced"})


def event(line: CodexLine, draft: Draft, anchor: str) -> bool | None:
    """Add what an event says; False where that is nothing, None where nobody can tell."""
    payload = line.payload
    name = f"{anchor}{BY_EVENT}"
    match line.kind:
        case "user_message":
            if text(payload, "kind") in {"", "plain"}:
                person_said(draft, name, text(payload, "message"), anchor)
        case "agent_message":
            agent_said(draft, name, text(payload, "message"), anchor)
        case "agent_reasoning" | "agent_reasoning_raw_content":
            agent_thought(draft, name, text(payload, "text"), anchor)
        case "token_count":
            _tokens(inner(payload, "info"), draft)
        case "task_started" | "turn_started" | "task_complete" | "turn_complete" | "turn_aborted":
            _turn(line.kind, payload, draft, anchor)
        case "exec_command_end" | "patch_apply_end" | "mcp_tool_call_end":
            if _failed(payload):
                calls.fail(text(payload, "call_id"), draft)
        case "thread_name_updated":
            named = text(payload, "thread_name") or text(payload, "name")
            if named and named != draft.session.state.title:
                draft.add(e.SessionRenamed(named))
        case kind:
            return _notice(kind, payload, draft, name)
    return True


def _turn(kind: str, payload: JsonObject, draft: Draft, anchor: str) -> None:
    match kind:
        case "task_started" | "turn_started":
            draft.begin_turn(TASK + (text(payload, "turn_id") or anchor))
        case "turn_aborted":
            reason = text(payload, "reason")
            draft.end_turn(anchor, "cancelled" if reason in _CANCELLED else reason or "cancelled")
        case _:
            draft.end_turn(anchor, "end_turn")


def _tokens(info: JsonObject, draft: Draft) -> None:
    """Add the running total, which counts what came from the cache as input as well."""
    used = inner(info, "total_token_usage")
    cached, output = count(used, "cached_input_tokens"), count(used, "output_tokens")
    total = count(used, "total_tokens") or count(used, "input_tokens") + output
    report = e.UsageReported(
        "session",
        input=max(total - output - cached, 0),
        output=output,
        cache_read=cached,
        context_used=count(inner(info, "last_token_usage"), "total_tokens") or None,
        context_size=count(info, "model_context_window") or None,
    )
    if report.total and report.total != draft.session.summary.tokens:
        draft.add(report)


def _failed(payload: JsonObject) -> bool:
    if payload.get("success") is False or payload.get("exit_code", 0) != 0:
        return True
    result = inner(payload, "result")
    outcome = inner(result, "Ok")
    return "Err" in result or outcome.get("isError") is True or outcome.get("is_error") is True


def _notice(kind: str, payload: JsonObject, draft: Draft, name: str) -> bool | None:
    """Add what the tool reports about itself."""
    match kind:
        case "error" | "stream_error":
            draft.add(e.NoticeAdded(name, "error", text(payload, "message") or kind))
        case "warning":
            draft.add(e.NoticeAdded(name, "warning", text(payload, "message") or kind))
        case "entered_review_mode":
            draft.add(e.NoticeAdded(name, "info", text(payload, "user_facing_hint") or "a review began"))
        case "exited_review_mode":
            said = text(inner(payload, "review_output"), "overall_explanation")
            draft.add(e.NoticeAdded(name, "summary", said or "the review ended"))
        case "thread_rolled_back":
            turns = count(payload, "num_turns")
            draft.add(e.NoticeAdded(name, "info", f"{turns} {'turn was' if turns == 1 else 'turns were'} taken back"))
        case _:
            return False if kind in _SILENT else None
    return True
