"""All sessions in memory and all links, in one tree of tasks: who carries what, what goes wrong, who makes room."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import anyio
from anyio import TASK_STATUS_IGNORED

from holdfast.adapters.supervision import recovery
from holdfast.adapters.supervision.directory import IMPORT
from holdfast.adapters.supervision.frames import News
from holdfast.adapters.supervision.gathering import PASSING
from holdfast.adapters.supervision.keeper import Keeper, Ledger, Observed
from holdfast.adapters.supervision.keepers import Keepers
from holdfast.adapters.supervision.link_keeper import LinkKeeper, Yard
from holdfast.adapters.supervision.pulse import Pulse
from holdfast.domain.errors import HoldfastError, HostFencedError, StoreError
from holdfast.domain.policy import Live, TransportPolicy, victim
from holdfast.domain.projections.roster import Connection
from holdfast.domain.projections.roster import connection as told_by_log
from holdfast.domain.recorded import DAEMON, StreamId
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anyio.abc import TaskGroup, TaskStatus

    from holdfast.adapters.supervision.directory import Directory
    from holdfast.adapters.supervision.host.reap import Found
    from holdfast.adapters.supervision.settings import Settings
    from holdfast.domain.journal import Journal
    from holdfast.domain.transport import Peer

logger = logging.getLogger("holdfast.supervision")

AGAIN_S: Final = 1.0

_DAY_S: Final = 86_400.0
"""Clocks of the day are set now and then: a time far away is looked at again."""


class Fleet:
    """The tree of tasks under a supervisor.

    Attributes:
        ledger: What changes sessions.
        keepers: The sessions in memory.
        loaded: Set once all that need recovery were read from the log.
        news: Tells of frames.
        focus: Which session each attached frontend looks at.
    """

    def __init__(self, journal: Journal, directory: Directory, settings: Settings) -> None:
        self.ledger = Ledger(journal, want=self.want, broken=self.give_up)
        self.directory = directory
        self.focus: dict[str, StreamId] = {}
        self.loaded = anyio.Event()
        self.news = News()
        self._pulse = Pulse()
        self._yard = Yard(journal, self.ledger, settings, self._told, self.news, self._pulse)
        self._links: dict[StreamId, LinkKeeper] = {}
        self.keepers = Keepers(journal, self.ledger, self._links.keys())
        self._shared: dict[str, LinkKeeper] = {}
        self._listeners: list[Callable[[StreamId], None]] = []
        self._nursery: TaskGroup | None = None
        self._broken: StoreError | None = None
        self._breaks = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Keep sessions until cancelled; agents and their hosts go on afterwards.

        Raises:
            StoreError: The log takes nothing more.
        """
        try:
            async with anyio.create_task_group() as nursery:
                self._nursery = nursery
                nursery.start_soon(self.ledger.run)
                nursery.start_soon(self._pulse.run)
                nursery.start_soon(self._recover)
                task_status.started()
                await self._breaks.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._nursery = None
        if self._broken is not None:
            raise self._broken

    def give_up(self, error: StoreError) -> None:
        """The log takes nothing more: end everything."""
        self._broken = self._broken or error
        self._breaks.set()

    def listen(self, listener: Callable[[StreamId], None]) -> Callable[[], None]:
        """Call `listener` whenever the connection of a session may have changed; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _told(self, keeper: Keeper) -> None:
        keeper.tell()
        for listener in self._listeners:
            listener(keeper.id)

    # Sessions

    def link(self, session_id: StreamId) -> LinkKeeper | None:
        """Return what carries a session, or carried it last."""
        return self._links.get(session_id)

    def forget(self, session_id: StreamId) -> None:
        """Keep nothing of a session in memory."""
        self.keepers.drop(session_id)
        link = self._links.pop(session_id, None)
        if link is not None:
            link.members.pop(session_id, None)

    # Links

    def policy(self, transport: str) -> TransportPolicy:
        """Return how peers of a transport are kept connected."""
        name = self.directory.programs if transport == IMPORT else transport
        found = self.directory.transports.get(name)
        return self._yard.settings.policies.get(name) or (TransportPolicy() if found is None else found.policy)

    def connection(self, session_id: StreamId) -> Connection | None:
        """Return how a session is connected now; None where only the log knows."""
        keeper, link = self.keepers.known(session_id), self._links.get(session_id)
        if keeper is None or not keeper.session.version:
            return None
        state = keeper.session.state
        if link is None or state.ended is not None:
            return told_by_log(state)
        shown = link.connection()
        if not link.running:
            return shown if shown.state == "gave_up" else told_by_log(state)
        if link.connected and state.attachment == "attached" and state.link_id == link.id:
            return Connection("connected")
        if not link.begun or shown.state in ("connected", "offline"):
            return Connection("reconnecting" if state.ever_attached else "connecting", 1)
        return shown

    def links(self) -> list[LinkKeeper]:
        """Return every link once."""
        return list({id(link): link for link in self._links.values()}.values())

    def is_program(self, keeper: Keeper) -> bool:
        """Whether the peer of a session is a program here, and so may have outlived the daemon under its host."""
        try:
            return self.directory.known(keeper.session).command is not None
        except HoldfastError:
            return True

    def want(self, keeper: Keeper) -> None:
        """Have a session connected, or what it waits for sent. Never waits."""
        if self._nursery is None or keeper.session.state.ended is not None:
            return
        keeper = self.keepers.held(keeper)
        link = self._links.get(keeper.id)
        if link is not None and link.running:
            if keeper.session.state.attachment == "attached":
                self._nursery.start_soon(self._drive_later, keeper)
            else:
                link.hurry()
            return
        try:
            link = self._link_for(keeper, self.directory.known(keeper.session))
        except HoldfastError as error:
            self._nursery.start_soon(self._refuse, keeper, str(error))
            return
        self._start(link)

    def await_delivery(self, keeper: Keeper, queued_at: Mapping[str, int]) -> None:
        """Let prompts fail that wait for longer than the policy lets them, while their peer cannot be reached."""
        ttl_s = self.policy(keeper.session.summary.transport).queue.ttl_s if queued_at else None
        if ttl_s is None or self._nursery is None:
            return
        for prompt_id, at in queued_at.items():
            self._nursery.start_soon(self._expire_later, keeper, prompt_id, at, ttl_s)

    async def _expire_later(self, keeper: Keeper, prompt_id: str, queued_at: int, ttl_s: float) -> None:
        journal = self._yard.journal
        why = f"it waited for {ttl_s:g} s for its peer, which could not be reached: send it again once it is back"
        while True:
            prompt = keeper.session.state.prompt(prompt_id)
            if prompt is None or prompt.state != "queued":
                return
            left = ttl_s - (journal.now() - queued_at) / 1_000_000
            away = keeper.session.state.attachment != "attached"
            if left <= 0 and away:
                try:
                    await self.ledger.expire(keeper, prompt_id, why)
                except PASSING:
                    await anyio.sleep(AGAIN_S)
                except StoreError as error:
                    self.give_up(error)
                    return
                continue
            with anyio.move_on_after(min(left, _DAY_S) if left > 0 else math.inf):
                await keeper.news()

    def attend(self, session_id: StreamId) -> None:
        """Somebody looks at a session: connect it, where that is when it comes into being."""
        policies = [self.policy(name) for name in self.directory.transports]
        if self._nursery is not None and any(policy.create == "on_attach" for policy in policies):
            self._nursery.start_soon(self._attend, session_id)

    async def _attend(self, session_id: StreamId) -> None:
        keeper = await self.keepers.get(session_id)
        state, transport = keeper.session.state, keeper.session.summary.transport
        if state.created and state.attachment == "never" and self.policy(transport).create == "on_attach":
            self.want(keeper)

    def resume(self, keeper: Keeper, found: Found, as_started: Peer) -> None:
        """Take up a session with the host that carries it, or carried it."""
        try:
            peer = self.directory.known(keeper.session)
        except HoldfastError:
            peer = as_started
        self._start(self._link_for(keeper, peer), found)

    def let_go(self, keeper: Keeper, reason: str) -> None:
        """Carry a session no longer."""
        link = self._links.get(keeper.id)
        if link is not None and link.running:
            link.leave(keeper, reason)

    def _link_for(self, keeper: Keeper, peer: Peer) -> LinkKeeper:
        """Return the link of a session: the one it had, one that others share, or a new one."""
        link = self._links.get(keeper.id)
        if link is None and peer.shared is not None:
            link = self._shared.get(f"{peer.transport}:{peer.shared}")
        if link is None:
            transport = self.directory.transports[peer.transport]
            link = LinkKeeper(self._yard, transport, peer, self.policy(peer.transport), self._is_focused)
            if peer.shared is not None:
                self._shared[f"{peer.transport}:{peer.shared}"] = link
        link.join(keeper, peer)
        self._links[keeper.id] = link
        return link

    def _start(self, link: LinkKeeper, found: Found | None = None) -> None:
        """Let a link live, unless it does."""
        if self._nursery is not None and not link.running:
            link.begin()
            self._nursery.start_soon(self._keep, link, found)

    async def _keep(self, link: LinkKeeper, found: Found | None) -> None:
        """Keep one link; what goes wrong with it stays with it."""
        try:
            if found is None:
                self._make_room(link)
            await link.run(found)
        except* HostFencedError:
            logger.warning("link %s: a newer daemon drives it", link.id)
        except* StoreError as group:
            error = _first(group)
            assert isinstance(error, StoreError)
            self.give_up(error)
        except* HoldfastError as group:
            await self._crashed(link, str(_first(group)))
        except* Exception as group:
            logger.exception("link %s: crashed", link.id)
            await self._crashed(link, f"an error inside: {_first(group)!r}")
        finally:
            link.end()
        for keeper in list(link.members.values()):
            keeper.recovered.set()
            if not link.refused:
                await self._wake(keeper)

    async def _wake(self, keeper: Keeper) -> None:
        """Prompts that came while the link was on its way down are not forgotten."""
        try:
            await self.ledger.drive(keeper)
        except StoreError as error:
            self.give_up(error)

    async def _crashed(self, link: LinkKeeper, why: str) -> None:
        """An error ends one connection, is recorded, and is tried again when somebody asks."""
        link.refused = True
        for keeper in list(link.members.values()):
            await self._refuse(keeper, why)

    async def _refuse(self, keeper: Keeper, why: str) -> None:
        link_id = keeper.session.state.link_id or str(uuid4())
        await self.ledger.observe([Observed(keeper, [e.Detached(link_id, "failed", why)])], actor=DAEMON)

    async def _drive_later(self, keeper: Keeper) -> None:
        await anyio.sleep(AGAIN_S)
        await self._wake(keeper)

    def _make_room(self, link: LinkKeeper) -> None:
        """Hibernate the session that was idle longest, where no more may be connected.

        Raises:
            ConflictError: Every one of them is in use.
        """
        live = [
            Live(name, keeper.last_active, other.busy(keeper))
            for other in self.links()
            if other is not link and other.running and other.peer.transport == link.peer.transport
            for name, keeper in other.members.items()
        ]
        leaving = victim(link.policy.live, live, next(iter(link.members), ""))
        if leaving is not None:
            self._links[StreamId(leaving)].close("another session needs its place", hibernate=True)

    def _is_focused(self, keeper: Keeper) -> bool:
        return keeper.id in self.focus.values()

    async def _recover(self) -> None:
        try:
            await recovery.recover(self, self._yard)
        except* StoreError as group:
            error = _first(group)
            assert isinstance(error, StoreError)
            self.give_up(error)
        finally:
            self.keepers.surveyed.set()
            self.loaded.set()


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """Return the first error of a group, however deep it lies."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
