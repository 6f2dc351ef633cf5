"""From the writer thread back into event loops: one wake-up of each loop per committed batch, however many wait."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, cast

import anyio
from anyio.lowlevel import RunVar, current_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.adapters.storage.commit import Outcome, Ticket


class Waiter(Protocol):
    """One append that somebody on an event loop waits for."""

    def settle(self, outcome: Outcome) -> None:
        """Note the outcome for the next ring of its door. Called on the writer thread."""

    def wake(self, outcome: Outcome) -> None:
        """Wake the one who waits. Called on the loop's thread."""

    async def wait(self) -> list[int]:
        """Return the positions, or raise what stood in the way."""
        ...


Settled = deque[tuple[Waiter, "Outcome"]]
"""Outcomes that the next ring of a door tells."""


class Door:
    """The way into one event loop.

    Args:
        schedule: Runs a function on the loop; may be called from any thread.
        soon: Runs a function on the loop after those that are ready now; called on the loop only.
        waiter: Makes what one append waits on, given where to note its outcome for the next ring.
        alive: Tells whether the loop still runs, as far as that can be told.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], object]], object],
        soon: Callable[[Callable[[], object]], object],
        waiter: Callable[[Settled], Waiter],
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._schedule = schedule
        self._soon = soon
        self.alive = alive
        self.settled: Settled = deque()
        self.waiter = partial(waiter, self.settled)
        self._quiet = Lock()
        self.listeners: set[anyio.Event] = set()

    def ring(self) -> bool:
        """Wake the loop once, if anybody there waits for anything; tell whether. Called on the writer thread."""
        if not self.settled and not self.listeners:
            return False
        self._quiet.acquire(blocking=False)
        try:
            self._schedule(self._open)
        except RuntimeError:
            self.settled.clear()  # the loop was closed: nobody is left who waits
            return False
        return True

    def wait_until_quiet(self, timeout_s: float) -> None:
        """After `ring`: wait until those who were woken have had their turn, and perhaps asked for more.

        The next group then takes all of them. Without it, those who asked during a commit and those who were woken by
        it would take turns in groups of half the size, each with an fsync of its own, while both threads fight for the
        interpreter lock.
        """
        self._quiet.acquire(timeout=timeout_s)

    def _open(self) -> None:
        settled = self.settled
        while settled:
            waiter, outcome = settled.popleft()
            waiter.wake(outcome)
        listeners, self.listeners = self.listeners, set()
        for listener in listeners:
            listener.set()
        self._soon(self._say_quiet)

    def _say_quiet(self) -> None:
        # Only the loop's thread releases, so it cannot be released twice in between.
        if self._quiet.locked():
            self._quiet.release()


class AsyncioWaiter:
    """Waiting on asyncio: a bare future, a third of the price of an `anyio.Event`."""

    __slots__ = ("_future", "_settled")

    def __init__(self, loop: asyncio.AbstractEventLoop, settled: Settled) -> None:
        self._future: asyncio.Future[list[int]] = loop.create_future()
        self._settled = settled

    def settle(self, outcome: Outcome) -> None:
        """Note the outcome for the next ring."""
        self._settled.append((self, outcome))

    def wake(self, outcome: Outcome) -> None:
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


class PlainWaiter:
    """Waiting on any loop that anyio knows."""

    __slots__ = ("_event", "_outcome", "_settled")

    def __init__(self, settled: Settled) -> None:
        self._settled = settled
        self._event = anyio.Event()
        self._outcome: Outcome = []

    def settle(self, outcome: Outcome) -> None:
        """Note the outcome for the next ring."""
        self._settled.append((self, outcome))

    def wake(self, outcome: Outcome) -> None:
        """Wake the one who waits."""
        self._outcome = outcome
        self._event.set()

    async def wait(self) -> list[int]:
        """Return the positions, or raise what stood in the way."""
        await self._event.wait()
        if isinstance(self._outcome, list):
            return self._outcome
        raise self._outcome


class Together:
    """Several appends that somebody waits for at once: one wake-up for all."""

    def __init__(self, waiter: Waiter, count: int) -> None:
        self._waiter = waiter
        self._outcomes: dict[int, Outcome] = {}
        self._count = count

    def ticket(self, number: int) -> Ticket:
        """Return what one of them is settled by."""
        return _Share(self, number)

    def settle(self, number: int, outcome: Outcome) -> None:
        """Note one outcome; the last one wakes whoever waits."""
        self._outcomes[number] = outcome
        if len(self._outcomes) == self._count:
            self._waiter.settle([])

    async def wait(self) -> list[Outcome]:
        """Return all outcomes in their order."""
        await self._waiter.wait()
        return [self._outcomes[number] for number in range(self._count)]


class _Share:
    """One of several."""

    __slots__ = ("_number", "_together")

    def __init__(self, together: Together, number: int) -> None:
        self._together = together
        self._number = number

    def settle(self, outcome: Outcome) -> None:
        self._together.settle(self._number, outcome)


class FutureTicket:
    """Waiting in a thread."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Future[list[int]] = Future()

    def settle(self, outcome: Outcome) -> None:
        """Settle the future, unless it was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        if isinstance(outcome, list):
            self.future.set_result(outcome)
        else:
            self.future.set_exception(outcome)


class LocalBell:
    """Rings when the writer of this process has committed."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._event = anyio.Event()

    def arm(self) -> None:
        """Begin to listen."""
        self._door.listeners.discard(self._event)
        self._event = anyio.Event()
        self._door.listeners.add(self._event)

    async def wait(self) -> None:
        """Return when something was committed since `arm`."""
        await self._event.wait()

    def close(self) -> None:
        """Stop listening."""
        self._door.listeners.discard(self._event)


class Doors:
    """The doors of all event loops that ever asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asyncio: dict[asyncio.AbstractEventLoop, Door] = {}
        self._other: RunVar[Door] = RunVar("holdfast-door")
        self.all: tuple[Door, ...] = ()

    def here(self) -> Door:
        """Return the door of the event loop that runs in this thread."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._elsewhere()
        door = self._asyncio.get(loop)
        if door is None:
            waiter = partial(AsyncioWaiter, loop)
            door = Door(loop.call_soon_threadsafe, loop.call_soon, waiter, lambda: not loop.is_closed())
            with self._lock:
                self._asyncio = {known: d for known, d in self._asyncio.items() if d.alive()} | {loop: door}
            self._add(door)
        return door

    def _elsewhere(self) -> Door:
        door = self._other.get(None)
        if door is None:
            schedule = cast("Any", current_token().native_token).run_sync_soon
            door = Door(schedule, schedule, PlainWaiter)
            self._other.set(door)
            self._add(door)
        return door

    def _add(self, door: Door) -> None:
        with self._lock:
            self.all = (*(known for known in self.all if known.alive()), door)
