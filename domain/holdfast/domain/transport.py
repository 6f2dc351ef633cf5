"""What supervision needs from a kind of peer. ACP comes through this door, and so does everybody else's protocol.

A transport says where a peer is (`Peer`), opens a connection where that is not a program of our own (`dial`), and
translates: bytes to facts, facts to bytes (`Speech`). It keeps no log, waits for nothing and decides nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from msgspec import Struct

from holdfast.domain.errors import AgentError, UsageError
from holdfast.domain.link.events import Classification
from holdfast.domain.policy import Missing, TransportPolicy
from holdfast.domain.recorded import Recorded, Source, StreamId
from holdfast.domain.session.facts import Fact
from holdfast.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.domain.keeping import KnownAgent


class Write(Struct, frozen=True):
    """Bytes for the peer. The same key stands for the same bytes, so that nothing is written twice."""

    key: str
    data: bytes


class Peer(Struct, frozen=True, kw_only=True):
    """Whom a link leads to.

    Attributes:
        transport: Name of the transport that speaks to it.
        target: For people: a command line or an address, without secrets.
        command: Argument list of a program that is started under a host of its own; None: it is dialled.
        address: Where to dial.
        room: The peer's own name of the session, where the address holds it.
        shared: Sessions with the same word share one link; None: the session has one of its own.
        cwd: The folder of the session.
        environment: Names of variables that the program gets beside the usual ones.
        agent: Name of the agent, where there is one.
        continues: The peer's name of a session that it had before we knew it.
    """

    transport: str
    target: str
    command: tuple[str, ...] | None = None
    address: str = ""
    room: str | None = None
    shared: str | None = None
    cwd: str | None = None
    environment: tuple[str, ...] = ()
    agent: str | None = None
    continues: str | None = None


class Failure(Struct, frozen=True):
    """Why a session, or a whole link, cannot go on.

    Attributes:
        reason: A word that policies know, such as `authentication-required`.
        error: The same for people: one line, what happened and what to do.
        classified: Whether trying again can help; None: the policy's list of terminal reasons says so.
        retry_after_s: What the peer asked us to wait.
    """

    reason: str
    error: str
    classified: Classification | None = None
    retry_after_s: float = 0.0


class ConnectError(AgentError):
    """A peer could not be reached, or did not let us in."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.error)


class Joining(Struct, frozen=True):
    """A session that is to be carried by a link.

    Attributes:
        session: What the log says of it.
        link_id: What the log calls the link.
        peer: Where it leads to.
        key: Names this attempt, for what is written because of it; the same after a restart of the daemon.
        prompts: How many prompts the peer was ever sent in it.
        last_prompt: The text of the last of them.
        history: The events of the session since then, the `prompt-sent` included.
        missing: What to do where the peer does not know the session any more.
    """

    session: Session
    link_id: str
    peer: Peer
    key: str
    prompts: int = 0
    last_prompt: str | None = None
    history: tuple[Recorded, ...] = ()
    missing: Missing = "error"


class Wish(Struct, frozen=True):
    """What a person wants of the peer beside an answer: another mode, or another value of one of its options."""

    kind: Literal["mode", "option"]
    value: str
    option: str = ""


class Heard(Struct, frozen=True):
    """Something the peer said, and what follows.

    Attributes:
        session_id: Whom it is about; None: the link itself.
        facts: To be recorded together in the stream of that session, or of the link.
        source: The end of the bytes that it came from; only needed where they are kept until they are acknowledged.
        writes: To be sent without waiting for the log.
        failure: The session, or the link, is over.
        granted: Key of the wish that this answers with yes.
        refused: Key of the wish that this answers with no, and the reason.
    """

    session_id: StreamId | None = None
    facts: tuple[Fact, ...] = ()
    source: Source | None = None
    writes: tuple[Write, ...] = ()
    failure: Failure | None = None
    granted: str | None = None
    refused: tuple[str, str] | None = None


