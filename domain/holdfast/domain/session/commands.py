"""What may be asked of a session, in the imperative. Ids come from whoever asks, so that deciding stays pure."""

from __future__ import annotations

from msgspec import Raw, Struct

from holdfast.domain.session.facts import Fact
from holdfast.domain.session.state import OWNER


class Command(Struct, frozen=True):
    """A request to a session. `decide` answers with the facts it leads to, or refuses."""


class Create(Command, frozen=True):
    """Bring the session into being, for its owner."""

    transport: str
    target: str = ""
    agent: str | None = None
    cwd: str | None = None
    title: str = ""
    imported_from: str | None = None
    model: str | None = None
    owner: str = OWNER
    command: tuple[str, ...] = ()


class Configure(Command, frozen=True):
    """Record values of the peer's options."""

    options: dict[str, str]


class Rename(Command, frozen=True):
    """Give the session a title; an empty one leaves the naming to the peer again."""

    title: str


class Pin(Command, frozen=True):
    """Pin the session, or unpin it."""

    pinned: bool = True


class Mute(Command, frozen=True):
    """Silence notifications until a time in microseconds since the epoch, for good (None), or not any more."""

    muted: bool = True
    until: int | None = None


class Notify(Command, frozen=True):
    """Record that a frontend told the person about an item."""

    frontend: str
    item_id: str


class End(Command, frozen=True):
    """End the session for good."""

    reason: str = "user"
    detail: str | None = None


class Erase(Command, frozen=True):
    """End the session where it has not ended, and record that its content was erased."""


class QueuePrompt(Command, frozen=True):
    """Put a prompt at the end of the queue."""

    prompt_id: str
    content: Raw


class EditPrompt(Command, frozen=True):
    """Change a prompt that waits."""

    prompt_id: str
    content: Raw


class WithdrawPrompt(Command, frozen=True):
    """Take a waiting prompt back."""

    prompt_id: str


class ResumeQueue(Command, frozen=True):
    """Let waiting prompts go on after an interruption."""


class StartTurn(Command, frozen=True):
    """Declare that the first waiting prompt is about to be handed to the peer, as this turn."""

    turn_id: str


class Cancel(Command, frozen=True):
    """Ask for the open turn to stop."""


class Answer(Command, frozen=True):
    """Answer a permission with one of its options, or cancel it with None.

    `arguments_hash` is what the person was shown; an answer to anything else is refused.
    """

    request_id: str
    option_id: str | None
    reason: str | None = None
    arguments_hash: str | None = None


class MarkRead(Command, frozen=True):
    """Record that a person (None: the owner) has seen everything up to an event; all of it, without a version."""

    reader: str | None = None
    version: int | None = None


class MarkUnread(Command, frozen=True):
    """Remind a person of the session; its owner, without a name."""

    reader: str | None = None


Personal = Rename | Pin | Mute | MarkRead | MarkUnread
"""What changes only how a person sees a session: no peer has to be there for it."""


class Observe(Command, frozen=True):
    """Record what was seen of the peer, in this order. Never refused: what does not fit is left out."""

    facts: tuple[Fact, ...]
