"""Starting a daemon's process from another one: detached, with nothing of where it was started from."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from msgspec import Struct

from holdfast.adapters.durable import remedy
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.bootstrap.daemon.sockets import loopback
from holdfast.domain.daemon import Running
from holdfast.domain.errors import DaemonError
from holdfast.frontends.codes import code_of, rebuilt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdfast.adapters.configuration.home import Home
    from holdfast.domain.daemon import Listen
    from holdfast.domain.errors import HoldfastError

STDERR = "stderr.log"
"""What the interpreter itself says when it dies; everything else is in the log."""


PARENT = "HOLDFAST_PARENT"
"""Names the process that starts a daemon again when it is killed."""


class Refusal(Struct, frozen=True):
    """Why a daemon did not get ready."""

    code: str
    detail: str


class Report(Struct, frozen=True):
    """What a starting daemon tells whoever started it, once."""

    ready: Running | None = None
    refused: Refusal | None = None


def check(listen: Listen) -> None:
    """Refuse an address that is not of this machine alone.

    Raises:
        UnsafeError: It is not.
    """
    loopback(listen.host)


def command(listen: Listen, *, report: int | None = None) -> list[str]:
    """Return the argument list of a daemon.

    Isolated, or a file called `copy.py` in some folder could become a part of it.
    """
    words = [sys.executable, "-I", "-m", "holdfast.bootstrap.daemon", "--host", listen.host]
    if listen.port is not None:
        words += ["--port", str(listen.port)]
    if not listen.web:
        words.append("--no-web")
    if report is not None:
        words += ["--report", str(report)]
    return words


def environment(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a daemon.

    The mark of an agent's host is emptied: a daemon that an agent started must not end with that agent.
    """
    url = environ.get("HOLDFAST_DATABASE_URL", "")
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        path = StoreSettings.from_url(url).path  # it is one from here, and the daemon is elsewhere
        environ = {**environ, "HOLDFAST_DATABASE_URL": f"sqlite:///{quote(str(path))}"}
    return {**environ, "HOLDFAST_HOME": str(home.path), "HOLDFAST_HOST": ""}


def spawn(home: Home, environ: Mapping[str, str], listen: Listen, *, within_s: float) -> Running:
    """Start a daemon that outlives this process, and return once it is ready.

    Raises:
        DaemonError: It ended, or was not ready in time.
        HoldfastError: What it refused to start for.
    """
    child, told = begin(home, environ, listen)
    running = outcome(home, child, told, within_s)
    child.returncode = 0  # it outlives this process: whoever collects it one day, it is not this object
    return running


def begin(home: Home, environ: Mapping[str, str], listen: Listen) -> tuple[subprocess.Popen[bytes], int]:
    """Start a daemon in a session of its own; return it, and from where `outcome` reads how that went.

    Raises:
        DaemonError: No process can be started.
    """
    reading, writing = os.pipe()
    try:
        home.logs.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(_private(home.logs / STDERR), "wb") as errors:
            child = subprocess.Popen(
                command(listen, report=writing),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd="/",
                env=environment(home, environ),
                pass_fds=(writing,),
                start_new_session=True,
            )
    except OSError as error:
        os.close(reading)
        raise DaemonError(unusable(error)) from error
    finally:
        os.close(writing)
    return child, reading


def outcome(home: Home, child: subprocess.Popen[bytes], told: int, within_s: float) -> Running:
    """Return what a daemon that was begun says once it is ready.

    Raises:
        DaemonError: It ended, or was not ready in time.
        HoldfastError: What it refused to start for.
    """
    try:
        said = _read(told, monotonic() + within_s)
    finally:
        os.close(told)
    if said is None:
        msg = f"the daemon (process {child.pid}) was not ready within {within_s:.0f} s: see `holdfast logs`"
        raise DaemonError(msg)
    try:
        report = msgspec.json.decode(said, type=Report)
    except msgspec.DecodeError:
        report = Report()  # it ended without a word, or in the middle of it
    if report.ready is not None:
        return report.ready
    code = child.wait()
    if report.refused is not None:
        raise rebuilt(report.refused.code, report.refused.detail)
    if code < 0:
        msg = (
            f"the daemon was killed ({signal.Signals(-code).name}) before it was ready: start it again; should that "
            f"be its end once more, see {home.logs / STDERR}"
        )
    else:
        msg = f"the daemon ended before it was ready (exit {code}): see {home.logs / STDERR}"
    raise DaemonError(msg)


def unusable(error: OSError) -> str:
    """Return a line for people about what keeps a daemon from starting."""
    if error.filename is None:
        return f"the daemon cannot be started ({error.strerror or error})"
    return f"the daemon cannot use {os.fsdecode(error.filename)} ({error.strerror}): {remedy(error)}"


def report_to(fd: int, outcome: Running | HoldfastError) -> None:
    """Tell whoever started this daemon that it is ready, or why it is not; done once."""
    if isinstance(outcome, Running):
        report = Report(ready=outcome)
    else:
        report = Report(refused=Refusal(code_of(type(outcome)), str(outcome)))
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(msgspec.json.encode(report))
    except BrokenPipeError:
        return  # whoever started it did not wait


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _read(fd: int, deadline: float) -> bytes | None:
    """Return what the daemon tells, until it closes its end; None once the time is over."""
    told = b""
    while True:
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - monotonic()))
        if not ready:
            return None
        piece = os.read(fd, 65536)
        if not piece:
            return told
        told += piece
