"""One link: made, watched, lost, made again by policy; and the sessions that it carries."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
from msgspec import Struct

from holdfast.adapters.supervision import opening
from holdfast.adapters.supervision.conversation import Talk
from holdfast.adapters.supervision.frames import News, Ring
from holdfast.adapters.supervision.keeper import Keeper, Ledger, Observed
from holdfast.adapters.supervision.link_log import LinkLog
from holdfast.adapters.supervision.patience import pause, until_online
from holdfast.adapters.supervision.pulse import Pulse
from holdfast.adapters.supervision.settings import Settings
from holdfast.adapters.supervision.verdict import Asked, Ending, Loss, answered, detached, ending, outcome
from holdfast.adapters.supervision.wire import hosted
from holdfast.domain.errors import AgentError, AgentFolderError, CommandNotFoundError, HostFencedError
from holdfast.domain.journal import Journal
from holdfast.domain.link import events as links
from holdfast.domain.policy import delay
from holdfast.domain.projections.roster import Connection
from holdfast.domain.recorded import DAEMON, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.timestamps import to_text
from holdfast.domain.transport import ConnectError, Failure, Joining

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from holdfast.adapters.supervision.host.reap import Found
    from holdfast.adapters.supervision.wire import Wire
    from holdfast.domain.policy import TransportPolicy
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Peer, Transport, Wish


class Yard(Struct, frozen=True):
    """What all links work with; `tell` is called when the connection of a session may have changed."""

    journal: Journal
    ledger: Ledger
    settings: Settings
    tell: Callable[[Keeper], None]
    news: News
    pulse: Pulse


class LinkKeeper:
    """Keeps one link. `run` lives while the link is wanted; between two lives the object tells how it stands.

    Attributes:
        members: The sessions it carries.
        running: Whether `run` is at work, or about to be.
        begun: Whether its first attempt is on record.
        refused: Whether it ended in a way that only a person can do something about.
        frames: The latest of what was said, over all its connections.
    """

    def __init__(
        self,
        yard: Yard,
        transport: Transport,
        peer: Peer,
        policy: TransportPolicy,
        focused: Callable[[Keeper], bool],
    ) -> None:
        self.members: dict[StreamId, Keeper] = {}
        self.running = self.begun = False
        self.peer = peer
        self.policy = policy
        self.refused = False
        self.frames = Ring(yard.news, yard.journal.now, yard.settings.secrets)
        self._peers: dict[StreamId, Peer] = {}
        self._focused = focused
        self._yard = yard
        self._transport = transport
        self._log = LinkLog(yard.journal, yard.ledger)
        self._talk: Talk | None = None
        self._asked: tuple[Asked, str] | None = None
        self._now = anyio.Event()
        self._attempt = self._retries = 0
        self._over = anyio.Event()

    # What supervision asks

    @property
    def id(self) -> StreamId:
        """What the log calls the link: for a program, the incarnation of its host, and so another one each time."""
        return self._log.id

    @property
    def connected(self) -> bool:
        """Whether there is a connection, ready or not."""
        return self._talk is not None

    def connection(self) -> Connection:
        """Return how the link stands, as lists show it."""
        state = self._log.state
        due = None if state.due_at is None else to_text(state.due_at)
        return Connection(state.standing, state.attempt, due, state.error)

    def hurry(self) -> None:
        """Make the next attempt now instead of when it is due."""
        self._now.set()

    def busy(self, keeper: Keeper) -> bool:
        """Whether a session must stay connected: somebody looks at it, waits for it, or it waits for somebody."""
        state = keeper.session.state
        waiting = bool(state.queued) and not state.held
        return state.turn is not None or bool(state.pending) or waiting or self._focused(keeper)

    def join(self, keeper: Keeper, peer: Peer) -> None:
        """Carry a session from the next connection on, or at once where there is one."""
        if keeper.id in self.members and self._talk is not None:
            return
        self.peer = peer if peer.shared is None else self.peer
        self._peers[keeper.id] = peer
        self.members[keeper.id] = keeper
        keeper.carrier = self
        if self._talk is not None:
            self._talk.invite(keeper)

    def close(self, reason: str, *, hibernate: bool = False) -> None:
        """End the link: a program is stopped, a connection closed."""
        self._asked = self._asked or ("hibernated" if hibernate else "closed", reason)
        self._now.set()
        if self._talk is not None:
            self._talk.stop(Failure("stopped", reason))

    def leave(self, keeper: Keeper, reason: str) -> None:
        """Carry a session no longer; the link ends with its last one."""
        if len(self.members) > 1 and self._talk is not None:
            self._talk.dismiss(keeper)
            self.members.pop(keeper.id, None)
            return
        self.close(reason)

    def begin(self) -> None:
        """Say that `run` is about to be at work."""
        self.running, self.begun = True, False
        self._over = anyio.Event()

    def end(self) -> None:
        """Say that it is at work no more, or never came to be; what was asked of it is over, too."""
        self.running = False
        self._asked = None
        self._over.set()
        for keeper in self.members.values():
            self._yard.tell(keeper)

    async def over(self) -> None:
        """Wait until `run` is done."""
        while self.running:
            await self._over.wait()

    async def ask(self, keeper: Keeper, key: str, wish: Wish) -> None:
        """Ask the peer for something and return once it has agreed.

        Raises:
            ConflictError: It did not, or there is no connection.
        """
        if self._talk is None:
            raise ConnectError(Failure("offline", "the session is not connected"))
        await self._talk.ask(keeper, key, wish)

    # What a keeper asks

    def committed(self, keeper: Keeper, recorded: Recorded) -> None:
        """Tell the peer what the log now holds."""
        if self._talk is not None:
            self._talk.committed(keeper, recorded)

    def takes_prompt(self, keeper: Keeper) -> bool:
        """Whether the peer may be handed a prompt now."""
        return self._talk is not None and self._talk.takes_prompt(keeper)

    # The life of the link

    async def run(self, found: Found | None = None) -> None:
        """Connect and stay connected, as the policy says, after `begin`; return when there is nothing more to do.

        Args:
            found: The host that carried the link when an earlier daemon ended.
        """
        self._attempt = self._retries = 0
        lost_at: float | None = None
        self.refused = False
        while True:
            self._attempt += 1
            self._now = anyio.Event()
            if found is None:
                await self._let_time_pass()
                if self.peer.command is None:
                    await until_online(self._yard.settings, self.policy.network, self._now)
            loss = await self._connect(found)
            found = None
            if loss.settled or lost_at is None:
                lost_at = anyio.current_time()
            if loss.settled:
                self._attempt = self._retries = 0
            wait = await self._conclude(loss, anyio.current_time() - lost_at)
            if self.peer.command is not None and self.id:
                await opening.discard(self._yard.settings, self.id)
            if wait is None:
                return
            await pause(wait, self._yard.settings, self.policy.network, self._now)
            asked = self._wanted_end()
            if asked is not None:
                await self._conclude(Loss(Failure("stopped", asked[1]), asked[0]), 0.0)
                return

    def _wanted_end(self) -> tuple[Asked, str] | None:
        return self._asked

    async def _connect(self, found: Found | None) -> Loss:
        try:
            async with self._open(found) as wire:
                return await self._converse(wire, found)
        except ConnectError as error:
            return Loss(error.failure)
        except CommandNotFoundError as error:
            return Loss(Failure("command-not-found", str(error)))
        except AgentFolderError as error:
            return Loss(Failure("folder", str(error), "terminal"))
        except HostFencedError:
            raise
        except (AgentError, OSError) as error:
            return Loss(Failure("unreachable", str(error) or type(error).__name__))

    @asynccontextmanager
    async def _open(self, found: Found | None) -> AsyncGenerator[Wire]:
        """Open the link, its attempt recorded before under a name by which recovery finds what it led to."""
        yard, peer = self._yard, self.peer
        if found is not None and found.host is not None:
            await self._log.resume(StreamId(found.incarnation))
            self.begun = True
            offset, alive = await self._consumed(found.host.id), found.state == "alive"
            async with hosted(found.host, offset, epoch=yard.journal.epoch, alive=alive) as wire:
                yield wire
            return
        incarnation = os.urandom(8)
        if peer.command is not None:
            self._log.begin(StreamId(incarnation.hex()))
        elif not self.id:
            known = next((keeper.session.state.link_id for keeper in self.members.values()), None)
            await self._log.resume(StreamId(known or str(uuid4())))
        await self._record([links.ConnectionRequested(peer.transport, peer.target, self._attempt)])
        if peer.command is None:
            opened = opening.connected(self._transport, peer, incarnation, policy=self.policy, settings=yard.settings)
        else:
            labels = {"link": self.id, "session": next(iter(self.members), ""), "store": yard.journal.name}
            epoch = yard.journal.epoch
            opened = opening.started(peer, incarnation, settings=yard.settings, epoch=epoch, labels=labels)
        async with opened as wire:
            yield wire

    async def _consumed(self, source: bytes) -> int:
        offsets = [
            await self._yard.journal.offset(keeper.id, source)
            for keeper in self.members.values()
            if keeper.session.state.attachment == "attached"
        ]
        return max(offsets, default=0)

    async def _converse(self, wire: Wire, found: Found | None) -> Loss:
        limit = self._yard.settings.agents.frame_limit_bytes
        speech = self._transport.speech(self.peer, self.id, wire.incarnation, wire.offset, limit)
        talk = Talk(self._yard, wire, speech, self)
        self._talk = talk
        if self._asked is not None:
            talk.stop(Failure("stopped", self._asked[1]))
        try:
            failure = await talk.run(found)
            failure = failure or await wire.ended()
            outcomes = await self._outcomes(wire, failure)
        finally:
            self._talk = None
            talk.over()
        return Loss(failure, self._asked[0] if self._asked else None, talk.ready, outcomes, talk.settled)

    async def joining(self, keeper: Keeper) -> Joining:
        """Return what the peer has to know of a session, its name on this link recorded before."""
        journal = self._yard.journal
        state = keeper.session.state
        if not (state.link_id == self.id and state.attachment in ("requested", "attached")):
            facts: list[Fact] = [e.AttachRequested(self.id)]
            if state.turn is not None and not state.ever_attached:
                # A transcript that broke off: whoever wrote it is not going on with that turn.
                facts.insert(0, e.TurnEnded(state.turn.turn_id, "unrecorded"))
            await self._yard.ledger.observe([Observed(keeper, facts)], actor=DAEMON)
        past = await journal.past(keeper.id)
        history = await journal.since_prompt(keeper.id)
        return Joining(
            keeper.session,
            self.id,
            self._peers.get(keeper.id, self.peer),
            f"open:{self.id}:{keeper.id}",
            past.prompts,
            past.last_prompt,
            tuple(history),
            self.policy.missing,
        )

    # The end of a connection

    async def _outcomes(self, wire: Wire, failure: Failure) -> dict[StreamId, list[Fact]]:
        """Return what became of the open turn of every session."""
        found: dict[StreamId, list[Fact]] = {}
        for keeper in self.members.values():
            state, fate = keeper.session.state, None
            if state.turn is not None and state.turn.prompt_id is not None and keeper.sent is not None:
                fate = await wire.fate(keeper.sent, seen=answered(state))
            found[keeper.id] = outcome(state, fate, failure)
        return found

    def _ending(self, loss: Loss) -> Ending:
        return ending(loss, self.policy.reconnect, program=self.peer.command is not None)

    async def _conclude(self, loss: Loss, elapsed_s: float) -> float | None:
        """Record how a connection ended and what follows; return how long to wait for the next attempt, if any."""
        what = self._ending(loss)
        failure = loss.failure
        self.refused = what == "failed"
        match what:
            case "closed":
                await self._record([links.ConnectionClosed(failure.error)])
            case "hibernated":
                await self._record([links.ConnectionHibernated()])
            case "exited":
                await self._record([links.ConnectionLost(failure.error, "ended")])
            case "failed":
                await self._record([links.ConnectionLost(failure.error, "terminal")])
            case "retry":
                return await self._retry(loss, elapsed_s)
        await self._detach(what, loss)
        return None

    async def _retry(self, loss: Loss, elapsed_s: float) -> float | None:
        failure = loss.failure
        self._retries += 1
        wait = delay(
            self.policy.reconnect,
            self._retries,
            self._yard.settings.random,
            elapsed_s=elapsed_s,
            retry_after_s=failure.retry_after_s,
        )
        lost = links.ConnectionLost(failure.error, "retryable")
        if wait is None:
            self.refused = True
            await self._record([lost, links.ConnectionGaveUp(self._attempt, failure.error)])
            await self._detach("failed", loss)
            return None
        due_at = self._yard.journal.now() + int(wait * 1_000_000)
        await self._record([lost, links.ConnectionRetryScheduled(self._attempt + 1, due_at)])
        await self._detach("retry", loss)
        return wait

    async def _detach(self, what: Ending, loss: Loss) -> None:
        """Say in every session what became of its open turn, and that it is not connected any more."""
        for keeper in list(self.members.values()):
            facts = [*loss.outcomes.get(keeper.id, ()), detached(self.id, what, loss.failure)]
            await self._yard.ledger.observe([Observed(keeper, facts)], actor=DAEMON)

    async def _let_time_pass(self) -> None:
        """Wait until every session may be taken up: there are agents that destroy what they load too early."""
        journal = self._yard.journal
        for keeper in self.members.values():
            if not keeper.session.state.ever_attached:
                continue
            opened_at = (await journal.past(keeper.id)).opened_at
            earliest = self._transport.not_before(self._peers.get(keeper.id, self.peer), opened_at)
            while (left := (earliest - journal.now()) / 1_000_000) > 0 and self._asked is None:  # noqa: ASYNC110 - see below
                await anyio.sleep(min(left, 1.0))  # a clock that is set to another time wakes nobody

    async def _record(self, facts: Iterable[Fact]) -> None:
        await self._log.record(facts)
        self.begun = True
        for keeper in self.members.values():
            self._yard.tell(keeper)

    async def opened(self, facts: Iterable[Fact]) -> None:
        """Record what the peer said of the link itself."""
        await self._record(facts)
