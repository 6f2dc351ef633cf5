"""Compacting sessions: pieces of what was said are told once more as a whole, and their own payloads become digests.

Every event stays, with its version, its time, its hash: the chain verifies as before, and nothing is pruned.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import bindparam, select, update

from holdfast.adapters.storage import schema, usage, vacuum
from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.attachments.reclaim import reclaim
from holdfast.adapters.storage.chain import keyed
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.reading import fetch
from holdfast.domain.answers import Compaction
from holdfast.domain.compaction import Stored, plan
from holdfast.domain.errors import ConflictError, NotFoundError
from holdfast.domain.recorded import DAEMON, Recorded, StreamId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction
    from holdfast.domain.compaction import Merged
    from holdfast.domain.recorded import Actor

_CHUNK = 2_000
_AT_ONCE = 2_000
"""Events that are reduced in one transaction, unless one message has more."""

AT_ANY_RATE = 64 * 1024 * 1024
"""Bytes of a file that is written anew for whatever it gives back: nobody notices."""

WORTH = 20
"""A larger one has to give back one part in so many."""

_TOO_LITTLE = "less than a twentieth of it could be had back, and writing it anew holds everything up that long"

_events = schema.events.c
_of_stream = (
    select(_events.version, _events.type, _events.schema, _events.data)
    .where(_events.stream == bindparam("number"), _events.version > bindparam("after"))
    .order_by(_events.version)
    .limit(_CHUNK)
)
_reduce = (
    update(schema.events).where(_events.position == bindparam("at")).values(data=None, digest=bindparam("replacement"))
)


def compact(
    store: Store,
    session: StreamId | None = None,
    *,
    actor: Actor = DAEMON,
    held: Callable[[StreamId], bool] = lambda _session: False,
    progress: Callable[[int, int], None] | None = None,
) -> Compaction:
    """Compact one session, or every one where that saves room; return what came of it, in bytes before and after.

    A message and the digests of its pieces are written in one transaction: killed anywhere, it is either way, and the
    same command goes on. Whoever holds the session in memory must read its version anew.

    Args:
        store: Open for writing.
        session: Only this one, all of its messages. None: those messages of all sessions that take less room then.
        actor: Who wants it.
        held: Tells which sessions somebody holds in memory; they are left alone.
        progress: Called with how many sessions are done, and of how many.

    Raises:
        NotFoundError: There is no such session.
        ConflictError: It is held.
        StoreError: The store cannot take it.
    """
    if session is not None and held(session):
        msg = f"session {session} is connected; compact it when it is not"
        raise ConflictError(msg)
    with store.reading() as connection:
        chosen = list(_sessions(connection, session))
        before = usage.stored_bytes(connection, chosen if session else None)
        file_before = usage.file_bytes(connection)
    messages = events = sessions = connected = 0
    for done, (name, number) in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen))
        if held(name):
            connected += 1
            continue
        merged = plan(_stored(store, number))
        if session is None:
            merged = [each for each in merged if each.after < each.before]
        # Somebody may take the session into memory meanwhile; the same command does the rest another time.
        written = [_write(store, name, number, some, actor) for some in _grouped(merged) if not held(name)]
        messages += sum(count for count, _ in written)
        events += sum(count for _, count in written)
        sessions += any(count for count, _ in written)
    orphans = reclaim(store)
    with store.reading() as connection:
        after = usage.stored_bytes(connection, chosen if session else None)
        size, free = usage.file_bytes(connection), usage.free_bytes(connection)
    remains = None
    if (events or (session is None and free)) and store.readers.dialect.name == "sqlite":
        remains = store.write(vacuum.write_anew) if _worth(size, before - after + free) else _TOO_LITTLE
    with store.reading() as connection:
        file_after = usage.file_bytes(connection)
    return Compaction(
        sessions,
        messages,
        events,
        before,
        after,
        file_before,
        file_after,
        remains,
        len(orphans),
        sum(orphans.values()),
        connected,
    )


def savings(connection: Connection, number: int) -> int:
    """Return how many bytes compacting a session would save. Reads all of it."""
    return sum(max(0, each.before - each.after) for each in plan(_read(connection, number)))


def _worth(size: int, gain: int) -> bool:
    """Tell whether a file is to be written anew, during which nothing else can be written: a second for 100 MB or so.

    There is no smaller step. Payloads give way to digests in place and leave pages half empty, which SQLite can only
    hand back one by one when they are empty.
    """
    return size <= AT_ANY_RATE or gain * WORTH >= size


def _sessions(connection: Connection, session: StreamId | None) -> Iterator[tuple[StreamId, int]]:
    keys = schema.keys.c
    statement = select(keys.id, keys.stream, keys.salt).where(keys.kind == "session").order_by(keys.stream)
    if session is not None:
        statement = statement.where(keys.id == session)
    found = connection.execute(statement).all()
    if session is not None and not found:
        msg = f"there is no session {session!r}: see `holdfast ls --all`"
        raise NotFoundError(msg)
    yield from ((StreamId(name), number) for name, number, salt in found if salt is not None)


def _stored(store: Store, number: int) -> Iterator[Stored]:
    """Yield a session's events; no transaction is held between two chunks."""
    after = 0
    while True:
        with store.reading() as connection:
            rows = fetch(connection, _of_stream, {"number": number, "after": after})
        yield from (Stored(*row) for row in rows)
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]


