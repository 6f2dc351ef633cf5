"""The prompt that an agent works on: its echo, the first sign of life, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct

from holdfast.adapters.transports.acp.protocol.connection import (
    AUTH_REQUIRED,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    NOT_FOUND,
    REQUEST_CANCELLED,
    Answered,
)
from holdfast.adapters.transports.acp.protocol.results import explained
from holdfast.adapters.transports.acp.protocol.translate import usage_of
from holdfast.adapters.transports.acp.protocol.wire import Block, PromptResult, Update, parsed
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.domain.session.facts import Fact

_REFUSALS: Final = frozenset({AUTH_REQUIRED, NOT_FOUND, METHOD_NOT_FOUND, INVALID_PARAMS, -32600})


class Flight(Struct):
    """One prompt between its request and the answer."""

    key: str
    turn_id: str
    prompt_id: str
    content: Raw
    accepted: bool = False
    echoed: int = 0

    def is_echo(self, update: Update) -> bool:
        """Return whether the agent repeats the prompt, at once or in pieces, as some do."""
        block = parsed(Block, update.content)
        if block is None:
            return False
        if block.text is None:
            return parsed(dict[str, object], update.content) in (parsed(list[dict[str, object]], self.content) or ())
        text = "".join(each.text or "" for each in parsed(list[Block], self.content) or ())
        if text.startswith(block.text, self.echoed):
            self.echoed += len(block.text)
            return True
        return block.text.strip() == text.strip()

    def accept(self) -> tuple[Fact, ...]:
        """Return what the agent's first sign in this turn shows: that it has the prompt."""
        if self.accepted:
            return ()
        self.accepted = True
        return (e.PromptAccepted(self.prompt_id),)

    def outcome(self, answered: Answered, item_id: str, *, cancelling: bool) -> tuple[Fact, ...]:
        """Return how the turn ended. An error after somebody asked to stop is a way of stopping, and is told."""
        error = answered.error
        if error is None:
            result = parsed(PromptResult, answered.result) or PromptResult()
            ended = e.TurnEnded(self.turn_id, result.stop_reason or "unrecorded")
            return (*self.accept(), *usage_of(self.turn_id, result.usage), ended)
        if cancelling:
            told = () if error.code == REQUEST_CANCELLED else (e.NoticeAdded(item_id, "error", explained(error)),)
            return (*told, e.TurnEnded(self.turn_id, "cancelled"))
        refused = error.code in _REFUSALS and not self.accepted
        failed = e.PromptFailed(self.prompt_id, "refused" if refused else "error", explained(error))
        return (failed, e.TurnEnded(self.turn_id, "error"))
