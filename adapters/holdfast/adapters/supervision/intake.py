"""What a peer said and the log does not hold yet, on its shortest way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.supervision.coalesce import Coalescer
from holdfast.adapters.supervision.gathering import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.adapters.supervision.coalesce import Entry
    from holdfast.adapters.supervision.gathering import Outcome
    from holdfast.adapters.supervision.keeper import Keeper, Ledger
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.transport import Heard


class Intake(Part):
    """The queue of one connection. One thing at a time is on its way from it, so that the log has the peer's order.

    Nearly always that is text of one session: it joins the next group without a task that waits for it. Whatever is
    more than that is taken by the connection's own task.
    """

    def __init__(self, ledger: Ledger, members: Mapping[StreamId, Keeper], over: Callable[[bool], None]) -> None:
        """Bring what was said by `members` into `ledger`.

        Args:
            ledger: Where it is recorded.
            members: The sessions that the connection carries.
            over: Called when something that was offered is recorded, or, with False, has to be taken by a task.
        """
        self.taken = False
        self._ledger = ledger
        self._members = members
        self._over = over
        self._queue = Coalescer()
        self._offered = False
        self._undone: list[Entry] = []

    @property
    def full(self) -> bool:
        """Whether no more should be read until something was recorded."""
        return self._queue.full

    @property
    def waits(self) -> bool:
        """Whether something is left to be taken."""
        return len(self._queue) > 0

    @property
    def busy(self) -> bool:
        """Whether what was offered is still on its way."""
        return self._offered

    def add(self, heard: Heard) -> None:
        """Put what was heard at the end."""
        self._queue.add(heard.session_id, heard.facts, heard.source)

    def offer(self) -> bool:
        """Have what is there recorded with the next group; False where a task has to take it."""
        if self._offered:
            return True  # it is looked at again when that is over
        if self.taken or self._undone or self._sole() is None:
            return False
        self._offered = True
        self._ledger.offer(self)
        return True

    def take(self) -> list[Entry]:
        """Return everything in order, for the connection's own task to record."""
        entries, self._undone = [*self._undone, *self._queue.take()], []
        return entries

    def _sole(self) -> Keeper | None:
        session_id = self._queue.sole
        return None if session_id is None else self._members.get(session_id)

    # As a part of a group

    def begin(self) -> Keeper | None:
        """Return whose lock is needed; None where this cannot be part of the group any more."""
        return self._sole()

    def decide(self, keeper: Keeper) -> tuple[Recorded, ...]:
        """Return the events."""
        (entry,) = self._undone = self._queue.take()
        return self._ledger.observed(keeper, entry.facts, entry.source)

    def end(self, outcome: Outcome) -> None:
        """It is recorded, or it is to be tried again."""
        self._offered = False
        if outcome is True:
            self._undone = []
        self._over(outcome is True)
