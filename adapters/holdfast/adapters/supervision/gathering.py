"""Appends of many sessions as one: whatever comes at the same moment goes to the log as one group, and is told at once.

A hundred agents that talk would else be a hundred waits, each with a lock, a queue and a wake-up of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import anyio

from holdfast.domain.errors import (
    HoldfastError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from holdfast.domain.journal import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.adapters.supervision.keeper import Keeper
    from holdfast.domain.journal import Journal
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.session import Session

    Fold = Callable[[Keeper, tuple[Recorded, ...]], Session]
    Conclude = Callable[[Keeper, Session, tuple[Recorded, ...], Sequence[int]], object]

PASSING: Final = (StoreFullError, StoreBusyError, StoreUnavailableError)
"""Nothing was written, and it can be tried again."""

Outcome = bool | HoldfastError
"""True: it is in the log. False: somebody else was changing the session, and nothing happened. Else why it is not."""


class Part(ABC):
    """What one session brings to a group. All of it is called in one go, with nothing else in between."""

    @abstractmethod
    def begin(self) -> Keeper | None:
        """Return whose lock is needed; None where this cannot be part of the group any more."""

    @abstractmethod
    def decide(self, keeper: Keeper) -> tuple[Recorded, ...]:
        """Return the events, under the lock."""

    @abstractmethod
    def end(self, outcome: Outcome) -> None:
        """Hear what came of it. The lock is free again."""


class Gathering:
    """Holds the locks of those who append together until the log has answered."""

    def __init__(self, journal: Journal, fold: Fold, conclude: Conclude, broken: Callable[[StoreError], None]) -> None:
        """Append to `journal`.

        Args:
            journal: The log.
            fold: Returns a session after events that are about to be appended.
            conclude: Called for each session with its events and where they stand.
            broken: Called when the log takes nothing more.
        """
        self._journal = journal
        self._fold = fold
        self._conclude = conclude
        self._broken = broken
        self._waiting: list[Part] = []
        self._some = anyio.Event()

    def offer(self, part: Part) -> None:
        """Take this into the next group."""
        self._waiting.append(part)
        self._some.set()

    async def run(self) -> None:
        """Append what is there, again and again, until cancelled. What was begun is seen through."""
        while True:
            await self._some.wait()
            self._some = anyio.Event()
            parts, self._waiting = self._waiting, []
            with anyio.CancelScope(shield=True):
                await self._append(parts)

    async def _append(self, parts: Sequence[Part]) -> None:
        ready: list[tuple[Part, Keeper, tuple[Recorded, ...], Session]] = []
        for part in parts:
            keeper = part.begin()
            if keeper is None or keeper.lock.locked():
                part.end(False)
                continue
            keeper.lock.acquire_nowait()
            try:
                events = part.decide(keeper)
                session = self._fold(keeper, events)
            except HoldfastError as error:
                keeper.lock.release()
                part.end(error)
                continue
            if events:
                ready.append((part, keeper, events, session))
            else:
                keeper.lock.release()
                part.end(True)
        if not ready:
            return
        batches = [Batch(events, session) for _, _, events, session in ready]
        outcomes: Sequence[Sequence[int] | HoldfastError]
        try:
            outcomes = await self._journal.append_each(batches)
        except HoldfastError as error:
            outcomes = [error] * len(ready)
        for (part, keeper, events, session), outcome in zip(ready, outcomes, strict=True):
            if isinstance(outcome, HoldfastError):
                self._refused(outcome)
            else:
                self._conclude(keeper, session, events, outcome)
            keeper.lock.release()
            part.end(outcome if isinstance(outcome, HoldfastError) else True)

    def _refused(self, error: HoldfastError) -> None:
        if isinstance(error, StoreError) and not isinstance(error, PASSING):
            self._broken(error)
