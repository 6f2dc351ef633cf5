"""Which facts an observation of the peer becomes. Peers repeat themselves and come late; nothing they do is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import SessionState


def admit(state: SessionState, fact: Fact) -> Iterable[Fact]:
    """Return what is to be recorded when `fact` was observed: itself, more, or nothing where it says nothing new."""
    match fact:
        case e.TurnStarted():
            return _turn_started(state, fact)
        case e.TurnEnded(turn_id=turn_id) | e.TurnInterrupted(turn_id=turn_id) | e.TurnUnknown(turn_id=turn_id):
            return _turn_closed(state, fact, turn_id)
        case e.PermissionRequested(request_id=request_id):
            known = request_id in state.settled or state.request(request_id) is not None
            return () if known or state.ended is not None else (fact,)
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
        case e.SessionCreated() | e.SessionErased() | e.PermissionAnswered() | e.PromptQueued() | e.PromptSent():
            return ()  # only commands lead to these
        case _:
            return (fact,)


def _turn_started(state: SessionState, fact: e.TurnStarted) -> Iterable[Fact]:
    if state.ended is not None:
        return ()
    if state.turn is None:
        return (fact,)
    if state.turn.turn_id == fact.turn_id:
        return ()
    return (*_turn_closed(state, e.TurnUnknown(state.turn.turn_id, "superseded"), state.turn.turn_id), fact)


def _turn_closed(state: SessionState, fact: Fact, turn_id: str) -> Iterable[Fact]:
    """A turn closes once, and takes the permissions that wait in it along."""
    if state.turn is None or state.turn.turn_id != turn_id:
        return ()
    expired = [
        e.PermissionExpired(pending.request_id, "turn-closed")
        for pending in state.pending
        if pending.turn_id in (turn_id, None)
    ]
    return (*expired, fact)


def _ended(state: SessionState, reason: str, detail: str | None) -> Iterable[Fact]:
    """The end, by whomever: what is open is closed first, so that nothing is left without an outcome."""
    if state.ended is not None:
        return ()
    facts: list[Fact] = []
    in_turn: str | None = None
    if state.turn is not None:
        in_turn = state.turn.prompt_id
        facts += _turn_closed(state, e.TurnEnded(state.turn.turn_id, "session-ended"), state.turn.turn_id)
    closed = {fact.request_id for fact in facts if isinstance(fact, e.PermissionExpired)}
    facts += [
        e.PermissionExpired(pending.request_id, "session-ended")
        for pending in state.pending
        if pending.request_id not in closed
    ]
    facts += [
        e.PromptFailed(prompt.prompt_id, "session-ended") for prompt in state.queue if prompt.prompt_id != in_turn
    ]
    return (*facts, e.SessionEnded(reason, detail))
