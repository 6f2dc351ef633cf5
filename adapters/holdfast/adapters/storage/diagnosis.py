"""What happened at the first place where the chain breaks: changed, taken away, or put in another order.

Slow where the walk is fast: it tries the rest of the log in the broken place, which is done once and only in need.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from holdfast.adapters.storage.log_rows import (
    SMALLEST,
    EventRow,
    digest_of,
    hash_of,
    number,
    read_events,
    read_rosters,
)
from holdfast.domain.errors import StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from holdfast.adapters.storage.log_rows import StreamState

Reason = Literal["tampered", "missing", "reordered"]

_TAKEN_OUT = 1_000
"""How many events before a renumbered one may be gone for it still to be recognised."""


class Bad(Struct, frozen=True, omit_defaults=True):
    """The first bad place of the log.

    Attributes:
        position: The position that is not as it was written.
        session_id: The stream of the event that belongs there, as far as that can be told.
        version: Its version, likewise.
        reason: `tampered`: something else stands there. `missing`: the event is nowhere. `reordered`: it is elsewhere.
        detail: The same in words.
    """

    position: int
    session_id: str | None
    version: int | None
    reason: Reason
    detail: str


def diagnose(
    connection: Connection, states: Mapping[int, StreamState], position: int, row: EventRow | None, found: str
) -> Bad:
    """Return what happened at `position`.

    Args:
        connection: Where the rest of the log is read.
        states: Every stream as it was right before that position.
        position: Where the walk stopped.
        row: What stands there; None for nothing.
        found: Why the walk stopped, in words.
    """
    state = None if row is None else states.get(row.stream)
    if row is not None:
        if state is not None and row.hash == _hash_at(row, state, position):
            return Bad(position, state.id, state.version + 1, "tampered", "its version was changed")
        for other in states.values():
            if row.hash == hash_of(row, other, digest_of(row, other), position=position, version=row.version):
                return Bad(position, other.id, row.version, "tampered", "it was given to another session")
    jumps = _Jumps(states)
    with suppress(StoreDamagedError):  # what cannot be read cannot tell; the break itself is already known
        for candidate in _elsewhere(connection, position):
            owner = _owner(states, position, row, candidate)
            if owner is not None:
                where = f"the event that belongs here stands at position {candidate.position}"
                return Bad(position, owner.id, owner.version + 1, "reordered", where)
            jumps.see(candidate)
        jumps.see_rosters(connection)
    lost = jumps.only_one()
    if row is None:
        return _missing(position, lost, found)
    version = number(row.version)
    if state is not None and version is not None:
        if version > state.version + 1:
            return _missing(position, state, f"version {state.version + 1} of the session is nowhere")
        if version == state.version + 1 and _was_moved_up(state, row, position):
            return _missing(position, lost, "the event that is here now once stood further back")
    if state is None:
        return Bad(position, None, version, "tampered", found)
    return Bad(position, state.id, state.version + 1 if version is None else version, "tampered", found)


def _missing(position: int, state: StreamState | None, detail: str) -> Bad:
    if state is None:
        return Bad(position, None, None, "missing", detail)
    return Bad(position, state.id, state.version + 1, "missing", detail)


def _elsewhere(connection: Connection, position: int) -> Iterator[EventRow]:
    for part in read_events(connection, position):
        yield from (EventRow._make(row) for row in part if row[0] != position)
    for part in read_events(connection, SMALLEST, 0):
        yield from map(EventRow._make, part)


def _owner(
    states: Mapping[int, StreamState], position: int, row: EventRow | None, other: EventRow
) -> StreamState | None:
    """Return the stream whose next event belongs at `position` and has its content in the row `other`.

    The hash may have moved along with the content or stayed where it was; the payload may have moved alone.
    """
    here = None if row is None else states.get(row.stream)
    there = states.get(other.stream)
    for state in (there, here if here is not there else None):
        if state is None:
            continue
        found = _hash_at(other, state, position)
        if found is not None and found in {other.hash, row and row.hash}:
            return state
    if row is not None and here is not None:
        found = hash_of(row, here, digest_of(other, here), position=position, version=here.version + 1)
        if found is not None and found == row.hash:
            return here
    return None


def _hash_at(row: EventRow, state: StreamState, position: int) -> bytes | None:
    return hash_of(row, state, digest_of(row, state), position=position, version=state.version + 1)


def _was_moved_up(state: StreamState, row: EventRow, position: int) -> bool:
    """Tell whether the row is whole but for its position: something before it was taken out and the rest renumbered."""
    digest = digest_of(row, state)
    return any(
        row.hash == hash_of(row, state, digest, position=position + step, version=row.version)
        for step in range(1, _TAKEN_OUT)
    )


class _Jumps:
    """Which streams lack versions further on, to say to whom a missing event belonged."""

    def __init__(self, states: Mapping[int, StreamState]) -> None:
        self._states = states
        self._seen: dict[int, int] = {stream: state.version for stream, state in states.items()}
        self._found: set[int] = set()

    def see(self, row: EventRow) -> None:
        """Take in the next row of the rest of the log."""
        before = self._seen.get(row.stream)
        version = number(row.version)
        if before is None or version is None:
            return
        if version > before + 1:
            self._found.add(row.stream)
        self._seen[row.stream] = max(before, version)

    def see_rosters(self, connection: Connection) -> None:
        """Take in how far the roster says each stream goes."""
        for stream, version, _, _ in read_rosters(connection):
            if version > self._seen.get(stream, version):
                self._found.add(stream)

    def only_one(self) -> StreamState | None:
        """Return the one stream that lacks versions; with several, nobody knows which one stood here."""
        return self._states[next(iter(self._found))] if len(self._found) == 1 else None
