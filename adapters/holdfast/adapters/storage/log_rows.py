"""Every event of the log in position order, as it is stored, for those who doubt it.

Unlike the reading side of the store it trusts nothing: not the types of the columns, not their text, not the keys.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import column, inspect, select, table
from sqlalchemy.exc import DatabaseError
from sqlalchemy.types import NULLTYPE

from holdfast.adapters.storage.chain import GENESIS, HASH_BYTES, keyed, link
from holdfast.adapters.storage.schema import COLUMNS
from holdfast.domain.errors import StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from sqlalchemy import Connection, Select

SMALLEST = -(2**63)
LARGEST = 2**63 - 1
EVENT_ID_BYTES = 16

_ROWS_AT_ONCE = 1_000
MALFORMED = (struct.error, KeyError, TypeError, AttributeError, ValueError, OverflowError)
"""What hashing a row raises whose columns hold something else than they should."""

# Columns without types: a type's result processor would stumble over the very damage that is looked for.
_EVENTS = table("events", *(column(name, NULLTYPE) for name in COLUMNS))
_KEYS = table("keys", column("stream"), column("id"), column("salt"))


RawRow = tuple[Any, ...]
"""One row of `events`, unchecked: whoever looks at it takes nothing for granted."""


class EventRow(NamedTuple):
    """One row of `events`. The types are what they ought to be; a damaged row holds others."""

    position: int
    stream: int
    version: int
    event_id: bytes
    type: str
    schema: int
    recorded_at: int
    occurred_at: int | None
    cause: str | None
    actor: int
    device: str | None
    source: bytes | None
    source_offset: int | None
    data: str | None
    digest: bytes | None
    hash: bytes


@dataclass(slots=True)
class StreamState:
    """How far the chain of one stream has been followed.

    Attributes:
        id: The session or link.
        digest: The payload digest under the stream's salt, or under none once that was destroyed.
        has_salt: Whether the stream's content can still be there.
        version: The last version whose hash was right.
        hash: That hash.
        position: Where it stands.
    """

    id: str
    digest: Callable[[bytes], bytes]
    has_salt: bool
    version: int = 0
    hash: bytes = GENESIS
    position: int = 0


def read_states(connection: Connection) -> dict[int, StreamState]:
    """Return every stream at its beginning. A key that cannot be read is as good as none."""
    states: dict[int, StreamState] = {}
    with _any_text(connection):
        for stream, name, salt in connection.execute(select(_KEYS)):
            if isinstance(name, str) and isinstance(salt, bytes | None):
                states[stream] = StreamState(name, keyed(salt or b""), salt is not None)
    return states


def read_events(connection: Connection, first: int = SMALLEST, last: int = LARGEST) -> Iterator[Sequence[RawRow]]:
    """Yield the rows from position `first` to `last`, a thousand at a time.

    On SQLite they come straight from the driver, since reading is most of what verifying a long log takes.

    Raises:
        StoreDamagedError: The SQLite file cannot be read any further.
    """
    position = _EVENTS.c.position
    query = select(_EVENTS).where(position.between(first, last)).order_by(position)
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        yield from _read_sqlite(connection, driver, query)
        return
    with connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}) as result:
        for part in result.partitions():
            yield cast("Sequence[RawRow]", part)


def _read_sqlite(connection: Connection, driver: sqlite3.Connection, query: Select[RawRow]) -> Iterator[list[RawRow]]:
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    taken = 0
    try:
        cursor = driver.execute(str(compiled))
        while part := cursor.fetchmany(_ROWS_AT_ONCE):
            yield part
            taken += len(part)
    except sqlite3.DatabaseError as error:
        if not _is_text_damage(error):
            raise _damaged(error) from error
    else:
        return
    # Some text is no UTF-8. Read on in a way that lets it through: hashing it fails, and the walk stops there.
    with _any_text(connection):
        try:
            cursor = driver.execute(f"{compiled} LIMIT -1 OFFSET {taken}")
            while part := cursor.fetchmany(_ROWS_AT_ONCE):
                yield part
        except sqlite3.DatabaseError as error:
            raise _damaged(error) from error


def _is_text_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell whether the driver, not SQLite, raised it: only SQLite's own errors have a code."""
    return isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", None) is None


def _damaged(error: sqlite3.DatabaseError) -> Exception:
    """Return what a damaged file is called here; any other error stays what it is."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamagedError(str(error))
    return error


def read_rosters(connection: Connection) -> Iterator[tuple[int, int, bytes, int]]:
    """Yield stream, version, hash and position of each roster row.

    The tables may be gone or damaged: they are only views, and made anew from the log.
    """
    for name in ("sessions", "links"):
        roster = table(name, column("stream"), column("version"), column("hash"), column("position"))
        with suppress(DatabaseError):
            if inspect(connection).has_table(name):
                yield from (tuple(row) for row in connection.execute(select(roster)).all())


def number(value: object) -> int | None:
    """Return what a damaged row holds where a number belongs, if it is one."""
    return value if isinstance(value, int) else None


def digest_of(row: EventRow, state: StreamState) -> bytes | None:
    """Return the digest of a row's payload as a part of `state`, or None if there is no single one."""
    if row.data is None:
        return row.digest if isinstance(row.digest, bytes) and len(row.digest) == HASH_BYTES else None
    try:
        return state.digest(row.data.encode()) if row.digest is None else None
    except MALFORMED:
        return None


def hash_of(row: EventRow, state: StreamState, digest: bytes | None, *, position: int, version: int) -> bytes | None:
    """Return the hash that a row's content has at some place after `state`; None if no event looks like this."""
    try:
        if digest is None or len(row.event_id) != EVENT_ID_BYTES:
            return None
        return link(
            state.hash, position, state.id, version, row.event_id, row.type, row.schema, row.recorded_at,
            row.occurred_at, row.cause, row.actor, row.device, row.source, row.source_offset, digest,
        )  # fmt: skip
    except MALFORMED:
        return None


@contextmanager
def _any_text(connection: Connection) -> Generator[None]:
    """Let text through that is no UTF-8; encoding it again fails, which is how the one who looks at it notices."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.text_factory = _decode
    try:
        yield
    finally:
        driver.text_factory = str


def _decode(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
