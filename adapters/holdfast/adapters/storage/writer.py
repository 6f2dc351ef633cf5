"""The one thread that writes: takes what is queued, commits it as a group, tells everyone who waits.

All decisions about errors are here: who is told what, and whether the store goes on.
"""

from __future__ import annotations

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.adapters.storage.commit import Request, commit
from holdfast.adapters.storage.failures import STOPPING, line_of, store_error
from holdfast.adapters.storage.jobs import Job, WriteTransaction
from holdfast.domain.errors import (
    HoldfastError,
    LogRegressedError,
    OutcomeUnknownError,
    StoreClosedError,
    StoreError,
    StoreFencedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.adapters.storage.commit import Heads, Outcome
    from holdfast.adapters.storage.jobs import Log, Observer, Server

__all__ = ["WriteTransaction", "Writer"]

MAX_ATTEMPTS = 3
"""How often a group is written again after the server went away under it."""

MAX_EVENTS = 2_000
"""Events a transaction takes before the rest of the queue waits for the next one."""

T = TypeVar("T")


class Writer:
    """The queue, the thread and the rules. With `inline`, callers run the same steps themselves, one at a time."""

    def __init__(self, log: Log, heads: Heads, observer: Observer, *, inline: bool = False) -> None:
        self._log = log
        self._heads = heads
        self._observer = observer
        self._queue: SimpleQueue[Request | Job[Any] | None] = SimpleQueue()
        self._stopped: HoldfastError | None = None
        self._inline = Lock() if inline else None
        self._closing = Lock()
        self._closed = False
        self._healthy = True
        self._thread: Thread | None = None
        if not inline:
            self._thread = Thread(target=self._run, name="holdfast-writer", daemon=True)
            self._thread.start()

    @property
    def position(self) -> int:
        """The last committed position."""
        return self._heads.position

    @property
    def stopped(self) -> HoldfastError | None:
        """Why nothing is written any more, or None."""
        return self._stopped

    def submit(self, request: Request) -> None:
        """Queue events; its ticket gets their outcome, on the writer thread."""
        self._put(request)

    def submit_all(self, requests: Sequence[Request]) -> None:
        """Queue several requests in this order."""
        for request in requests:
            self._put(request)

    def run(self, work: Callable[[WriteTransaction], T], *, changes_log: bool = True) -> Future[T]:
        """Queue a job that writes to the views, and perhaps to the log."""
        future: Future[T] = Future()
        self._put(Job(work, future, changes_log))
        return future

    def close(self) -> None:
        """Write what is queued, then stop the thread and let go of the store."""
        with self._closing:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join()
                self._thread = None
            if self._closed:
                return
            self._closed = True
            if self._inline is not None:
                self._healthy = self._stopped is None
                self._stopped = self._stopped or _closed()
            if self._healthy:
                self._log.close()
            else:
                self._log.abandon()

    def _put(self, item: Request | Job[Any]) -> None:
        if self._inline is not None:
            with self._inline:
                if self._stopped is None:
                    self._handle([item])
                else:
                    self._refuse(item)
            return
        self._queue.put(item)
        if self._stopped is not None:  # nobody takes from the queue any more
            self._refuse_queued()

    def _run(self) -> None:
        going = True
        while going:
            taken, going = self._take()
            try:
                self._handle(taken)
            except BaseException as error:  # noqa: BLE001 - a thread that dies in silence leaves everyone waiting
                stopping = store_error("foreign", error)
                self._stop(stopping, [item for item in taken if isinstance(item, Request)], _unknown(error))
            self._observer.gather()
            going = going and self._stopped is None
        if self._stopped is None:
            self._stopped = _closed()
        else:
            self._healthy = False
        self._refuse_queued()
        self._observer.announce()  # whoever waits for more looks why nothing more comes

    def _take(self) -> tuple[list[Request | Job[Any]], bool]:
        """Wait for something to do and take all that is queued; False when nothing comes after it."""
        queue = self._queue
        taken: list[Request | Job[Any]] = []
        events = 0
        item = queue.get()
        while item is not None:
            taken.append(item)
            if isinstance(item, Request):
                events += len(item.entries)
                if events >= MAX_EVENTS:
                    return taken, True
            try:
                item = queue.get_nowait()
            except Empty:
                return taken, True
        return taken, False

    def _handle(self, items: Sequence[Request | Job[Any]]) -> None:
        requests: list[Request] = []
        for item in items:
            if isinstance(item, Request):
                requests.append(item)
                continue
            if requests:
                self._commit(requests)
                requests = []
            self._work(item)
        if requests:
            self._commit(requests)
        if self._stopped is None:
            self._tidy()

    def _commit(self, requests: list[Request], attempt: int = 1) -> None:
        if self._stopped is not None:
            for request in requests:
                self._refuse(request)
            return
        try:
            batch = commit(self._log, self._heads, requests)
            if batch.rows:
                self._observer.committed(batch.position, batch.rows[-1][15], batch.log_hash)
                self._observer.wrote(batch)
        except Exception as error:  # noqa: BLE001 - every error has someone waiting who must hear of it
            self._fail(requests, error, attempt)
        else:
            for request, outcome in zip(requests, batch.outcomes, strict=True):
                request.ticket.settle(outcome)
            self._observer.announce()

    def _fail(self, requests: list[Request], error: Exception, attempt: int) -> None:
        if isinstance(error, StoreFencedError):
            self._stop(error, requests, error)
            return
        failure = self._log.diagnose(error)
        if failure == "lost" and (server := self._log.server) is not None:
            self._resolve(server, requests, error, attempt)
            return
        if failure == "refused" and len(requests) > 1:
            self._heads.forget()
            for request in requests:
                self._commit([request])
            return
        if failure == "refused" and attempt == 1:
            # Somebody may have written behind our back: compare with what is really there, once.
            self._heads.become(self._log.read_heads())
            self._commit(requests, attempt + 1)
            return
        if failure == "full":
            self._log.make_room()
        told = store_error(failure, error)
        if failure in STOPPING:
            self._stop(told, requests, _unknown(error) if failure == "broken" else told)
        else:
            self._settle_all(requests, told)

    def _resolve(self, server: Server, requests: list[Request], error: Exception, attempt: int) -> None:
        """Settle what was under way when the server went, by asking the log itself.

        Writing the same events again is that question: those that stand there under their ids are answered with their
        first positions, and the others were rolled back with the connection.
        """
        in_doubt = server.in_doubt
        try:
            server.reconnect(self._heads)
        except (StoreFencedError, LogRegressedError) as final:
            self._stop(final, requests, _unknown(error) if in_doubt else final)
        except StoreError as unreachable:
            self._settle_all(requests, _unknown(error) if in_doubt else unreachable)
        else:
            if attempt < MAX_ATTEMPTS:
                self._commit(requests, attempt + 1)
            else:
                self._settle_all(requests, _unknown(error) if in_doubt else store_error("lost", error))

    def _work(self, job: Job[Any]) -> None:
        if self._stopped is not None:
            self._refuse(job)
            return
        if not job.future.set_running_or_notify_cancel():
            return
        self._try(job, 1)

    def _try(self, job: Job[Any], attempt: int) -> None:
        returned = False
        try:
            with self._log.noticing(), self._log.connection.begin():
                self._log.check_epoch()
                transaction = WriteTransaction(self._log, self._heads)
                result = job.work(transaction)
                returned = True
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked for the job
            self._job_failed(job, error, attempt, in_doubt=returned)
            return
        transaction.take_effect(self._heads)
        if transaction.last is not None:
            batch = transaction.last
            try:
                self._observer.committed(batch.position, batch.rows[-1][15], batch.log_hash)
            except Exception as error:  # noqa: BLE001 - committed but not witnessed: like any commit of that kind
                self._stop(store_error("foreign", error), [], _unknown(error))
                job.future.set_exception(_unknown(error))
                return
        if job.changes_log:
            self._observer.rewrote(self._heads.position)
        job.future.set_result(result)
        if job.changes_log:
            self._observer.announce()

    def _job_failed(self, job: Job[Any], error: Exception, attempt: int, *, in_doubt: bool) -> None:
        self._heads.forget()
        if isinstance(error, HoldfastError):
            if isinstance(error, StoreFencedError):
                self._stop(error, [], error)
            job.future.set_exception(error)
            return
        failure = self._log.diagnose(error)
        if failure == "lost" and self._come_back() and not in_doubt and attempt < MAX_ATTEMPTS:
            self._try(job, attempt + 1)  # it was rolled back with its connection
            return
        if failure == "full":
            self._log.make_room()
        told = store_error(failure, error)
        if failure in {"refused", "foreign"}:
            job.future.set_exception(error)  # the job's own, and its transaction is undone
            return
        if failure in STOPPING:
            self._stop(told, [], told)
        unsure = in_doubt and failure in {"lost", "broken"}
        job.future.set_exception(_unknown(error, "do it again") if unsure else told)

    def _come_back(self) -> bool:
        if (server := self._log.server) is None:
            return False
        try:
            server.reconnect(self._heads)
        except (StoreFencedError, LogRegressedError) as final:
            self._stop(final, [], final)
            return False
        except StoreError:
            return False
        return True

    def _tidy(self) -> None:
        try:
            self._log.tidy()
        except Exception as error:  # noqa: BLE001 - a checkpoint may fail like any write
            failure = self._log.diagnose(error)
            if failure == "full":
                self._log.make_room()
            elif failure in STOPPING:
                stopping = store_error(failure, error)
                self._stop(stopping, [], stopping)

    def _stop(self, reason: HoldfastError, requests: list[Request], outcome: Outcome) -> None:
        self._stopped = reason
        self._settle_all(requests, outcome)

    def _settle_all(self, requests: list[Request], outcome: Outcome) -> None:
        for request in requests:
            request.ticket.settle(outcome)
        self._observer.announce()

    def _refuse_queued(self) -> None:
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                return
            if item is not None:
                self._refuse(item)

    def _refuse(self, item: Request | Job[Any]) -> None:
        reason = self._stopped or _closed()
        error = reason if isinstance(reason, (StoreFencedError, LogRegressedError)) else StoreClosedError(str(reason))
        error.__cause__ = reason if reason is not error else None
        if isinstance(item, Request):
            item.ticket.settle(error)
            self._observer.announce()
        elif item.future.set_running_or_notify_cancel():
            item.future.set_exception(error)


def _unknown(cause: BaseException, advice: str = "send the same events again") -> OutcomeUnknownError:
    error = OutcomeUnknownError(f"the commit may or may not have happened ({line_of(cause)}): {advice}")
    error.__cause__ = cause
    return error


def _closed() -> StoreClosedError:
    return StoreClosedError("the store is closed: open it again")
