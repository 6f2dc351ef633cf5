"""Starting an agent under a host of its own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import msgspec
from anyio import to_thread
from anyio.lowlevel import checkpoint_if_cancelled
from msgspec import Struct

from holdfast.adapters.supervision.host import folder as folders
from holdfast.adapters.supervision.host.complaint import explain
from holdfast.adapters.supervision.host.processes import MARK
from holdfast.domain.errors import AgentError, CommandNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.adapters.supervision.host.folder import Host

PROGRAM = Path(__file__).with_name("process.py")

_ALLOWED = frozenset({"PATH", "HOME", "USER", "LANG", "TERM", "TMPDIR", "SHELL"})
_START_S = 20.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Limits(Struct, frozen=True):
    """What a host may use.

    Attributes:
        spool_bytes: Output that nobody has acknowledged; beyond it the agent waits. More than the longest line allowed.
        segment_bytes: Size of the pieces in which acknowledged output is let go.
        queue_bytes: Input that the agent has not read.
        stderr_bytes: How much of standard error is kept.
        abandon_after_s: How long an agent goes on without a daemon; 0 for ever.
        eof_s: How long an agent may take to end after the end of its input.
        term_s: How long after SIGTERM.
    """

    spool_bytes: int = 1 << 26
    segment_bytes: int = 1 << 20
    queue_bytes: int = 1 << 26
    stderr_bytes: int = 1 << 18
    abandon_after_s: float = 86400
    eof_s: float = 2
    term_s: float = 2


class Order(Struct, frozen=True):
    """What is to be started.

    Attributes:
        command: The program and its arguments; never given to a shell.
        cwd: The folder it starts in.
        environment: All of its environment; see `environment`.
        labels: What it should be found again by. They end up in host.json.
    """

    command: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    labels: Mapping[str, str] = {}
    limits: Limits = Limits()


def environment(source: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """Return what an agent may see of an environment: the common names, the locale, and those named here."""
    allowed = _ALLOWED.union(names)
    return {name: value for name, value in source.items() if name in allowed or name.startswith("LC_")}


def new_incarnation() -> bytes:
    """Return eight random bytes, the name of one run of one agent."""
    return os.urandom(8)


def runtime_folder() -> Path:
    """Return the folder for sockets, short because their addresses are: made if need be, and this user's alone.

    Raises:
        AgentError: Somebody else has put something in its place.
    """
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    ours = f"/tmp/holdfast-{os.getuid()}"  # noqa: S108 - refused below where it is somebody else's
    place = Path(given) / "holdfast" if given and len(given) < 60 else Path(ours)
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
    except OSError as error:
        raise AgentError(f"no folder for sockets at {place}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise AgentError(f"{place} is not a folder of this user: remove it")
    place.chmod(0o700)
    return place


async def launch(
    hosts: Path, order: Order, *, runtime: Path, incarnation: bytes | None = None, program: Path = PROGRAM
) -> Host:
    """Start an agent under a new host and return it; the host outlives this process.

    Args:
        hosts: The folder of all hosts, made if need be.
        order: What to start.
        runtime: A short folder for the host's socket, from `runtime_folder`.
        incarnation: Chosen before, so that it can be recorded before anything is started.
        program: The host's own program.

    Raises:
        CommandNotFoundError: The command does not exist or may not be run.
        AgentFolderError: The folder cannot be entered.
        AgentError: The host could not be started for another reason, such as a full disk.
    """
    name = (incarnation or new_incarnation()).hex()
    if not order.command or any("\0" in word for word in (*order.command, order.cwd)):
        raise CommandNotFoundError("an agent needs a command, and no zero byte in it")
    try:
        place = await to_thread.run_sync(_Place, hosts, runtime, name)
    except OSError as error:
        raise AgentError(f"no room for an agent's files in {hosts}: {error.strerror}") from error
    host, told = None, dict[str, object]()
    try:
        # Once begun it is seen through: what was cancelled half-way could leave an agent that nobody knows.
        with anyio.CancelScope(shield=True):
            told = await _start(place, order, program)
            host = await to_thread.run_sync(folders.describe, place.folder)
        await checkpoint_if_cancelled()
    except BaseException:
        if host:
            os.kill(host.host.pid, signal.SIGTERM)
        else:
            place.discard()
        raise
    finally:
        place.close()
    if host is None:
        place.discard()
        raise explain(order, told)
    return host


class _Place:
    """Folder, lock and socket of a host, made before it starts so that it never runs without them."""

    def __init__(self, hosts: Path, runtime: Path, name: str) -> None:
        hosts.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = hosts.absolute() / name
        self.folder.mkdir(mode=0o700)
        self.keys = os.open(self.folder / folders.KEYS, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(self.keys, fcntl.LOCK_EX)
        self.socket = runtime / f"{name}.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.socket))
        self.socket.chmod(0o600)
        self.listener.listen(16)
        self.boot = _BOOT.read_text().strip() if _BOOT.exists() else ""

    def close(self) -> None:
        os.close(self.keys)
        self.listener.close()

    def discard(self) -> None:
        self.socket.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


async def _start(place: _Place, order: Order, program: Path) -> dict[str, object]:
    sent = {
        "incarnation": place.folder.name,
        "folder": str(place.folder),
        "socket": str(place.socket),
        "keys": place.keys,
        "listener": place.listener.fileno(),
        "boot": place.boot,
        "command": order.command,
        "cwd": order.cwd,
        "environment": dict(order.environment),
        "labels": dict(order.labels),
        "limits": msgspec.to_builtins(order.limits),
    }

    # In a thread: when a child reads its input and ends at once, asyncio's own subprocesses may close its pipe twice.
    def run() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-I", "-S", program],
            input=json.dumps(sent).encode(),  # values of keys stay out of every argument list
            capture_output=True,
            check=False,
            cwd="/",
            env={MARK: ""},  # no part of an agent, even where this daemon was started by one
            pass_fds=(place.keys, place.listener.fileno()),
            timeout=_START_S,
        )

    try:
        done = await to_thread.run_sync(run)
    except subprocess.TimeoutExpired as error:
        msg = f"the host of {order.command[0]} did not start within {_START_S} s"
        raise TimeoutError(msg) from error
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        return {"reason": done.stderr.decode(errors="replace").strip()[-500:] or "it said nothing"}
