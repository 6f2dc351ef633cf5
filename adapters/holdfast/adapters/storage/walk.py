"""One pass over the log in position order, in one state a stream of memory, up to the first bad place."""

from __future__ import annotations

from collections import deque
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import column, inspect, select, table, text

from holdfast.adapters.storage.attachments.checking import First, Uses
from holdfast.adapters.storage.chain import GENESIS, HASH_BYTES, link
from holdfast.adapters.storage.covered import covered
from holdfast.adapters.storage.diagnosis import Bad, diagnose
from holdfast.adapters.storage.log_rows import (
    EVENT_ID_BYTES,
    MALFORMED,
    EventRow,
    read_events,
    read_rosters,
    read_states,
)
from holdfast.domain.attachments import KEY
from holdfast.domain.errors import StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from holdfast.adapters.storage.log_rows import RawRow, StreamState
    from holdfast.adapters.storage.witness import Witness

_MARK = f'{{"{KEY}":"'
_STORE = table("store", column("position"), column("log_hash"))


class Walk:
    """One pass over the log in position order, up to the first bad place."""

    def __init__(
        self, connection: Connection, witnesses: list[Witness], last: int, progress: Callable[[int, int], None]
    ) -> None:
        self.checked = 0
        self._connection = connection
        self._states = read_states(connection)
        self._last = last
        self._progress = progress
        self._log_hash = GENESIS
        self._witnesses = deque(witness for witness in witnesses if witness.position)
        self._watched = self._witnesses[0].position if self._witnesses else 0
        self._agreed = 0
        self.uses = Uses()
        self._stray: EventRow | None = None
        self._emptied: dict[int, int] = {}
        self._erasures: set[int] = set()
        self._covered: dict[int, bytearray] = {}

    @property
    def erased(self) -> int:
        """How many sessions were erased."""
        return len(self._erasures)

    def run(self) -> Bad | None:
        """Follow every chain and the log hash; return where the first one breaks."""
        try:
            for part in read_events(self._connection):
                found = self._follow(part)
                if found is not None:
                    return found
                self._progress(self.checked, self._last)
        except StoreDamagedError as error:
            return Bad(self.checked + 1, None, None, "tampered", f"the database cannot be read here: {error}")
        if self._stray is None:
            return None
        bad = diagnose(self._connection, self._states, self.checked + 1, None, "")
        if bad.reason == "reordered":
            return bad
        return Bad(self._stray.position, None, None, "tampered", "an event stands where none can be")

    def _follow(self, part: Sequence[RawRow]) -> Bad | None:
        """Follow one part; its length is inlined code, because every event of the log passes here."""
        states, checked, log_hash, watched = self._states, self.checked, self._log_hash, self._watched
        for row in part:
            (
                position, stream, version, event_id, tag, schema, recorded_at, occurred_at, cause, actor, device,
                source, source_offset, data, digest, stored,
            ) = row  # fmt: skip
            if position != checked + 1:
                if position < 1:
                    self._stray = EventRow._make(row)
                    continue
                self.checked = checked
                return diagnose(self._connection, states, checked + 1, None, "no event stands here")
            found = "its hash does not follow from what stands here"
            try:
                state = states[stream]
                if data is not None and digest is None:
                    digest = state.digest(data.encode())
                    if _MARK in data:
                        self.uses.see(data, First(position, state.id, version))
                elif data is not None or digest is None or (state.has_salt and not self._is_covered(stream, version)):
                    digest = b""
                    found = "its content was taken away"
                elif not state.has_salt:
                    self._emptied.setdefault(stream, position)
                if (
                    (version != state.version + 1 and (version or state.position))
                    or len(event_id) != EVENT_ID_BYTES
                    or len(digest) != HASH_BYTES
                    or stored != link(
                        state.hash, position, state.id, version, event_id, tag, schema, recorded_at, occurred_at,
                        cause, actor, device, source, source_offset, digest,
                    )
                ):  # fmt: skip
                    self.checked = checked
                    return diagnose(self._connection, states, position, EventRow._make(row), found)
            except MALFORMED:
                self.checked = checked
                return diagnose(self._connection, states, position, EventRow._make(row), found)
            if tag == "session-erased":
                self._erasures.add(stream)
            state.version = version
            state.hash = stored
            state.position = checked = position
            log_hash = sha256(log_hash + stored).digest()
            if position == watched:
                self.checked, self._log_hash = checked, log_hash
                rewritten = self._compare(stored)
                if rewritten is not None:
                    return rewritten
                watched = self._watched
        self.checked, self._log_hash = checked, log_hash
        return None

    def _is_covered(self, stream: int, version: int) -> bool:
        """Tell whether an event of a compaction stands for a payload that is missing. Read once a stream."""
        found = self._covered.get(stream)
        if found is None:
            found = self._covered[stream] = covered(self._connection, stream, self._states[stream].digest)
        return 0 < version < len(found) and found[version] == 1

    def _compare(self, stored: bytes) -> Bad | None:
        """Compare the log so far with every witness of this position."""
        while self._witnesses and self._witnesses[0].position == self.checked:
            witness = self._witnesses.popleft()
            if witness.hash != stored or witness.log_hash != self._log_hash:
                detail = f"between here and position {self.checked} the log is not the one that its witness saw"
                return Bad(self._agreed + 1, None, None, "tampered", detail)
        self._agreed = self.checked
        self._watched = self._witnesses[0].position if self._witnesses else 0
        return None

    def beyond_the_end(self) -> Bad | None:
        """Compare where the chains ended with what the database itself remembers of their ends."""
        ends = {stream: state for stream, state in self._states.items() if state.position}
        found: list[Bad] = []
        for stream, version, event_hash, position in read_rosters(self._connection):
            state = ends.get(stream)
            if state is None or position > self.checked:
                found.append(_lost(self.checked + 1, self._states.get(stream), "the roster knows a later event"))
            elif (version, event_hash, position) != (state.version, state.hash, state.position):
                detail = "the roster knows another end of this session"
                found.append(Bad(state.position, state.id, state.version, "tampered", detail))
        for mark, log_hash in _marks(self._connection):
            if mark > self.checked:
                found.append(Bad(self.checked + 1, None, None, "missing", "the log was once longer"))
            elif mark == self.checked and log_hash not in {None, self._log_hash}:
                detail = "from here on the log is not the one whose log hash the database keeps"
                found.append(Bad(self._agreed + 1, None, None, "tampered", detail))
        if not found:
            # Only if nothing is missing: the record of the erasure may be what was taken off the end.
            detail = "the content of its session was taken away, and no erasure is on record"
            found = [
                Bad(position, self._states[stream].id, None, "tampered", detail)
                for stream, position in self._emptied.items()
                if stream not in self._erasures
            ]
        return min(found, key=_by_position, default=None)


def _by_position(bad: Bad) -> tuple[int, bool]:
    return bad.position, bad.session_id is None


def _lost(position: int, state: StreamState | None, detail: str) -> Bad:
    if state is None:
        return Bad(position, None, None, "missing", detail)
    return Bad(position, state.id, state.version + 1, "missing", detail)


def _marks(connection: Connection) -> Iterator[tuple[int, bytes | None]]:
    """Yield what the database remembers of its end, with the log hash there if it knows that too.

    Both only ever grow, and so give away an event that was taken off the end. Either may have been dropped.
    """
    if inspect(connection).has_table("store"):
        yield from (tuple(row) for row in connection.execute(select(_STORE)))
    if connection.dialect.name == "sqlite":
        yield connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'events'")) or 0, None
