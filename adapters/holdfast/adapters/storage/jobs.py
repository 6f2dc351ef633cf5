"""What the writer works with: its log, who observes it, and the jobs that others give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from holdfast.adapters.storage.commit import Heads, LogConnection, Request, advance, prepare
from holdfast.adapters.storage.mapper import to_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from holdfast.adapters.storage.commit import Batch, Head, Outcome, RosterRow
    from holdfast.adapters.storage.failures import Failure
    from holdfast.domain.recorded import Recorded

T = TypeVar("T")


class Server(Protocol):
    """The other end of a connection that can be lost."""

    @property
    def in_doubt(self) -> bool:
        """Whether a COMMIT was sent and never answered."""
        ...

    def reconnect(self, heads: Heads) -> None:
        """After `lost`: become the writer again and read the heads anew, or raise what forbids it."""


class Log(LogConnection, Protocol):
    """A writer's connection with all that its thread does beside committing."""

    @property
    def connection(self) -> Connection:
        """The same connection for Core statements of a job."""
        ...

    def diagnose(self, error: Exception) -> Failure:
        """Say what an error means."""
        ...

    @property
    def server(self) -> Server | None:
        """What can be lost and found again; None where there is a file."""
        ...

    def noticing(self) -> AbstractContextManager[None]:
        """Around a transaction: raise where its commit is not as safe as it must be, and only a warning says so."""
        ...

    def read_heads(self) -> Heads:
        """Return the heads as the database knows them."""
        ...

    def take_over(self, heads: Heads, epoch: int) -> Heads:
        """Become the writer: every other one is fenced from here on. Return the heads as they are now."""
        ...

    def check_epoch(self) -> None:
        """Inside a transaction: raise `StoreFencedError` if another process has taken the store over."""

    def tidy(self) -> None:
        """House-keeping between two commits."""

    def make_room(self) -> None:
        """Free what can be freed after a full disk."""

    def close(self) -> None:
        """Let go of the store in good order."""

    def abandon(self) -> None:
        """Let go of it after an error, without another write."""


class Observer(Protocol):
    """Who is told of every commit on the writer thread."""

    def committed(self, position: int, event_hash: bytes, log_hash: bytes) -> None:
        """After COMMIT, before anyone who waits: what raises here stops the store."""

    def wrote(self, batch: Batch) -> None:
        """After that: the events themselves, for those who follow the log."""

    def rewrote(self, position: int) -> None:
        """A job was committed that may have changed any event; the log ends at `position`."""

    def announce(self) -> None:
        """After everyone's outcome is noted: wake them."""

    def gather(self) -> None:
        """Before the next group is taken: let those who were woken ask for more."""


@dataclass(slots=True)
class Job(Generic[T]):
    """A function that writes to the views, in a transaction of its own, and to the log unless it says otherwise."""

    work: Callable[[WriteTransaction], T]
    future: Future[T]
    changes_log: bool = True


class WriteTransaction:
    """What a job works with: the writer's connection inside a transaction, and the log itself.

    Attributes:
        connection: For Core statements. Committed when the job returns, rolled back when it raises.
    """

    def __init__(self, log: Log, heads: Heads) -> None:
        self.connection = log.connection
        self._log = log
        self._heads = Heads(heads.position, heads.log_hash, heads.next_stream)
        self.last: Batch | None = None

    def append(self, events: Sequence[Recorded], row: RosterRow | None = None, *, as_stored: bool = False) -> list[int]:
        """Write events of one request in this transaction and return their positions.

        With `as_stored`, their JSON was read from the log, with references where attachments stood.

        Raises:
            VersionConflictError: They do not fit their streams.
        """
        entries = [to_entry(event, as_stored=as_stored) for event in events]
        batch = prepare(self._log, self._heads, [Request(entries, row, _Nobody())])
        outcome = batch.outcomes[0]
        if not isinstance(outcome, list):
            raise outcome
        if batch.rows:
            self._log.write(batch)
            advance(self._heads, batch)
            self.last = batch
        return outcome

    def head(self, stream: str) -> Head | None:
        """Return the end of a stream, this transaction's own events included."""
        return self._log.head_of(stream)

    def take_effect(self, heads: Heads) -> None:
        """After COMMIT: move the writer's heads to where this transaction left them."""
        if self.last is not None:
            heads.position = self._heads.position
            heads.log_hash = self._heads.log_hash
            heads.next_stream = self._heads.next_stream
            # A job may have changed more than it appended, the salt of an erased session for one.
            heads.forget()


class _Nobody:
    """Waits for nothing: a job's caller waits for the job."""

    def settle(self, outcome: Outcome) -> None:
        """Drop the outcome."""
