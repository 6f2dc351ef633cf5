"""Defects on purpose: each is one that somebody made once, and a check that does not catch it proves nothing."""

# A defect replaces what is private, and takes whatever its arguments are.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from holdfast.adapters import durable
from holdfast.adapters.storage import commit, compact, lock, schema, sqlite, sqlite_log, writer
from holdfast.adapters.storage.attachments import files
from holdfast.adapters.storage.reading import Feed
from holdfast.bootstrap.daemon import presence
from holdfast.domain.errors import StoreUnavailableError
from holdfast.domain.session import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from sqlalchemy import Connection

    from holdfast.adapters.storage.commit import Batch
    from holdfast.adapters.storage.failures import Failure
    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.sqlite_log import SqliteLog
    from holdfast.adapters.storage.store import Store
    from holdfast.domain.compaction import Merged
    from holdfast.domain.recorded import Actor, Recorded, StreamId
    from holdfast.domain.session.upcasters import Payload

    Replace = Callable[[object, str, object], None]


def apply_mutant(name: str | None) -> None:
    """Put a defect into this process for good; None leaves it sound."""
    if name is not None:
        MUTANTS[name](setattr)


@contextmanager
def mutated(name: str) -> Generator[None]:
    """Put a defect into this process for a while."""
    before: list[tuple[object, str, object]] = []

    def replace(place: object, attribute: str, value: object) -> None:
        before.append((place, attribute, getattr(place, attribute)))
        setattr(place, attribute, value)

    MUTANTS[name](replace)
    try:
        yield
    finally:
        for place, attribute, value in reversed(before):
            setattr(place, attribute, value)


def _ack_before_commit(replace: Replace) -> None:
    """Groups are acknowledged at once and committed eight at a time."""
    begin, commit_, work = sqlite_log.SqliteLog.begin, sqlite_log.SqliteLog.commit, writer.Writer._work
    groups = 0

    def lazy_begin(self: SqliteLog) -> None:
        if not self._raw.in_transaction:
            begin(self)

    def lazy_commit(self: SqliteLog) -> None:
        nonlocal groups
        groups += 1
        if groups % 8 == 0:
            commit_(self)

    def commit_before_work(self: writer.Writer, job: Any) -> None:
        assert isinstance(self._log, sqlite_log.SqliteLog)
        if self._log._raw.in_transaction:
            commit_(self._log)
        work(self, job)

    replace(writer.Writer, "_work", commit_before_work)
    replace(sqlite_log.SqliteLog, "begin", lazy_begin)
    replace(sqlite_log.SqliteLog, "commit", lazy_commit)


def _no_fsync(replace: Replace) -> None:
    """`synchronous=NORMAL`: a commit in the write-ahead log is not synced."""
    assert_ = sqlite.assert_setting

    def careless(connection: Any, name: str, value: str, expected: Any) -> None:
        if name == "synchronous":
            connection.execute("PRAGMA synchronous = NORMAL")
        else:
            assert_(connection, name, value, expected)

    replace(sqlite, "assert_setting", careless)


