"""One group commit as a function: requests and the heads in memory in, rows and outcomes out.

It knows no thread, no clock and no SQL: the writer thread calls it, tests in virtual time call it inline, and a
`LogConnection` puts the rows where they belong.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from holdfast.adapters.storage.chain import GENESIS, SALT_BYTES, extend, keyed, link
from holdfast.domain.errors import StoreError, VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.adapters.storage.mapper import StoredEvent

StreamKind = Literal["store", "session", "link"]

LogRow = tuple[
    int, int, int, bytes, str, int, int, int | None, str | None, int, str | None,
    bytes | None, int | None, str | None, bytes | None, bytes,
]  # fmt: skip
"""One row of `events`, in the order of `schema.COLUMNS`."""


class RosterRow(Struct, frozen=True, gc=False):
    """What a listing shows of a session or link, written in the transaction of the events that changed it.

    Attributes:
        kind: Which table it goes to.
        ended: Whether listings leave it out.
        rank: Where it stands in listings, the smallest first.
        updated_at: Microseconds since the epoch.
        row: JSON, opaque here. The position is not in it: that is a column, known only at the commit.
    """

    kind: Literal["session", "link"]
    ended: bool
    rank: int
    updated_at: int
    row: str


@dataclass(slots=True)
class Head:
    """The end of one stream: what the next event is checked against and chained to."""

    stream: int
    id: str
    kind: StreamKind
    version: int
    hash: bytes
    position: int
    digest: Callable[[bytes], bytes]
    salt: bytes | None = None
    new: bool = False

    def copy(self) -> Head:
        """Return a head that can move without this one."""
        return Head(
            self.stream, self.id, self.kind, self.version, self.hash, self.position, self.digest, self.salt, self.new
        )


@dataclass(slots=True)
class Heads:
    """Everything the writer remembers between commits. It moves only after a COMMIT."""

    position: int = 0
    log_hash: bytes = GENESIS
    next_stream: int = 1
    by_id: dict[str, Head] = field(default_factory=dict[str, Head])
    limit: int = 65_536

    def forget(self) -> None:
        """Drop every stream's head; the next append of each reads it again."""
        self.by_id.clear()


@dataclass(slots=True)
class Request:
    """Events that are to be written together or not at all, and who waits for them."""

    events: Sequence[StoredEvent]
    row: RosterRow | None
    settle: Callable[[Outcome], None]


Outcome = list[int] | StoreError | VersionConflictError


@dataclass(slots=True)
class Batch:
    """What one transaction writes, and what came of each request."""

    position: int
    log_hash: bytes
    next_stream: int
    rows: list[LogRow] = field(default_factory=list[LogRow])
    touched: dict[str, Head] = field(default_factory=dict[str, Head])
    roster: dict[str, RosterRow] = field(default_factory=dict[str, RosterRow])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    @property
    def new_streams(self) -> Iterable[Head]:
        """The streams that get their key in this transaction."""
        return (head for head in self.touched.values() if head.new)


class LogConnection(Protocol):
    """The writer's connection, reduced to what a commit needs."""

    def begin(self) -> None:
        """Start the transaction, as the only writer."""

    def head_of(self, stream: str) -> Head | None:
        """Return the end of a stream as the database knows it."""

    def stored(self, stream: int, first: int, last: int) -> list[tuple[int, bytes, int]]:
        """Return (version, event id, position) of these versions, in order."""
        ...

    def write(self, batch: Batch) -> None:
        """Write keys, events, roster rows and the new head; raise `StoreFencedError` if another process took over."""

    def commit(self) -> None:
        """Make it durable. What raises here may have happened."""

    def rollback(self) -> None:
        """Undo; never raises."""


def commit(connection: LogConnection, heads: Heads, requests: Sequence[Request]) -> Batch:
    """Write all requests that fit their streams in one transaction and move `heads` once it is durable.

    A request that does not fit gets its conflict as outcome and leaves nothing behind; the others are not touched.
    Costs: no read for a stream whose head is in memory, two for one that is not.

    Raises:
        Exception: Whatever the connection raises; `heads` is then as before and the transaction rolled back.
    """
    connection.begin()
    try:
        batch = prepare(connection, heads, requests)
        if batch.rows:
            connection.write(batch)
            connection.commit()
        else:
            connection.rollback()
    except BaseException:
        connection.rollback()
        raise
    if batch.rows:
        advance(heads, batch)
    return batch


