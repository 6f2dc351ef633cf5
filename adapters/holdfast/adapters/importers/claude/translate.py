"""What each line of a transcript of Claude Code says in the words of the log. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from holdfast.adapters.importers.claude.answer import answer
from holdfast.adapters.importers.claude.asides import attachment, system
from holdfast.adapters.importers.claude.line import CONVERSATION
from holdfast.adapters.importers.claude.prompt import prompt
from holdfast.adapters.importers.draft import Draft
from holdfast.adapters.importers.fields import text
from holdfast.adapters.importers.port import Translation
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.claude.line import ClaudeLine
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

TITLES = {"summary": "summary", "ai-title": "aiTitle", "custom-title": "customTitle"}
"""Types of the lines that name the session, and the field with the name."""

SILENT = frozenset(
    {
        "agent-color",
        "agent-name",
        "agent-setting",
        "attribution-snapshot",
        "content-replacement",
        "file-history-snapshot",
        "last-prompt",
        "progress",
        "queue-operation",
        "result",
        "speculation-accept",
        "tag",
        "worktree-state",
    }
)
"""Types of the lines by which the tool keeps house; what they say to people stands in other lines too."""

PERMISSION_MODES = frozenset({"acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"})

KNOWN = CONVERSATION | SILENT | TITLES.keys() | {"mode", "permission-mode", "pr-link"}


def translate(line: ClaudeLine, session: Session, recent: RecentItems, anchor: str) -> Translation:
    """Return what `line` says that `session` does not know yet. See `holdfast.adapters.importers.port.Record`."""
    draft = Draft(session, recent)
    name = line.uuid or anchor
    useful: bool | None = True
    match line.type:
        case "user":
            prompt(line, draft, name)
            useful = bool(draft.facts)
        case "assistant":
            answer(line, draft, name)
        case "attachment":
            useful = attachment(line, draft, name)
        case "system":
            useful = system(line, draft, name)
        case "summary" | "ai-title" | "custom-title" as kind:
            _title(kind, text(line.fields, TITLES[kind]), draft)
        case "mode" | "permission-mode":
            useful = _mode(text(line.fields, "permissionMode") or text(line.fields, "mode"), draft)
        case "pr-link" if address := text(line.fields, "prUrl"):
            draft.add(e.NoticeAdded(name, "link", address))
        case kind:
            useful = False if kind in KNOWN else None
    if useful is None:
        label = " ".join(part for part in (line.type, text(line.fields, "subtype")) if part)
        draft.add(e.RawReceived(name, label or "record", Raw(line.line)))
    return Translation(tuple(draft.facts), skipped=not useful)


def _title(kind: str, title: str, draft: Draft) -> None:
    """Titles are repeated each time a session is taken up; one that a person gave holds."""
    state = draft.session.state
    if not title or (title == state.title and (state.named or kind != "custom-title")):
        return
    if kind == "custom-title":
        draft.add(e.SessionRenamed(title))
    elif not state.named:
        draft.add(e.InfoChanged(title=title))


def _mode(mode: str, draft: Draft) -> bool:
    """`normal` says that nothing beside the permission mode is special: it takes back only what was."""
    before = draft.session.state.mode
    if not mode or (mode == "normal" and (before is None or before in PERMISSION_MODES)):
        return False
    if mode != before:
        draft.add(e.ModeChanged(mode))
    return True
