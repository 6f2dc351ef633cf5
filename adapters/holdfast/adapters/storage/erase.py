"""Erasing a session: its content leaves the database for good, its chain goes on verifying.

Each payload gives way to its keyed digest and the key is destroyed, so that nobody can even test a guess against
what was there. Types, times, devices and ids of commands stay. Backups and exports are out of reach.
"""

from __future__ import annotations

import sqlite3
import time
from secrets import token_hex
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, select, update

from holdfast.adapters.storage import schema, vacuum
from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.chain import keyed
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.reading import fetch
from holdfast.adapters.storage.views import passages
from holdfast.domain.errors import NotFoundError, StoreError
from holdfast.domain.recorded import Recorded
from holdfast.domain.session import tombstone
from holdfast.domain.session.codec import decode
from holdfast.domain.session.events import Attached, SessionErased

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction
    from holdfast.domain.recorded import Actor, StreamId

_AT_ONCE = 500
_VIEWS = (schema.sessions, schema.items, schema.inbox, schema.snapshots)
_MARK = "erasure"
"""Row of `projections` while an erasure is committed but traces of it may remain in the file."""


class Erased(Struct, frozen=True):
    """What an erasure did.

    Attributes:
        events: How many events lost their content; 0 for a session that was erased before.
        remains: Where the content may still be found by somebody who reads the disk, in words; None for nowhere in
            the files of the store.
    """

    events: int
    remains: str | None


def erase(store: Store, session: StreamId, *, actor: Actor, now: Callable[[], int] | None = None) -> Erased:
    """Erase a session's content and record that it was erased.

    One transaction: killed anywhere, the content is wholly there or wholly erased, and `finish` does the rest. On
    SQLite the file is then written anew, which takes time and space by its size: freed pages can be wiped, but
    traces in the unused parts of pages that are in use cannot be found one by one.

    Args:
        store: Open for writing.
        session: The id of the session. Erasing it again is harmless and looks for traces again.
        actor: Who wants it.
        now: The time in microseconds since the epoch, UTC.

    Raises:
        NotFoundError: There is no such session.
        StoreError: The store cannot take it.
    """
    at = time.time_ns() // 1_000 if now is None else now()
    events = store.write(lambda transaction: _erase(transaction, store.attachments, session, actor, at))
    store.forget(session)
    return Erased(events, finish(store))


def finish(store: Store) -> str | None:
    """Remove the traces of erasures, those that a kill interrupted included; return what remains, as in `Erased`.

    Costs one short read where there is nothing to do, so it can be called whenever a store was opened.
    """
    with store.reading() as connection:
        pending = connection.scalar(select(schema.projections.c.position).where(schema.projections.c.name == _MARK))
        dialect = connection.dialect.name
    if dialect != "sqlite":
        # Attachments are rows there, and went with the session in one transaction.
        return "the server keeps old versions of rows until it vacuums, and its write-ahead log until that is recycled"
    if pending is None:
        return None
    left = store.write(lambda transaction: _remove_attachments(store.attachments, transaction.connection))
    return store.write(_write_anew) if left is None else left


def _remove_attachments(attachments: Attachments, connection: Connection) -> str | None:
    """Remove the files that only erased sessions referred to, or say why some remain."""
    try:
        attachments.remove(connection, referred.abandoned(connection))
    except StoreError as error:
        return f"{error}; the same command again removes them"
    referred.removed(connection)
    return None


def _erase(transaction: WriteTransaction, attachments: Attachments, session: StreamId, actor: Actor, at: int) -> int:
    connection = transaction.connection
    keys = schema.keys.c
    key = connection.execute(
        select(keys.stream, keys.salt).where(keys.id == session, keys.kind == "session")
    ).one_or_none()
    if key is None:
        msg = f"there is no session {session!r}: see `holdfast ls --all`"
        raise NotFoundError(msg)
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute("PRAGMA secure_delete = ON").fetchall()
    alone = referred.let_go(connection, key.stream)  # while its payloads tell what they refer to
    if connection.dialect.name != "sqlite":
        attachments.remove(connection, alone)
        referred.removed(connection)
    passages.forget(connection, key.stream)
    for view in _VIEWS:
        connection.execute(delete(view).where(view.c.stream == key.stream))
    _mark(connection)
    if key.salt is None:
        return 0
    stone = _tombstone(connection, key.stream)
    erased = _replace_payloads(connection, key.stream, keyed(key.salt))
    connection.execute(update(schema.keys).where(keys.stream == key.stream).values(salt=None))
    head = transaction.head(session)
    assert head is not None
    # Hashed under no key, since there is none any more; it has nothing to hide.
    transaction.append([Recorded(session, head.version + 1, new_event_id(), at, stone, None, actor)])
    return erased


def _tombstone(connection: Connection, stream: int) -> SessionErased:
    """Return what will stand for the session, while its payloads tell what its agent called it."""
    events = schema.events.c
    chosen = select(events.type, events.schema, events.data).where(
        events.stream == stream, events.type == "attached", events.data.is_not(None)
    )
    facts = (decode(tag, version, data) for tag, version, data in fetch(connection, chosen))
    names = {fact.remote_id for fact in facts if isinstance(fact, Attached) and fact.remote_id}
    return tombstone.erased(names, token_hex(tombstone.SALT_BYTES))


def _replace_payloads(connection: Connection, stream: int, digest: Callable[[bytes], bytes]) -> int:
    events = schema.events.c
    content = (
        select(events.version, events.position, events.data)
        .where(events.stream == stream, events.version > bindparam("after"), events.data.is_not(None))
        .order_by(events.version)
        .limit(_AT_ONCE)
    )
    replace = (
        update(schema.events)
        .where(events.position == bindparam("at"))
        .values(data=None, digest=bindparam("replacement"))
    )
    done, after = 0, -1
    while rows := connection.execute(content, {"after": after}).all():
        values = [{"at": position, "replacement": digest(data.encode())} for _, position, data in rows]
        connection.execute(replace, values)
        done, after = done + len(rows), rows[-1].version
    return done


def _mark(connection: Connection) -> None:
    connection.execute(delete(schema.projections).where(schema.projections.c.name == _MARK))
    connection.execute(insert(schema.projections).values(name=_MARK, position=0))


def _write_anew(transaction: WriteTransaction) -> str | None:
    """Write the file anew and take note that nothing remains, or say where something does."""
    remains = vacuum.write_anew(transaction)
    if remains is None:
        connection = transaction.connection
        connection.execute(delete(schema.projections).where(schema.projections.c.name == _MARK))
    return remains
