"""Opening a store: the order of checks, locks and take-over that keeps every refusal without a write."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.announcements import Announcements
from holdfast.adapters.storage.backends import Backend, backend_for
from holdfast.adapters.storage.guard import Guard, lost_store
from holdfast.adapters.storage.settings import StoreSettings, refuse_environment
from holdfast.adapters.storage.store import Store, store_id
from holdfast.adapters.storage.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from holdfast.adapters.storage.commit import Heads
    from holdfast.adapters.storage.jobs import Log
    from holdfast.domain.errors import LogRegressedError

ROUNDS: Final = 100
"""How often a log that seems behind its witness is looked at again while it still grows."""


def now_us() -> int:
    """Return the time in microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def open_store(
    settings: StoreSettings,
    *,
    write: bool = True,
    inline: bool = False,
    checkpoints: Path | None = None,
    now: Callable[[], int] = now_us,
    environ: Mapping[str, str] | None = None,
) -> Store:
    """Open the store that `settings` name, in a time that does not depend on its size.

    Args:
        settings: Where it lies.
        write: Whether to become its one writer, and to make it where it is missing. Reading creates nothing.
        inline: Commit in the caller's thread, for tests in virtual time.
        checkpoints: Folder of the witnesses outside the database; without one, no log is ever found to be behind.
        now: The time in microseconds since the epoch, UTC.
        environ: The environment to check; the process's own by default.

    Returns:
        The store. With `regressed` set, it was opened for writing but only reads.

    Raises:
        NotFoundError: There is none, and it was opened for reading.
        StoreBusyError: Another process writes to it, and did not leave within `settings.wait_s`.
        StoreForeignError: Something else lies there.
        StoreNewerError: A later version wrote it.
        StoreDamagedError: It cannot be read.
        StoreReadOnlyError: Writing is not allowed there.
        StoreUnavailableError: The server cannot be reached.
        LogRegressedError: A store that the witnesses remember is gone.
        SettingsError: The environment asks for what is refused.
    """
    refuse_environment(os.environ if environ is None else environ)
    backend = backend_for(settings)
    try:
        if write:
            return _open_writing(backend, settings, checkpoints, now, inline=inline)
        backend.open_reading()
        return Store(backend, None, Announcements(None), now=now)
    except BaseException as error:
        backend.close()
        if isinstance(error, backend.driver_errors):
            raise backend.translate(error) from error
        raise


def _open_writing(
    backend: Backend, settings: StoreSettings, checkpoints: Path | None, now: Callable[[], int], *, inline: bool
) -> Store:
    if checkpoints is not None and not backend.exists():
        gone = lost_store(checkpoints, settings.label)
        if gone is not None:
            raise gone
    log = backend.open_writing()
    try:
        guard = None if checkpoints is None else Guard(checkpoints, settings.label, now, background=not inline)
        return _take_over(backend, log, guard, inline=inline, now=now)
    except BaseException:
        log.close()
        raise


def _take_over(backend: Backend, log: Log, guard: Guard | None, *, inline: bool, now: Callable[[], int]) -> Store:
    heads, regressed = settled(log.read_heads, lambda heads: _compare(backend, guard, heads))
    if regressed is not None:
        log.close()
        return Store(backend, None, Announcements(None), now=now, regressed=regressed)
    heads = log.take_over(heads, now())
    announcements = Announcements(guard, heads.position)
    return Store(backend, Writer(log, heads, announcements, inline=inline), announcements, inline=inline, now=now)


def settled(
    read: Callable[[], Heads], compare: Callable[[Heads], LogRegressedError | None]
) -> tuple[Heads, LogRegressedError | None]:
    """Return the heads, and whether the log is behind its witness for good.

    A writer that is still at work, and is about to be fenced, moves log and witness between the two looks at them: what
    seems behind is looked at again as long as the log grows, `ROUNDS` times at the most.
    """
    heads = read()
    regressed = compare(heads)
    for _ in range(ROUNDS):
        if regressed is None:
            break
        before, heads = heads, read()
        if heads.position == before.position:
            break
        regressed = compare(heads)
    return heads, regressed


def _compare(backend: Backend, guard: Guard | None, heads: Heads) -> LogRegressedError | None:
    if guard is None:
        return None
    events = schema.events.c
    with backend.reader.connect() as connection, connection.begin():

        def hash_at(position: int) -> bytes | None:
            return connection.scalar(select(events.hash).where(events.position == position))

        return guard.open(store_id(connection), heads.position, heads.log_hash, hash_at)
