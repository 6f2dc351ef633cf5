"""One writing process per SQLite store: an advisory lock on a file beside it, which also names who holds it."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from holdfast.adapters.durable import remedy
from holdfast.domain.errors import StoreBusyError, StoreReadOnlyError

if TYPE_CHECKING:
    from pathlib import Path

_POLL_S = 0.05


class Holder(Struct, frozen=True, omit_defaults=True):
    """The process that writes to a store."""

    pid: int
    started: str
    home: str | None = None

    def __str__(self) -> str:
        return f"process {self.pid} (since {self.started}{f', home {self.home}' if self.home else ''})"


class StoreLock:
    """An exclusive lock that the operating system drops when its process dies, however it dies.

    A child that is forked without exec would share it: programs are only ever started with close_fds.
    """

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".lock")
        self._fd: int | None = None

    def acquire(self, *, home: Path | None, wait_s: float) -> None:
        """Take the lock, waiting up to `wait_s` for the process that holds it.

        Raises:
            StoreBusyError: Somebody still holds it; the message names them.
            StoreReadOnlyError: The lock file cannot be written.
        """
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            msg = f"cannot write {self.path} ({error.strerror}): {remedy(error)}, or only read"
            raise StoreReadOnlyError(msg) from error
        deadline = monotonic() + wait_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                # flock has no timeout and tells nobody when it is free: looking again is all there is.
                if monotonic() >= deadline:
                    holder = _read(fd)
                    os.close(fd)
                    msg = (
                        f"the store {self.path.with_suffix('')} is in use by {holder or 'another process'}: "
                        "stop that one first, or use its home"
                    )
                    raise StoreBusyError(msg, None if holder is None else holder.home) from error
                sleep(_POLL_S)
        holder = Holder(os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"), str(home) if home else None)
        os.ftruncate(fd, 0)
        os.pwrite(fd, msgspec.json.encode(holder), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files of one name."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def _read(fd: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(fd, 4096, 0), type=Holder)
    except msgspec.DecodeError:
        return None  # taken this instant: its holder has not written its name yet
