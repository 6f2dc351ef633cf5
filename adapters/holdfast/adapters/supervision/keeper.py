"""One session in memory, and the ledger that changes it: decide, append, fold, and only then act on the peer."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

import anyio
from msgspec.structs import replace

from holdfast.adapters.supervision.gathering import PASSING, Gathering
from holdfast.domain.errors import (
    NotFoundError,
    SessionErasedError,
    StoreError,
    VersionConflictError,
)
from holdfast.domain.journal import Batch
from holdfast.domain.recorded import DAEMON, PEER, POLICY
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.adapters.supervision.gathering import Part
    from holdfast.domain.journal import Journal
    from holdfast.domain.recorded import Actor, Recorded, Source, StreamId
    from holdfast.domain.session.facts import Fact

_SENDS: Final = (c.QueuePrompt, c.ResumeQueue)
"""What may have a prompt sent, and so connects a session that is not connected."""

_ASKED_LIMIT: Final = 10_000
"""Permissions whose session is remembered; for older ones the log is asked."""

_ROUNDS: Final = 3
"""How often something is decided anew because somebody else wrote to the session meanwhile."""

_AGAIN_S: Final = 1.0
"""Before an append is tried again that the log had no room for, or no connection."""


class Carrier(Protocol):
    """What carries a session: its link, as far as a keeper sees it."""

    def committed(self, keeper: Keeper, recorded: Recorded) -> None:
        """Tell the peer what the log now holds."""
        ...

    def takes_prompt(self, keeper: Keeper) -> bool:
        """Whether the peer may be handed a prompt now."""
        ...


class Keeper:
    """One session, its lock, and what carries it.

    Attributes:
        session: After its latest event; only changed under `lock`.
        carrier: Its link while there is one.
        sent: Key of the prompt that was sent last.
        recovered: Set once the session is as the log and its peer left it; commands wait for that.
        last_active: When it last did anything, by the clock of the event loop.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lock = anyio.Lock()
        self.carrier: Carrier | None = None
        self.sent: str | None = None
        self.recovered = anyio.Event()
        self.last_active = anyio.current_time()
        self._changed = anyio.Event()
        self._awaited = False

    @property
    def id(self) -> StreamId:
        """The session's id."""
        return self.session.id

    async def news(self) -> None:
        """Wait until something about the session changes."""
        self._awaited = True
        await self._changed.wait()

    def tell(self) -> None:
        """Wake whoever waits for news."""
        if self._awaited:
            self._awaited = False
            self._changed.set()
            self._changed = anyio.Event()


class Observed:
    """Facts of one session from its peer, to be recorded together.

    Attributes:
        keeper: Whose session it is.
        facts: In the order in which they were seen.
        source: How far the peer's output is consumed by them; None where nothing is read by offsets.
    """

    __slots__ = ("facts", "keeper", "source")

    def __init__(self, keeper: Keeper, facts: Iterable[Fact], source: Source | None = None) -> None:
        self.keeper = keeper
        self.facts = tuple(facts)
        self.source = source


