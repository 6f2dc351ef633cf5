"""The latest events in memory, each encoded once, and frames of them that many readers share."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from holdfast.domain import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.answers import LogEvent

FRAME_EVENTS: Final = 64
"""Events in one frame at the most."""

FRAME_BYTES: Final = 256 * 1024
"""A frame that has come to this size takes no further event."""

_KEPT = 4_096
_KEPT_BYTES = 8 * 1024 * 1024
_SHARED = 128


class Filter(Struct, frozen=True):
    """Which events a reader wants: those of a session, those of some types, or all."""

    session_id: str | None = None
    types: frozenset[str] | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.session_id is None and self.types is None

    def admits(self, event: LogEvent) -> bool:
        """Whether the reader wants this event."""
        if self.session_id is not None and event.recorded.originator_id != self.session_id:
            return False
        return self.types is None or event.type in self.types


class Piece(Struct, frozen=True):
    """A part of an `events` frame that does not depend on who gets it.

    Attributes:
        end: Everything up to this position was looked at.
        body: The members `events` and `cursor`, None when no event was among what was looked at.
    """

    end: int
    body: bytes | None


class Recent:
    """A window on the end of the log. Readers whose place lies before it read from the store instead.

    Attributes:
        floor: The window holds everything after this position.
        end: And everything up to this one.
        head: Where the log ended when the window was opened.
    """

    def __init__(self, cursor: Callable[[int], str]) -> None:
        """Keep nothing yet; `cursor` makes the opaque cursor after a position."""
        self._cursor = cursor
        self.floor = self.end = self.head = 0
        self._events: list[LogEvent] = []
        self._positions: list[int] = []
        self._lines: dict[int, bytes] = {}
        self._shared: dict[int, Piece] = {}
        self._bytes = 0

    def begin(self, position: int, head: int) -> None:
        """Forget everything; what comes next comes after `position`, and the log goes to `head` at least."""
        self.floor = self.end = position
        self.head = head
        for kept in (self._events, self._positions, self._lines, self._shared):
            kept.clear()
        self._bytes = 0

    def add(self, events: Sequence[LogEvent], end: int) -> None:
        """Take in the events after the last ones, up to `end`, and let go of the oldest."""
        self._events += events
        self._positions += [event.recorded.position or 0 for event in events]
        self._bytes += sum(_size(event) for event in events)
        self.end = end
        drop = max(0, len(self._events) - _KEPT)
        kept = self._bytes - sum(_size(event) for event in self._events[:drop])
        while kept > _KEPT_BYTES and drop < len(self._events):
            kept -= _size(self._events[drop])
            drop += 1
        if drop:
            self.floor = self._positions[drop - 1]
            for position in self._positions[:drop]:
                self._lines.pop(position, None)
            del self._events[:drop], self._positions[:drop]
            self._bytes = kept

    def piece(self, after: int, wanted: Filter) -> Piece:
        """Return what follows a position in the window, at most one frame of it."""
        if not wanted.everything:
            return self._make(after, wanted)
        piece = self._shared.get(after)
        if piece is None:
            piece = self._shared[after] = self._make(after, wanted)
            if len(self._shared) > _SHARED:
                del self._shared[next(iter(self._shared))]
        return piece

    def _make(self, after: int, wanted: Filter) -> Piece:
        lines: list[bytes] = []
        size, last, end = 0, after, self.end
        for at in range(bisect_right(self._positions, after), len(self._events)):
            event = self._events[at]
            if not wanted.admits(event):
                continue
            if len(lines) == FRAME_EVENTS or size > FRAME_BYTES:
                end = last
                break
            last = self._positions[at]
            line = self._line(last, event)
            lines.append(line)
            size += len(line)
        return Piece(end, joined(lines, self._cursor(end)) if lines else None)

    def _line(self, position: int, event: LogEvent) -> bytes:
        line = self._lines.get(position)
        if line is None:
            line = self._lines[position] = wire.event(event)
        return line


def joined(lines: Sequence[bytes], cursor: str) -> bytes:
    """Return the members of an `events` frame that come after its `sub`."""
    return b'"events":[' + b",".join(lines) + b'],"cursor":"' + cursor.encode() + b'"}'


def _size(event: LogEvent) -> int:
    """What an event takes in memory, about: as it was read, and once more as it is sent."""
    return 600 + 2 * (0 if event.data is None else len(bytes(event.data)))