def _lossy_fan_out(replace: Replace) -> None:
    """A reader that cannot take all that has come gets half of it and goes on after the whole."""
    read = Feed.read

    def lossy(self: Feed, connection: Connection, until: int | None = None) -> tuple[list[Recorded], bool]:
        events, at_end = read(self, connection, until)
        return events[: (len(events) + 1) // 2], at_end

    replace(Feed, "read", lossy)


def _no_lock(replace: Replace) -> None:
    """Nobody asks whether another process writes, or keeps the same home."""

    def trust(_place: object, *_: object, **__: object) -> None:
        """Take no lock."""

    replace(lock.StoreLock, "acquire", trust)
    replace(presence, "_lock", trust)


def _no_epoch(replace: Replace) -> None:
    """Nor does the store itself tell who may write: whoever does not know that it was taken over writes on."""
    _no_lock(replace)
    write = sqlite_log.SqliteLog.write

    def careless(self: SqliteLog, batch: Batch) -> None:
        self._epoch = self._number("SELECT epoch FROM store")
        write(self, batch)

    replace(sqlite_log.SqliteLog, "write", careless)


def _roster_later(replace: Replace) -> None:
    """The roster row is written after the commit of its events, in a transaction of its own."""
    write_roster, commit_ = sqlite_log.SqliteLog._write_roster, sqlite_log.SqliteLog.commit
    waiting: list[Batch] = []

    def commit_then_roster(self: SqliteLog) -> None:
        commit_(self)
        while waiting:
            self.begin()
            write_roster(self, waiting.pop())
            commit_(self)

    def put_off(_self: SqliteLog, batch: Batch) -> None:
        waiting.append(batch)

    replace(sqlite_log.SqliteLog, "_write_roster", put_off)
    replace(sqlite_log.SqliteLog, "commit", commit_then_roster)


def _positions_move_early(replace: Replace) -> None:
    """The counter of positions moves although the transaction was rolled back."""

    def hasty(connection: Any, heads: Any, requests: Any) -> Any:
        try:
            return commit.commit(connection, heads, requests)
        except BaseException:
            heads.position += 1
            raise

    replace(writer, "commit", hasty)


def _error_ignored(replace: Replace) -> None:
    """A commit that the disk refused is acknowledged all the same."""
    commit_ = sqlite_log.SqliteLog.commit

    def careless(self: SqliteLog) -> None:
        try:
            commit_(self)
        except sqlite3.OperationalError:
            self.rollback()

    replace(sqlite_log.SqliteLog, "commit", careless)


def _full_stops(replace: Replace) -> None:
    """A full disk is taken for a broken one."""
    diagnose = sqlite_log.SqliteLog.diagnose

    def despair(self: SqliteLog, error: Exception) -> Failure:
        found = diagnose(self, error)
        return "broken" if found == "full" else found

    replace(sqlite_log.SqliteLog, "diagnose", despair)


def _migration_in_pieces(replace: Replace) -> None:
    """Each statement of a migration commits by itself, as SQLite does where nobody says BEGIN."""

    def begin_nothing(_connection: object) -> None:
        """Send nothing."""

    replace(sqlite, "_begin_immediate", begin_nothing)


def _no_upcasting(replace: Replace) -> None:
    """Old payloads are read as if they were written today."""

    def as_it_is(payload: Payload) -> Payload:
        return payload

    replace(codec, "UPCASTERS", {("session-created", 1): as_it_is})


def _duplicates_again(replace: Replace) -> None:
    """An append that was written before is refused as a conflict."""

    def forget(*_: object) -> None:
        """Find nothing."""

    replace(commit, "locate", forget)


def _lost_is_failed(replace: Replace) -> None:
    """A commit whose reply was lost counts as one that did not happen, and nobody asks the log."""
    resolve = writer.Writer._resolve

    def presume(self: writer.Writer, server: Any, requests: Any, error: Exception, attempt: int) -> None:
        resolve(self, server, [], error, attempt)
        self._settle_all(requests, StoreUnavailableError("the connection was lost"))

    replace(writer.Writer, "_resolve", presume)


def _digests_first(replace: Replace) -> None:
    """Payloads give way to digests in a transaction before the one in which an event stands for them."""
    write = compact._write

    def hasty(store: Store, name: StreamId, number: int, merged: Sequence[Merged], actor: Actor) -> tuple[int, int]:
        events = schema.events.c
        chosen = events.stream == number, events.version.in_([each for one in merged for each in one.versions])

        def take(transaction: WriteTransaction) -> list[tuple[int, str]]:
            rows = transaction.connection.execute(select(events.position, events.data).where(*chosen)).all()
            digests = update(schema.events).where(*chosen).values(data=None, digest=bytes(32))
            transaction.connection.execute(digests)
            return [(position, data) for position, data in rows]

        def put(transaction: WriteTransaction) -> None:
            for position, data in taken:
                back = update(schema.events).where(events.position == position).values(data=data, digest=None)
                transaction.connection.execute(back)

        taken = store.write(take)
        store.write(put)
        return write(store, name, number, merged, actor)

    replace(compact, "_write", hasty)


def _attachment_later(replace: Replace) -> None:
    """What an event refers to is written once the event is committed."""
    keep, commit_ = files.FileAttachments.keep, sqlite_log.SqliteLog.commit
    waiting: list[tuple[files.FileAttachments, dict[str, bytes]]] = []

    def put_off(self: files.FileAttachments, contents: dict[str, bytes]) -> None:
        waiting.append((self, contents))

    def commit_then_keep(self: SqliteLog) -> None:
        commit_(self)
        while waiting:
            keep(*waiting.pop())

    replace(files.FileAttachments, "keep", put_off)
    replace(sqlite_log.SqliteLog, "commit", commit_then_keep)


def _attachment_unsynced(replace: Replace) -> None:
    """What an event refers to is written in time, and nobody waits until the disk has it."""

    def trust(_fd: int) -> None:
        """Wait for nothing."""

    replace(durable, "sync", trust)


MUTANTS: dict[str, Callable[[Replace], None]] = {
    "ack-before-commit": _ack_before_commit,
    "synchronous-normal": _no_fsync,
    "lossy-fan-out": _lossy_fan_out,
    "no-lock": _no_lock,
    "no-epoch": _no_epoch,
    "roster-later": _roster_later,
    "positions-move-early": _positions_move_early,
    "error-ignored": _error_ignored,
    "full-stops": _full_stops,
    "migration-in-pieces": _migration_in_pieces,
    "lost-is-failed": _lost_is_failed,
    "no-upcasting": _no_upcasting,
    "duplicates-again": _duplicates_again,
    "digests-first": _digests_first,
    "attachment-later": _attachment_later,
    "attachment-unsynced": _attachment_unsynced,
}
