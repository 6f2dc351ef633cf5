"""What goes on while a link is connected: bytes in, facts to the log, writes out."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

import anyio
from anyio.lowlevel import checkpoint

from holdfast.adapters.supervision.intake import Intake
from holdfast.adapters.supervision.keeper import Observed, may_go_on
from holdfast.adapters.supervision.pulse import Turn
from holdfast.adapters.supervision.secrets import Veil
from holdfast.adapters.supervision.verdict import detached
from holdfast.adapters.supervision.vigil import Vigil
from holdfast.adapters.supervision.wishes import Wishes
from holdfast.domain.link import events as links
from holdfast.domain.session import events as e
from holdfast.domain.transport import Failure, Joining

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.adapters.supervision.coalesce import Entry
    from holdfast.adapters.supervision.host.reap import Found
    from holdfast.adapters.supervision.keeper import Keeper
    from holdfast.adapters.supervision.link_keeper import LinkKeeper, Yard
    from holdfast.adapters.supervision.wire import Wire
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Heard, Speech, Wish, Write

logger = logging.getLogger("holdfast.supervision")

ACKNOWLEDGE_BYTES: Final = 256 * 1024
"""A host is told what is in the log each time this much more is: it keeps files of a mebibyte."""

OUTBOX_LIMIT: Final = 4096
"""Writes that wait; beyond, nothing more is read from the peer."""

AT_HAND_BYTES: Final = 2 * 1024
"""Read at a beat of a peer that talks; who says more is read by its task, which is fair to the others."""

STOP_S: Final = 20.0


class Talk:
    """One connection at work.

    Attributes:
        ready: Whether it has been ready, in the sense of its transport.
        heard_at: When the peer said something last, by the clock of the event loop.
    """

    def __init__(self, yard: Yard, wire: Wire, speech: Speech, link: LinkKeeper) -> None:
        self.ready = False
        self._stayed = False
        self._yard = yard
        self._wire = wire
        self._speech = speech
        self._link = link
        self._intake = Intake(yard.ledger, link.members, self._recorded)
        self._turn = Turn(yard.pulse)
        self._veil = Veil(yard.settings.secrets)
        self._outbox: deque[Write] = deque()
        self._failure: Failure | None = None
        self._error: Exception | None = None
        self._asked: Failure | None = None
        self._failures: list[tuple[Keeper, Failure]] = []
        self._wishes = Wishes()
        self._settled: list[tuple[str, str | None]] = []
        self._invited: deque[Keeper] = deque()
        self._carried: set[StreamId] = set()
        self._read_over = self._again = self._starved = False
        self._acknowledged = wire.offset
        self.heard_at = anyio.current_time()
        self._posted, self._work, self._room = anyio.Event(), anyio.Event(), anyio.Event()
        self._stop, self._joined = anyio.Event(), anyio.Event()

    @property
    def settled(self) -> bool:
        """Whether the connection counts as one: ready, or open for as long as the policy says."""
        return self._stayed if self._link.policy.ready.when == "open" else self.ready

    async def run(self, found: Found | None) -> Failure | None:
        """Talk until it is over and everything that was said is in the log; return why, where that is known here."""
        members = list(self._link.members.values())
        joinings = [(keeper, await self._link.joining(keeper)) for keeper in members]
        async with anyio.create_task_group() as nursery:
            if found is not None and all(keeper.session.state.attachment == "attached" for keeper in members):
                for _, joining in joinings:
                    self._carried.add(joining.session.id)
                    self._post(self._speech.restore(joining))
                self.ready = True
            else:
                self._post(self._speech.begin(f"begin:{self._link.id}"))
                for _, joining in joinings:
                    self._attach(joining)
            nursery.start_soon(self._send)
            nursery.start_soon(self._settle)
            nursery.start_soon(Vigil(self._yard, self._link, self).watch)
            nursery.start_soon(self._end)
            nursery.start_soon(self._welcome)
            nursery.start_soon(self._read)
            for keeper in members if found is None or found.state == "alive" else ():
                keeper.recovered.set()
                if self.ready:
                    await self._yard.ledger.drive(keeper)
            await self._commit()
            nursery.cancel_scope.cancel()
        return self._asked or self._failure

    def over(self) -> None:
        """Answer nothing that was asked of the peer any more: the connection has ended, or an error has ended it."""
        self._wishes.over()

    def _attach(self, joining: Joining) -> None:
        self._carried.add(joining.session.id)
        self._post(self._speech.attach(joining))

    # What is asked from outside

    def invite(self, keeper: Keeper) -> None:
        """Carry one more session."""
        self._invited.append(keeper)
        self._wake()

    def dismiss(self, keeper: Keeper) -> None:
        """Carry a session no longer."""
        self._carried.discard(keeper.id)
        self._post(self._speech.detach(keeper.id))

    def stop(self, failure: Failure) -> None:
        """End the connection; what the peer still says is recorded."""
        self._asked = self._asked or failure
        self._stop.set()

    def committed(self, keeper: Keeper, recorded: Recorded) -> None:
        """Tell the peer what the log now holds."""
        if keeper.id not in self._carried:
            return
        try:
            if writes := self._speech.committed(keeper.id, recorded):
                self._post(writes)
        except Exception as error:
            # It is in the log, and whoever asked for it must hear that; what went wrong ends the connection.
            logger.exception("link %s: the protocol failed", self._link.id)
            self.stop(Failure("error", f"an error inside: {error!r}", "terminal"))
        if isinstance(recorded.event, e.TurnStarted):
            self.heard_at = anyio.current_time()

    def takes_prompt(self, keeper: Keeper) -> bool:
        """Whether the peer may be handed a prompt now."""
        over = self._read_over or self._failure is not None or self._stop.is_set()
        return not over and keeper.id in self._carried and self._speech.takes_prompt(keeper.id)

    async def ask(self, keeper: Keeper, key: str, wish: Wish) -> None:
        """Ask the peer for something and return once it has agreed, and the log says so."""
        await self._wishes.ask(keeper.id, key, wish, lambda: self._post(self._speech.wish(keeper.id, key, wish)))

    # Inwards

    async def _read(self) -> None:
        try:
            while self._failure is None:
                while (self._intake.full or len(self._outbox) > OUTBOX_LIMIT) and self._failure is None:
                    self._starved = True
                    await self._room.wait()
                self._starved = False
                data = await self._wire.receive()
                if not data:
                    break
                self.heard_at = anyio.current_time()
                self._stayed = True
                resting = bool(self.in_turn())  # it leaves the loop to others anyway
                for piece in self._pieces(data):
                    self._turn.begin()
                    self._hear(piece)
                    self._turn.end(len(piece))
                    if self._turn.over:
                        await self._turn.rest()
                    elif not resting:
                        await checkpoint()
                if not self._turn.fresh and self.in_turn():
                    await self._turn.rest(self._hear_on)
                    if self._error is not None:
                        raise self._error
            if self._failure is None:
                for heard in (*self._speech.receive(self._veil.last_bytes()), *self._speech.gone()):
                    self._take(heard)
                self._admit(self._veil.rest())
            else:
                self._admit(self._veil.rest())
                with anyio.move_on_after(STOP_S):
                    await self._wire.stop(self._failure.error)
        finally:
            self._read_over = True
            self._link.frames.broken_off()
            self._wake_committer()

    def _hear(self, piece: bytes) -> None:
        shown = self._veil.hide(piece)
        self._link.frames.heard(shown, lines=self._link.peer.command is not None)
        for heard in self._speech.receive(shown):
            self._take(heard)
        self._wake_committer()

    def _hear_on(self) -> bool:
        """Read what a peer that goes on talking has said since the last beat; False where the task has to see to it.

        So it is with nearly all that is ever said, and without a turn of the task, which would cost as much again. How
        long it takes is not measured: that, too, costs more than so little is worth.
        """
        if self._intake.full or len(self._outbox) > OUTBOX_LIMIT or self._failure is not None:
            return False
        data = self._wire.at_hand(AT_HAND_BYTES)
        if not data:
            return False
        self.heard_at = anyio.current_time()
        self._turn.renew()
        try:
            self._hear(data)
        except Exception as error:  # noqa: BLE001 - it is this connection's, and whoever beats keeps all of them
            self._error = error
            return False
        return len(data) < AT_HAND_BYTES and bool(self.in_turn())

    def _pieces(self, data: bytes) -> Iterable[bytes]:
        """Cut what a program said, so that nobody waits for long while an agent that talked much is read."""
        if self._link.peer.command is None:
            return (data,)  # a message, perhaps, that must stay whole
        return self._turn.pieces(data)

    def _take(self, heard: Heard) -> None:
        if heard.writes:
            self._post(heard.writes)
        if heard.failure is not None:
            keeper = None if heard.session_id is None else self._link.members.get(heard.session_id)
            if keeper is not None and len(self._link.members) > 1:
                self._failures.append((keeper, heard.failure))
            else:
                self._failure = self._failure or heard.failure
        if heard.facts:
            self._admit(self._veil.facts(heard))
        if heard.granted is not None:
            self._settled.append((heard.granted, None))
        if heard.refused is not None:
            self._settled.append(heard.refused)

    def _admit(self, released: Iterable[Heard]) -> None:
        for heard in released:
            self._intake.add(heard)

    async def _commit(self) -> None:
        """Append all that came in while the append before was on its way, as one; until reading is over."""
        while True:
            await self._work.wait()
            self._work = anyio.Event()
            if self._intake.busy:
                self._again = True
                continue
            self._intake.taken = True
            over = self._read_over
            offset = None if self._veil.holds else self._speech.offset
            settled, self._settled = self._settled, []
            failures, self._failures = self._failures, []
            await self._append(self._intake.take())
            for keeper in self._link.members.values():
                await self._yard.ledger.go_on(keeper)
            for keeper, failure in failures:
                await self._expel(keeper, failure)
            for key, refusal in settled:
                self._wishes.answer(key, refusal)
            self._room.set()
            self._room = anyio.Event()
            if offset is not None and self.ready and offset - self._acknowledged >= ACKNOWLEDGE_BYTES:
                self._acknowledged = offset
                await self._wire.acknowledge(offset)
            if over:
                return
            self._intake.taken = False

    def _recorded(self, done: bool) -> None:
        """What was offered is in the log, or it is for the task to bring it there, like whatever needs to wait."""
        again, self._again = self._again, False
        acknowledge = self._speech.offset - self._acknowledged >= ACKNOWLEDGE_BYTES
        next_turn = any(may_go_on(keeper) for keeper in self._link.members.values())
        if again or not done or acknowledge or next_turn or self._starved:
            self._work.set()
        elif self._intake.waits:
            self._wake_committer()

    async def _append(self, entries: list[Entry]) -> None:
        observed: list[Observed] = []
        about_link: list[Fact] = []
        for entry in entries:
            if entry.session_id is None:
                about_link += entry.facts
            elif (keeper := self._link.members.get(entry.session_id)) is not None:
                observed.append(Observed(keeper, entry.facts, entry.source))
        attached = any(isinstance(fact, e.Attached) for each in observed for fact in each.facts)
        if attached and not self.ready and not any(isinstance(fact, links.ConnectionOpened) for fact in about_link):
            about_link.append(links.ConnectionOpened())
        if observed:
            await self._yard.ledger.observe(observed)
        if about_link:
            await self._link.opened(about_link)
            self.ready = self.ready or any(isinstance(fact, links.ConnectionOpened) for fact in about_link)

    async def _expel(self, keeper: Keeper, failure: Failure) -> None:
        """A session of a shared link failed by itself."""
        self._link.members.pop(keeper.id, None)
        keeper.carrier = None
        facts = [detached(self._link.id, "failed", failure)]
        await self._yard.ledger.observe([Observed(keeper, facts)])

    # Outwards

    def _post(self, writes: Iterable[Write]) -> None:
        self._outbox.extend(writes)
        self._posted.set()

    async def _send(self) -> None:
        while True:
            while self._outbox:
                await self._wire.send(self._outbox[0])
                self._link.frames.said(self._outbox.popleft().data)
                if len(self._outbox) == OUTBOX_LIMIT:
                    self._room.set()
                    self._room = anyio.Event()
            self._posted = anyio.Event()
            await self._posted.wait()

    async def _end(self) -> None:
        await self._stop.wait()
        assert self._asked is not None
        await self._wire.stop(self._asked.error)

    async def _welcome(self) -> None:
        """Attach sessions that join while the link is connected."""
        while True:
            while self._invited:
                keeper = self._invited.popleft()
                joining: Joining = await self._link.joining(keeper)
                self._attach(joining)
                keeper.recovered.set()
            self._joined = anyio.Event()
            await self._joined.wait()

    def _wake(self) -> None:
        self._joined.set()

    def _wake_committer(self) -> None:
        plain = self.ready and not (self._read_over or self._settled or self._failures)
        if not (plain and self._intake.offer()):
            self._work.set()

    # For whoever watches how long it takes

    async def _settle(self) -> None:
        await anyio.sleep(self._link.policy.ready.settle_s)
        self._stayed = True

    @property
    def greeted(self) -> bool:
        """Whether the peer has said who it is."""
        return self._speech.greeted

    def in_turn(self) -> list[Keeper]:
        """Return the sessions in which it is the peer's turn to say something."""
        members = self._link.members.values()
        return [each for each in members if each.session.state.turn is not None and not each.session.state.pending]

    async def progress(self) -> None:
        """Wait until something was heard."""
        await self._work.wait()

    async def give_up(self, failure: Failure) -> None:
        """End the connection, and the peer with it."""
        self._failure = failure
        self._wake_committer()
        with anyio.move_on_after(STOP_S):
            await self._wire.stop(failure.error)
