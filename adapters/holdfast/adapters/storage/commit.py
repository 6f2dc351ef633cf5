"""One group commit as a function: requests and the heads in memory in, rows and outcomes out.

It knows no thread, no clock and no SQL: the writer thread calls it, tests in virtual time call it inline, and a
`LogConnection` puts the rows where they belong.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from holdfast.adapters.storage.chain import GENESIS, SALT_BYTES, extend, keyed, link
from holdfast.adapters.storage.mapper import Digest, Entry, Lightened, Referring, Whole, json_fields
from holdfast.domain.attachments import detach, references
from holdfast.domain.errors import StoreDamagedError, StoreError, VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.adapters.storage.mapper import Header

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


Tip = tuple[Head, int, bytes, int]
"""A head, and the version, hash and position to which the running transaction moves it."""


Key = tuple[int, StreamKind, str, bytes]
"""One row of `keys`: stream, kind, id and salt."""


@dataclass(slots=True)
class Heads:
    """Everything the writer remembers between commits. It moves only after a COMMIT."""

    position: int = 0
    log_hash: bytes = GENESIS
    next_stream: int = 1
    by_id: dict[str, Head] = field(default_factory=dict[str, Head])
    limit: int = 65_536

    def become(self, fresh: Heads) -> None:
        """Start over from what the database says."""
        self.forget()
        self.position, self.log_hash, self.next_stream = fresh.position, fresh.log_hash, fresh.next_stream

    def forget(self) -> None:
        """Drop every stream's head; the next append of each reads it again."""
        self.by_id.clear()


Outcome = list[int] | StoreError | VersionConflictError


class Ticket(Protocol):
    """Who waits for a request."""

    def settle(self, outcome: Outcome) -> None:
        """Take the outcome. Called on the writer thread; must not block."""


class Request(Struct, frozen=True):
    """Events that are to be written together or not at all, and who waits for them.

    Attributes:
        contents: Attachments that come with events which refer to them already, by name.
    """

    entries: Sequence[Entry]
    row: RosterRow | None
    ticket: Ticket
    contents: Mapping[str, bytes] = MappingProxyType({})


class Batch(Struct):
    """What one transaction writes, and what came of each request."""

    position: int
    log_hash: bytes
    next_stream: int
    rows: list[LogRow] = []
    tips: dict[str, Tip] = {}
    keys: list[Key] = []
    roster: dict[str, RosterRow] = {}
    contents: dict[str, bytes] = {}
    outcomes: list[Outcome] = []

    def roster_rows(self) -> dict[Literal["session", "link"], list[tuple[object, ...]]]:
        """Return the columns of every row of a roster, in the order in which both dialects insert them."""
        by_kind: dict[Literal["session", "link"], list[tuple[object, ...]]] = {}
        for name, row in self.roster.items():
            head, version, hash_, position = self.tips[name]
            by_kind.setdefault(row.kind, []).append(
                (head.stream, name, version, hash_, position, row.ended, row.rank, row.updated_at, row.row)
            )
        return by_kind


class LogConnection(Protocol):
    """The writer's connection, reduced to what a commit needs."""

    def begin(self) -> None:
        """Start the transaction, as the only writer."""

    def head_of(self, stream: str) -> Head | None:
        """Return the end of a stream as the database knows it."""

    def stored(self, stream: int, first: int, last: int) -> list[tuple[int, bytes, int]]:
        """Return (version, event id, position) of these versions, in order."""
        ...

    def keeps(self, name: str) -> bool:
        """Tell whether an attachment is there."""
        ...

    def write(self, batch: Batch) -> None:
        """Write keys, events, roster rows and the new head, and before them, durably, the attachments they refer to.

        Raises:
            StoreFencedError: Another process took over.
        """

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
    if len(heads.by_id) + len(batch.keys) > heads.limit:
        heads.forget()
    for name, (head, version, hash_, position) in batch.tips.items():
        head.version = version
        head.hash = hash_
        head.position = position
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
        except (VersionConflictError, StoreDamagedError) as conflict:
            batch.outcomes.append(conflict)
    batch.log_hash = extend(batch.log_hash, [row[15] for row in batch.rows])
    return batch


