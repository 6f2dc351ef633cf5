"""The store: one log, its writer, its readers. Everything else in this package is a part of it."""

from __future__ import annotations

import uuid
import zlib
from contextlib import aclosing, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakSet

import anyio.to_thread
from anyio.lowlevel import checkpoint
from msgspec import MsgspecError
from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.commit import Request, RosterRow
from holdfast.adapters.storage.cursor import decode_cursor, encode_cursor
from holdfast.adapters.storage.doors import FutureTicket, LocalBell, Together
from holdfast.adapters.storage.mapper import lightened, stored_entry, to_entry
from holdfast.adapters.storage.reading import CHUNK, Feed, Names, head_position, select_log, select_stream
from holdfast.adapters.storage.subscription import CaughtUp, follow
from holdfast.domain.errors import HoldfastError, StoreClosedError, StoreDamagedError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from eventsourcing import persistence
    from sqlalchemy import Connection, Engine

    from holdfast.adapters.storage.announcements import Announcements
    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.adapters.storage.backends import Backend
    from holdfast.adapters.storage.commit import Outcome
    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.subscription import Bell
    from holdfast.adapters.storage.writer import Writer
    from holdfast.domain.answers import LogEvent
    from holdfast.domain.errors import LogRegressedError
    from holdfast.domain.recorded import Recorded, StreamId

T = TypeVar("T")

__all__ = ["CaughtUp", "RosterRow", "Store"]

_UNREADABLE = (MsgspecError, UnicodeDecodeError, zlib.error)
"""What decoding a view raises. A damaged event has an error of its own."""


class Memory(Protocol):
    """What holds content of sessions in this process beside the store."""

    def forget(self, session_id: StreamId) -> None:
        """Let go of everything that a session has said; it was erased."""
        ...


