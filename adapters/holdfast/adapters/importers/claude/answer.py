"""Lines of the agent: texts, thoughts, uses of tools, and the tokens they took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers.claude.line import Block, model_of
from holdfast.adapters.importers.claude.prompt import result
from holdfast.adapters.importers.claude.tools import kind_of, title_of
from holdfast.adapters.importers.fields import count, text
from holdfast.adapters.importers.lines import is_object
from holdfast.adapters.importers.names import item_name
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.importers.claude.line import ClaudeLine
    from holdfast.adapters.importers.draft import Draft

_GOES_ON = frozenset({"", "tool_use", "pause_turn"})
"""Stop reasons of a message after which the turn goes on."""


def answer(line: ClaudeLine, draft: Draft, name: str) -> None:
    """Add what an `assistant` line says. `name` is that of the line."""
    content = line.content() or []
    blocks = [Block.of_text(content)] if isinstance(content, str) else content
    if line.says("isApiErrorMessage"):
        _failure(line, draft, name, blocks)
        return
    model = model_of(line.message)
    if model is None and text(line.message, "model"):
        _made_up(line, draft, name, blocks)
        return
    if model is not None and line.thread is None and model != draft.session.summary.model:
        draft.add(e.InfoChanged(model=model))
    if blocks and line.thread is None:
        draft.in_turn(name)
    message = item_name(line.message.get("id")) or name
    for number, block in enumerate(blocks):
        _block(block, draft, message, line.thread, f"{name}.{number}")
    _usage(line, draft, message)
    stop_reason = text(line.message, "stop_reason")
    if stop_reason not in _GOES_ON and line.thread is None:
        draft.end_turn(name, stop_reason)


def _block(block: Block, draft: Draft, message: str, thread: str | None, name: str) -> None:
    match block.type:
        case "text":
            if said := text(block.fields, "text"):
                draft.add(e.TextAppended(draft.item(message, thread), said, thread))
        case "thinking":
            if thought := text(block.fields, "thinking"):
                draft.add(e.ThoughtAppended(draft.item(f"{message}.thought", thread), thought, thread))
        case "redacted_thinking":
            pass  # encrypted: nothing that a person, or anything but the model, could read
        case kind if kind.endswith("tool_use"):
            draft.add(_call(block, thread, name))
        case _ if text(block.fields, "tool_use_id"):
            result(block, draft, thread)
        case kind:
            draft.add(e.RawReceived(name, f"assistant {kind}".strip(), block.raw.copy()))


def _call(block: Block, thread: str | None, name: str) -> e.ToolCalled:
    tool = text(block.fields, "name") or "tool"
    use = text(block.fields, "id")
    return e.ToolCalled(
        item_name(use) or name,
        use,
        title=title_of(tool, block.fields.get("input")),
        kind=kind_of(tool),
        status="in_progress",
        input=block.verbatim.input.copy(),
        thread=thread,
    )


def _usage(line: ClaudeLine, draft: Draft, message: str) -> None:
    """Every block of a message repeats the message's tokens: only a report that says something new is recorded."""
    usage = line.message.get("usage")
    if not is_object(usage):
        usage = line.fields.get("usage")
    if not is_object(usage):
        return
    report = e.UsageReported(
        "message",
        message,
        input=count(usage, "input_tokens"),
        output=count(usage, "output_tokens"),
        cache_creation=count(usage, "cache_creation_input_tokens"),
        cache_read=count(usage, "cache_read_input_tokens"),
    )
    if report.total != dict(draft.session.summary.reports).get(message, 0):
        draft.add(report)


def _failure(line: ClaudeLine, draft: Draft, name: str, blocks: list[Block]) -> None:
    """The model could not be reached: the tool says so in the agent's name, and the turn is over."""
    reason = _readable(blocks) or "the model could not be reached"
    if line.thread is None:
        draft.interrupt_turn(name, reason)
    else:
        draft.add(e.NoticeAdded(name, "error", reason, line.thread))


def _made_up(line: ClaudeLine, draft: Draft, name: str, blocks: list[Block]) -> None:
    if words := _readable(blocks):
        draft.add(e.NoticeAdded(name, "injected", words, line.thread))


def _readable(blocks: list[Block]) -> str:
    return "\n".join(text(block.fields, "text") for block in blocks).strip()
