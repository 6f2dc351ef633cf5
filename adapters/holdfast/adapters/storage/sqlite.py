"""SQLite: opening a file safely, and the writer's connection. Settings are asserted, not hoped for.

No code of this process may open and close the database file by itself: POSIX drops all of a process's locks on a file
with any descriptor of it, SQLite's own included. Even the header is therefore read through SQLite.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from holdfast.adapters.durable import sync_folder
from holdfast.adapters.storage.schema import APPLICATION_ID, REVISION_PREFIX, SCHEMA_VERSION
from holdfast.domain.errors import (
    StoreDamagedError,
    StoreError,
    StoreForeignError,
    StoreNewerError,
    StoreReadOnlyError,
)

FileState = Literal["absent", "empty", "store"]

_BUSY_MS = 5_000
_REVISIONS = frozenset(f"{REVISION_PREFIX}{number:04d}" for number in range(1, SCHEMA_VERSION + 1))
_SIDE_FILES = ("", "-wal", "-shm", ".lock", ".ballast")


def inspect_file(path: Path) -> FileState:
    """Look at what lies at `path` without changing a byte.

    Raises:
        StoreForeignError: A folder, or another program's database.
        StoreNewerError: A store of a later version.
        StoreDamagedError: Not a database at all, or one that ends too early.
        StoreError: This user may not read it.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return "absent"
    except OSError as error:
        msg = f"cannot look at {path}: {error.strerror}"
        raise StoreError(msg) from error
    if not stat.S_ISREG(status.st_mode):
        msg = f"{path} is not a file: give the path of a store"
        raise StoreForeignError(msg)
    if not os.access(path, os.R_OK):
        msg = f"no permission to read {path}: ask its owner"
        raise StoreError(msg)
    if status.st_size == 0:
        return "empty"
    return _inspect_header(path, status.st_size)


def _inspect_header(path: Path, size: int) -> FileState:
    # `immutable` reads the file alone: no lock, no recovery, no side file.
    try:
        connection = sqlite3.connect(_uri(path, "mode=ro&immutable=1"), uri=True, isolation_level=None)
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error
    # While a write-ahead log is there, the file may rightly lack pages that a killed checkpoint had yet to write.
    complete = _size(_side(path, "-wal")) == 0
    try:
        if not complete:
            connection.execute("PRAGMA writable_schema = ON")  # or SQLite refuses a file that lacks pages
        application = _pragma(connection, "application_id")
        version = _pragma(connection, "user_version")
        pages = _pragma(connection, "page_count")
        page_size = _pragma(connection, "page_size")
        revision = revision_of(connection) if complete else None
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error
    finally:
        connection.close()
    if application != APPLICATION_ID:
        msg = f"{path} is a database of another program: choose another path"
        raise StoreForeignError(msg)
    check_version(str(path), version)
    if complete and size < pages * page_size:
        msg = f"{path} ends after {size} of {pages * page_size} bytes: restore it from a backup"
        raise StoreDamagedError(msg)
    check_revision(str(path), revision)
    return "store"


def check_version(label: str, version: int) -> None:
    """Refuse a store that a later version has migrated.

    Raises:
        StoreNewerError: It is one.
    """
    if version > SCHEMA_VERSION:
        msg = (
            f"{label} was written by a newer version of Holdfast (schema {version}, this one knows {SCHEMA_VERSION}): "
            "upgrade Holdfast; nothing was changed"
        )
        raise StoreNewerError(msg)


def check_revision(label: str, revision: object) -> None:
    """Refuse a store whose migrations this version does not know, whatever its header says.

    Raises:
        StoreNewerError: It is one.
    """
    if revision is not None and revision not in _REVISIONS:
        msg = (
            f"{label} was written by a newer version of Holdfast (its schema {revision!r} is not known here): "
            "upgrade Holdfast; nothing was changed"
        )
        raise StoreNewerError(msg)


def revision_of(connection: sqlite3.Connection) -> object:
    """Return what Alembic's table names, None where there is none. What damage there is, those tell who read on.

    It may stand in the write-ahead log alone, so a connection that reads the file without it cannot tell for sure.
    """
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        return None
    return None if row is None else row[0]


def unreadable(path: Path, error: Exception) -> StoreError:
    """Return the error for a file that SQLite cannot read: it is damaged, unless it is the disk that fails."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR:
        return StoreError(f"{path} cannot be read: {error}")
    return StoreDamagedError(f"{path} cannot be read as a database ({error}): restore it from a backup")


def create_folder(path: Path) -> None:
    """Make the folder of a store, private, where it is missing.

    Raises:
        StoreReadOnlyError: The folder above does not allow it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot create the folder {path.parent}: {error.strerror}"
        raise StoreReadOnlyError(msg) from error


