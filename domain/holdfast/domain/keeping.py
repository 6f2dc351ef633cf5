"""What frontends ask of whoever keeps sessions connected: the daemon's side that acts. Reading goes past it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Raw, Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.projections.roster import Connection
    from holdfast.domain.recorded import Actor, Recorded, StreamId
    from holdfast.domain.session.commands import Command


class Order(Struct, frozen=True, kw_only=True):
    """A session to begin. Exactly one of `target`, `agent` and `command` says with whom.

    Attributes:
        target: An address such as `acp+ws://host/path`, or a name from the configuration.
        agent: The name of a known agent.
        command: The argument list of an agent on standard input and output.
        cwd: The folder it works in, absolute.
        title: What a person calls it; empty leaves the naming to the peer.
        prompt: What is said first, as content blocks; None for nothing yet.
    """

    target: str | None = None
    agent: str | None = None
    command: tuple[str, ...] | None = None
    cwd: str | None = None
    title: str = ""
    prompt: Raw | None = None


class KnownAgent(Struct, frozen=True):
    """An agent that can be asked for by name.

    Attributes:
        path: Where its program was found.
        install: The command that installs it.
    """

    name: str
    found: bool
    path: str | None
    install: str


Direction = Literal["in", "out"]


class PeerFrame(Struct, frozen=True):
    """What went over the wire between the daemon and a peer: kept for a while, and never in the log.

    Attributes:
        number: Grows from frame to frame, over all sessions.
        at: When it came or went, microseconds since the epoch.
        direction: `in` from the peer, `out` to it.
        text: Its beginning, without known values of credentials.
        size_bytes: How long the whole of it was.
    """

    number: int
    at: int
    direction: Direction
    text: str
    size_bytes: int


class Keeping(Protocol):
    """Sessions with their keepers. What a method returns is durable; everything is refused with a `HoldfastError`."""

    async def create(self, order: Order, *, client_id: str | None, actor: Actor) -> StreamId:
        """Begin a session and start connecting it; return before it is connected.

        The same client id again returns the session that it began first.

        Raises:
            UsageError: The order names no peer, more than one, or one that is not known.
        """
        ...

    async def opened(self, session_id: StreamId, *, within_s: float) -> None:
        """Return once the session is ready, or has failed, or the time is over, whichever is first."""
        ...

    async def execute(
        self, session_id: StreamId, command: Command, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Carry out a command, then what it means to the peer; return what it led to.

        The same cause again returns what it led to first, and nothing happens a second time.

        Raises:
            NotFoundError: The session, or what the command names, does not exist.
            ConflictError: The command contradicts the state.
        """
        ...

    async def answer(
        self, request_id: str, option_id: str | None, reason: str | None, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Answer a permission of whatever session; None cancels it.

        Raises:
            NotFoundError: No such permission was ever asked.
            PermissionExpiredError: It was answered, or cannot be any more.
            OptionError: The option was not offered.
        """
        ...

    async def set_mode(self, session_id: StreamId, mode: str, *, cause: str | None, actor: Actor) -> Sequence[Recorded]:
        """Ask the peer for a mode and return once it has agreed.

        Raises:
            ConflictError: It refused, has no such mode, or is not connected.
        """
        ...

    async def set_option(
        self, session_id: StreamId, option: str, value: str, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Ask the peer to give one of its options another value and return once it has agreed.

        Raises:
            ConflictError: It refused, has no such option, or is not connected.
        """
        ...

    async def reconnect(self, session_id: StreamId, *, cause: str | None, actor: Actor) -> None:
        """Try now, whatever the policy says; return when the attempt has begun.

        Raises:
            NotFoundError: There is no such session.
            SessionEndedError: It has ended.
            UsageError: Its target is not known any more.
            CommandNotFoundError: Its agent is not installed.
            ConflictError: It was imported, and no agent is known that can continue it.
        """
        ...

    async def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        """End the session, let its peer go and erase the content for good.

        Returns:
            Where traces may remain, in words, or None.
        """
        ...

    def connection(self, session_id: StreamId) -> Connection | None:
        """Return how the session is connected now; None where only the log knows."""
        ...

    def frames(self, session_id: StreamId, *, after: int = 0) -> Sequence[PeerFrame]:
        """Return the latest frames of the connection that carries a session, those after a number."""
        ...

    def on_frames(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the loop for every frame of whatever session; returns how to stop that."""
        ...

    def focus(self, attachment: str, session_id: StreamId | None) -> None:
        """Remember which session an attached frontend looks at, None for none; forgotten when it detaches."""
        ...

    def agents(self) -> list[KnownAgent]:
        """Return the agents that are known, found or not, in the order to show them."""
        ...

    def live(self) -> int:
        """Return how many agents run."""
        ...

    async def end_agents(self, reason: str) -> None:
        """End every agent that runs; no session ends with it."""
        ...
