"""From the writer thread back into event loops: one wake-up of each loop per committed batch, however many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast

import anyio
from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.adapters.storage.commit import Outcome


class Ticket(Protocol):
    """One append that somebody on an event loop waits for."""

    def settle(self, outcome: Outcome) -> None:
        """Wake the one who waits. Called on the loop's thread."""

    async def wait(self) -> list[int]:
        """Return the positions, or raise what stood in the way."""
        ...


class Door:
    """The way into one event loop."""

    def __init__(
        self,
        schedule: Callable[[Callable[[], object]], object],
        ticket: Callable[[], Ticket],
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._schedule = schedule
        self.ticket = ticket
        self._alive = alive
        self._settled: deque[tuple[Ticket, Outcome]] = deque()
        self.listeners: set[anyio.Event] = set()

    def alive(self) -> bool:
        """Tell whether the loop behind it still runs, as far as it can be told."""
        return self._alive()

    def settle_later(self, ticket: Ticket, outcome: Outcome) -> None:
        """Note an outcome for the next `ring`. Called on the writer thread."""
        self._settled.append((ticket, outcome))

    def ring(self) -> None:
        """Wake the loop once, if anybody there waits for anything. Called on the writer thread."""
        if self._settled or self.listeners:
            # A loop that was closed has nobody left who waits.
            with suppress(RuntimeError):
                self._schedule(self._open)

    def _open(self) -> None:
        settled = self._settled
        while settled:
            ticket, outcome = settled.popleft()
            ticket.settle(outcome)
        listeners, self.listeners = self.listeners, set()
        for listener in listeners:
            listener.set()


class AsyncioTicket:
    """Waiting on asyncio: a bare future, a third of the price of an `anyio.Event`."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    def settle(self, outcome: Outcome) -> None:
        """Wake the one who waits, unless they were cancelled."""
        if self._future.done():
            return
        if isinstance(outcome, list):
            self._future.set_result(outcome)
        else:
            self._future.set_exception(outcome)

    async def wait(self) -> list[int]:
        """Return the positions, or raise what stood in the way."""
        return await self._future


class PlainTicket:
    """Waiting on any loop that anyio knows."""

    __slots__ = ("_event", "_outcome")

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._outcome: Outcome = []

    def settle(self, outcome: Outcome) -> None:
        """Wake the one who waits."""
        self._outcome = outcome
        self._event.set()

    async def wait(self) -> list[int]:
        """Return the positions, or raise what stood in the way."""
        await self._event.wait()
        if isinstance(self._outcome, list):
            return self._outcome
        raise self._outcome


class LocalBell:
    """Rings when the writer of this process has committed."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._event = anyio.Event()

    def arm(self) -> None:
        """Begin to listen."""
        self._event = anyio.Event()
        self._door.listeners.add(self._event)

    async def wait(self) -> None:
        """Return when something was committed since `arm`."""
        await self._event.wait()

    def close(self) -> None:
        """Stop listening."""
        self._door.listeners.discard(self._event)


def door_here() -> Door:
    """Return a door into the event loop that runs in this thread."""
    native = current_token().native_token
    if isinstance(native, asyncio.AbstractEventLoop):
        return Door(native.call_soon_threadsafe, AsyncioTicket, lambda: not native.is_closed())
    return Door(cast("Any", native).run_sync_soon, PlainTicket)
