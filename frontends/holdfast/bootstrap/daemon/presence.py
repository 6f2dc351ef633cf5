"""Whether a daemon lives in a home: a lock that dies with its process, and a file that says where it listens."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import msgspec

from holdfast.adapters.durable import remedy, replace_file
from holdfast.domain.daemon import Running
from holdfast.domain.errors import OccupiedError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Generator

    from holdfast.adapters.configuration.home import Home

END_AGENTS = signal.SIGUSR1
"""Ends the daemon together with its agents; SIGTERM leaves them to their hosts."""

TELL_AGAIN = signal.SIGUSR2
"""Has a daemon that is ready say again where it listens, for whoever finds that its file is gone or broken."""

_POLL_S = 0.02
_TELLS_S = 1.0
"""How long a daemon that was asked may take for that, at least."""

_PROBES_S = 0.5
"""Longer than anybody who only looks holds the lock."""


def find(home: Home, *, wait_s: float = 0.0) -> Running | None:
    """Return the daemon of this home that is ready; None where there is none, whatever it left behind.

    Args:
        home: Where it would be.
        wait_s: How long to wait for one that lives and is not ready yet.
    """
    deadline = monotonic() + wait_s
    asked = False
    while lives(home):
        running = _read(home)
        if running is not None and not _is_there(running.pid):
            running = None  # of one that was killed; its successor has only begun
        if running is None and not asked and _ask(home):
            asked, deadline = True, max(deadline, monotonic() + _TELLS_S)
        if running is not None or monotonic() >= deadline:
            return running
        sleep(_POLL_S)  # nobody tells when a file appears, or when a lock is gone
    return None


def ends_agents(pid: int) -> bool:
    """Tell whether a daemon heeds the signal for that: until it is ready, that would end it and leave its agents."""
    heeded = _heeds(pid, END_AGENTS)
    return heeded is None or heeded


def _ask(home: Home) -> bool:
    """Ask the daemon of this home to say again where it listens, where it surely heeds that; tell whether it does."""
    pid = process_of(home)
    if pid is None or not _heeds(pid, TELL_AGAIN):
        return False
    try:
        os.kill(pid, TELL_AGAIN)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _heeds(pid: int, signum: signal.Signals) -> bool | None:
    """Tell whether a process catches a signal; None where it is gone, or where nobody can tell (this is no Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "SigCgt: 0").split()[1]
    return bool(int(caught, 16) >> (signum - 1) & 1)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # of another user
    return True


def lives(home: Home) -> bool:
    """Tell whether a daemon's process of this home is there, ready or not."""
    try:
        fd = os.open(home.daemon_lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look do not take each other for the daemon.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def process_of(home: Home) -> int | None:
    """Return the process that lives in this home, from the lock itself: also where it does not say where it listens."""
    try:
        return int(home.daemon_lock.read_bytes()) if lives(home) else None
    except (OSError, ValueError):
        return None


def wait_until_gone(home: Home, within_s: float) -> bool:
    """Wait until no daemon lives in this home; tell whether that came to be."""
    deadline = monotonic() + within_s
    while lives(home):
        if monotonic() >= deadline:
            return False
        sleep(_POLL_S)
    return True


@contextmanager
def only_one(home: Home) -> Generator[None]:
    """Be the only daemon of this home until the context, or the process, ends.

    Raises:
        OccupiedError: Another one lives.
        StoreReadOnlyError: The home cannot be written.
    """
    try:
        fd = os.open(home.daemon_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        msg = f"cannot write {home.daemon_lock} ({error.strerror}): {remedy(error)}"
        raise StoreReadOnlyError(msg) from error
    try:
        _lock(fd, home)
        home.daemon.unlink(missing_ok=True)  # of one that was killed
        os.ftruncate(fd, 0)
        os.write(fd, b"%d\n" % os.getpid())
        yield
        home.daemon.unlink(missing_ok=True)
    finally:
        os.close(fd)


def announce(home: Home, running: Running) -> None:
    """Say where the daemon listens. From here on it counts as ready."""
    replace_file(home.daemon, msgspec.json.encode(running))


def _lock(fd: int, home: Home) -> None:
    deadline = monotonic() + _PROBES_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if monotonic() < deadline:
                sleep(_POLL_S)
                continue
            running = _read(home)
            where = f"process {running.pid} at {running.url}" if running else _unready(home)
            msg = f"a daemon of {home.path} runs already ({where}): use that one, or end it with `holdfast down`"
            raise OccupiedError(msg) from error
        return


def _unready(home: Home) -> str:
    pid = process_of(home)
    return "it is about to be ready" if pid is None else f"process {pid}, which does not say yet where it listens"


def _read(home: Home) -> Running | None:
    try:
        return msgspec.json.decode(home.daemon.read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
