"""What each line of a rollout says in the words of the log. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from holdfast.adapters.importers.codex import calls
from holdfast.adapters.importers.codex.events import event
from holdfast.adapters.importers.codex.speech import agent_says, agent_thinks, message
from holdfast.adapters.importers.draft import Draft
from holdfast.adapters.importers.fields import inner, text
from holdfast.adapters.importers.names import item_name
from holdfast.adapters.importers.port import Translation
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.codex.line import CodexLine
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_SILENT = frozenset({"additional_tools", "compaction", "compaction_summary", "context_compaction", "ghost_snapshot"})
"""Kinds of items that hold nothing a person could read: copies, and what is encrypted."""


def translate(line: CodexLine, session: Session, recent: RecentItems, anchor: str) -> Translation:
    """Return what `line` says that `session` does not know yet. See `holdfast.adapters.importers.port.Record`."""
    draft = Draft(session, recent)
    useful: bool | None = True
    match line.type:
        case "session_meta":
            pass
        case "turn_context":
            _context(line, draft)
        case "response_item":
            useful = _item(line, draft, item_name(line.payload.get("id")) or anchor, anchor)
        case "event_msg":
            useful = event(line, draft, anchor)
        case "compacted":
            summary = text(line.payload, "message").strip()
            kind = "summary" if summary else "compacted"
            draft.add(e.NoticeAdded(anchor, kind, summary or "what was said so far was compacted"))
        case kind:
            useful = None if kind or not line.bare else False
    if useful is None:
        label = " ".join(dict.fromkeys(part for part in (line.type, line.kind) if part))
        draft.add(e.RawReceived(anchor, label or "record", Raw(line.line)))
    return Translation(tuple(draft.facts), skipped=not useful)


def _context(line: CodexLine, draft: Draft) -> None:
    """A turn begins with what holds for it; only what changed is news."""
    model = text(line.payload, "model")
    if model and model != draft.session.summary.model:
        draft.add(e.InfoChanged(model=model))
    mode = text(inner(line.payload, "collaboration_mode"), "mode")
    before = draft.session.state.mode
    if mode and mode != before and not (before is None and mode == "default"):
        draft.add(e.ModeChanged(mode))


def _item(line: CodexLine, draft: Draft, name: str, anchor: str) -> bool | None:
    """Add what an item says; False where that is nothing, None where nobody can tell."""
    match line.kind:
        case "message":
            message(line, draft, name, anchor)
        case "reasoning":
            agent_thinks(line, draft, name, anchor)
        case "agent_message":
            agent_says(line, draft, name)
        case "function_call" | "custom_tool_call" | "local_shell_call" | "tool_search_call":
            calls.called(line, draft, anchor)
        case "web_search_call" | "image_generation_call":
            calls.called(line, draft, anchor, status="completed")
        case "function_call_output" | "custom_tool_call_output" | "tool_search_output":
            calls.came(line, draft)
        case kind:
            return False if kind in _SILENT else None
    return True
