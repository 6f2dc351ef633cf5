"""What the gateway is given: the ports behind its routes. Made by the composition root, handed to every route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import anyio
from msgspec import Struct

from holdfast.domain.recorded import StreamId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.answers import Check, Compaction, Found, ImportReport
    from holdfast.domain.daemon import Running
    from holdfast.domain.keeping import Keeping
    from holdfast.domain.ports import Progress, Reading
    from holdfast.domain.projections.roster import Connection
    from holdfast.domain.recorded import Actor
    from holdfast.domain.tail import Bell, Tail
    from holdfast.domain.tokens import TokenBook


class Watching(Protocol):
    """Sources that are followed as they grow. Blocks; one thread at a time."""

    @property
    def pause_s(self) -> float:
        """How long to wait between two looks."""
        ...

    def begin(self, progress: Progress | None = None) -> ImportReport:
        """Import what is there.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: There is no transcript in it.
        """
        ...

    def look(self) -> ImportReport:
        """Import what came since, and return what that was."""
        ...

    def close_turns(self) -> object:
        """End the turns that are open, where nobody goes on to look."""
        ...


class Watches(Protocol):
    """What is followed until the daemon ends."""

    @property
    def sources(self) -> list[str]:
        """What is followed."""
        ...

    def keep(self, sources: Sequence[str], watching: Watching) -> None:
        """Go on with what was begun."""
        ...


class Upkeep(Protocol):
    """What concerns the store as a whole. Everything blocks; call it on a worker thread."""

    def import_(self, sources: Sequence[str], progress: Progress | None = None) -> ImportReport:
        """Import transcripts.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: A named file holds no transcript.
        """
        ...

    def found(self) -> list[Found]:
        """Return the transcripts of other tools on this machine."""
        ...

    def watching(self, sources: Sequence[str]) -> Watching:
        """Return what follows these sources; nothing is read yet."""
        ...

    def rebuild(self, progress: Progress | None = None) -> dict[str, str]:
        """Build every view anew from the log and return a digest of each."""
        ...

    def sessions(self) -> int:
        """Return how many sessions have not ended."""
        ...

    def compact(
        self,
        session_id: StreamId | None,
        *,
        actor: Actor,
        held: Callable[[StreamId], bool],
        progress: Progress | None = None,
    ) -> Compaction:
        """Tell the messages of ended turns as wholes, in one session or wherever that saves room.

        Raises:
            NotFoundError: There is no such session.
            ConflictError: It is held in memory.
        """
        ...

    def checks(self) -> list[Check]:
        """Return the state of the store, of its folder and files, and of the agents' processes."""
        ...


class Status(Struct, frozen=True):
    """What `status` says of a daemon."""

    pid: int
    url: str
    socket: str
    started: str
    version: str
    sessions: int
    agents: int
    web: bool
    plug: bool


@dataclass
class House:
    """Everything the routes need.

    Attributes:
        reading: Answers questions; blocks.
        tail: The log as one reads along.
        keeping: Whoever keeps sessions connected; everything that changes a session goes through it.
        upkeep: What concerns the whole store; blocks.
        watches: What is imported as it grows.
        tokens: The tokens that were given out by name.
        token: Gives the credential of the user; read anew for every request, so that it can be rotated.
        running: How this daemon was announced.
        version: The version of Holdfast.
        end: Asks the daemon to end. Returns at once.
        plug: Kills this daemon at once; None where nobody would start it again.
        ending: Set when the daemon ends: whoever streams must stop.
    """

    reading: Reading
    tail: Tail
    keeping: Keeping
    upkeep: Upkeep
    watches: Watches
    token: Callable[[], str]
    tokens: TokenBook
    running: Running
    version: str
    end: Callable[[], None]
    plug: Callable[[], None] | None = None
    ending: anyio.Event = field(default_factory=anyio.Event)

    async def rung(self, bell: Bell) -> bool:
        """Wait for a bell that is armed; False where the daemon ends first."""
        async with anyio.create_task_group() as tasks:

            async def give_up() -> None:
                await self.ending.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(give_up)
            await bell.wait()
            tasks.cancel_scope.cancel()
        return not self.ending.is_set()

    def connection(self, session_id: str) -> Connection | None:
        """Return how a session is connected now; None where only the log knows."""
        return self.keeping.connection(StreamId(session_id))
