"""Lines that are neither the person's nor the agent's: what the tool attaches, and what it reports about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw, json

from holdfast.adapters.importers.claude.speech import asides
from holdfast.adapters.importers.fields import text
from holdfast.adapters.importers.lines import is_array, is_object
from holdfast.domain.content import of_text, text_of
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.claude.line import ClaudeLine
    from holdfast.adapters.importers.draft import Draft
    from holdfast.adapters.importers.lines import JsonObject

_SILENT = frozenset(
    {"bridge_status", "file_snapshot", "init", "microcompact_boundary", "stop_hook_summary", "turn_duration"}
)
_KINDS = {"api_error": "error", "away_summary": "summary", "compact_boundary": "compacted", "informational": "info"}
_BODIES = ("content", "prompt", "message", "snippet", "stdout", "text", "addedLines")
_PLACES = ("filename", "path", "hookName", "command")


def attachment(line: ClaudeLine, draft: Draft, name: str) -> bool:
    """Add what an `attachment` line says; False where that is nothing."""
    attached = line.fields.get("attachment")
    if not is_object(attached):
        return False
    kind = text(attached, "type")
    if kind == "queued_command" and line.thread is None and _typed(attached):
        # Typed while the agent worked, and handed to it in the middle of its turn.
        said = attached.get("prompt")
        content = of_text(said) if isinstance(said, str) else Raw(json.encode(said if is_array(said) else []))
        if text_of(content).strip():
            draft.add(e.MessageSent(name, content))
            return True
    notice = "hook" if kind.startswith("hook") else "injected"
    draft.add(e.NoticeAdded(name, notice, _readable(kind, attached), line.thread))
    return True


def system(line: ClaudeLine, draft: Draft, name: str) -> bool | None:
    """Add what a `system` line says; False where that is nothing, None where nobody can tell."""
    subtype = text(line.fields, "subtype")
    if subtype in _SILENT:
        return False
    words = text(line.fields, "content") or _error(line.fields)
    wrapped, rest = asides(words)
    for number, aside in enumerate(wrapped):
        item_id = f"{name}.{number}" if number else name
        draft.add(e.NoticeAdded(item_id, aside.kind, aside.text, line.thread))
    if not rest.strip():
        return bool(wrapped) or (None if not words and subtype not in _KINDS else False)
    kind = "error" if text(line.fields, "level") == "error" else _KINDS.get(subtype, "info")
    draft.add(e.NoticeAdded(f"{name}.{len(wrapped)}" if wrapped else name, kind, rest, line.thread))
    return True


def _typed(attached: JsonObject) -> bool:
    origin = attached.get("origin")
    by_person = not is_object(origin) or origin.get("kind", "human") == "human"
    return by_person and attached.get("commandMode", "prompt") == "prompt" and attached.get("isMeta") is not True


def _readable(kind: str, attached: JsonObject) -> str:
    place = next((text(attached, each) for each in _PLACES if text(attached, each)), "")
    head = " ".join(part for part in (kind or "attachment", place) if part)
    body = next((shown for each in _BODIES if (shown := _shown(attached.get(each)))), "")
    if not body:
        rest = {each: value for each, value in attached.items() if each != "type" and value != place}
        body = json.encode(rest).decode() if rest else ""
    return f"{head}\n{body}".strip()


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if is_array(value):
        return "\n".join(filter(None, map(_shown, value)))
    if is_object(value):
        return _shown(value.get("text")) or _shown(value.get("content")) or _shown(value.get("file"))
    return ""


def _error(fields: JsonObject) -> str:
    """Return what a failed request says, and whether it is tried again."""
    error = fields.get("error")
    if not is_object(error):
        return error if isinstance(error, str) else ""
    inner = error.get("error")
    deeper = inner.get("error") if is_object(inner) else None
    said = next(
        (text(each, "message") for each in (error, inner, deeper) if is_object(each) and text(each, "message")), ""
    )
    status = error.get("status")
    words = " ".join(part for part in ("API error", str(status) if isinstance(status, int) else "") if part)
    attempt, most = fields.get("retryAttempt"), fields.get("maxRetries")
    tried = f" (attempt {attempt} of {most})" if isinstance(attempt, int) and isinstance(most, int) else ""
    return f"{words}{tried}: {said}" if said else f"{words}{tried}"
