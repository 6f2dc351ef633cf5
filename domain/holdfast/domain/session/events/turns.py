"""Facts about prompts that wait or were sent, and about the turns that answer them."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw

from holdfast.domain.content import NOTHING
from holdfast.domain.session.facts import Fact, registered

StopReason = str
"""As the peer says it (`end_turn`, `cancelled`, `max_tokens`, `refusal` …), or ours: `session-ended`, `unrecorded`,
`not_delivered`."""

Delivery = Literal["not_delivered", "refused", "session-ended", "error"]


@registered("prompt-queued")
class PromptQueued(Fact, frozen=True):
    """A person's words wait to be sent."""

    prompt_id: str
    content: Raw


@registered("prompt-edited")
class PromptEdited(Fact, frozen=True):
    """A waiting prompt got other words."""

    prompt_id: str
    content: Raw


@registered("prompt-withdrawn")
class PromptWithdrawn(Fact, frozen=True):
    """A waiting prompt was taken back."""

    prompt_id: str


@registered("prompt-sent")
class PromptSent(Fact, frozen=True):
    """The prompt is about to be handed to the peer with exactly this content: the intent, not its outcome."""

    prompt_id: str
    content: Raw


@registered("prompt-accepted")
class PromptAccepted(Fact, frozen=True):
    """The peer showed that it has the prompt."""

    prompt_id: str


@registered("prompt-failed")
class PromptFailed(Fact, frozen=True):
    """The prompt will get no answer.

    Attributes:
        reason: `not_delivered` when the peer surely never saw it, `refused` by the peer, `session-ended` before it was
            sent, `error` otherwise.
        content: What it said, where it still waited: no other event shows it to who reads the transcript.
    """

    prompt_id: str
    reason: Delivery
    detail: str | None = None
    content: Raw = NOTHING


@registered("queue-resumed")
class QueueResumed(Fact, frozen=True):
    """Waiting prompts may be sent again after an interruption held them."""


@registered("turn-started")
class TurnStarted(Fact, frozen=True):
    """The peer works, on a prompt or by itself.

    Attributes:
        prompt_id: The prompt, where there is one.
    """

    turn_id: str
    prompt_id: str | None = None


@registered("cancel-requested")
class CancelRequested(Fact, frozen=True):
    """A person asked the peer to stop the turn: the intent, not its outcome."""

    turn_id: str


@registered("turn-ended")
class TurnEnded(Fact, frozen=True):
    """The peer finished the turn and said why.

    Attributes:
        stop_reason: As the peer says it, such as `end_turn`, `cancelled`, `max_tokens`, `refusal`; or ours:
            `session-ended`, `unrecorded`, `not_delivered`.
    """

    turn_id: str
    stop_reason: StopReason


@registered("turn-interrupted")
class TurnInterrupted(Fact, frozen=True):
    """The turn broke off after the peer had begun to answer."""

    turn_id: str
    reason: str


@registered("turn-unknown")
class TurnUnknown(Fact, frozen=True):
    """Nobody can tell what became of the turn; the peer may or may not have acted on it."""

    turn_id: str
    reason: str


OfPrompt = PromptQueued | PromptEdited | PromptWithdrawn | PromptSent | PromptAccepted | PromptFailed
"""What is told of one prompt."""

OfTurn = TurnStarted | TurnEnded | TurnInterrupted | TurnUnknown
"""How a turn begins and ends."""
