"""The newest events in memory, exactly as they were committed, so that those who follow the log need not read it.

A window and no queue: whoever is further behind reads the log itself, and nobody misses anything.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, cast

from msgspec import Raw

from holdfast.adapters.storage.mapper import to_recorded
from holdfast.domain.ports import LogEvent
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.commit import Batch, LogRow
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
        self._kept: deque[_Kept] = deque()
        self._bytes = 0

    def add(self, batch: Batch) -> None:
        """Take in what was committed, and let go of the oldest."""
        names = {head.stream: (StreamId(name), head.kind) for name, (head, _, _, _) in batch.tips.items()}
        with self._lock:
            for row in batch.rows:
                kept = _Kept(row, *names[row[1]])
                self._kept.append(kept)
                self._bytes += kept.size
            self._end = batch.position
            while len(self._kept) > _KEPT or self._bytes > _KEPT_BYTES:
                gone = self._kept.popleft()
                self._bytes -= gone.size
                self._floor = gone.position

    def forget(self, position: int) -> None:
        """Hold nothing any more: something in the log was changed. The log ends at `position`."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
            self._floor = self._end = position

    def after(
        self, position: int, *, stream: StreamId | None, types: Sequence[str], limit: int
    ) -> tuple[list[LogEvent], int] | None:
        """Return the first `limit` wanted events after a position, and up to where was looked; None: read the log."""
        with self._lock:
            if position < self._floor:
                return None
            end = self._end
            fresh: list[_Kept] = []
            for kept in reversed(self._kept):
                if kept.position <= position:
                    break
                fresh.append(kept)
        events: list[LogEvent] = []
        for kept in reversed(fresh):
            if (stream is None or kept.stream == stream) and (not types or kept.row[4] in types):
                events.append(kept.event())
                if len(events) == limit:
                    return events, kept.position
        return events, max(end, position)


class _Kept:
    """One row, and the event that it is once somebody asked."""

    __slots__ = ("_event", "_kind", "position", "row", "size", "stream")

    def __init__(self, row: LogRow, stream: StreamId, kind: str) -> None:
        self.position = row[0]
        self.row = row
        self.stream = stream
        self.size = _HEADER_BYTES + len(row[13] or "")
        self._kind = kind
        self._event: LogEvent | None = None

    def event(self) -> LogEvent:
        event = self._event
        if event is None:
            row = cast("EventRow", (self.row[0], *self.row[2:14]))
            data = None if self.row[13] is None else Raw(self.row[13].encode())
            kind = cast("Literal['session', 'link']", self._kind)
            event = self._event = LogEvent(to_recorded(self.stream, row, Unknown), kind, self.row[4], data)
        return event
