"""What an agent answers to one prompt, as it comes: followed in the log, from the prompt to the end of its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode
from holdfast.domain.session.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.session.facts import Fact

Outcome = Literal["ended", "interrupted", "unknown", "failed", "withdrawn", "needs_you", "open"]


class Reply(Struct):
    """What came of a prompt.

    Attributes:
        outcome: How its turn ended, or why it does not; `open` while it goes on.
        detail: Why, in words; for `needs_you` what is asked.
        stop_reason: As the agent said it, where the turn ended.
        text: What the agent said to the person, its messages apart by an empty line.
        request_id: What waits for an answer.
    """

    outcome: Outcome = "open"
    detail: str = ""
    stop_reason: str | None = None
    text: str = ""
    turn_id: str | None = None
    request_id: str | None = None


class Listener:
    """Takes the events of one session and keeps what answers one prompt.

    Attributes:
        reply: What came of it so far.
        position: Of the last event that was taken.
    """

    def __init__(
        self, prompt_id: str, say: Callable[[str], None], waiting: Callable[[], set[str]], position: int = 0
    ) -> None:
        """Wait for the prompt's turn.

        Args:
            prompt_id: The prompt.
            say: Is given each piece of the reply as it comes.
            waiting: Returns what waits for a person now; the log also tells of what was answered since.
            position: Where in the log to begin.
        """
        self.position = position
        self.reply = Reply()
        self._heard = False
        self._waiting = waiting
        self._prompt_id = prompt_id
        self._say = say
        self._item_id: str | None = None
        self._pieces: list[str] = []
        self._end = ""

    def listen(self, events: Iterable[LogEvent]) -> Reply:
        """Take events until there is an outcome, and return it."""
        for logged in events:
            fact = logged.recorded.event
            self.position = logged.recorded.position or self.position
            self._take(decode(fact.tag, fact.schema, fact.data) if isinstance(fact, Unknown) else fact)
            if self.reply.outcome != "open":
                break
        self.reply.text = "".join(self._pieces)
        return self.reply

    @property
    def spoke(self) -> bool:
        """Whether there was any text."""
        return bool(self._pieces)

    def _take(self, fact: Fact) -> None:
        """Take one event; what came before the prompt does not count."""
        match fact:
            case e.PromptQueued(prompt_id=self._prompt_id):
                self._heard = True
            case _ if self._heard:
                self._taken(fact)
            case _:
                pass

    def _taken(self, fact: Fact) -> None:
        reply = self.reply
        match fact:
            case e.TurnStarted(turn_id=turn_id, prompt_id=self._prompt_id):
                reply.turn_id = turn_id
            case e.TextAppended(item_id=item_id, text=text, thread=None) if reply.turn_id is not None:
                self._append(item_id, text)
            case e.TurnEnded(turn_id=turn_id, stop_reason=stop_reason) if turn_id == reply.turn_id:
                reply.outcome, reply.stop_reason = "ended", stop_reason
            case e.TurnInterrupted(turn_id=turn_id, reason=reason) if turn_id == reply.turn_id:
                reply.outcome, reply.detail = "interrupted", reason
            case e.TurnUnknown(turn_id=turn_id, reason=reason) if turn_id == reply.turn_id:
                reply.outcome, reply.detail = "unknown", reason
            case e.PromptFailed(prompt_id=self._prompt_id, reason=reason, detail=detail):
                reply.outcome, reply.detail = "failed", detail or reason
            case e.PromptWithdrawn(prompt_id=self._prompt_id):
                reply.outcome, reply.detail = "withdrawn", "it was taken back"
            case e.PermissionRequested(request_id=request_id, title=title) if request_id in self._waiting():
                reply.outcome, reply.detail, reply.request_id = "needs_you", title, request_id
            case e.Detached(reason="failed", error=error):
                waits = "" if reply.turn_id else "; the prompt waits in the queue"
                reply.outcome, reply.detail = "failed", (error or "the connection failed") + waits
            case e.SessionEnded(reason=reason):
                reply.outcome, reply.detail = "failed", f"the session has ended ({reason})"
            case _:
                pass

    def _append(self, item_id: str, text: str) -> None:
        if self._item_id is not None and item_id != self._item_id:
            ends = len(self._end) - len(self._end.rstrip("\n"))
            text = "\n" * max(0, 2 - ends) + text  # messages end in as many line ends as their agent likes
        self._item_id = item_id
        self._pieces.append(text)
        self._end = (self._end + text)[-2:]
        self._say(text)
