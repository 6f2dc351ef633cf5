"""The writer's side of PostgreSQL: the lock, what a commit writes, and coming back after a lost connection."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, cast

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.chain import GENESIS, extend, keyed
from holdfast.adapters.storage.commit import Head, Heads
from holdfast.adapters.storage.statements import MOVE_ROSTER, ROSTERS
from holdfast.domain.errors import LogRegressedError, StoreBusyError, StoreFencedError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.errors import Diagnostic
    from sqlalchemy import Connection, Engine

    from holdfast.adapters.storage.commit import Batch
    from holdfast.adapters.storage.failures import Failure
    from holdfast.adapters.storage.jobs import Server

RECONNECT_S: Final = 10.0
_POLL_S: Final = 0.05
_LOCK_CLASS: Final = 0x484F4C44
_WARNING: Final = "01000"
"""What PostgreSQL says with a commit that is safe here alone, and then calls done."""

_TYPES: Final = (
    "int8", "int4", "int4", "bytea", "text", "int2", "int8", "int8", "text", "int2", "text", "bytea", "int8", "text",
    "bytea", "bytea",
)  # fmt: skip
_COPY: Final = f"COPY events ({', '.join(schema.COLUMNS)}) FROM STDIN (FORMAT BINARY)"
"""Binary COPY takes a third of the time of a multi-row INSERT and half that of arrays through unnest."""

_HOLDER: Final = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = hashtext(current_schema())::oid
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def is_lost(error: BaseException) -> bool:
    """Tell whether an error means that the server or the way to it is gone."""
    if isinstance(error, (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow)):
        return True
    state = getattr(error, "sqlstate", None)
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) and (
        state is None or state.startswith("08") or state == "57P05"
    )


def _upsert(kind: str) -> bytes:
    table = ROSTERS[kind]
    names = [column.name for column in table.columns]
    types = {"stream": "int4", "version": "int4", "hash": "bytea", "position": "int8", "ended": "bool", "rank": "int2"}
    types["updated_at"] = "int8"
    arrays = ", ".join(f"%b::{types.get(name, 'text')}[]" for name in names)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in {"stream", "id"})
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({arrays}) "  # noqa: S608 - our own tables
        f"ON CONFLICT (stream) DO UPDATE SET {changes}"
    ).encode()


_KEEP: Final = """
INSERT INTO attachments (sha256, size, content) VALUES (%b, %s, %b)
ON CONFLICT (sha256) DO UPDATE SET size = excluded.size, content = excluded.content
  WHERE attachments.content <> excluded.content