def _read(connection: Connection, number: int) -> Iterator[Stored]:
    after = 0
    while rows := fetch(connection, _of_stream, {"number": number, "after": after}):
        yield from (Stored(*row) for row in rows)
        after = rows[-1][0]


def _grouped(merged: Sequence[Merged]) -> Iterator[list[Merged]]:
    """Yield what goes into one transaction each."""
    some: list[Merged] = []
    size = 0
    for each in merged:
        if some and size + len(each.versions) > _AT_ONCE:
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each.versions)
    if some:
        yield some


def _write(store: Store, name: StreamId, number: int, merged: Sequence[Merged], actor: Actor) -> tuple[int, int]:
    """Append the events of some messages and reduce what they stand for; return how many of each that were."""
    at = time.time_ns() // 1_000

    def work(transaction: WriteTransaction) -> tuple[int, int]:
        connection = transaction.connection
        salt = connection.scalar(select(schema.keys.c.salt).where(schema.keys.c.stream == number))
        head = transaction.head(name)
        if salt is None or head is None:
            return 0, 0  # it was erased meanwhile
        digest = keyed(salt)
        version = head.version
        facts: list[Recorded] = []
        values: list[dict[str, int | bytes]] = []
        for each in merged:
            rows = _payloads(connection, number, each.versions)
            if len(rows) != len(each.versions):
                continue  # another process compacted it meanwhile
            digests = [digest(data.encode()) for _, data in rows]
            version += 1
            total = hashlib.sha256(b"".join(digests)).hexdigest()
            fact = replace(each.fact, digest=total)
            facts.append(Recorded(name, version, new_event_id(), at, fact, None, actor))
            values += [{"at": position, "replacement": kept} for (position, _), kept in zip(rows, digests, strict=True)]
        if facts:
            transaction.append(facts, as_stored=True)
            connection.execute(_reduce, values)
            referred.renew(connection, number)
        return len(facts), len(values)

    return store.write(work)


def _payloads(connection: Connection, number: int, versions: Sequence[int]) -> list[tuple[int, str]]:
    """Return position and payload of those events that still have one, in order."""
    wanted = set(versions)
    statement = (
        select(_events.version, _events.position, _events.data)
        .where(_events.stream == number, _events.data.is_not(None))
        .where(_events.version.between(versions[0], versions[-1]))
        .order_by(_events.version)
    )
    return [(position, data) for version, position, data in connection.execute(statement) if version in wanted]