def _place(connection: LogConnection, heads: Heads, batch: Batch, request: Request) -> list[int]:
    position = batch.position
    # A lone event is checked before anything is noted of it, so it may go where it belongs at once.
    alone = len(request.entries) == 1
    tips: dict[str, Tip] = batch.tips if alone else {}
    rows: list[LogRow] = batch.rows if alone else []
    keys: list[Key] = []
    contents: dict[str, bytes] = {}
    for header, data in request.entries:
        name, version, event_id, tag, schema, recorded_at, occurred_at, cause, actor, device, source, offset = header
        tip = tips.get(name) or batch.tips.get(name)
        if tip is None:
            head = heads.by_id.get(name) or connection.head_of(name)
            if head is None:
                head, key = _begin(batch.next_stream + len(keys), name, request.row)
                keys.append(key)
            last, prev, at = head.version, head.hash, head.position
        else:
            head, last, prev, at = tip
        if version != last + 1 and (version or at):
            return _already_stored(connection, batch, request, header, last)
        position += 1
        reduced: bytes | None = None
        text: str | None = None
        if type(data) is Digest:
            digest = reduced = bytes(data)
        else:
            stored = data
            if type(data) is Whole:
                stored, found = detach(data, json_fields(tag))
                contents |= found
            elif type(data) is Lightened:
                stored = bytes(data)
                contents |= data.contents
            elif type(data) is Referring:
                contents |= _named(connection, data, request.contents)
            digest = head.digest(stored)
            text = stored.decode()
        # Written out: this runs once per event, and handing tuples on takes as long as all the rest of it.
        hash_ = link(
            prev, position, name, version, event_id, tag, schema, recorded_at,
            occurred_at, cause, actor, device, source, offset, digest,
        )  # fmt: skip
        rows.append((
            position, head.stream, version, event_id, tag, schema, recorded_at,
            occurred_at, cause, actor, device, source, offset, text, reduced, hash_,
        ))  # fmt: skip
        tips[name] = (head, version, hash_, position)
    positions = list(range(batch.position + 1, position + 1))
    batch.position = position
    if not alone:
        batch.rows += rows
        batch.tips.update(tips)
    if contents:
        batch.contents |= contents
    if keys:
        batch.keys += keys
        batch.next_stream += len(keys)
    if request.row is not None and rows:
        batch.roster[request.entries[0][0][0]] = request.row
    return positions


def _begin(stream: int, name: str, row: RosterRow | None) -> tuple[Head, Key]:
    salt = secrets.token_bytes(SALT_BYTES)
    kind: StreamKind = row.kind if row else "session"
    return Head(stream, name, kind, 0, GENESIS, 0, keyed(salt)), (stream, kind, name, salt)


def _named(connection: LogConnection, data: bytes, given: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what comes along of what a payload refers to; the rest must be there, or nothing would ever be."""
    found: dict[str, bytes] = {}
    for reference in references(data):
        content = given.get(reference.sha256)
        if content is not None:
            found[reference.sha256] = content
        elif not connection.keeps(reference.sha256):
            msg = f"an event refers to attachment {reference.sha256}, which is not there: nothing was written"
            raise StoreDamagedError(msg)
    return found


def _already_stored(connection: LogConnection, batch: Batch, request: Request, header: Header, last: int) -> list[int]:
    """Return the first positions of a request that was written before, or say what stands in its way."""
    positions = locate(connection, request.entries, batch)
    if positions is not None:
        return positions
    name, version = header[:2]
    msg = (
        f"event {version} of {name} cannot be written: the next one is {last + 1}"
        if version > last
        else f"another event already stands at version {version} of {name}"
    )
    raise VersionConflictError(msg)


def locate(connection: LogConnection, entries: Sequence[Entry], batch: Batch | None = None) -> list[int] | None:
    """Return the positions of events if every one of them stands in the log under its own event id.

    `batch` adds what the running transaction is about to write.
    """
    by_stream: dict[str, list[Header]] = {}
    for header, _ in entries:
        by_stream.setdefault(header[0], []).append(header)
    found: dict[bytes, int] = {}
    for name, headers in by_stream.items():
        tip = batch.tips.get(name) if batch else None
        head = tip[0] if tip else connection.head_of(name)
        if head is None:
            return None
        versions = [header[1] for header in headers]
        at = {(v, i): p for v, i, p in connection.stored(head.stream, min(versions), max(versions))}
        if batch:
            at |= {(row[2], row[3]): row[0] for row in batch.rows if row[1] == head.stream}
        for header in headers:
            position = at.get((header[1], header[2]))
            if position is None:
                return None
            found[header[2]] = position
    return [found[header[2]] for header, _ in entries]
