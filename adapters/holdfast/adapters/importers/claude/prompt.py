"""Lines in the person's name: prompts, results of tools, and what the tool injects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from holdfast.adapters.importers.claude.speech import INTERRUPTED, hear
from holdfast.adapters.importers.fields import text
from holdfast.adapters.importers.names import item_name
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.claude.line import Block, ClaudeLine
    from holdfast.adapters.importers.draft import Draft


def prompt(line: ClaudeLine, draft: Draft, name: str) -> None:
    """Add what a `user` line says. `name` is that of its item; further items of the line count on from it."""
    mode = text(line.fields, "permissionMode")
    if mode and line.thread is None and mode != draft.session.state.mode:
        draft.add(e.ModeChanged(mode))
    speech = hear(line)
    for block in speech.results:
        result(block, draft, line.thread)
    if speech.interrupted:
        _interrupt(line, draft, name)
    taken = bool(speech.said or speech.interrupted)
    for number, aside in enumerate(speech.asides, taken):
        item_id = f"{name}.{number}" if number else name
        draft.add(e.NoticeAdded(item_id, aside.kind, aside.text, line.thread))
    if speech.said:
        draft.begin_turn(name, e.MessageSent(name, speech.content()))


def result(block: Block, draft: Draft, thread: str | None) -> None:
    """Add what came of a use of a tool. Items of tools have the id of the use, so a pair needs no memory."""
    use = text(block.fields, "tool_use_id")
    item_id = item_name(use)
    if item_id is None:
        return
    failed = block.fields.get("is_error") is True
    output = block.verbatim.content
    draft.add(
        e.ToolUpdated(
            item_id,
            use,
            status="failed" if failed else "completed",
            output=output.copy() if output else Raw(b'""'),
            thread=thread,
        )
    )


def _interrupt(line: ClaudeLine, draft: Draft, name: str) -> None:
    if line.thread is None:
        draft.end_turn(name, "cancelled")
    else:
        draft.add(e.NoticeAdded(name, "cancelled", f"{INTERRUPTED}]", line.thread))
