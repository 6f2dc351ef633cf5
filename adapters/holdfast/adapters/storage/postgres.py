"""PostgreSQL: engines with asserted settings, whose database it is, and how to hear of other processes' commits."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

import anyio.to_thread
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from holdfast.adapters.storage.attachments.rows import RowAttachments
from holdfast.adapters.storage.failures import line_of, lost_view
from holdfast.adapters.storage.migrate import migrate, restore_missing, schema_version
from holdfast.adapters.storage.postgres_log import PostgresLog, is_lost
from holdfast.adapters.storage.schema import SCHEMA_VERSION, events_cause, metadata, with_cause
from holdfast.adapters.storage.sqlite import check_version
from holdfast.domain.errors import (
    NotFoundError,
    SettingsError,
    StoreDamagedError,
    StoreError,
    StoreForeignError,
    StoreReadOnlyError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.adapters.storage.jobs import Log
    from holdfast.adapters.storage.settings import StoreSettings
    from holdfast.adapters.storage.subscription import Bell

events_cause.dialect_options["postgresql"]["where"] = with_cause

CONNECT_TIMEOUT_S = 5
LISTEN_S = 1.0
"""How long a follower waits for a notification before it looks by itself: they are hints and may be lost."""


class PostgresBackend:
    """A store in the current schema of a PostgreSQL database."""

    driver_errors: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error, DBAPIError)

    def __init__(self, settings: StoreSettings) -> None:
        """Build the engines; nothing is connected yet.

        Raises:
            SettingsError: The address cannot be parsed.
        """
        self._settings = settings
        try:
            url = make_url(settings.url)
        except (ArgumentError, ValueError) as error:
            msg = f"cannot parse the database address {settings.label!r}"
            raise SettingsError(msg) from error
        arguments = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": _name("reader", settings)}
        self._reader = create_engine(
            url, poolclass=QueuePool, pool_size=4, max_overflow=-1, pool_pre_ping=True, connect_args=arguments
        )
        event.listen(self._reader, "connect", _snapshots)
        self._writer = create_engine(
            url, poolclass=NullPool, connect_args={**arguments, "application_name": _name("writer", settings)}
        )
        event.listen(self._writer, "connect", _durable)
        self._url = url
        self.attachments: Attachments = RowAttachments()

    @property
    def reader(self) -> Engine:
        """The pool of reading connections."""
        return self._reader

    def exists(self) -> bool:
        """Tell whether a store lies there.

        Raises:
            StoreForeignError: Tables of another program have the names that ours would take.
            StoreNewerError: A later version migrated it.
            StoreUnavailableError: The server does not answer.
        """
        try:
            with self._reader.connect() as connection, connection.begin():
                return self._version(connection) > 0
        except DBAPIError as error:
            raise self.translate(error) from error

    def _version(self, connection: Connection) -> int:
        version = schema_version(connection)
        if version is None or (
            version == 0 and set(inspect(connection).get_table_names()) & {"alembic_version", *metadata.tables}
        ):
            msg = f"{self._settings.label} holds tables of another program: choose another database or schema"
            raise StoreForeignError(msg)
        check_version(self._settings.label, version)
        return version

    def open_reading(self) -> None:
        """See that there is something to read.

        Raises:
            NotFoundError: There is no store yet.
        """
        if not self.exists():
            msg = f"there is no store at {self._settings.label}: import or start something first"
            raise NotFoundError(msg)

    def open_writing(self) -> Log:
        """Take the advisory lock, then make or migrate the tables.

        Raises:
            StoreBusyError: Another process writes to it.
            StoreReadOnlyError: The server or the role does not allow writing.
        """
        self.exists()
        log: PostgresLog | None = None
        try:
            log = PostgresLog(self._writer, self._settings.label, self._settings.wait_s)
            with log.connection.begin():
                if self._version(log.connection) < SCHEMA_VERSION:
                    migrate(log.connection)
                restore_missing(log.connection)
        except BaseException as error:
            if log is not None:
                log.close()
            if isinstance(error, self.driver_errors):
                raise self.translate(error) from error
            raise
        return log

    def translate(self, error: Exception) -> StoreError:
        """Return our error for one of the driver."""
        original = getattr(error, "orig", None) or error
        label = self._settings.label
        if isinstance(original, (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)):
            return StoreReadOnlyError(f"{label} does not allow this role to write: {line_of(original)}")
        if is_lost(original):
            return StoreUnavailableError(f"the database server of {label} cannot be reached: {line_of(original)}")
        if isinstance(original, (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)):
            return StoreDamagedError(f"{label} reports damage: {line_of(original)}")
        return lost_view(label, original) or StoreError(f"{label}: {line_of(original)}")

    def bell(self) -> Bell:
        """Return a bell that LISTENs, and looks by itself every second."""
        return _Notifications(self._url.render_as_string(hide_password=False))

    def close(self) -> None:
        """Close the readers."""
        self._reader.dispose()
        self._writer.dispose()


class _Notifications:
    """Hears the one NOTIFY of each committed group."""

    def __init__(self, url: str) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        # A standby does not LISTEN; without a connection the follower looks by itself.
        with suppress(psycopg.Error):
            address = url.replace("postgresql+psycopg://", "postgresql://")
            self._connection = psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
            self._connection.execute("LISTEN holdfast")

    def arm(self) -> None:
        """Nothing to do: the server keeps what was notified since LISTEN."""

    async def wait(self) -> None:
        """Return at a notification, or after a second in any case."""
        connection = self._connection
        if connection is None or connection.closed:
            await anyio.sleep(LISTEN_S / 4)
            return
        await anyio.to_thread.run_sync(partial(_next, connection), abandon_on_cancel=True)

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()


def _next(connection: psycopg.Connection[Any]) -> None:
    # A connection that goes away ends the wait; the log is then read, which says what is wrong.
    with suppress(psycopg.Error):
        for _ in connection.notifies(timeout=LISTEN_S, stop_after=1):
            return


def _snapshots(connection: object, record: object) -> None:
    del record
    driver = cast("psycopg.Connection[Any]", connection)
    driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    driver.read_only = True


def _durable(connection: object, record: object) -> None:
    """Assert on a writing connection what an acknowledgement promises."""
    del record
    driver = cast("psycopg.Connection[Any]", connection)
    driver.prepare_threshold = 0
    with driver.cursor() as cursor:
        for name, refused in (("fsync", "off"), ("full_page_writes", "off")):
            cursor.execute(f"SHOW {name}".encode())
            row = cursor.fetchone()
            if row and row[0] == refused:
                msg = f"the server runs with {name} = {refused}: what is acknowledged would not be safe"
                raise StoreError(msg)
        cursor.execute("SHOW server_encoding")
        row = cursor.fetchone()
        if row and row[0] != "UTF8":
            msg = f"the database has the encoding {row[0]}: make one with UTF8"
            raise StoreError(msg)
        cursor.execute("SHOW synchronous_commit")
        row = cursor.fetchone()
        if row and row[0] in {"off", "local", "remote_write"}:
            cursor.execute("SET synchronous_commit = on")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
        cursor.execute("SET statement_timeout = 0")
    driver.commit()


def _name(role: str, settings: StoreSettings) -> str:
    home = f" home {settings.home}" if settings.home else ""
    return f"holdfast {role}, process {os.getpid()}{home}"[:63]