def advance(heads: Heads, batch: Batch) -> None:
    """Move the heads to where a committed batch left them."""
    if len(heads.by_id) + len(batch.touched) > heads.limit:
        heads.forget()
    for name, head in batch.touched.items():
        head.new = False
        heads.by_id[name] = head
    heads.position = batch.position
    heads.log_hash = batch.log_hash
    heads.next_stream = batch.next_stream


def prepare(connection: LogConnection, heads: Heads, requests: Sequence[Request]) -> Batch:
    """Check every request against the heads and build the rows of those that fit."""
    batch = Batch(heads.position, heads.log_hash, heads.next_stream)
    for request in requests:
        try:
            batch.outcomes.append(_place(connection, heads, batch, request))
        except VersionConflictError as conflict:
            batch.outcomes.append(conflict)
    return batch


def _place(connection: LogConnection, heads: Heads, batch: Batch, request: Request) -> list[int]:
    position = batch.position
    next_stream = batch.next_stream
    mine: dict[str, Head] = {}
    rows: list[LogRow] = []
    for event in request.events:
        name: str = event.originator_id  # type: ignore[assignment]  # streams have text ids; the library allows UUIDs
        head = mine.get(name)
        if head is None:
            known = batch.touched.get(name) or heads.by_id.get(name) or connection.head_of(name)
            if known is None:
                head = _new_head(next_stream, name, request.row)
                next_stream += 1
            else:
                head = known.copy()
            mine[name] = head
        version = event.originator_version
        if version != head.version + 1 and not (version == 0 and head.position == 0):
            return _already_stored(connection, batch, request, event, head)
        position += 1
        head.hash = link(
            head.hash, position, name, version, event.event_id, event.topic, event.schema, event.recorded_at,
            event.occurred_at, event.cause, event.actor, event.device, event.source, event.source_offset,
            head.digest(event.state),
        )  # fmt: skip
        head.version = version
        head.position = position
        rows.append((
            position, head.stream, version, event.event_id, event.topic, event.schema, event.recorded_at,
            event.occurred_at, event.cause, event.actor, event.device, event.source, event.source_offset,
            event.state.decode(), None, head.hash,
        ))  # fmt: skip
    positions = list(range(batch.position + 1, position + 1))
    batch.rows += rows
    batch.touched.update(mine)
    batch.position = position
    batch.log_hash = extend(batch.log_hash, [row[15] for row in rows])
    batch.next_stream = next_stream
    if request.row is not None and rows:
        batch.roster[str(request.events[0].originator_id)] = request.row
    return positions


def _new_head(stream: int, name: str, row: RosterRow | None) -> Head:
    salt = secrets.token_bytes(SALT_BYTES)
    return Head(stream, name, row.kind if row else "session", 0, GENESIS, 0, keyed(salt), salt, new=True)


def _already_stored(
    connection: LogConnection, batch: Batch, request: Request, event: StoredEvent, head: Head
) -> list[int]:
    """Return the first positions of a request that was written before, or say what stands in its way."""
    positions = locate(connection, request.events, batch)
    if positions is not None:
        return positions
    expected = head.version + 1
    msg = (
        f"event {event.originator_version} of {event.originator_id} cannot be written: the next one is {expected}"
        if event.originator_version > head.version
        else f"another event already stands at {event.originator_id} version {event.originator_version}"
    )
    raise VersionConflictError(msg)


def locate(
    connection: LogConnection, events: Sequence[StoredEvent], batch: Batch | None = None
) -> list[int] | None:
    """Return the positions of `events` if every one of them stands in the log under its own event id.

    `batch` adds what the running transaction is about to write.
    """
    wanted: dict[str, list[StoredEvent]] = {}
    for event in events:
        wanted.setdefault(str(event.originator_id), []).append(event)
    found: dict[bytes, int] = {}
    for name, group in wanted.items():
        head = (batch and batch.touched.get(name)) or connection.head_of(name)
        if head is None:
            return None
        versions = [event.originator_version for event in group]
        at = {(v, i): p for v, i, p in connection.stored(head.stream, min(versions), max(versions))}
        if batch:
            at |= {(row[2], row[3]): row[0] for row in batch.rows if row[1] == head.stream}
        for event in group:
            position = at.get((event.originator_version, event.event_id))
            if position is None:
                return None
            found[event.event_id] = position
    return [found[event.event_id] for event in events]
