"""How long a connection may take: to get ready, to give a sign during a turn, and to have nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import anyio

from holdfast.domain.errors import HoldfastError
from holdfast.domain.recorded import POLICY
from holdfast.domain.session import commands as c
from holdfast.domain.transport import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.supervision.keeper import Keeper
    from holdfast.adapters.supervision.link_keeper import LinkKeeper, Yard


class Watched(Protocol):
    """A connection, as far as it is watched.

    Attributes:
        ready: Whether it has been ready.
        heard_at: When the peer said something last, by the clock of the event loop.
    """

    ready: bool
    heard_at: float

    @property
    def greeted(self) -> bool:
        """Whether the peer has said who it is."""
        ...

    def in_turn(self) -> Sequence[Keeper]:
        """Return the sessions in which it is the peer's turn to say something."""
        ...

    async def progress(self) -> None:
        """Wait until something was heard."""
        ...

    async def give_up(self, failure: Failure) -> None:
        """End the connection, and the peer with it."""
        ...


class Vigil:
    """Watches one connection."""

    def __init__(self, yard: Yard, link: LinkKeeper, talk: Watched) -> None:
        self._yard = yard
        self._link = link
        self._talk = talk

    async def watch(self) -> None:
        """Watch it until it is over, or until nothing is to be waited for any more."""
        agents = self._yard.settings.agents
        if not self._talk.ready and not await self._get_ready(agents.initialize_timeout_s):
            return
        limits = [limit for limit in (agents.prompt_watchdog_s, self._hibernates_after()) if limit > 0]
        if not limits:
            return
        while True:
            await anyio.sleep(max(min([*limits, self._due()]), 0.001))
            if agents.prompt_watchdog_s and self._silent_for() >= agents.prompt_watchdog_s:
                await self._call_off()
            elif self._hibernates_after() and self._idle_for() >= self._hibernates_after():
                self._link.close("nothing to do", hibernate=True)
                return

    def _hibernates_after(self) -> float:
        return self._yard.settings.agents.hibernate_after_s if self._link.peer.command is not None else 0.0

    def _due(self) -> float:
        """Seconds until one of the limits can be reached at the earliest."""
        agents = self._yard.settings.agents
        dues: list[float] = []
        if agents.prompt_watchdog_s and self._talk.in_turn():
            dues.append(agents.prompt_watchdog_s - self._silent_for())
        if self._hibernates_after():
            dues.append(self._hibernates_after() - self._idle_for())
        return min((due for due in dues if due > 0), default=agents.prompt_watchdog_s or self._hibernates_after())

    def _silent_for(self) -> float:
        return anyio.current_time() - self._talk.heard_at if self._talk.in_turn() else 0.0

    def _idle_for(self) -> float:
        now = anyio.current_time()
        if any(self._link.busy(keeper) for keeper in self._link.members.values()):
            return 0.0
        latest = max((keeper.last_active for keeper in self._link.members.values()), default=now)
        return now - latest

    async def _get_ready(self, limit_s: float) -> bool:
        """Wait until the peer is ready; give it up where it takes longer than a peer may."""
        greeted = False
        started = anyio.current_time()
        while not self._talk.ready:
            since = max(started, self._talk.heard_at) if greeted else started
            left = since + limit_s - anyio.current_time()
            if left <= 0:
                what = "open the session" if greeted else "answer initialize"
                await self._talk.give_up(
                    Failure("initialize-timeout", f"the agent did not {what} within {limit_s:g} s")
                )
                return False
            with anyio.move_on_after(min(left, 1.0)):
                await self._talk.progress()
            if self._talk.greeted and not greeted:
                greeted, started = True, anyio.current_time()
        return True

    async def _call_off(self) -> None:
        """A turn gave no sign for too long: ask the agent to stop it, and stop the agent where that is not heard."""
        settings = self._yard.settings
        for keeper in self._talk.in_turn():
            try:
                await self._yard.ledger.execute(keeper, [c.Cancel()], cause=None, actor=POLICY)
            except HoldfastError:
                continue  # it ended just now
        with anyio.move_on_after(settings.cancel_s):
            while stuck := self._talk.in_turn():
                await stuck[0].news()
        if self._talk.in_turn():
            limit = settings.agents.prompt_watchdog_s
            failure = Failure("watchdog", f"the agent gave no sign for {limit:g} s and did not stop when asked")
            await self._talk.give_up(failure)
        else:
            self._talk.heard_at = anyio.current_time()
