"""The transcript of a session: which items an event puts there or changes. A pure fold; `items.apply` follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from msgspec import Raw
from msgspec.structs import replace

from holdfast.domain.content import beyond_text, text_of
from holdfast.domain.projections.items import Append, Change, Clear, Item, ItemKind, Put
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Fact, Reduced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.domain.recorded import Recorded


_SHOWN: Final = frozenset[type[Fact]](
    {
        e.TextAppended,
        e.ThoughtAppended,
        e.ToolCalled,
        e.ToolUpdated,
        e.ToolAbandoned,
        e.PromptSent,
        e.PromptAccepted,
        e.PromptFailed,
        e.MessageSent,
        e.MessageReceived,
        e.MessageEdited,
        e.MessageAcknowledged,
        e.PermissionRequested,
        e.PermissionAnswered,
        e.PermissionExpired,
        e.PlanChanged,
        e.NoticeAdded,
        e.RawReceived,
        e.TurnInterrupted,
        e.TurnUnknown,
        e.TurnEnded,
        e.Attached,
        e.Detached,
        e.HistoryGap,
        e.SessionEnded,
        e.SessionErased,
        e.Unknown,
        Reduced,
    }
)
"""All others leave the transcript as it is. Finding that out case by case would take as long as reading them."""


def project(items: Mapping[str, Item], recorded: Recorded) -> tuple[Change, ...]:
    """Return what `recorded` changes in the transcript.

    Args:
        items: The items so far. Only those that the event names are looked at.
        recorded: A committed event; its position says where new items stand.
    """
    fact = recorded.event
    if isinstance(fact, e.TextAppended):
        return _text(items, recorded, fact)
    if type(fact) not in _SHOWN:
        return ()
    match fact:
        case e.ThoughtAppended():
            return _text(items, recorded, fact)
        case e.ToolCalled() | e.ToolUpdated():
            return (_tool(items, recorded, fact),)
        case e.ToolAbandoned(item_id=item_id, reason=reason):
            return _abandoned(items, recorded, item_id, reason)
        case e.PromptSent() | e.PromptAccepted() | e.PromptFailed():
            return _prompt(items, recorded, fact)
        case e.MessageSent() | e.MessageReceived() | e.MessageEdited() | e.MessageAcknowledged():
            return _message(items, recorded, fact)
        case e.PermissionRequested() | e.PermissionAnswered() | e.PermissionExpired():
            return _permission(items, recorded, fact)
        case e.PlanChanged(item_id=item_id, entries=entries):
            return (_put(items, recorded, Item(item_id, "plan", content=entries.copy())),)
        case e.NoticeAdded(item_id=item_id, kind=kind, text=text, thread=thread):
            notice = Item(item_id, "notice", role="system", status=kind, text=text, thread=thread)
            return (_put(items, recorded, notice),)
        case e.RawReceived(item_id=item_id, label=label, body=body):
            return (_put(items, recorded, Item(item_id, "raw", title=label, content=body.copy())),)
        case e.Unknown(tag=tag, data=str(data)):
            return (_put(items, recorded, Item(f"raw-{recorded.originator_version}", "raw", title=tag, text=data)),)
        case _:
            return _divider(items, recorded)


def touched(fact: Fact) -> str | None:
    """Return the id of the item that `fact` may change, so that it can be fetched before `project` looks at it."""
    match fact:
        case (
            e.TextAppended(item_id=item_id)
            | e.ThoughtAppended(item_id=item_id)
            | e.ToolCalled(item_id=item_id)
            | e.ToolUpdated(item_id=item_id)
            | e.ToolAbandoned(item_id=item_id)
            | e.MessageEdited(item_id=item_id)
            | e.MessageAcknowledged(item_id=item_id)
            | e.MessageSent(item_id=item_id)
            | e.MessageReceived(item_id=item_id)
            | e.PlanChanged(item_id=item_id)
            | e.NoticeAdded(item_id=item_id)
            | e.RawReceived(item_id=item_id)
        ):
            return item_id
        case (
            e.PromptSent(prompt_id=item_id)
            | e.PromptAccepted(prompt_id=item_id)
            | e.PromptFailed(prompt_id=item_id)
            | e.PermissionRequested(request_id=item_id)
            | e.PermissionAnswered(request_id=item_id)
            | e.PermissionExpired(request_id=item_id)
        ):
            return item_id
        case _:
            return None


def _text(
    items: Mapping[str, Item], recorded: Recorded, fact: e.TextAppended | e.ThoughtAppended
) -> tuple[Change, ...]:
    item = items.get(fact.item_id)
    if item is not None:
        return (Append(fact.item_id, item.length, fact.text, recorded.position or 0),)
    if not fact.text:
        return ()  # some agents open every message with an empty piece
    kind: ItemKind = "message" if isinstance(fact, e.TextAppended) else "thought"
    return (_put(items, recorded, Item(fact.item_id, kind, role="assistant", text=fact.text, thread=fact.thread)),)


def _tool(items: Mapping[str, Item], recorded: Recorded, fact: e.ToolCalled | e.ToolUpdated) -> Put:
    """Peers announce a tool late, twice or never: whatever comes first makes the item, the rest fills it in."""
    before = items.get(fact.item_id) or Item(fact.item_id, "tool_call", title=fact.call_id, status="pending")
    content = fact.content.copy() if fact.content else before.content
    if isinstance(fact, e.ToolUpdated) and fact.grown is not None:
        content = _grown(content, fact.grown)
    item = Item(
        fact.item_id,
        "tool_call",
        title=fact.title or before.title,
        tool=fact.kind or before.tool,
        status=fact.status or before.status,
        input=fact.input.copy() if fact.input else before.input,
        output=fact.output.copy() if fact.output else _output(before, content),
        content=content,
        thread=fact.thread or before.thread,
    )
    return _put(items, recorded, item)


def _abandoned(items: Mapping[str, Item], recorded: Recorded, item_id: str, reason: str) -> tuple[Change, ...]:
    before = items.get(item_id)
    if before is None or before.status in ("completed", "failed"):
        return ()
    return _restate(items, recorded, item_id, "failed", reason)


def _output(before: Item, content: Raw) -> Raw:
    """Many peers give no output beside what there is to show of it; then that is the output."""
    return content if bytes(before.output) == bytes(before.content) else before.output


def _grown(content: Raw, grown: e.Splice) -> Raw:
    text = bytes(content).decode()
    if grown.head + grown.tail > len(text):
        return content
    return Raw((text[: grown.head] + grown.insert + text[len(text) - grown.tail :]).encode())


def _prompt(
    items: Mapping[str, Item], recorded: Recorded, fact: e.PromptSent | e.PromptAccepted | e.PromptFailed
) -> tuple[Change, ...]:
    match fact:
        case e.PromptSent(prompt_id=prompt_id, content=content):
            return (_put(items, recorded, _said("user", prompt_id, content, status="sent")),)
        case e.PromptAccepted(prompt_id=prompt_id):
            return _restate(items, recorded, prompt_id, "accepted")
        case e.PromptFailed(prompt_id=prompt_id, reason=reason, detail=detail, content=content):
            if content and prompt_id not in items:
                failed = replace(_said("user", prompt_id, content, status="failed"), reason=detail or reason)
                return (_put(items, recorded, failed),)
            restated = _restate(items, recorded, prompt_id, "failed", detail or reason)
            return restated or (_notice(items, recorded, "failed", detail or reason),)
        case _:
            assert_never(fact)


def _message(
    items: Mapping[str, Item],
    recorded: Recorded,
    fact: e.MessageSent | e.MessageReceived | e.MessageEdited | e.MessageAcknowledged,
) -> tuple[Change, ...]:
    match fact:
        case e.MessageSent(item_id=item_id, content=content, author=author, thread=thread):
            return (_put(items, recorded, _said("user", item_id, content, author=author, thread=thread)),)
        case e.MessageReceived(item_id=item_id, content=content, author=author):
            return (_put(items, recorded, _said("assistant", item_id, content, author=author)),)
        case e.MessageEdited(item_id=item_id, content=content):
            before = items.get(item_id)
            if before is None:
                return ()
            edited = replace(before.settled(), text=text_of(content), content=beyond_text(content), tail=[])
            return (_put(items, recorded, edited),)
        case e.MessageAcknowledged(item_id=item_id, kind=kind):
            return _restate(items, recorded, item_id, kind)
        case _:
            assert_never(fact)


def _permission(
    items: Mapping[str, Item],
    recorded: Recorded,
    fact: e.PermissionRequested | e.PermissionAnswered | e.PermissionExpired,
) -> tuple[Change, ...]:
    if isinstance(fact, e.PermissionRequested):
        asked = Item(
            fact.request_id,
            "permission",
            title=fact.title,
            input=fact.input.copy(),
            options=fact.options,
            status="pending",
            turn_id=fact.turn_id,
        )
        return (_put(items, recorded, asked),)
    before = items.get(fact.request_id)
    if before is None:
        return ()
    if isinstance(fact, e.PermissionExpired):
        return (_put(items, recorded, replace(before.settled(), status="expired", reason=fact.reason, tail=[])),)
    answered = replace(
        before.settled(),
        tail=[],
        status="answered",
        decision=fact.option_id or "cancelled",
        decided_by=recorded.actor.device or recorded.actor.kind,
        decided_at=recorded.at,
        reason=fact.reason,
    )
    return (_put(items, recorded, answered),)


def _divider(items: Mapping[str, Item], recorded: Recorded) -> tuple[Change, ...]:
    """Lines between items that tell what happened to the conversation itself."""
    match recorded.event:
        case e.TurnInterrupted(reason=reason):
            return (_notice(items, recorded, "interrupted", reason),)
        case e.TurnUnknown(reason=reason):
            return (_notice(items, recorded, "unknown", reason),)
        case e.TurnEnded(stop_reason=reason) if reason not in ("end_turn", "unrecorded", "session-ended"):
            return (_notice(items, recorded, reason),)
        case e.Attached(resumed=True):
            return (_notice(items, recorded, "resumed"),)
        case e.Detached(reason="failed" | "gone", error=error):
            return (_notice(items, recorded, "failed", error or ""),)
        case e.HistoryGap(reason=reason):
            return (_notice(items, recorded, "gap", reason),)
        case e.SessionEnded(reason=reason, detail=detail):
            return (_notice(items, recorded, "ended", detail or reason),)
        case e.SessionErased():
            return (Clear(),)
        case _:
            return ()


def _said(
    role: str,
    item_id: str,
    content: Raw,
    *,
    author: str | None = None,
    status: str | None = None,
    thread: str | None = None,
) -> Item:
    return Item(
        item_id,
        "message",
        role=role,
        author=author,
        text=text_of(content),
        content=beyond_text(content),
        status=status,
        thread=thread,
    )


def _notice(items: Mapping[str, Item], recorded: Recorded, status: str, text: str = "") -> Put:
    item_id = f"notice-{recorded.originator_version}"
    return _put(items, recorded, Item(item_id, "notice", role="system", status=status, text=text))


def _restate(
    items: Mapping[str, Item], recorded: Recorded, item_id: str, status: str, reason: str | None = None
) -> tuple[Change, ...]:
    before = items.get(item_id)
    if before is None:
        return ()
    return (_put(items, recorded, replace(before.settled(), status=status, reason=reason, tail=[])),)


def _put(items: Mapping[str, Item], recorded: Recorded, item: Item) -> Put:
    """Give `item` its place: that of the item it replaces, else the end, where the event stands."""
    before = items.get(item.id)
    item.ordinal = (recorded.position or 0) if before is None else before.ordinal
    item.at = recorded.at if before is None else before.at
    item.position = recorded.position or 0
    item.length = len(item.text)
    return Put(item)