class Ledger:
    """Writes what happens to sessions, one thing after the other in each of them.

    Attributes:
        asked: Which session a permission was asked for in, for the latest of them.
    """

    def __init__(
        self, journal: Journal, *, want: Callable[[Keeper], None], broken: Callable[[StoreError], None]
    ) -> None:
        """Write to `journal`.

        Args:
            journal: The log.
            want: Called when a session has a prompt to send and nothing that carries it.
            broken: Called when the log takes nothing more.
        """
        self.asked: OrderedDict[str, StreamId] = OrderedDict()
        self._journal = journal
        self._want = want
        self._broken = broken
        self._gathering = Gathering(journal, self._folded, self._conclude, broken)

    async def run(self) -> None:
        """Write what is observed, until cancelled."""
        await self._gathering.run()

    async def execute(
        self, keeper: Keeper, commands: Sequence[c.Command], *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Carry out commands together and return what they led to; the same cause again returns the first outcome.

        Raises:
            HoldfastError: They are refused, or the log cannot take them; nothing was written then.
        """
        async with keeper.lock:
            if cause is not None and (earlier := await self._journal.by_cause(keeper.id, cause)):
                return earlier
            for _ in range(_ROUNDS):
                events = self._decide(keeper.session, commands, actor, cause)
                try:
                    events = await self._append(keeper, events)
                except VersionConflictError:
                    # Somebody else wrote, such as an import: decide anew on what is there.
                    keeper.session = await self._journal.load(keeper.id)
                    continue
                await self._drive(keeper, wanted=any(isinstance(each, _SENDS) for each in commands))
                return events
            msg = f"session {keeper.id} is being changed by somebody else all the time: try again"
            raise VersionConflictError(msg)

    async def observe(self, observed: Sequence[Observed], *, actor: Actor = PEER) -> None:
        """Record what was seen, in this order; wait while the log has no room.

        One after the other: what is committed of a link is then always a prefix of what it said, and whatever could not
        be written can be tried again without a doubt about what stands before it.

        Raises:
            VersionConflictError: Somebody else writes to a session that is connected, again and again.
            StoreError: The log takes nothing more.
        """
        for each in observed:
            conflicts = 0
            while True:
                try:
                    await self._observe(each, actor)
                except PASSING:
                    await anyio.sleep(_AGAIN_S)
                except VersionConflictError:
                    conflicts += 1
                    if conflicts == _ROUNDS:
                        raise
                    each.keeper.session = await self._journal.load(each.keeper.id)
                else:
                    break

    async def drive(self, keeper: Keeper) -> None:
        """Send what waits, if it may be sent now."""
        async with keeper.lock:
            await self._drive(keeper, wanted=True)

    async def expire(self, keeper: Keeper, prompt_id: str, why: str) -> None:
        """Let a prompt fail that still waits for a peer that cannot be reached."""
        async with keeper.lock:
            for _ in range(_ROUNDS):
                state = keeper.session.state
                prompt = state.prompt(prompt_id)
                if prompt is None or prompt.state != "queued" or state.attachment == "attached":
                    return
                context = Context(self._journal.now(), self._journal.new_event_id, POLICY)
                failed = e.PromptFailed(prompt_id, "not_delivered", why, prompt.content)
                try:
                    await self._append(keeper, handle(keeper.session, c.Observe((failed,)), context))
                except VersionConflictError:
                    keeper.session = await self._journal.load(keeper.id)
                else:
                    return

    def give_up(self, error: StoreError) -> None:
        """The log takes nothing more."""
        self._broken(error)

    def offer(self, part: Part) -> None:
        """Take this into the next group that is written."""
        self._gathering.offer(part)

    def observed(self, keeper: Keeper, facts: Iterable[Fact], source: Source | None) -> tuple[Recorded, ...]:
        """Return the events that something seen leads to; the keeper's lock is held until they are written."""
        context = Context(self._journal.now(), self._journal.new_event_id, PEER, source=source)
        return handle(keeper.session, c.Observe(tuple(facts)), context)

    async def go_on(self, keeper: Keeper) -> None:
        """Start the next turn of a connected session, if something waits."""
        if may_go_on(keeper):
            async with keeper.lock:
                await self._drive(keeper)

    async def _observe(self, observed: Observed, actor: Actor) -> None:
        keeper = observed.keeper
        async with keeper.lock:
            context = Context(self._journal.now(), self._journal.new_event_id, actor, source=observed.source)
            await self._append(keeper, handle(keeper.session, c.Observe(observed.facts), context))
            await self._drive(keeper)

    def _decide(
        self, session: Session, commands: Sequence[c.Command], actor: Actor, cause: str | None
    ) -> tuple[Recorded, ...]:
        context = Context(self._journal.now(), self._journal.new_event_id, actor, cause)
        decided: list[Recorded] = []
        for command in commands:
            events = handle(session, command, context)
            session = fold(session, events)
            decided += events
        return tuple(decided)

    async def _append(self, keeper: Keeper, events: tuple[Recorded, ...]) -> tuple[Recorded, ...]:
        """Append, then let it take effect; return the events with their positions.

        Once begun it is seen through: a cancelled append may have happened.
        """
        if not events:
            return ()
        session = self._folded(keeper, events)
        places: Sequence[int] = ()
        with anyio.CancelScope(shield=True):
            try:
                (places,) = await self._journal.append([Batch(events, session)])
            except (*PASSING, VersionConflictError):
                raise
            except StoreError as error:
                self._broken(error)
                raise
        return self._conclude(keeper, session, events, places)

    def _folded(self, keeper: Keeper, events: tuple[Recorded, ...]) -> Session:
        for recorded in events:
            if isinstance(recorded.event, e.PermissionRequested):
                # Before it is in the log, where somebody may see it and answer before this task goes on.
                self.remember(recorded.event.request_id, keeper.id)
        return fold(keeper.session, events)

    def _conclude(
        self, keeper: Keeper, session: Session, events: tuple[Recorded, ...], places: Sequence[int]
    ) -> tuple[Recorded, ...]:
        """Let events that are in the log take effect; return them with their positions."""
        keeper.session = session
        placed = tuple(replace(recorded, position=place) for recorded, place in zip(events, places, strict=True))
        for recorded in placed:
            self._take_effect(keeper, recorded)
        keeper.last_active = anyio.current_time()
        keeper.tell()
        return placed

    def _take_effect(self, keeper: Keeper, recorded: Recorded) -> None:
        if isinstance(recorded.event, e.PromptSent):
            keeper.sent = recorded.event_id.hex()
        if keeper.carrier is not None:
            keeper.carrier.committed(keeper, recorded)

    def remember(self, request_id: str, session_id: StreamId) -> None:
        """Know again where a permission was asked for."""
        self.asked[request_id] = session_id
        if len(self.asked) > _ASKED_LIMIT:
            self.asked.popitem(last=False)

    async def _drive(self, keeper: Keeper, *, wanted: bool = False) -> None:
        """Start the next turn where that may be; `wanted` says to connect a session that is not connected."""
        if not may_go_on(keeper):
            return
        state = keeper.session.state
        if keeper.carrier is None or state.attachment != "attached":
            if wanted:
                self._want(keeper)
            return
        if not keeper.carrier.takes_prompt(keeper):
            return
        context = Context(self._journal.now(), self._journal.new_event_id, DAEMON)
        events = handle(keeper.session, c.StartTurn(f"t{keeper.session.version}"), context)
        try:
            await self._append(keeper, events)
        except PASSING:
            self._want(keeper)  # it is tried again later
        except VersionConflictError:
            keeper.session = await self._journal.load(keeper.id)
            self._want(keeper)


def may_go_on(keeper: Keeper) -> bool:
    """Whether something waits to be sent and nothing is in its way but the connection."""
    state = keeper.session.state
    if state.ended is not None or state.held or not state.queued:
        return False
    return state.turn is None or not state.ever_attached  # else it is a transcript's, and nobody is at work on it


def existing(session: Session) -> Session:
    """Return a session that is there.

    Raises:
        NotFoundError: It never was.
        SessionErasedError: Its content was erased.
    """
    if session.state.erased:
        msg = f"session {session.id} was erased; nothing can be added to it"
        raise SessionErasedError(msg)
    if not session.state.created:
        msg = f"there is no session {session.id}"
        raise NotFoundError(msg)
    return session