class Speech(ABC):
    """One connection without I/O: what the peer's bytes mean, and which bytes say what the log holds.

    A subclass says what every protocol has, and overrides what its own has beside. The caller records what `receive`
    gives in that order, and calls `committed` for every event of a session after the log holds it.
    """

    def begin(self, key: str) -> Sequence[Write]:
        """Return the first words on a new connection. The same key stands for the same connection."""
        del key
        return ()

    @abstractmethod
    def attach(self, joining: Joining) -> Sequence[Write]:
        """Return what makes this connection carry a session. The `Attached` fact follows in `receive`."""

    def restore(self, joining: Joining) -> Sequence[Write]:
        """Take up a session that went on while the daemon was away; only for peers that are programs of ours.

        Returns:
            Everything that was to be written in that time; what was written already is known by its key.
        """
        del joining
        return ()

    def detach(self, session_id: StreamId) -> Sequence[Write]:
        """Carry the session no longer; return what tells the peer."""
        del session_id
        return ()

    @abstractmethod
    def receive(self, data: bytes) -> Iterable[Heard]:
        """Take bytes in any slices; return what follows, in the order in which it must be recorded. Never raises."""

    @abstractmethod
    def committed(self, session_id: StreamId, recorded: Recorded) -> Sequence[Write]:
        """Return what the peer has to be told now that the log holds this event."""

    def wish(self, session_id: StreamId, key: str, wish: Wish) -> Sequence[Write]:
        """Return the request for what a person wants; `granted` or `refused` follows in `receive`.

        Raises:
            ConnectError: The peer has no such thing.
        """
        del session_id, key
        msg = f"this peer has no {wish.kind} {wish.value!r}"
        raise ConnectError(Failure("unsupported", msg))

    def takes_prompt(self, session_id: StreamId) -> bool:
        """Return whether an attached session may be handed a prompt now."""
        del session_id
        return True

    def gone(self) -> Iterable[Heard]:
        """The connection is over: return what was held back."""
        return ()

    @property
    def greeted(self) -> bool:
        """Whether the peer has said who it is; until then little patience is due."""
        return True

    @property
    def offset(self) -> int:
        """Everything before this byte was given out by `receive`."""
        return 0


class Stream(Protocol):
    """A connection that a transport dialled. The byte streams of anyio have this shape."""

    async def receive(self) -> bytes:
        """Return the next bytes, or raise `anyio.EndOfStream` or `ConnectError`."""
        ...

    async def send(self, item: bytes) -> None:
        """Send all of it."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


@runtime_checkable
class AtHand(Protocol):
    """What a stream of lines can do beside: then many of them that talk at once are read without a task for each."""

    def at_hand(self, most: int) -> bytes:
        """Return bytes that have come already, so many at most; nothing where none have, or where it is over.

        Whatever is wrong with the stream is left to `receive`. Nobody waits there while this is called.
        """
        ...


class Transport(ABC):
    """A kind of peer. Found by its name in the entry-point group `holdfast.transports`, and made without arguments.

    Attributes:
        name: What sessions and policies call it.
        schemes: The schemes of the addresses it takes.
        policy: How its peers are kept connected, unless configuration says otherwise.
        heeds: Cells of a policy, or single values, that it goes by itself, such as `backfill` or `missing=error`.
            Supervision goes by those in `holdfast.domain.policy.GENERAL`; others cannot be configured.
    """

    name: str = ""
    schemes: Sequence[str] = ()
    policy: TransportPolicy = TransportPolicy()
    heeds: Sequence[str] = ()

    def peer(self, target: str, cwd: str | None) -> Peer:
        """Return whom an address with one of the schemes leads to.

        Raises:
            UsageError: It is none, or peers of this kind have none.
        """
        del cwd
        msg = f"{target!r} cannot be reached: peers of {self.name} have no address"
        raise UsageError(msg)

    async def dial(self, peer: Peer, *, heartbeat_s: float, limit_bytes: int) -> Stream:
        """Open a connection.

        Raises:
            ConnectError: It could not be opened, or peers of this kind are programs.
            OSError: The same, for reasons that may pass.
        """
        del heartbeat_s, limit_bytes
        raise ConnectError(Failure("unsupported", f"{peer.target} is nothing to connect to", "terminal"))

    @abstractmethod
    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Speech:
        """Return the protocol for a new connection.

        Args:
            peer: Whom it leads to.
            link_id: What the log calls the link.
            incarnation: Eight bytes that name this stream of bytes for ever.
            offset: Where in it reading begins.
            limit_bytes: A longer message fails the link.
        """

    def program(self, command: tuple[str, ...], agent: str | None, cwd: str | None) -> Peer:
        """Return the peer that is a program: the argument list that starts it.

        Raises:
            UsageError: Peers of this kind are no programs.
        """
        del command, agent, cwd
        msg = f"a peer of {self.name} is no program: give its address ({', '.join(self.schemes)})"
        raise UsageError(msg)

    def agent(self, name: str, cwd: str | None) -> Peer:
        """Return the peer that is an agent known by name.

        Raises:
            UsageError: It is not known.
            CommandNotFoundError: It is not installed.
        """
        del cwd
        msg = f"there is no agent {name!r}"
        raise UsageError(msg)

    def agents(self) -> Sequence[KnownAgent]:
        """Return the agents that can be asked for by name."""
        return ()

    def not_before(self, peer: Peer, opened_at: Sequence[int]) -> int:
        """Return from when on a session may be taken up, microseconds since the epoch; 0 for at any time.

        Args:
            peer: Whom it is with.
            opened_at: When it was begun or taken up so far.
        """
        del peer, opened_at
        return 0


__all__ = [
    "ConnectError",
    "Failure",
    "Heard",
    "Joining",
    "Peer",
    "Speech",
    "Stream",
    "Transport",
    "Wish",
    "Write",
]