def create_file(path: Path) -> None:
    """Make an empty store of ours: private, marked, in WAL mode.

    Made beside its place and moved there when it is whole: killed anywhere in between, there is none yet.

    Raises:
        StoreReadOnlyError: The folder does not allow it.
    """
    new = _side(path, ".new")
    try:
        for suffix in ("", "-journal", "-wal", "-shm"):  # of one that was killed
            _side(new, suffix).unlink(missing_ok=True)
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        _mark(new)
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        msg = f"cannot create {path}: {error.strerror}"
        raise StoreReadOnlyError(msg) from error


def _mark(path: Path) -> None:
    connection = sqlite3.connect(_uri(path, "mode=rw"), uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # In the header before the file becomes a write-ahead one, so that the header alone always tells whose it is.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def make_private(path: Path) -> None:
    """Set the store's files to 0600, as far as they exist and are ours."""
    for suffix in _SIDE_FILES:
        side = _side(path, suffix)
        if side.exists() and side.stat().st_uid == os.geteuid() and side.stat().st_mode & 0o077:
            side.chmod(0o600)


def writer_engine(path: Path) -> Engine:
    """Return the engine of the one connection that writes. Every transaction on it is a BEGIN IMMEDIATE."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(_uri(path, "mode=rw"), uri=True, isolation_level=None, check_same_thread=False)
        assert_setting(connection, "journal_mode", "WAL", "wal")
        _settings(connection)
        connection.execute("PRAGMA cache_size = -16384")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    return engine


class ReaderFiles:
    """How to open a store for reading here, decided once: plainly, as immutable, or through a private copy."""

    def __init__(self, path: Path) -> None:
        """Find the way that works.

        SQLite needs a shared-memory file even to read a write-ahead log, and a folder without write permission may
        not have one. Then nobody who writes can be here either (a writer keeps that file), so a file without a log
        beside it is read as immutable. One with a log was left by a killed writer: it is copied and recovered there.

        Raises:
            StoreDamagedError: SQLite cannot read it.
            StoreError: There is no way.
        """
        self.immutable = False
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self.path = path
        error = _try_reading(self._connect_to(path, "mode=ro"))
        if error is None:
            return
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise unreadable(path, error) from error
        if _size(_side(path, "-wal")) == 0:
            self.immutable = True
        else:
            self._copy = tempfile.TemporaryDirectory(prefix="holdfast-")
            self.path = Path(self._copy.name) / path.name
            shutil.copyfile(path, self.path)
            shutil.copyfile(_side(path, "-wal"), _side(self.path, "-wal"))
        again = _try_reading(self.connect())
        if again is not None:
            raise unreadable(path, again) from again

    def connect(self) -> sqlite3.Connection:
        """Return a connection that cannot write."""
        connection = self._connect_to(self.path, "mode=ro&immutable=1" if self.immutable else "mode=ro")
        try:
            _settings(connection)
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.DatabaseError as error:
            connection.close()
            raise unreadable(self.path, error) from error
        return connection

    def close(self) -> None:
        """Remove the private copy, if there is one."""
        if self._copy is not None:
            self._copy.cleanup()

    @staticmethod
    def _connect_to(path: Path, query: str) -> sqlite3.Connection:
        return sqlite3.connect(_uri(path, query), uri=True, isolation_level=None, check_same_thread=False)


def reader_engine(files: ReaderFiles) -> Engine:
    """Return the pool of reading connections. A transaction on them is one snapshot."""
    engine = create_engine("sqlite://", creator=files.connect, poolclass=QueuePool, pool_size=4, max_overflow=-1)
    event.listen(engine, "begin", _begin_deferred)
    return engine


def raw_connection(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection behind one of SQLAlchemy's."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _try_reading(connection: sqlite3.Connection) -> sqlite3.DatabaseError | None:
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        return error
    else:
        return None
    finally:
        connection.close()


def _settings(connection: sqlite3.Connection) -> None:
    assert_setting(connection, "synchronous", "FULL", 2)
    assert_setting(connection, "foreign_keys", "ON", 1)
    assert_setting(connection, "busy_timeout", str(_BUSY_MS), _BUSY_MS)
    # Checkpoints happen on the writer's connection, when it says so, after the acknowledgements.
    assert_setting(connection, "wal_autocheckpoint", "0", 0)
    if sys.platform == "darwin":
        assert_setting(connection, "fullfsync", "ON", 1)
        assert_setting(connection, "checkpoint_fullfsync", "ON", 1)


def assert_setting(connection: sqlite3.Connection, name: str, value: str, expected: int | str) -> None:
    """Set a PRAGMA and read it back.

    Raises:
        StoreError: SQLite kept another value.
    """
    connection.execute(f"PRAGMA {name} = {value}").fetchall()
    actual = _pragma_value(connection, name)
    if actual != expected:
        msg = f"SQLite refuses {name} = {value} and stays at {actual!r}: what is acknowledged would not be safe"
        raise StoreError(msg)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(_pragma_value(connection, name))


def _pragma_value(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _uri(path: Path, query: str) -> str:
    return f"file:{quote(str(path))}?{query}"


def _side(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
