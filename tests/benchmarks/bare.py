"""The baseline "bare": what a plain loop over `sqlite3` does with the same columns, hash and roster row.

It has no callers, no threads and no errors to think of, so nothing that has them can be faster by much.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.chain import GENESIS, keyed, link
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us
from tests.benchmarks.material import TEXT, new_session

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.domain.recorded import StreamId

_encode = msgspec.json.Encoder().encode

_READ = (
    "SELECT position, version, event_id, type, schema, recorded_at, occurred_at, cause, actor, device, source,"
    " source_offset, data FROM events WHERE stream = ? ORDER BY version"
)


class BareLog:
    """Two tables, one connection with `synchronous=FULL`, one transaction a group: one event of each session.

    Attributes:
        commits_s: How long each group took, from the first hash to the end of COMMIT.
    """

    def __init__(self, path: Path, sessions: int, row: str) -> None:
        """Make the tables; every event comes with `row` as its session's row of the roster."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        for table in (schema.events, schema.sessions):
            self._connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
            for index in table.indexes:
                self._connection.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
        self._row = row
        self._ids = [new_session() for _ in range(sessions)]
        self._digests = [keyed(secrets.token_bytes(32)) for _ in range(sessions)]
        self._hashes = [GENESIS] * sessions
        self._version = 0
        self._position = 0
        self.commits_s: list[float] = []

    def append_for(self, seconds: float) -> float:
        """Commit groups for some time and return how many events a second that were."""
        written = 0
        begin = now = perf_counter()
        while now - begin < seconds:
            self._commit()
            written += len(self._ids)
            before, now = now, perf_counter()
            self.commits_s.append(now - before)
        return written / (now - begin)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _commit(self) -> None:
        self._version += 1
        events: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        for stream, name in enumerate(self._ids):
            events.append(self._event(stream, name))
            rows.append(
                (stream, name, self._version, self._hashes[stream], self._position, False, 1, now_us(), self._row)
            )
        execute, many = self._connection.execute, self._connection.executemany
        execute("BEGIN IMMEDIATE")
        many(f"INSERT INTO events VALUES ({', '.join('?' * 16)})", events)
        many(
            f"INSERT INTO sessions VALUES ({', '.join('?' * 9)}) ON CONFLICT (stream) DO UPDATE SET"
            " version = excluded.version, hash = excluded.hash, position = excluded.position, ended = excluded.ended,"
            " rank = excluded.rank, updated_at = excluded.updated_at, row = excluded.row",
            rows,
        )
        execute("COMMIT")

    def _event(self, stream: int, name: StreamId) -> tuple[Any, ...]:
        self._position += 1
        data = _encode({"item_id": f"m{self._version // 100}", "text": TEXT})
        event_id, now = new_event_id(), now_us()
        self._hashes[stream] = link(
            self._hashes[stream], self._position, name, self._version, event_id, "text-appended", 1, now,
            None, None, 0, None, None, None, self._digests[stream](data),
        )  # fmt: skip
        return (
            self._position, stream, self._version, event_id, "text-appended", 1, now,
            None, None, 0, None, None, None, data.decode(), None, self._hashes[stream],
        )  # fmt: skip


def read_plainly(path: Path, session: StreamId) -> int:
    """Read one session's events with `sqlite3`, parse each payload with `json`, keep nothing; return their number."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    (stream,) = connection.execute("SELECT stream FROM keys WHERE id = ?", (session,)).fetchone()
    cursor = connection.execute(_READ, (stream,))
    read = 0
    while rows := cursor.fetchmany(2_000):
        for row in rows:
            json.loads(row[12])
        read += len(rows)
    connection.close()
    return read


def list_plainly(path: Path) -> int:
    """Read the roster's rows in their order with `sqlite3`; return their number."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    rows = connection.execute("SELECT row, position FROM sessions ORDER BY rank, updated_at DESC").fetchall()
    connection.close()
    return len(rows)


def scan_plainly(path: Path) -> int:
    """Read every column of every event with `sqlite3`; return their number."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    cursor = connection.execute("SELECT * FROM events ORDER BY position")
    read = 0
    while rows := cursor.fetchmany(1_000):
        read += len(rows)
    connection.close()
    return read
