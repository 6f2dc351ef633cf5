"""What a list shows of a session beside its state: names, a preview, counts. A pure fold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from msgspec import Raw, Struct
from msgspec.structs import replace

from holdfast.domain.content import text_of
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Fact, Reduced

if TYPE_CHECKING:
    from holdfast.domain.recorded import Recorded

PREVIEW = 120
"""Characters of the latest message that a list shows."""

FIRST_PREVIEW = 100
"""Characters of the first message of a person that a list shows."""

_TELLING: Final = frozenset[type[Fact]](
    {
        e.TextAppended,
        e.ReadUpTo,
        e.MarkedUnread,
        e.SessionNotified,
        e.MessageCompacted,
        e.ToolCompacted,
        e.SessionCreated,
        e.PromptSent,
        e.MessageSent,
        e.MessageReceived,
        e.UsageReported,
        e.InfoChanged,
        e.SessionEnded,
        e.SessionErased,
        e.Unknown,
        Reduced,
    }
)
"""All others only tell when something happened last."""

_REPORTS = 32
_COUNTED = 32
_BLANK = re.compile(r"\s+")


class Summary(Struct, frozen=True, gc=False):
    """What a list shows of a session.

    Attributes:
        created_at: Microseconds since the epoch.
        updated_at: Time of the latest event, microseconds since the epoch.
        preview: The beginning of the latest message.
        previewed: Item that the preview is of.
        counted: Messages that were counted lately, so that their next pieces are not; agents may say two at a time.
        messages: Messages of people and of the agent.
        tokens: As reported.
        reports: Latest reports of single messages: id and total, so that a repeated report replaces the earlier one.
    """

    transport: str = ""
    target: str = ""
    agent: str | None = None
    cwd: str | None = None
    model: str | None = None
    imported_from: str | None = None
    created_at: int = 0
    updated_at: int = 0
    ended_at: int | None = None
    preview: str = ""
    previewed: str = ""
    counted: tuple[str, ...] = ()
    messages: int = 0
    last_message_at: int | None = None
    first_message: str | None = None
    tokens: int = 0
    reports: tuple[tuple[str, int], ...] = ()
    command: tuple[str, ...] = ()


def summarize(summary: Summary, recorded: Recorded) -> Summary:
    """Return the summary after one more event."""
    at = max(recorded.at, summary.updated_at)
    if is_only_news(summary, recorded.event):
        return replace(summary, updated_at=at)
    match recorded.event:
        case e.TextAppended() as fact:
            return _text(summary, fact.item_id, fact.text, at)
        case e.ReadUpTo() | e.MarkedUnread() | e.SessionNotified() | e.MessageCompacted() | e.ToolCompacted():
            return summary  # looking at a session is not news of it, nor is how it is stored
        case e.SessionCreated() as created:
            return Summary(
                transport=created.transport,
                target=created.target,
                agent=created.agent,
                cwd=created.cwd,
                command=created.command,
                model=created.model,
                imported_from=created.imported_from,
                created_at=recorded.at,
                updated_at=recorded.at,
            )
        case e.PromptSent(prompt_id=item_id, content=content) | e.MessageSent(item_id=item_id, content=content):
            thread = recorded.event.thread if isinstance(recorded.event, e.MessageSent) else None
            return _whole(summary, item_id, content, at, by_person=thread is None)
        case e.MessageReceived(item_id=item_id, content=content):
            return _whole(summary, item_id, content, at, by_person=False)
        case e.UsageReported() as usage:
            return _usage(summary, usage, at)
        case e.InfoChanged(model=str(model)):
            return replace(summary, model=model, updated_at=at)
        case e.SessionEnded():
            return replace(summary, ended_at=recorded.at, updated_at=at)
        case e.SessionErased():
            # Only what a rebuild finds too, which sees no content of any event before this one.
            return Summary(created_at=summary.created_at, updated_at=recorded.at, ended_at=recorded.at)
        case e.Unknown() if recorded.originator_version == 1:
            return Summary(created_at=recorded.at, updated_at=recorded.at)
        case _:
            return replace(summary, updated_at=at)


def is_only_news(summary: Summary, fact: Fact) -> bool:
    """Tell whether all that `fact` changes is when something happened last: so it is with most of a long session."""
    if isinstance(fact, e.TextAppended):
        return fact.item_id == summary.previewed and len(summary.preview) >= PREVIEW
    return type(fact) not in _TELLING


def _text(summary: Summary, item_id: str, text: str, at: int) -> Summary:
    """Pieces of text: the first that shows anything counts the message, the first ones make its preview."""
    if item_id == summary.previewed:
        return replace(summary, preview=_shortened(summary.preview + text, PREVIEW), updated_at=at)
    if not text.strip():
        return replace(summary, updated_at=at)
    return _message(summary, item_id, text, at)


def _whole(summary: Summary, item_id: str, content: Raw, at: int, *, by_person: bool) -> Summary:
    text = text_of(content)
    if by_person and summary.first_message is None:
        summary = replace(summary, first_message=_shortened(text, FIRST_PREVIEW))
    return _message(summary, item_id, text, at)


def _message(summary: Summary, item_id: str, text: str, at: int) -> Summary:
    message = item_id.partition("#")[0]
    known = message in summary.counted
    return replace(
        summary,
        preview=_shortened(text.lstrip(), PREVIEW),
        previewed=item_id,
        counted=summary.counted if known else (*summary.counted, message)[-_COUNTED:],
        messages=summary.messages + (not known),
        last_message_at=at,
        updated_at=at,
    )


def _usage(summary: Summary, usage: e.UsageReported, at: int) -> Summary:
    match usage.scope:
        case "context":
            return replace(summary, updated_at=at)
        case "session":
            return replace(summary, tokens=usage.total, updated_at=at)
        case "message":
            before = dict(summary.reports)
            earlier = 0 if usage.message_id is None else before.pop(usage.message_id, 0)
            if usage.message_id is not None:
                before[usage.message_id] = usage.total
            reports = tuple(before.items())[-_REPORTS:]
            return replace(summary, tokens=summary.tokens - earlier + usage.total, reports=reports, updated_at=at)
        case _:
            assert_never(usage.scope)


def _shortened(text: str, limit: int) -> str:
    """Return the beginning of `text` in one line. A blank at its end stays: the next piece may be another word."""
    return _BLANK.sub(" ", text[: limit * 4])[:limit]
