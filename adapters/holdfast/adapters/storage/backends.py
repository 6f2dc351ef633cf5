"""What a dialect has to offer to a store, and SQLite's answer to it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, ClassVar, Protocol

import anyio
from sqlalchemy.exc import DBAPIError

from holdfast.adapters.storage.attachments.files import FileAttachments, folder_of
from holdfast.adapters.storage.failures import lost_view
from holdfast.adapters.storage.lock import StoreLock
from holdfast.adapters.storage.migrate import migrate, restore_missing
from holdfast.adapters.storage.schema import SCHEMA_VERSION
from holdfast.adapters.storage.sqlite import (
    ReaderFiles,
    check_revision,
    check_version,
    create_file,
    create_folder,
    inspect_file,
    make_private,
    raw_connection,
    reader_engine,
    revision_of,
    unreadable,
)
from holdfast.adapters.storage.sqlite_log import SqliteLog
from holdfast.domain.errors import (
    NotFoundError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreReadOnlyError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.adapters.storage.jobs import Log
    from holdfast.adapters.storage.settings import StoreSettings
    from holdfast.adapters.storage.subscription import Bell

_POLL_S = 0.05
_POLL_CAP_S = 0.25


class Backend(Protocol):
    """One place where a store lies, not yet open.

    Attributes:
        driver_errors: What its driver raises; `translate` understands it.
    """

    driver_errors: ClassVar[tuple[type[Exception], ...]]

    @property
    def reader(self) -> Engine:
        """The pool of reading connections; a transaction on them is one snapshot."""
        ...

    @property
    def attachments(self) -> Attachments:
        """What events refer to."""
        ...

    def exists(self) -> bool:
        """Tell whether anything lies there. Refuses what is not a store of ours, without a write."""
        ...

    def open_reading(self) -> None:
        """Make `reader` usable. Creates nothing."""

    def open_writing(self) -> Log:
        """Become the one writer; make or migrate what is missing. `reader` is usable afterwards."""
        ...

    def translate(self, error: Exception) -> StoreError:
        """Return our error for one of the driver."""
        ...

    def bell(self) -> Bell:
        """Return how to hear of commits of another process."""
        ...

    def close(self) -> None:
        """Close the readers, and give up being the writer."""


def missing(label: str) -> NotFoundError:
    """Return the error for a place where no store lies."""
    return NotFoundError(f"there is no store at {label}: import or start something first")


class SqliteBackend:
    """A store in one file."""

    driver_errors: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error, DBAPIError)

    def __init__(self, settings: StoreSettings) -> None:
        assert settings.path is not None
        self._settings = settings
        self._path: Path = settings.path
        self.attachments: Attachments = FileAttachments(folder_of(settings.path))
        self._lock: StoreLock | None = None
        self._files: ReaderFiles | None = None
        self._reader: Engine | None = None

    @property
    def reader(self) -> Engine:
        """The pool of reading connections."""
        assert self._reader is not None
        return self._reader

    def exists(self) -> bool:
        """Tell whether a store lies there."""
        return inspect_file(self._path) == "store"

    def open_reading(self) -> None:
        """Make `reader` usable.

        Raises:
            NotFoundError: There is no store yet.
        """
        if not self.exists():
            raise missing(str(self._path))
        self._open_readers()
        try:
            self._check_schema()
        except Exception:
            self.close()
            raise

    def _check_schema(self) -> None:
        with self.reader.connect() as connection, connection.begin():
            version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version == 0:
                raise missing(str(self._path))
            check_version(str(self._path), version)  # an older one is read as it is, and migrated by who writes
            check_revision(str(self._path), revision_of(raw_connection(connection)))

    def open_writing(self) -> Log:
        """Take the lock, then make or migrate the file.

        Raises:
            StoreBusyError: Another process writes to it.
            StoreReadOnlyError: The file or its folder does not allow writing.
        """
        if not self.exists():
            create_folder(self._path)
        lock = StoreLock(self._path)
        lock.acquire(home=self._settings.home, wait_s=self._settings.wait_s)
        try:
            if not self.exists():
                create_file(self._path)
            make_private(self._path)
            log = self._open_log()
            self._open_readers()
        except BaseException:
            lock.release()
            raise
        self._lock = lock
        return log

    def _open_log(self) -> SqliteLog:
        log: SqliteLog | None = None
        try:
            log = SqliteLog(self._path)
            with log.connection.begin():
                version = log.connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                check_version(str(self._path), version)
                check_revision(str(self._path), revision_of(raw_connection(log.connection)))
                if version < SCHEMA_VERSION:
                    migrate(log.connection)
                restore_missing(log.connection)
            log.keep_ballast()
        except BaseException as error:
            if log is not None:
                log.close()
            if isinstance(error, self.driver_errors):
                raise self.translate(error) from error
            raise
        return log

    def translate(self, error: Exception) -> StoreError:
        """Return our error for one of the driver."""
        original = getattr(error, "orig", error)
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
            msg = f"{self._path} does not allow writing: give this user write permission, or only read"
            return StoreReadOnlyError(msg)
        if code == sqlite3.SQLITE_BUSY:
            return StoreBusyError(f"another program holds the write lock of {self._path}: close it first")
        if isinstance(original, sqlite3.OperationalError) and not code:  # the driver's own; it quotes the content
            msg = f"{self._path} holds text that is no UTF-8: run `holdfast verify`, and if all is well, rebuild"
            return StoreDamagedError(msg)
        return lost_view(self._settings.label, original) or unreadable(self._path, original)

    def _open_readers(self) -> None:
        self._files = ReaderFiles(self._path)
        self._reader = reader_engine(self._files)

    def bell(self) -> Bell:
        """Return a bell that asks SQLite whether another connection has committed."""
        return _DataVersion(self.reader)

    def close(self) -> None:
        """Close the readers and give the lock back."""
        if self._reader is not None:
            self._reader.dispose()
        if self._files is not None:
            self._files.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class _DataVersion:
    """Hears of other processes' commits by `PRAGMA data_version`: SQLite has no way to be told."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()
        self._raw = raw_connection(self._connection)
        self._seen = -1

    def arm(self) -> None:
        self._seen = self._version()

    async def wait(self) -> None:
        pause = _POLL_S
        while self._version() == self._seen:
            await anyio.sleep(pause)
            pause = min(pause * 1.5, _POLL_CAP_S)

    def close(self) -> None:
        self._connection.close()

    def _version(self) -> int:
        return int(self._raw.execute("PRAGMA data_version").fetchone()[0])


def backend_for(settings: StoreSettings) -> Backend:
    """Return the backend of the dialect; psycopg is imported only for Postgres."""
    if settings.dialect == "sqlite":
        return SqliteBackend(settings)
    from holdfast.adapters.storage.postgres import PostgresBackend  # noqa: PLC0415 - as said above

    return PostgresBackend(settings)
