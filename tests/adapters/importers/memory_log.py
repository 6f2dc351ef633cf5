"""A log in memory at the importers' port, and what a person would see of it."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw
from msgspec.structs import asdict, replace

from holdfast.adapters.importers import Watch, import_sources
from holdfast.domain.projections import transcript
from holdfast.domain.projections.items import Item, apply
from holdfast.domain.projections.roster import Row, row
from holdfast.domain.recorded import EventId, Recorded, StreamId
from holdfast.domain.session.codec import decode, encode
from holdfast.domain.session.facts import Unknown
from holdfast.domain.session.session import Session, fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from holdfast.domain.answers import ImportReport
    from holdfast.domain.ports import Progress
    from holdfast.domain.session.facts import Fact

NOW = 1_800_000_000_000_000


class LogFullError(Exception):
    """The log takes no more."""


class MemoryLog:
    """Keeps every event as the store would: encoded, in one order, each stream without gaps."""

    def __init__(self, *, room: int | None = None) -> None:
        self.events: list[Recorded] = []
        self.appends: list[int] = []
        self.notes: list[str] = []
        self.contents: dict[str, bytes] = {}
        self.room = room
        self.now = NOW
        self.drivers: dict[str, StreamId] = {}
        self.connecting: set[str] = set()
        self.erased: set[str] = set()
        self._ids = count(1)

    def load(self, session_id: StreamId) -> Session:
        return fold(Session(session_id), self.of(session_id))

    def driver(self, session_id: StreamId, agent: str) -> StreamId | None:
        return self.drivers.get(session_id)

    def is_erased(self, session_id: StreamId) -> bool:
        return session_id in self.erased

    def is_connecting(self, agent: str) -> bool:
        return agent in self.connecting

    def recent(self, session_id: StreamId, limit: int) -> Sequence[Recorded]:
        return self.of(session_id)[-limit:]

    def offset(self, session_id: StreamId, source: bytes) -> int:
        sources = (each.source for each in self.of(session_id))
        return max((each.offset for each in sources if each and each.id == source), default=0)

    def history(self, session_id: StreamId) -> Iterator[Recorded]:
        for each in self.of(session_id):
            encoded = encode(each.event)
            yield replace(each, event=Unknown(encoded.tag, encoded.schema, encoded.data.decode()))

    def append(self, session: Session, events: Sequence[Recorded], contents: Mapping[str, bytes] | None = None) -> None:
        self.contents |= contents or {}
        before = self.load(session.id)
        assert [each.originator_version for each in events] == [before.version + 1 + n for n in range(len(events))]
        if self.room is not None and len(self.events) + len(events) > self.room:
            raise LogFullError
        for each in events:
            encoded = encode(each.event)
            fact = decode(encoded.tag, encoded.schema, encoded.data)
            self.events.append(replace(each, event=fact, position=len(self.events) + 1))
        assert row(self.load(session.id)) == row(session)
        self.appends.append(len(events))

    def of(self, session_id: str) -> list[Recorded]:
        return [each for each in self.events if each.originator_id == session_id]

    def take(
        self, *sources: object, environ: Mapping[str, str] | None = None, progress: Progress | None = None
    ) -> ImportReport:
        """Import `sources` into this log."""
        return import_sources(
            [str(each) for each in sources],
            self,
            progress,
            lambda: self.now,
            lambda: EventId(next(self._ids).to_bytes(16)),
            environ=environ or {},
            say=self.notes.append,
        )

    def watch(self, *sources: object, environ: Mapping[str, str] | None = None, begin: bool = True) -> Watch:
        """Watch `sources`, after what is there was imported."""
        watch = Watch(
            [str(each) for each in sources],
            self,
            lambda: self.now,
            lambda: EventId(next(self._ids).to_bytes(16)),
            environ=environ or {},
            say=self.notes.append,
        )
        if begin:
            watch.begin()
        return watch

    @property
    def sessions(self) -> list[str]:
        """The ids of all sessions, in the order in which they began."""
        return list(dict.fromkeys(each.originator_id for each in self.events))

    def row(self, session_id: str | None = None) -> Row:
        """Return the row of a session, of the only one by default."""
        return row(self.load(StreamId(self._one(session_id))))

    def facts(self, session_id: str | None = None) -> list[Fact]:
        """Return what happened in a session, of the only one by default."""
        return [each.event for each in self.of(self._one(session_id))]

    def items(self, session_id: str | None = None) -> list[Item]:
        """Return the transcript of a session, of the only one by default."""
        items: dict[str, Item] = {}
        for each in self.of(self._one(session_id)):
            for change in transcript.project(items, each):
                apply(items, change)
        return [item.settled() for item in sorted(items.values(), key=lambda item: item.ordinal)]

    def dump(self) -> dict[str, object]:
        """Return all that a person sees, without the numbers that tell in how many steps it came about."""
        dumped: dict[str, object] = {}
        for session_id in sorted(self.sessions):
            listed = row(self.load(StreamId(session_id)))
            dumped[session_id] = (listed, self.shown(session_id))
        return dumped

    def shown(self, session_id: str) -> list[dict[str, object]]:
        """Return the items of a session without the numbers that tell in how many steps they came about."""
        return [_plain(item) for item in self.items(session_id)]

    def _one(self, session_id: str | None) -> str:
        if session_id is not None:
            return session_id
        (only,) = self.sessions
        return only


def _plain(item: Item) -> dict[str, object]:
    """Without the names of items that the source gave none: they tell of events and offsets."""
    fields = asdict(item) | {"ordinal": 0, "position": 0}
    if re.fullmatch(r"notice-\d+|[0-9a-f]{16}-\d+", item.id):
        fields["id"] = None
    return {name: bytes(value) if isinstance(value, Raw) else value for name, value in fields.items()}


def imported(path: Path) -> MemoryLog:
    """Return a log into which a file was imported."""
    log = MemoryLog()
    log.take(path)
    return log


def broken_off(path: Path, *, room: int) -> MemoryLog:
    """Return a log that was full after so many events of a file, and has room for the rest now."""
    log = MemoryLog(room=room)
    with pytest.raises(LogFullError):
        log.take(path)
    log.room = None
    return log
