"""The newest events in memory, exactly as they were committed, so that those who follow the log need not read it.

A window and no queue: whoever is further behind reads the log itself, and nobody misses anything.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, cast

from msgspec import Raw

from holdfast.adapters.storage.mapper import to_recorded
from holdfast.domain.answers import LogEvent
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.commit import Batch, LogRow, StreamKind
    from holdfast.adapters.storage.mapper import EventRow

_KEPT: Final = 1_024
_KEPT_BYTES: Final = 1024 * 1024
_HEADER_BYTES: Final = 600


class Latest:
    """The window. Filled by the writer thread, read by event loops."""

    def __init__(self, position: int) -> None:
        """Hold nothing yet; the log ends at `position`."""
        self._lock = Lock()
        self._floor = self._end = position
        self._groups: deque[_Group] = deque()
        self._kept = 0
        self._bytes = 0

    def add(self, batch: Batch) -> None:
        """Take in what was committed, and let go of the oldest."""
        group = _Group(batch)
        with self._lock:
            self._groups.append(group)
            self._kept += len(batch.rows)
            self._bytes += group.size
            self._end = batch.position
            while self._kept > _KEPT or self._bytes > _KEPT_BYTES:
                gone = self._groups.popleft()
                self._kept -= len(gone.rows)
                self._bytes -= gone.size
                self._floor = gone.last

    def forget(self, position: int) -> None:
        """Hold nothing any more: something in the log was changed. The log ends at `position`."""
        with self._lock:
            self._groups.clear()
            self._kept = self._bytes = 0
            self._floor = self._end = position

    def after(
        self, position: int, *, stream: StreamId | None, types: Sequence[str], limit: int
    ) -> tuple[list[LogEvent], int] | None:
        """Return the first `limit` wanted events after a position, and up to where was looked; None: read the log."""
        with self._lock:
            if position < self._floor:
                return None
            end = self._end
            fresh: list[_Group] = []
            for group in reversed(self._groups):
                if group.last <= position:
                    break
                fresh.append(group)
        events: list[LogEvent] = []
        for group in reversed(fresh):
            for place in group.places(stream):
                row = group.rows[place]
                if row[0] > position and (not types or row[4] in types):
                    events.append(group.event(place))
                    if len(events) == limit:
                        return events, row[0]
        return events, max(end, position)


class _Group:
    """What one transaction committed. The rest is found out when somebody asks for it, once for all who do."""

    def __init__(self, batch: Batch) -> None:
        self.rows = batch.rows
        self.last = batch.position
        self.size = sum([_HEADER_BYTES + len(row[13] or "") for row in batch.rows])
        self._tips = batch.tips
        self._places: dict[int, list[int]] = {}
        self._events: dict[int, LogEvent] = {}

    def places(self, stream: StreamId | None) -> Sequence[int]:
        """Return where the rows of a stream stand, or all of them, in their order."""
        if stream is None:
            return range(len(self.rows))
        tip = self._tips.get(stream)
        if tip is None:
            return ()
        if not self._places:
            places: dict[int, list[int]] = {}
            for place, row in enumerate(self.rows):
                places.setdefault(row[1], []).append(place)
            self._places = places
        return self._places[tip[0].stream]

    def event(self, place: int) -> LogEvent:
        event = self._events.get(place)
        if event is None:
            event = self._events[place] = self._event(self.rows[place])
        return event

    def _event(self, row: LogRow) -> LogEvent:
        name, kind = self._streams[row[1]]
        data = None if row[13] is None else Raw(row[13].encode())
        recorded = to_recorded(name, cast("EventRow", (row[0], *row[2:14])), Unknown)
        return LogEvent(recorded, cast("Literal['session', 'link']", kind), row[4], data)

    @cached_property
    def _streams(self) -> dict[int, tuple[StreamId, StreamKind]]:
        return {head.stream: (StreamId(name), head.kind) for name, (head, _, _, _) in self._tips.items()}
