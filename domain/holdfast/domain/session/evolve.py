"""How a session's state follows from its events. No rules and no refusals here; those are in `decide`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, assert_never, get_args

from msgspec.structs import replace

from holdfast.domain.session import events as e
from holdfast.domain.session.state import (
    OPEN_TOOLS,
    RECENT,
    Attachment,
    Offer,
    Offering,
    Pending,
    Prompt,
    PromptState,
    Reader,
    SessionState,
    Turn,
)

if TYPE_CHECKING:
    from msgspec import Raw

    from holdfast.domain.session.facts import Fact


def evolve(state: SessionState, fact: Fact, version: int) -> SessionState:
    """Return the state after `fact`, which is event number `version` of the session.

    Total: a fact that means nothing here, or of a kind that is not known, changes nothing.
    """
    after = _AFTER.get(type(fact))
    return state if after is None else after(state, fact, version)


def _say(state: SessionState, fact: e.TextAppended | e.MessageReceived, version: int) -> SessionState:
    """Count what a person would read: a message of a chat, and the first words of a turn."""
    if isinstance(fact, e.TextAppended):
        if state.spoke or fact.thread is not None or not fact.text.strip():
            return state
    elif state.turn is None:
        return _count(state, version)
    elif state.spoke:
        return state
    return _count(replace(state, spoke=True), version)


def _use(state: SessionState, fact: e.ToolCalled | e.ToolUpdated | e.ToolAbandoned, _: int) -> SessionState:
    """Follow a use of a tool: begun when it is announced or said to be at work, until it is said to be over."""
    if isinstance(fact, e.ToolUpdated) and fact.status is None:
        return state  # what only adds to a use does not begin it again
    status = "failed" if isinstance(fact, e.ToolAbandoned) else fact.status
    if status in ("completed", "failed"):
        return _finished(state, fact.item_id)
    if fact.item_id in state.tools:
        return state
    return replace(state, tools=(*state.tools, fact.item_id)[-OPEN_TOOLS:])


def _finished(state: SessionState, item_id: str) -> SessionState:
    if item_id not in state.tools:
        return state
    return replace(state, tools=tuple(each for each in state.tools if each != item_id))


def _after_reading(state: SessionState, fact: e.ReadUpTo | e.MarkedUnread, version: int) -> SessionState:
    match fact:
        case e.ReadUpTo(reader=reader, version=seen):
            return _read(state, reader, min(seen, version))
        case e.MarkedUnread(reader=reader):
            return _with_reader(state, replace(state.reader(reader), marked=True))
        case _:
            assert_never(fact)


def _after_offer(
    state: SessionState, fact: e.ModesOffered | e.OptionsOffered | e.CommandsChanged, version: int
) -> SessionState:
    match fact:
        case e.ModesOffered(modes=offer):
            return _offered(state, "modes", offer, version)
        case e.OptionsOffered(options=offer):
            return _offered(state, "options", offer, version)
        case e.CommandsChanged(commands=offer):
            return _offered(state, "commands", offer, version)
        case _:
            assert_never(fact)


def _offered(state: SessionState, kind: Offering, offer: Raw, version: int) -> SessionState:
    return replace(state, offers=state.offers | {kind: Offer(version, e.offer_digest(offer))})


def _after_configuration(state: SessionState, fact: Fact, _: int) -> SessionState:
    match fact:
        case e.SessionCreated(title=title, owner=owner):
            return replace(state, created=True, owner=owner, title=title, named=bool(title))
        case e.SessionConfigured(options=options):
            return replace(state, options=state.options | options)
        case e.SessionRenamed(title=title):
            return replace(state, title=title, named=bool(title))
        case e.InfoChanged(title=str(title)) if not state.named:
            return replace(state, title=title)
        case e.ModeChanged(mode=mode):
            return replace(state, mode=mode)
        case e.SessionPinned(pinned=pinned):
            return replace(state, pinned=pinned)
        case e.SessionMuted(muted=muted, until=until):
            return replace(state, muted=muted, muted_until=until)
        case e.SessionEnded(reason=reason):
            return replace(
                state,
                ended=reason if state.ended is None else state.ended,
                turn=None,
                queue=(),
                pending=(),
                tools=(),
                attachment=_unattached(state),
            )
        case e.SessionErased():
            # All that may be left is what a rebuild finds, and that sees no content of any event before this one.
            return SessionState(created=True, ended="erased", erased=True)
        case _:
            return state


def _after_attachment(
    state: SessionState, fact: e.AttachRequested | e.Attached | e.Detached, version: int
) -> SessionState:
    match fact:
        case e.AttachRequested(link_id=link_id):
            return replace(state, attachment="requested", link_id=link_id)
        case e.Attached(link_id=link_id, remote_id=remote_id):
            return replace(
                state,
                attachment="attached",
                ever_attached=True,
                link_id=link_id,
                remote_id=remote_id or state.remote_id,
                detached_because=None,
                detach_error=None,
            )
        case e.Detached(link_id=link_id, reason=reason, error=error):
            state = replace(state, attachment="detached", link_id=link_id, detached_because=reason, detach_error=error)
            return _fail_once(state, error or reason, version) if reason in ("failed", "gone") else state
        case _:
            assert_never(fact)


def _after_prompt(state: SessionState, fact: e.OfPrompt | e.QueueResumed, version: int) -> SessionState:
    match fact:
        case e.PromptQueued(prompt_id=prompt_id, content=content):
            return replace(state, queue=(*state.queue, Prompt(prompt_id, content.copy())), held=False)
        case e.PromptEdited(prompt_id=prompt_id, content=content):
            queue = tuple(
                replace(prompt, content=content.copy()) if prompt.prompt_id == prompt_id else prompt
                for prompt in state.queue
            )
            return replace(state, queue=queue)
        case e.PromptWithdrawn(prompt_id=prompt_id) | e.PromptFailed(prompt_id=prompt_id, reason="session-ended"):
            return _without_prompt(state, prompt_id)
        case e.PromptSent(prompt_id=prompt_id):
            return _with_prompt_state(state, prompt_id, "sent")
        case e.PromptAccepted(prompt_id=prompt_id):
            return _with_prompt_state(state, prompt_id, "accepted")
        case e.PromptFailed(prompt_id=prompt_id, reason=reason, detail=detail):
            # What was to follow a prompt that never arrived must not arrive without it.
            state = replace(state, held=state.held or reason == "not_delivered")
            return _fail(_without_prompt(state, prompt_id), detail or reason, version)
        case e.QueueResumed():
            return replace(state, held=False)
        case _:
            assert_never(fact)


def _after_turn(state: SessionState, fact: e.OfTurn | e.CancelRequested, version: int) -> SessionState:
    match fact:
        case e.TurnStarted(turn_id=turn_id, prompt_id=prompt_id):
            return replace(state, turn=Turn(turn_id, prompt_id), spoke=False, failure=None)
        case e.CancelRequested() if state.turn is not None:
            return replace(state, turn=replace(state.turn, cancelling=True))
        case e.TurnEnded(turn_id=turn_id):
            return _close_turn(state, turn_id)
        case e.TurnInterrupted(turn_id=turn_id, reason=reason) | e.TurnUnknown(turn_id=turn_id, reason=reason):
            return _fail_once(replace(_close_turn(state, turn_id), held=True), reason, version)
        case _:
            return state


def _after_permission(
    state: SessionState, fact: e.PermissionRequested | e.PermissionAnswered | e.PermissionExpired, version: int
) -> SessionState:
    match fact:
        case e.PermissionRequested(
            request_id=request_id, turn_id=turn_id, options=options, arguments_hash=arguments_hash
        ):
            asked = Pending(request_id, turn_id, options, arguments_hash)
            return _count(replace(state, pending=(*state.pending, asked)), version)
        case e.PermissionAnswered(request_id=request_id) | e.PermissionExpired(request_id=request_id):
            pending = tuple(pending for pending in state.pending if pending.request_id != request_id)
            return _settle(replace(state, pending=pending), request_id)
        case _:
            assert_never(fact)


def _count(state: SessionState, version: int) -> SessionState:
    """One more unit of reading."""
    return replace(state, units=state.units + 1, unit_versions=(*state.unit_versions, version)[-RECENT:])


def _fail(state: SessionState, failure: str, version: int) -> SessionState:
    return _count(replace(state, failure=failure, failed_at=version), version)


def _fail_once(state: SessionState, failure: str, version: int) -> SessionState:
    """One failure has several events: a turn that broke off, the connection that is given up for it.

    Who has not seen the first of them since the turn began has one thing to see, not two.
    """
    if state.failure is None:
        return _fail(state, failure, version)
    return replace(state, failure=failure)


def _settle(state: SessionState, settled_id: str) -> SessionState:
    return replace(state, settled=(*state.settled, settled_id)[-RECENT:])


def _read(state: SessionState, name: str, version: int) -> SessionState:
    reader = state.reader(name)
    unseen = sum(1 for unit in state.unit_versions if unit > version)
    older_than_remembered = unseen == len(state.unit_versions) < state.units
    units = reader.units if older_than_remembered else max(reader.units, state.units - unseen)
    read = Reader(name, max(reader.version, version), units, marked=False)
    state = _with_reader(state, read)
    return replace(state, failure=None) if name == state.owner and version >= state.failed_at else state


def _with_reader(state: SessionState, reader: Reader) -> SessionState:
    others = tuple(other for other in state.readers if other.name != reader.name)
    return replace(state, readers=(*others, reader))


def _without_prompt(state: SessionState, prompt_id: str | None) -> SessionState:
    if prompt_id is None:
        return state
    queue = tuple(prompt for prompt in state.queue if prompt.prompt_id != prompt_id)
    return _settle(replace(state, queue=queue), prompt_id)


def _with_prompt_state(state: SessionState, prompt_id: str, to: PromptState) -> SessionState:
    queue = tuple(replace(prompt, state=to) if prompt.prompt_id == prompt_id else prompt for prompt in state.queue)
    return replace(state, queue=queue)


def _close_turn(state: SessionState, turn_id: str) -> SessionState:
    """Close the open turn and settle its prompt. A turn that is not the open one is not closed."""
    if state.turn is None or state.turn.turn_id != turn_id:
        return state
    return _settle(replace(_without_prompt(state, state.turn.prompt_id), turn=None), turn_id)


def _unattached(state: SessionState) -> Attachment:
    return "never" if state.attachment == "never" else "detached"


_After = Callable[[SessionState, Any, int], SessionState]

_FAMILIES: Final[tuple[tuple[_After, tuple[type[Fact], ...]], ...]] = (
    (_say, (e.TextAppended, e.MessageReceived)),
    (_use, (e.ToolCalled, e.ToolUpdated, e.ToolAbandoned)),
    (_after_reading, (e.ReadUpTo, e.MarkedUnread)),
    (_after_offer, (e.ModesOffered, e.OptionsOffered, e.CommandsChanged)),
    (_after_permission, (e.PermissionRequested, e.PermissionAnswered, e.PermissionExpired)),
    (_after_attachment, (e.AttachRequested, e.Attached, e.Detached)),
    (_after_turn, (*get_args(e.OfTurn), e.CancelRequested)),
    (_after_prompt, (*get_args(e.OfPrompt), e.QueueResumed)),
    (
        _after_configuration,
        (
            e.SessionCreated,
            e.SessionConfigured,
            e.SessionRenamed,
            e.InfoChanged,
            e.ModeChanged,
            e.SessionPinned,
            e.SessionMuted,
            e.SessionEnded,
            e.SessionErased,
        ),
    ),
)

_AFTER: Final[dict[type[Fact], _After]] = {kind: after for after, kinds in _FAMILIES for kind in kinds}
"""Looked up and not matched: telling that a struct is not of a class takes as long as a look-up of ten classes."""
