"""Which facts an observation of the peer becomes. Peers repeat themselves and come late; nothing they do is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.domain.session import events as e
from holdfast.domain.session.state import OPEN_TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import SessionState


def admit(state: SessionState, fact: Fact) -> Iterable[Fact]:
    """Return what is to be recorded when `fact` was observed: itself, more, or nothing where it says nothing new."""
    match fact:
        case e.TextAppended() | e.ThoughtAppended():
            return (fact,)  # nearly all that is ever observed
        case e.TurnStarted():
            return _turn_started(state, fact)
        case e.ToolCalled() | e.ToolUpdated():
            return _tool(state, fact)
        case e.TurnEnded(turn_id=turn_id) | e.TurnInterrupted(turn_id=turn_id) | e.TurnUnknown(turn_id=turn_id):
            return _turn_closed(state, fact, turn_id)
        case e.PermissionRequested():
            return _permission_requested(state, fact)
        case e.PermissionExpired(request_id=request_id):
            return (fact,) if state.request(request_id) is not None else ()
        case e.PromptAccepted(prompt_id=prompt_id):
            prompt = state.prompt(prompt_id)
            return (fact,) if prompt is not None and prompt.state == "sent" else ()
        case e.PromptFailed(prompt_id=prompt_id):
            return (fact,) if state.prompt(prompt_id) is not None else ()
        case e.SessionEnded(reason=reason, detail=detail):
            return _ended(state, reason, detail)
        case e.AttachRequested() | e.Attached():
            return () if state.ended is not None else (fact,)
        case e.Detached():
            return _detached(state, fact)
        case (
            e.SessionCreated()
            | e.SessionErased()
            | e.PermissionAnswered()
            | e.PromptQueued()
            | e.PromptEdited()
            | e.PromptWithdrawn()
            | e.PromptSent()
            | e.QueueResumed()
            | e.CancelRequested()
            | e.MessageCompacted()
            | e.ToolCompacted()
            | e.ToolAbandoned()
        ):
            return ()  # only commands lead to these, and what is observed of other things
        case _:
            return (fact,)


def _turn_started(state: SessionState, fact: e.TurnStarted) -> Iterable[Fact]:
    if state.ended is not None or fact.turn_id in state.settled:
        return ()
    prompt = None if fact.prompt_id is None else state.prompt(fact.prompt_id)
    if prompt is None or prompt.state == "queued":
        fact = replace(fact, prompt_id=None)  # a turn settles its prompt, and this one was never handed over
    if state.turn is None:
        return (fact,)
    if state.turn.turn_id == fact.turn_id:
        return ()
    return (*_turn_closed(state, e.TurnUnknown(state.turn.turn_id, "superseded"), state.turn.turn_id), fact)


def _turn_closed(state: SessionState, fact: Fact, turn_id: str) -> Iterable[Fact]:
    """A turn closes once, and takes the permissions that wait along: there is one turn at a time."""
    if state.turn is None or state.turn.turn_id != turn_id:
        return ()
    return (*expired(state, "turn-closed"), *_abandoned(state, _end_of(fact)), fact)


def _end_of(closing: Fact) -> str:
    match closing:
        case e.TurnInterrupted():
            return "interrupted"
        case e.TurnUnknown():
            return "unknown"
        case e.TurnEnded(stop_reason="cancelled"):
            return "cancelled"
        case e.TurnEnded(stop_reason="unrecorded"):
            return "unrecorded"
        case _:
            return "turn-ended"


def _abandoned(state: SessionState, reason: str) -> Iterable[Fact]:
    """Return what is to be recorded when no peer will tell how the uses of tools ended that are open."""
    return (e.ToolAbandoned(item_id, reason) for item_id in state.tools)


def _tool(state: SessionState, fact: e.ToolCalled | e.ToolUpdated) -> Iterable[Fact]:
    """Nothing is begun after the end, and no more at a time than a state remembers: one more lets go of the oldest."""
    begins = isinstance(fact, e.ToolCalled) or fact.status is not None
    if not begins or fact.status in ("completed", "failed"):
        return (fact,)
    if state.ended is not None:
        return (fact, e.ToolAbandoned(fact.item_id, "session-ended"))
    if len(state.tools) < OPEN_TOOLS or fact.item_id in state.tools:
        return (fact,)
    return (e.ToolAbandoned(state.tools[0], "crowded"), fact)


def expired(state: SessionState, reason: str) -> Iterable[Fact]:
    """Return what is to be recorded when no permission can be answered any more."""
    return (e.PermissionExpired(pending.request_id, reason) for pending in state.pending)


def _permission_requested(state: SessionState, fact: e.PermissionRequested) -> Iterable[Fact]:
    """A question counts once. One that comes too late is kept, and never waits for anybody."""
    if state.ended is not None or fact.request_id in state.settled or state.request(fact.request_id) is not None:
        return ()
    if fact.turn_id in state.settled:
        return (fact, e.PermissionExpired(fact.request_id, "turn-closed"))
    if state.turn is not None and state.turn.cancelling:
        return (fact, e.PermissionExpired(fact.request_id, "cancelled"))
    return (fact,)


def _detached(state: SessionState, fact: e.Detached) -> Iterable[Fact]:
    """The loss of a link that does not carry the session any more, or a loss that was told before, is no news.

    Where no link carries it, one that could not be had either is: a session that slept cannot be woken, say. So is
    another reason for a failure, which follows when a person has tried again; those of retries are told by the link.
    """
    if state.attachment == "detached":
        fails_anew = fact.reason == "failed" and fact.error != state.detach_error
        return (fact,) if fails_anew or state.detached_because != fact.reason else ()
    if state.link_id not in (None, fact.link_id):
        return ()
    # An open turn is closed by whoever knows how it ended, and takes them along.
    return (fact,) if state.turn is not None else (*_abandoned(state, "detached"), fact)


def _ended(state: SessionState, reason: str, detail: str | None) -> Iterable[Fact]:
    """The end, by whomever: what is open is closed first, so that nothing is left without an outcome."""
    if state.ended is not None:
        return ()
    facts: list[Fact] = [*expired(state, "session-ended"), *_abandoned(state, "session-ended")]
    in_turn: str | None = None
    if state.turn is not None:
        in_turn = state.turn.prompt_id
        facts.append(e.TurnEnded(state.turn.turn_id, "session-ended"))
    facts += [
        e.PromptFailed(prompt.prompt_id, "session-ended", content=prompt.content)
        for prompt in state.queue
        if prompt.prompt_id != in_turn
    ]
    return (*facts, e.SessionEnded(reason, detail))