class Store:
    """One open store; made by `open_store`.

    Every method may be called from any thread; the asynchronous ones run on asyncio and on trio. A store opened for
    writing has one writer thread, or writes in the caller's thread when it was opened `inline`.

    Attributes:
        id: Names the store for ever, 32 hexadecimal digits.
        regressed: Why a store that was opened for writing only reads, or None.
    """

    def __init__(
        self,
        backend: Backend,
        writer: Writer | None,
        announcements: Announcements,
        *,
        inline: bool = False,
        now: Callable[[], int],
        regressed: LogRegressedError | None = None,
    ) -> None:
        self._backend = backend
        self._writer = writer
        self._announcements = announcements
        self._inline = inline
        self._now = now
        self._names = Names()
        self._memories: WeakSet[Memory] = WeakSet()
        self._memories_lock = Lock()
        self._closed = False
        self.regressed = regressed
        with self.reading() as connection:
            self.id = store_id(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Writing

    def submit(self, events: Sequence[persistence.StoredEvent], row: RosterRow | None = None) -> Future[list[int]]:
        """Queue events of one request and return the future of their positions.

        Done only once they are durable. All of them are written or none; the same events again are answered with their
        first positions.

        Args:
            events: In version order; `row` belongs to the stream of the first one.
            row: What listings show of that stream from now on.
        """
        now = self._now()
        entries = [stored_entry(event, _new_id, now) for event in events]
        ticket = FutureTicket()
        self._writing().submit(Request(entries, row, ticket))
        return ticket.future

    async def append(self, events: Sequence[Recorded], row: RosterRow | None = None) -> list[int]:
        """Write events of one request and return their positions once they are durable.

        Cancelling it does not take the events back; appending the same ones again tells what became of them. They are
        queued before this suspends, so calls made in one order are committed in that order.

        Raises:
            VersionConflictError: Other events stand at those versions.
            StoreFullError: No space; nothing was written, and the store goes on.
            OutcomeUnknownError: It may or may not have happened: append the same events again.
            StoreError: The store does not write any more, or never did.
        """
        waiter = self._announcements.doors.here().waiter()
        self._writing().submit(Request([to_entry(event) for event in events], row, waiter))
        return await waiter.wait()

    async def append_all(self, requests: Sequence[tuple[Sequence[Recorded], RosterRow | None]]) -> list[list[int]]:
        """Do what `append` does for several requests in this order, and return once all of them have an outcome.

        Raises:
            StoreError: As `append`, for the first request that was not written; the others may have been.
            VersionConflictError: The same.
        """
        outcomes = await self.append_each(requests)
        positions: list[list[int]] = []
        for outcome in outcomes:
            if isinstance(outcome, HoldfastError):
                raise outcome
            positions.append(outcome)
        return positions

    async def append_each(self, requests: Sequence[tuple[Sequence[Recorded], RosterRow | None]]) -> list[Outcome]:
        """Do what `append` does for several requests in this order; return the positions of each, or its error."""
        if not requests:
            return []
        together = Together(self._announcements.doors.here().waiter(), len(requests))
        self._writing().submit_all(
            [
                Request([to_entry(event) for event in events], row, together.ticket(number))
                for number, (events, row) in enumerate(requests)
            ]
        )
        return await together.wait()

    def append_now(
        self,
        events: Sequence[Recorded],
        row: RosterRow | None = None,
        *,
        contents: Mapping[str, bytes] | None = None,
    ) -> list[int]:
        """Do what `append` does and block the calling thread until it is done.

        Args:
            events: As there.
            row: As there.
            contents: Attachments, by name, to which events refer that are restored as another store had them.
        """
        ticket = FutureTicket()
        entries = [lightened(to_entry(event)) for event in events]
        self._writing().submit(Request(entries, row, ticket, contents or {}))
        return ticket.future.result()

    def write(self, work: Callable[[WriteTransaction], T]) -> T:
        """Run `work` on the writer thread in a transaction of its own and return what it returns.

        For views, tracking and erasure: it may append too. Blocks the calling thread.
        """
        return self._writing().run(work).result()

    def fold(self, work: Callable[[Connection], T]) -> T:
        """Do what `write` does with work that leaves the log alone, so that nobody has to read that anew."""
        return self._writing().run(lambda transaction: work(transaction.connection), changes_log=False).result()

    async def write_async(self, work: Callable[[WriteTransaction], T]) -> T:
        """Do what `write` does without blocking the event loop."""
        if self._inline:
            await checkpoint()
            return self.write(work)
        return await anyio.to_thread.run_sync(self.write, work)

    def _writing(self) -> Writer:
        if self._closed:
            msg = "the store is closed: open it again"
            raise StoreClosedError(msg)
        if self._writer is None:
            if self.regressed is not None:
                raise self.regressed
            msg = "the store was opened for reading only"
            raise StoreReadOnlyError(msg)
        return self._writer

    @property
    def stopped(self) -> Exception | None:
        """Why an open store has stopped writing, or None."""
        return self._writer.stopped if self._writer is not None else self.regressed

    # Reading

    @property
    def attachments(self) -> Attachments:
        """The contents that events refer to."""
        return self._backend.attachments

    @property
    def readers(self) -> Engine:
        """The pool behind `reading`, for whoever sets transactions up by themselves."""
        return self._backend.reader

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Give a connection that sees one snapshot of the store and cannot write.

        Raises:
            StoreClosedError: The store is closed.
            StoreDamagedError: What is read there is not what was written.
        """
        if self._closed:
            msg = "the store is closed: open it again"
            raise StoreClosedError(msg)
        try:
            with self._backend.reader.connect() as connection, connection.begin():
                yield connection
        except self._backend.driver_errors as error:
            raise self._backend.translate(error) from error
        except _UNREADABLE as error:
            msg = f"a stored view cannot be read ({error}): run `holdfast rebuild`, which makes all of them anew"
            raise StoreDamagedError(msg) from error

    async def fold_async(self, work: Callable[[Connection], T]) -> T:
        """Do what `fold` does without blocking the event loop."""
        if self._inline:
            await checkpoint()
            return self.fold(work)
        return await anyio.to_thread.run_sync(self.fold, work)

    def latest(
        self, after: int, *, stream: StreamId | None, types: Sequence[str], limit: int
    ) -> tuple[list[LogEvent], int] | None:
        """Return events that are still in memory, and up to where was looked; None where the log must be read."""
        if self._writer is None or self._closed:
            return None
        return self._announcements.latest.after(after, stream=stream, types=types, limit=limit)

    def remind(self, memory: Memory) -> None:
        """Have `memory` forget what is erased from here on, for as long as it lives."""
        with self._memories_lock:
            self._memories.add(memory)

    def forget(self, session_id: StreamId) -> None:
        """Let everything in this process go of a session that was erased."""
        with self._memories_lock:
            memories = list(self._memories)
        for memory in memories:
            memory.forget(session_id)

    async def read_async(self, work: Callable[[Connection], T]) -> T:
        """Run `work` with a reading connection on a worker thread."""
        if self._inline:
            await checkpoint()
            return self._read(work)
        return await anyio.to_thread.run_sync(self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.reading() as connection:
            return work(connection)

    def head(self) -> int:
        """Return the position of the last committed event."""
        with self.reading() as connection:
            return head_position(connection)

    def events(self, stream: str, *, after: int = 0, until: int | None = None) -> Iterator[Recorded]:
        """Yield a stream's events with versions in (after, until], in order, from one snapshot."""
        with self.reading() as connection:
            yield from select_stream(connection, stream, after=after, until=until)

    def log(
        self, *, after: int = 0, until: int | None = None, stream: str | None = None, types: Sequence[str] = ()
    ) -> Iterator[Recorded]:
        """Yield events at positions in (after, until], in order, from one snapshot and in bounded memory."""
        with self.reading() as connection:
            yield from select_log(connection, self.feed(after=after, stream=stream, types=types), until)

    def feed(self, *, after: int = 0, stream: str | None = None, types: Sequence[str] = (), chunk: int = CHUNK) -> Feed:
        """Return a place in the log to read on from, for callers with a connection of their own."""
        return Feed(self._names, after=after, stream=stream, types=types, chunk=chunk)

    # Following

    def cursor(self, position: int) -> str:
        """Return the opaque cursor after `position`."""
        return encode_cursor(self.id, position)

    def position_of(self, cursor: str | int) -> int:
        """Return the position a cursor stands for.

        Raises:
            CursorError: It is another store's, beyond the head, or none at all.
        """
        return decode_cursor(cursor, self.id, self.head())

    async def subscribe(
        self, after: str | int | None = None, *, stream: str | None = None, types: Sequence[str] = ()
    ) -> AsyncGenerator[Recorded | CaughtUp]:
        """Yield events after a cursor in order of position, for ever, and a `CaughtUp` each time the head is reached.

        Never skips and never doubles: nothing is buffered, each chunk is read from the log. Close the iterator
        (`contextlib.aclosing`) when done.

        Raises:
            CursorError: The cursor cannot be used here: begin again without one.
        """
        start: str | int = 0 if after is None else after
        position = await self.read_async(lambda connection: decode_cursor(start, self.id, head_position(connection)))
        feed = self.feed(after=position, stream=stream, types=types)
        bell = self.bell()

        async def read(feed: Feed) -> tuple[list[Recorded], bool]:
            return await self.read_async(feed.read)

        async with aclosing(follow(read, feed, bell)) as deliveries:
            async for delivery in deliveries:
                yield delivery

    def bell(self) -> Bell:
        """Return what rings when something is committed, for the event loop that asks; by this process or another."""
        return LocalBell(self._announcements.doors.here()) if self._writer is not None else self._backend.bell()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the writer thread after every group commit; returns how to stop that."""
        return self._announcements.listen(listener)

    # Leaving

    def close(self) -> None:
        """Write what is queued, sign the head, close everything. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        try:
            # The writer's connection goes last: only then may SQLite remove its log beside the file.
            self._backend.reader.dispose()
            if self._writer is not None:
                self._writer.close()
                if self._announcements.guard is not None:
                    self._announcements.guard.close()
        finally:
            self._announcements.announce()
            self._backend.close()


def store_id(connection: Connection) -> str:
    """Return the id that the store was given when it was made.

    Raises:
        StoreDamagedError: The row that says so was taken away.
    """
    found: str | None = connection.scalar(select(schema.keys.c.id).where(schema.keys.c.stream == 0))
    if found is None:
        msg = "the log does not say any more which store it is (stream 0 of keys is gone): restore it from a backup"
        raise StoreDamagedError(msg)
    return found


def _new_id() -> bytes:
    return uuid.uuid4().bytes
