"""The prompts of a session and what became of them, folded from the few events that are about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from holdfast.domain.session import codec
from holdfast.domain.session import events as e
from holdfast.domain.session.evolve import evolve
from holdfast.domain.session.facts import BY_CLASS, Unknown
from holdfast.domain.session.state import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from holdfast.domain.recorded import StreamId
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import Prompt
    from holdfast.domain.tail import Tail

Outcome = Literal["queued", "sent", "accepted", "failed", "unknown"]

_ABOUT: Final = (e.SessionCreated, e.SessionEnded, e.SessionErased, *get_args(e.OfPrompt), *get_args(e.OfTurn))
_TYPES: Final = tuple(BY_CLASS[fact].tag for fact in _ABOUT)
"""Everything that a queue follows from."""


async def prompts(tail: Tail, session_id: StreamId) -> tuple[Prompt, ...]:
    """Return the prompts without an outcome, in the order they were given.

    Costs the events about prompts and turns, not those about what was said.
    """
    state = SessionState()
    async for fact in _facts(tail, session_id):
        state = evolve(state, fact, 1)
    return state.queue


async def outcome(tail: Tail, session_id: StreamId, prompt_id: str) -> Outcome:
    """Return what became of one prompt so far."""
    state, failed, turn, unknown = SessionState(), False, None, False
    async for fact in _facts(tail, session_id):
        state = evolve(state, fact, 1)
        match fact:
            case e.PromptFailed(prompt_id=name) if name == prompt_id:
                failed = True
            case e.TurnStarted(turn_id=turn_id, prompt_id=name) if name == prompt_id:
                turn = turn_id
            case e.TurnUnknown(turn_id=turn_id) if turn_id == turn:
                unknown = True
            case _:
                pass
    waiting = state.prompt(prompt_id)
    if waiting is not None:
        return waiting.state
    return "failed" if failed else "unknown" if unknown else "accepted"


async def _facts(tail: Tail, session_id: StreamId) -> AsyncIterator[Fact]:
    after, at_end = 0, False
    while not at_end:
        piece = await tail.stretch(after, session_id=session_id, types=_TYPES)
        for logged in piece.events:
            raw = logged.recorded.event
            yield codec.decode(raw.tag, raw.schema, raw.data) if isinstance(raw, Unknown) else raw
        after, at_end = piece.end, piece.at_end
