"""The process that is killed: it stands for the daemon. Sessions append through the real domain and the real store.

It says on standard output what it knows, a line each and unbuffered:

    ready                                     the store is open
    ack SESSION VERSION POSITION EVENT CAUSE  said after the acknowledgement and never before
    saw POSITION EVENT                        a subscriber got this event
    stopped ERROR                             why it exits
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from contextlib import aclosing, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
from msgspec.structs import replace

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import CaughtUp
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.errors import (
    HoldfastError,
    OutcomeUnknownError,
    StoreFullError,
    StoreUnavailableError,
)
from holdfast.domain.recorded import DAEMON
from holdfast.domain.session.session import Context, Session, fold, handle
from tests.chaos.load import loaded, name_of, next_events, recovery
from tests.chaos.mutants import apply_mutant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import Recorded

STOPPED = 3
"""The exit status of a writer whose store has stopped."""


def say(*words: object) -> None:
    """Write one line at once: up to 4 KiB, a pipe takes it whole or not at all."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def acknowledged(events: Sequence[Recorded], positions: Sequence[int]) -> None:
    """Say that these events are safe."""
    lines = [
        f"ack {event.originator_id} {event.originator_version} {position} {event.event_id.hex()} {event.cause}\n"
        for event, position in zip(events, positions, strict=True)
    ]
    for start in range(0, len(lines), 20):
        os.write(1, "".join(lines[start : start + 20]).encode())


class Writer:
    """One open store under the load of some sessions."""

    def __init__(self, store: Store, options: Namespace) -> None:
        self._store = store
        self._options = options
        self._left: int = options.events
        self._seen: int = options.after
        self._done = anyio.Event()
        self._news = anyio.Event()

    async def run(self) -> None:
        """Write until enough was written, or until the store stops or the process is killed."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._follow)
            group.start_soon(self._fold)
            if self._options.ticker:
                group.start_soon(self._tick)
            for number in range(self._options.sessions):
                group.start_soon(self._talk, number)
            await self._done.wait()
            group.cancel_scope.cancel()

    async def _talk(self, number: int) -> None:
        random = Random(f"{self._options.seed}-{number}")
        session = await anyio.to_thread.run_sync(loaded, self._store, name_of(number))
        recovering = recovery(session)
        while self._left > 0:
            if recovering is None:
                events = next_events(session, random)
            else:
                context = Context(now_us(), new_event_id, DAEMON, new_event_id().hex())
                events = handle(session, recovering, context)
                recovering = None
            after = fold(session, events)
            unwritten: Sequence[Recorded] | None = events
            while unwritten:
                unwritten = await self._append(unwritten, after)
            self._left -= len(events)
            session = after
        self._done.set()

    async def _append(self, events: Sequence[Recorded], after: Session) -> Sequence[Recorded] | None:
        """Append and say so.

        Returns:
            None, or what is to be appended next: the same events where only asking again can tell what became of
            them, and new ones where it certainly did not happen. Had it happened, those would be a conflict.
        """
        try:
            positions = await self._store.append(events, roster_row(after))
        except OutcomeUnknownError as error:
            await self._carry_on(error)
            return events
        except (StoreUnavailableError, StoreFullError) as error:
            await self._carry_on(error)
            return [replace(event, event_id=new_event_id()) for event in events]
        acknowledged(events, positions)
        return None

    async def _carry_on(self, error: HoldfastError) -> None:
        if self._store.stopped is not None or not self._options.persist:
            raise error
        say("trouble", type(error).__name__)
        await anyio.lowlevel.checkpoint()

    async def _follow(self) -> None:
        """Read like a frontend, one that comes back with its cursor when the server was away."""
        while True:
            try:
                await self._read_on()
            except StoreUnavailableError as error:
                await self._carry_on(error)

    async def _read_on(self) -> None:
        seen: list[str] = []
        async with aclosing(self._store.subscribe(self._seen)) as deliveries:
            async for delivery in deliveries:
                if isinstance(delivery, CaughtUp):
                    self._news.set()
                    self._news = anyio.Event()
                else:
                    self._seen = delivery.position or 0
                    seen.append(f"saw {delivery.position} {delivery.event_id.hex()}\n")
                if len(seen) >= 50 or isinstance(delivery, CaughtUp):
                    os.write(1, "".join(seen).encode())
                    seen.clear()

    async def _fold(self) -> None:
        """Keep the batched views up to date in transactions of their own."""
        while True:
            await self._news.wait()
            try:
                await self._store.write_async(lambda transaction: projector.step(transaction.connection, 200))
            except (OutcomeUnknownError, StoreUnavailableError, StoreFullError) as error:
                await self._carry_on(error)

    async def _tick(self) -> None:
        """Measure how long the event loop does not turn, for another reason than that others have the processors."""
        worst = 0.0
        waited = _waited_s()
        while True:
            before = anyio.current_time()
            await anyio.sleep(0.005)
            late = anyio.current_time() - before - 0.005
            now = _waited_s()
            late -= max((total - waited.get(thread, 0.0) for thread, total in now.items()), default=0.0)
            waited = now
            if late > worst:
                worst = late
                say("late", f"{worst:.4f}")


def _waited_s() -> dict[str, float]:
    """Return how long each thread of this process could have run and was not let, in seconds."""
    found: dict[str, float] = {}
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found


def main(arguments: Sequence[str]) -> int:
    """Run one writer to its end, which is usually a violent one."""
    parser = ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--events", type=int, default=1_000_000_000)
    parser.add_argument("--after", type=int, default=0)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--mutant")
    parser.add_argument("--persist", action="store_true")
    parser.add_argument("--ticker", action="store_true")
    options = parser.parse_args(arguments)
    apply_mutant(options.mutant)
    try:
        store = open_store(StoreSettings.from_url(options.url, wait_s=5), checkpoints=options.home / "checkpoints")
        if store.regressed is not None:
            raise store.regressed
        say("ready")
        anyio.run(Writer(store, options).run)
        store.close()
    except (HoldfastError, OSError) as error:
        return _stopped(error)
    except ExceptionGroup as group:
        return _stopped(_first(group))
    return 0


def _stopped(error: BaseException) -> int:
    if not isinstance(error, (HoldfastError, OSError)):
        raise error
    say("stopped", type(error).__name__, str(error).replace("\n", " "))
    return STOPPED


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
