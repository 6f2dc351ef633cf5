"""The baseline "stock": `eventsourcing` as it ships, its recorder and its JSON transcoder, a thread a session."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import DatetimeAsISO, EventStore, JSONTranscoder, Mapper, UUIDAsHex
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from tests.benchmarks.material import TEXT
from tests.support.postgres import USER

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self
    from uuid import UUID

    from eventsourcing.persistence import ApplicationRecorder

_CONNECTIONS = 64
"""At the most: appends wait for one another inside the database anyway."""


@dataclass(frozen=True)
class TextAppended(DomainEvent):
    """The same piece of text, as an event of the library."""

    item_id: str
    text: str


class StockLog:
    """One event store of the library."""

    def __init__(self, datastore: SQLiteDatastore | PostgresDatastore, recorder: ApplicationRecorder) -> None:
        """Use `on_sqlite` or `on_postgres`."""
        self._datastore = datastore
        transcoder = JSONTranscoder()
        transcoder.register(DatetimeAsISO())
        transcoder.register(UUIDAsHex())
        self._store: EventStore[UUID] = EventStore(Mapper(transcoder), recorder)

    @classmethod
    def on_sqlite(cls, path: Path, sessions: int) -> Self:
        """Make one in a new file."""
        datastore = SQLiteDatastore(str(path), pool_size=min(sessions, _CONNECTIONS), pool_timeout=60)
        recorder = SQLiteApplicationRecorder(datastore)
        recorder.create_table()
        return cls(datastore, recorder)

    @classmethod
    def on_postgres(cls, folder: Path, database: str, sessions: int) -> Self:
        """Make one in an empty database of the server whose socket lies in `folder`."""
        datastore = PostgresDatastore(database, str(folder), "5432", USER, "", pool_size=min(sessions, _CONNECTIONS))
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()
        return cls(datastore, recorder)

    def append_for(self, seconds: float, sessions: int) -> float:
        """Let every session append one event after the other; return how many a second that were."""
        begin = perf_counter()
        end = begin + seconds

        def session(_: int) -> int:
            name = uuid.uuid4()
            version = 0
            while perf_counter() < end:
                version += 1
                self._store.put([_piece(name, version)])
            return version

        with ThreadPoolExecutor(sessions) as threads:
            written = sum(threads.map(session, range(sessions)))
        return written / (perf_counter() - begin)

    def talk(self, name: UUID, events: int) -> None:
        """Append so many events of one session, a thousand at a time."""
        for start in range(0, events, 1_000):
            versions = range(start + 1, min(start + 1_000, events) + 1)
            self._store.put([_piece(name, version) for version in versions])

    def read(self, name: UUID) -> int:
        """Read and decode one session's events, keep nothing; return their number."""
        return sum(1 for _ in self._store.get(name))

    def close(self) -> None:
        """Close every connection."""
        self._datastore.close()


def _piece(name: UUID, version: int) -> TextAppended:
    return TextAppended(name, version, TextAppended.create_timestamp(), f"m{version // 100}", TEXT)