"""
"""One that is there stays as it is, unless it is not what its name says any more."""

_UPSERT: Final = {kind: _upsert(kind) for kind in ROSTERS}
_MOVE: Final = {kind: sql.replace("?", "%s").encode() for kind, sql in MOVE_ROSTER.items()}


class PostgresLog:
    """The one connection that writes. Used by one thread at a time."""

    def __init__(self, engine: Engine, label: str, wait_s: float) -> None:
        """Connect and take the advisory lock, waiting up to `wait_s` for who holds it.

        Raises:
            StoreBusyError: Somebody still holds it.
        """
        self._engine = engine
        self._label = label
        self._epoch = 0
        self.in_doubt = False
        self.connection: Connection = engine.connect()
        self._raw = _raw(self.connection)
        try:
            self._lock(wait_s)
        except BaseException:
            self.close()
            raise

    def read_heads(self) -> Heads:
        """Return the heads; costs three short reads, whatever the log's size, unless the table `store` was dropped."""
        heads = self._heads()
        self._raw.rollback()
        return heads

    def _heads(self) -> Heads:
        last = self._value("SELECT max(position) FROM events") or 0
        stream = self._value("SELECT max(stream) FROM keys") or 0
        row = self._raw.execute("SELECT position, log_hash FROM store").fetchone()
        log_hash = row[1] if row else self._hash_all()
        return Heads(max(last, row[0] if row else 0), log_hash, stream + 1)

    def take_over(self, heads: Heads, epoch: int) -> Heads:
        """Become the writer: every other one is fenced from here on.

        The heads are read again in the transaction that fences: a writer that was still at work may have moved them.

        Args:
            heads: As they were read before.
            epoch: For a store that has none yet.
        """
        row = self._raw.execute("SELECT epoch, position FROM store FOR UPDATE").fetchone()
        self._epoch = row[0] + 1 if row else epoch
        if row and row[1] != heads.position:
            heads = self._heads()
        self._raw.execute("DELETE FROM store")
        self._raw.execute("INSERT INTO store VALUES (%s, %s, %s)", (self._epoch, heads.position, heads.log_hash))
        self._raw.commit()
        return heads

    def begin(self) -> None:
        """Nothing to send: the first statement begins, and the row of `store` serialises."""
        self.in_doubt = False

    def head_of(self, stream: str) -> Head | None:
        """Return the end of a stream as the database knows it."""
        key = self._raw.execute("SELECT stream, kind, salt FROM keys WHERE id = %s", (stream,)).fetchone()
        if key is None:
            return None
        number, kind, salt = key
        last = self._raw.execute(
            "SELECT version, hash, position FROM events WHERE stream = %s ORDER BY version DESC LIMIT 1", (number,)
        ).fetchone()
        version, hash_, position = last or (0, GENESIS, 0)
        return Head(number, stream, kind, version, hash_, position, keyed(salt or b""))

    def stored(self, stream: int, first: int, last: int) -> list[tuple[int, bytes, int]]:
        """Return (version, event id, position) of these versions, in order."""
        return self._raw.execute(
            "SELECT version, event_id, position FROM events WHERE stream = %s AND version BETWEEN %s AND %s"
            " ORDER BY version",
            (stream, first, last),
        ).fetchall()

    def keeps(self, name: str) -> bool:
        """Tell whether an attachment is there."""
        return self._value("SELECT 1 FROM attachments WHERE sha256 = %s", (bytes.fromhex(name),)) is not None

    def write(self, batch: Batch) -> None:
        """Write the new head, keys, roster rows, attachments and events: one round trip, and one for the COPY.

        The update of the one row of `store` comes first: it compares the epoch, and until this transaction ends no
        other one gets past it, so that positions become visible in their order.

        Raises:
            StoreFencedError: Another process has taken the store over.
        """
        with self._raw.cursor() as cursor, self._raw.cursor() as fence:
            with self._raw.pipeline():
                fence.execute(
                    "UPDATE store SET position = %s, log_hash = %s WHERE epoch = %s",
                    (batch.position, batch.log_hash, self._epoch),
                )
                if batch.keys:
                    cursor.executemany("INSERT INTO keys (stream, kind, id, salt) VALUES (%s, %s, %s, %b)", batch.keys)
                self._write_roster(cursor, batch)
                for name, content in batch.contents.items():
                    cursor.execute(_KEEP, (bytes.fromhex(name), len(content), content))
                cursor.execute("SELECT pg_notify('holdfast', %s)", (str(batch.position),))
            if fence.rowcount != 1:
                raise _fenced()
            with cursor.copy(_COPY.encode()) as copy:
                copy.set_types(_TYPES)
                for row in batch.rows:
                    copy.write_row(row)

    def commit(self) -> None:
        """Make it durable.

        Raises:
            OperationalError: Somebody cancelled the wait for a synchronous standby: whether that has it is not known.
        """
        self.in_doubt = True
        self._commit()
        self.in_doubt = False

    def rollback(self) -> None:
        """Undo, as far as there is still a connection."""
        with suppress(psycopg.Error):  # a connection that is gone has undone it already
            self._raw.rollback()

    def diagnose(self, error: Exception) -> Failure:
        """Say what an error of a commit means for those who wait and for the store."""
        original = getattr(error, "orig", None) or error
        if not isinstance(original, psycopg.Error):
            return "refused" if isinstance(original, (UnicodeError, OverflowError)) else "foreign"
        if self._raw.closed or self._raw.broken or is_lost(original):
            return "lost"
        match original:
            case errors.DiskFull() | errors.OutOfMemory():
                return "full"
            case errors.ReadOnlySqlTransaction() | errors.InsufficientPrivilege():
                return "read-only"
            case errors.LockNotAvailable() | errors.QueryCanceled() | errors.DeadlockDetected():
                return "busy"
            case errors.DataCorrupted() | errors.IndexCorrupted():
                return "damaged"
            case psycopg.IntegrityError() | psycopg.DataError():
                return "refused"
            case _:
                return "broken"

    @property
    def server(self) -> Server:
        """This connection itself: what it leads to may go, and come back."""
        return self

    def check_epoch(self) -> None:
        """Raise if another process has taken the store over; until the transaction ends none can."""
        if self._value("SELECT epoch FROM store FOR UPDATE") != self._epoch:
            raise _fenced()

    def reconnect(self, heads: Heads) -> None:
        """Connect anew, take the lock again, see that nobody wrote in between, and read the heads.

        A commit comes before that: it waits for a synchronous standby, and so for everything that stands in the log
        already. A primary that crashed while a commit waited shows it afterwards, whether the standby has it or not.

        Raises:
            StoreFencedError: Another process has taken the store over.
            LogRegressedError: The server, one that took the place of the other, lacks what was committed.
            StoreUnavailableError: The server did not answer in time.
        """
        deadline = monotonic() + RECONNECT_S
        while True:
            with suppress(Exception):  # whatever is left of it, it is of no use any more
                self.connection.invalidate()
                self.connection.close()
            try:
                self.connection = self._engine.connect()
                self._raw = _raw(self.connection)
                # The server may take a moment to notice that the old connection is gone, and with it the old lock.
                self._lock(max(0.0, deadline - monotonic()))
                fence = self._raw.execute("UPDATE store SET epoch = epoch WHERE epoch = %s", (self._epoch,))
                if fence.rowcount != 1:
                    raise _fenced()
                self._commit()
                fresh = self.read_heads()
            except (DBAPIError, psycopg.Error) as error:
                if monotonic() >= deadline:
                    msg = f"the database server of {self._label} cannot be reached: nothing is written until it is back"
                    raise StoreUnavailableError(msg) from error
                sleep(_POLL_S)
            except StoreBusyError as error:
                raise _fenced() from error
            else:
                if fresh.position < heads.position:
                    raise self._regressed(fresh.position, heads.position)
                heads.become(fresh)
                return

    def _regressed(self, found: int, committed: int) -> LogRegressedError:
        return LogRegressedError(
            f"the log of {self._label} has gone backwards: it ends at {found}, and {committed} was acknowledged. A "
            "standby that lacks the last commits has taken over; nothing more is written"
        )

    def tidy(self) -> None:
        """Nothing to do: the server keeps its own house."""

    def make_room(self) -> None:
        """Nothing to do: the disk is the server's."""

    def close(self) -> None:
        """Give the lock back with the connection."""
        with suppress(psycopg.Error, DBAPIError):  # it may be gone already
            if self._raw.broken:
                self.connection.invalidate()
            self.connection.close()
        self._engine.dispose()

    def abandon(self) -> None:
        """Drop the connection."""
        self.close()

    @contextmanager
    def noticing(self) -> Generator[None]:
        """Do what commits within; raise where the server only warns that the commit is safe on it alone.

        Raises:
            OperationalError: Somebody cancelled the wait for a synchronous standby: whether that has it is not known.
        """
        warned: list[str | None] = []

        def warn(notice: Diagnostic) -> None:
            warned.append(notice.sqlstate)

        self._raw.add_notice_handler(warn)
        try:
            yield
        finally:
            self._raw.remove_notice_handler(warn)
        if _WARNING in warned:
            msg = "the server gave up waiting for its standby"
            raise psycopg.OperationalError(msg)

    def _commit(self) -> None:
        with self.noticing():
            self._raw.commit()

    def _lock(self, wait_s: float) -> None:
        deadline = monotonic() + wait_s
        while not self._value("SELECT pg_try_advisory_lock(%s, hashtext(current_schema()))", (_LOCK_CLASS,)):
            # Waiting inside the server could not be ended; looking again is all there is.
            if monotonic() >= deadline:
                holder = self._value(_HOLDER, (_LOCK_CLASS,))
                self._raw.rollback()
                msg = f"the store {self._label} is in use by {holder or 'another process'}: stop that one first"
                raise StoreBusyError(msg)
            self._raw.rollback()
            sleep(_POLL_S)
        self._raw.commit()

    def _write_roster(self, cursor: psycopg.Cursor[Any], batch: Batch) -> None:
        tips, roster = batch.tips, batch.roster
        for shown, columns in batch.roster_rows().items():
            cursor.execute(_UPSERT[shown], [list(column) for column in zip(*columns, strict=True)])
        moved = {
            kind: [
                (version, hash_, position, head.stream)
                for name, (head, version, hash_, position) in tips.items()
                if head.kind == kind and name not in roster
            ]
            for kind in ROSTERS
        }
        for kind, rows in moved.items():
            if rows:
                cursor.executemany(_MOVE[kind], rows)

    def _hash_all(self) -> bytes:
        log_hash = GENESIS
        with self._raw.cursor("holdfast_hashes") as cursor:
            for (event_hash,) in cursor.execute("SELECT hash FROM events ORDER BY position"):
                log_hash = extend(log_hash, [event_hash])
        return log_hash

    def _value(self, sql: str, parameters: tuple[object, ...] = ()) -> Any:
        row = self._raw.execute(sql.encode(), parameters).fetchone()
        return row[0] if row else None


def _raw(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    return cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)


def _fenced() -> StoreFencedError:
    return StoreFencedError("another process has taken this store over: this one has stopped writing")
