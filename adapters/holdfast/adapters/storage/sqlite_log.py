"""The writer's side of SQLite: what a commit writes, what its errors mean, and all checkpoints."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from contextlib import nullcontext, suppress
from itertools import chain as flatten
from time import monotonic
from typing import TYPE_CHECKING, Any

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments.files import FileAttachments, NotKeptError, folder_of
from holdfast.adapters.storage.chain import GENESIS, extend, keyed
from holdfast.adapters.storage.commit import Head, Heads
from holdfast.adapters.storage.sqlite import raw_connection, writer_engine
from holdfast.adapters.storage.statements import MOVE_ROSTER, ROSTERS, chunks, filled, insert_many, upsert_many
from holdfast.domain.errors import StoreFencedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from holdfast.adapters.storage.commit import Batch
    from holdfast.adapters.storage.failures import Failure

_WAL_PAGES = 1024
"""Pages in the write-ahead log after which it is copied into the database: 4 MiB."""

_BALLAST_BYTES = 4 * 1024 * 1024
_BALLAST_RETRY_S = 5.0

_FILE_ERRORS: dict[int, Failure] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
    errno.EACCES: "read-only",
    errno.EPERM: "read-only",
}


class SqliteLog:
    """The one connection that writes. Used by one thread at a time."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._attachments = FileAttachments(folder_of(path))
        self._attachments.discard_parts()
        self._engine = writer_engine(path)
        self.connection: Connection = self._engine.connect()
        self._raw = raw_connection(self.connection)
        self._execute = self._raw.execute
        self._epoch = 0
        self._commits = 0
        self._due = 64
        self._ballast = path.with_name(path.name + ".ballast")
        self._ballast_at = 0.0

    def noticing(self) -> nullcontext[None]:
        """Nothing to notice: a commit here is on the disk, or an error."""
        return nullcontext()

    def read_heads(self) -> Heads:
        """Return the heads; costs four short reads, whatever the log's size, unless the table `store` was dropped."""
        last = self._number("SELECT max(position) FROM events")
        mark = self._number("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        stream = self._number("SELECT max(stream) FROM keys")
        row = self._execute("SELECT position, log_hash FROM store").fetchone()
        log_hash = row[1] if row else self._hash_all()
        return Heads(max(last, mark, row[0] if row else 0), log_hash, stream + 1)

    def take_over(self, heads: Heads, epoch: int) -> Heads:
        """Become the writer: every other one is fenced from here on.

        The heads are read again in the transaction that fences: a writer that was still at work may have moved them.

        Args:
            heads: As they were read before.
            epoch: For a store that has none yet.
        """
        self._execute("BEGIN IMMEDIATE")
        try:
            row = self._execute("SELECT epoch, position FROM store").fetchone()
            self._epoch = row[0] + 1 if row else epoch
            if row and row[1] != heads.position:
                heads = self.read_heads()
            self._execute("DELETE FROM store")
            self._execute("INSERT INTO store VALUES (?, ?, ?)", (self._epoch, heads.position, heads.log_hash))
            self._execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        return heads

    def begin(self) -> None:
        """Take the write lock."""
        self._execute("BEGIN IMMEDIATE")

    def head_of(self, stream: str) -> Head | None:
        """Return the end of a stream as the database knows it."""
        key = self._execute("SELECT stream, kind, salt FROM keys WHERE id = ?", (stream,)).fetchone()
        if key is None:
            return None
        last = self._execute(
            "SELECT version, hash, position FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1", key[:1]
        ).fetchone()
        version, hash_, position = last or (0, GENESIS, 0)
        number, kind, salt = key
        return Head(number, stream, kind, version, hash_, position, keyed(salt or b""))

    def stored(self, stream: int, first: int, last: int) -> list[tuple[int, bytes, int]]:
        """Return (version, event id, position) of these versions, in order."""
        return self._execute(
            "SELECT version, event_id, position FROM events WHERE stream = ? AND version BETWEEN ? AND ?"
            " ORDER BY version",
            (stream, first, last),
        ).fetchall()

    def keeps(self, name: str) -> bool:
        """Tell whether an attachment is there."""
        return self._attachments.keeps(name)

    def write(self, batch: Batch) -> None:
        """Write keys, events, roster rows and the new head, and before that what the events refer to.

        Raises:
            StoreFencedError: Another process has taken the store over.
        """
        cursor = self._execute(
            "UPDATE store SET position = ?, log_hash = ? WHERE epoch = ?",
            (batch.position, batch.log_hash, self._epoch),
        )
        if cursor.rowcount != 1:
            raise _fenced()
        if batch.contents:
            self._attachments.keep(batch.contents)
        if batch.keys:
            self._many(insert_many, schema.keys, batch.keys)
        self._many(insert_many, schema.events, batch.rows)
        self._write_roster(batch)

    def commit(self) -> None:
        """Make it durable."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Undo; an error that SQLite answered with a rollback of its own leaves nothing to undo."""
        if self._raw.in_transaction:
            # A rollback only fails on a connection that is unusable, which its next use reports.
            with suppress(sqlite3.Error):
                self._execute("ROLLBACK")

    @property
    def server(self) -> None:
        """None: a file is not lost, and a commit that fails otherwise than by a full disk stops the store."""
        return

    def check_epoch(self) -> None:
        """Raise if another process has taken the store over."""
        if self._number("SELECT epoch FROM store") != self._epoch:
            raise _fenced()

    def diagnose(self, error: Exception) -> Failure:
        """Say what an error of a commit means for those who wait and for the store."""
        original = getattr(error, "orig", error)
        if isinstance(original, NotKeptError):
            return _FILE_ERRORS.get(original.errno, "broken")
        code = getattr(original, "sqlite_errorcode", None)
        if not isinstance(original, sqlite3.Error) or code is None:
            return "refused" if isinstance(original, (sqlite3.Error, UnicodeError, OverflowError)) else "foreign"
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}:
            return "full"
        match code & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return "busy"
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return "read-only"
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return "damaged"
            case sqlite3.SQLITE_CONSTRAINT | sqlite3.SQLITE_TOOBIG | sqlite3.SQLITE_MISMATCH:
                return "refused"
            case _:
                return "broken"

    def tidy(self) -> None:
        """Copy the write-ahead log into the database once it is long. Called after the acknowledgements."""
        self._commits += 1
        if self._commits < self._due:
            return
        _, pages, _ = self._checkpoint("PASSIVE")
        # SQLite tells the length of its log only here; the pages a commit took so far say when to look again.
        self._due = min(4096, max(1, self._commits * _WAL_PAGES // max(1, pages)))
        self._commits = 0
        self.keep_ballast()

    def keep_ballast(self) -> None:
        """Reserve the space that a checkpoint needs when the disk is full: without it a full disk stays full."""
        if monotonic() - self._ballast_at < _BALLAST_RETRY_S and self._ballast_at:
            return
        self._ballast_at = monotonic()
        # Not having a ballast is no reason not to write; the next try is made in a few seconds.
        with suppress(OSError):
            fd = os.open(self._ballast, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if os.fstat(fd).st_size < _BALLAST_BYTES:
                    _reserve(fd)
            finally:
                os.close(fd)

    def make_room(self) -> None:
        """After a full disk: give up the ballast and empty the write-ahead log into the database."""
        with suppress(OSError, sqlite3.Error):  # what cannot be freed now is tried again at the next error
            os.truncate(self._ballast, 0)
            self._ballast_at = monotonic()
            self._checkpoint("TRUNCATE")

    def close(self) -> None:
        """Empty the write-ahead log and close; readers that still look at it only leave it longer."""
        with suppress(sqlite3.Error):
            self._checkpoint("TRUNCATE")
        self.connection.close()
        self._engine.dispose()

    def abandon(self) -> None:
        """Keep the connection until the process ends: closing it would checkpoint, and so retry a failed write."""
        _abandoned.append(self.connection)

    def _checkpoint(self, mode: str) -> tuple[int, int, int]:
        # TRUNCATE waits for readers; the writer must not.
        self._execute("PRAGMA busy_timeout = 0")
        try:
            busy, pages, copied = self._execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            return busy, pages, copied
        finally:
            self._execute("PRAGMA busy_timeout = 5000")

    def _write_roster(self, batch: Batch) -> None:
        tips, roster = batch.tips, batch.roster
        for kind, rows in batch.roster_rows().items():
            self._many(upsert_many, ROSTERS[kind], rows)
        for name, (head, version, hash_, position) in tips.items():
            if name not in roster and head.kind in ROSTERS:
                self._execute(MOVE_ROSTER[head.kind], (version, hash_, position, head.stream))

    def _many(
        self, build: Callable[[Table, tuple[str, ...], int], str], table: Table, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        names, columns = filled(table, rows)
        start = 0
        for size in chunks(len(rows)):
            some = zip(*(column[start : start + size] for column in columns), strict=True)
            self._execute(build(table, names, size), tuple(flatten.from_iterable(some)))
            start += size

    def _hash_all(self) -> bytes:
        log_hash = GENESIS
        for (event_hash,) in self._execute("SELECT hash FROM events ORDER BY position"):
            log_hash = extend(log_hash, [event_hash])
        return log_hash

    def _number(self, sql: str) -> int:
        row = self._execute(sql).fetchone()
        return (row[0] if row else None) or 0


_abandoned: list[object] = []


def _fenced() -> StoreFencedError:
    return StoreFencedError("another process has taken this store over: this one has stopped writing")


def _reserve(fd: int) -> None:
    try:
        if sys.platform == "linux":
            os.posix_fallocate(fd, 0, _BALLAST_BYTES)
        else:
            os.pwrite(fd, bytes(_BALLAST_BYTES), 0)
    except OSError:
        os.ftruncate(fd, 0)  # a part of it would only be space that nobody gets back
        raise
