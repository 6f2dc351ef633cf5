"""What is said, and what follows, when a connection is over. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Fact
from holdfast.domain.transport import Failure

if TYPE_CHECKING:
    from holdfast.adapters.supervision.host.delivery import Outcome
    from holdfast.domain.policy import ReconnectPolicy
    from holdfast.domain.session.events import DetachReason
    from holdfast.domain.session.state import SessionState

Asked = Literal["closed", "hibernated"]
Ending = Literal["closed", "hibernated", "failed", "exited", "retry"]
"""What follows the end of a connection: nothing, as wanted; nothing until there is something to send; nothing until a
person asks; the same, for a program that died; another attempt."""

_REASONS: Final[Mapping[Ending, DetachReason]] = {
    "closed": "closed",
    "hibernated": "hibernated",
    "failed": "failed",
    "exited": "exited",
    "retry": "lost",
}


class Loss(Struct, frozen=True):
    """The end of one connection, or of the attempt to make it.

    Attributes:
        failure: Why.
        asked: Set where it was ended on purpose: what is to follow.
        ready: Whether it had been ready.
        outcomes: What became of the open turn of each session.
        settled: Whether it was good for long enough to count attempts anew.
    """

    failure: Failure
    asked: Asked | None = None
    ready: bool = False
    outcomes: Mapping[StreamId, Sequence[Fact]] = {}
    settled: bool = False


def ending(loss: Loss, policy: ReconnectPolicy, *, program: bool) -> Ending:
    """Return what follows the end of a connection, by the policy of its transport."""
    failure = loss.failure
    if loss.asked is not None:
        return loss.asked
    if failure.classified == "ended":
        return "closed"
    if failure.classified == "terminal" or failure.reason in policy.terminal:
        return "failed"
    if program and policy.restart == "demand":
        return "exited" if loss.ready and failure.reason != "watchdog" else "failed"
    return "retry"


def detached(link_id: str, what: Ending, failure: Failure) -> Fact:
    """Return what the end of a connection is in the stream of a session. Nobody needs the reason of what they asked."""
    if what == "failed" and failure.reason == "gone":
        return e.Detached(link_id, "gone", failure.error)
    return e.Detached(link_id, _REASONS[what], None if what in ("closed", "hibernated") else failure.error)


def answered(state: SessionState) -> bool:
    """Return whether the peer gave a sign that it has the prompt of the open turn."""
    prompt = None if state.turn is None or state.turn.prompt_id is None else state.prompt(state.turn.prompt_id)
    return state.spoke or (prompt is not None and prompt.state == "accepted")


def outcome(state: SessionState, fate: Outcome | None, failure: Failure) -> list[Fact]:
    """Return how the open turn, and what was asked in the session, came to nothing.

    Args:
        state: The session.
        fate: What became of the prompt that the turn is about; None where it is about none.
        failure: Why the peer is gone.
    """
    facts: list[Fact] = []
    turn = state.turn
    if turn is not None:
        match fate:
            case "not_delivered" | "send" if turn.prompt_id is not None:
                # It may be sent again, but only by who knows that it was not: a person.
                facts += [
                    e.PromptFailed(turn.prompt_id, "not_delivered", f"never reached the agent: {failure.error}"),
                    e.TurnEnded(turn.turn_id, "not_delivered"),
                ]
            case "unknown":
                facts.append(e.TurnUnknown(turn.turn_id, failure.error))
            case _ if failure.reason == "watchdog":
                facts.append(e.TurnUnknown(turn.turn_id, failure.error))
            case _:
                facts.append(e.TurnInterrupted(turn.turn_id, failure.error))
    else:
        facts += [e.PermissionExpired(pending.request_id, "agent-gone") for pending in state.pending]
    if failure.reason in ("gone", "not-resumable"):
        facts += [e.PromptFailed(prompt.prompt_id, "refused", failure.error, prompt.content) for prompt in state.queued]
    return facts
