"""Who hears of a commit: the guard first, then everyone who waits, each event loop once."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Protocol

from holdfast.adapters.storage.doors import Door, Doors
from holdfast.adapters.storage.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.adapters.storage.commit import Batch
    from holdfast.domain.errors import LogRegressedError


_GATHER_S = 0.002
"""How long a busy event loop may keep the next group waiting."""


class Witnessing(Protocol):
    """What remembers the head outside the database: `holdfast.adapters.storage.guard.Guard`."""

    def open(
        self, store: str, position: int, log_hash: bytes, hash_at: Callable[[int], bytes | None]
    ) -> LogRegressedError | None:
        """Compare the log with what is remembered of it; None if nothing is missing."""

    def committed(self, position: int, event_hash: bytes, log_hash: bytes) -> None:
        """Remember a commit."""

    def close(self) -> None:
        """Sign the last position."""


class Announcements:
    """The writer's observer, and the place where readers of this process register."""

    def __init__(self, guard: Witnessing | None, position: int = 0) -> None:
        self.guard = guard
        self.latest = Latest(position)
        self._lock = Lock()
        self.doors = Doors()
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._rung: list[Door] = []

    def committed(self, position: int, event_hash: bytes, log_hash: bytes) -> None:
        """Leave the witness outside the database before anyone hears of the commit."""
        if self.guard is not None:
            self.guard.committed(position, event_hash, log_hash)

    def wrote(self, batch: Batch) -> None:
        """Keep the events for those who are about to ask for them."""
        self.latest.add(batch)

    def rewrote(self, position: int) -> None:
        """Have everybody read the log itself."""
        self.latest.forget(position)

    def announce(self) -> None:
        """Wake every event loop and every thread where somebody waits."""
        self._rung = [door for door in self.doors.all if door.ring()]
        for listener in self._listeners:
            listener()

    def gather(self) -> None:
        """Give those who were woken a moment to ask for more, so that the next group takes them all."""
        for door in self._rung:
            door.wait_until_quiet(_GATHER_S)
        self._rung = []

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the writer thread after every group; returns how to stop that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unlisten() -> None:
            with self._lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unlisten
