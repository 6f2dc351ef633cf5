"""What supervision needs from the log. Everything that acts on a peer first goes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from holdfast.domain.recorded import Recorded, StreamId
from holdfast.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.domain.errors import HoldfastError
    from holdfast.domain.link.state import LinkState
    from holdfast.domain.recorded import Actor, EventId


class Batch(Struct, frozen=True):
    """Events that are written together or not at all: of a session, which they leave as it says here, or of a link."""

    events: tuple[Recorded, ...]
    session: Session | None = None


class Open(Struct, frozen=True):
    """A session that has to be looked after when the daemon starts.

    Attributes:
        turn: Whether a turn is open.
        queued: How many prompts wait.
    """

    session_id: StreamId
    turn: bool
    queued: int


class Past(Struct, frozen=True):
    """What a peer was told so far.

    Attributes:
        prompts: How many prompts were sent.
        last_prompt: The text of the last of them.
        opened_at: When the session was begun or taken up, microseconds since the epoch.
    """

    prompts: int = 0
    last_prompt: str | None = None
    opened_at: tuple[int, ...] = ()


class Journal(Protocol):
    """The log, as those who keep sessions use it."""

    @property
    def epoch(self) -> int:
        """A number that is greater for every later daemon on this log."""
        ...

    @property
    def name(self) -> str:
        """Names the log for ever."""
        ...

    def now(self) -> int:
        """Return the time in microseconds since the epoch, UTC."""
        ...

    def new_event_id(self) -> EventId:
        """Return an id that no other event has."""
        ...

    async def load(self, session_id: StreamId) -> Session:
        """Return a session after all its events; one of version 0 where there are none."""
        ...

    async def link(self, link_id: StreamId) -> tuple[int, LinkState]:
        """Return the version and the state of a link; 0 where there is none."""
        ...

    async def append(self, batches: Sequence[Batch]) -> Sequence[Sequence[int]]:
        """Write batches in this order and return the positions of their events once they are durable.

        No batch is empty.

        Raises:
            VersionConflictError: Other events stand there.
            StoreFullError: No room; nothing of the batch that it is about was written.
            StoreError: The log takes nothing more.
        """
        ...

    async def append_each(self, batches: Sequence[Batch]) -> Sequence[Sequence[int] | HoldfastError]:
        """Do what `append` does and return what came of each batch: its positions, or what stood in its way."""
        ...

    async def by_cause(self, session_id: StreamId, cause: str) -> Sequence[Recorded]:
        """Return what the command with this client id led to, nothing where it is new."""
        ...

    async def since_prompt(self, session_id: StreamId) -> Sequence[Recorded]:
        """Return the events of a session from its latest `prompt-sent` on, that one included."""
        ...

    async def after(self, session_id: StreamId, version: int) -> Sequence[Recorded]:
        """Return the events of a session after a version."""
        ...

    async def past(self, session_id: StreamId) -> Past:
        """Return what the peer was told so far."""
        ...

    async def queued_at(self, session_id: StreamId) -> Mapping[str, int]:
        """Return when the latest prompts of a session were queued, by their ids; microseconds since the epoch."""
        ...

    async def offset(self, session_id: StreamId, source: bytes) -> int:
        """Return how far a source was consumed into a session, 0 for one that never was."""
        ...

    async def open_sessions(self) -> Sequence[Open]:
        """Return the sessions that a daemon was connected to, or wanted to be, or that have prompts waiting."""
        ...

    async def asked_by(self, request_id: str) -> StreamId | None:
        """Return the session in which a permission was asked for, whatever became of it."""
        ...

    async def erase(self, session_id: StreamId, actor: Actor) -> str | None:
        """Erase the content of a session; return where traces of it may remain."""
        ...
