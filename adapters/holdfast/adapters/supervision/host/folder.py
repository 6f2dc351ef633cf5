"""What an agent host leaves on disk, read from the daemon's side: who it is, how it ended, which keys it took.

The functions here do file I/O of a few kilobytes; an event loop calls them through a worker thread.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from msgspec import Struct

from holdfast.adapters.supervision.host.spool import unroll
from holdfast.domain.errors import HostProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST, ENDING, KEYS, ERRORS = "host.json", "exit.json", "keys", "stderr"

_Told = TypeVar("_Told", bound=Struct)
Reason = Literal["exited", "stopped", "abandoned", "terminated"]


class Pid(Struct, frozen=True):
    """A process by number and start; the start is in clock ticks since the machine's, None where that is not told."""

    pid: int
    start: int | None


class Host(Struct, frozen=True):
    """An agent host as it described itself when its agent had started.

    Attributes:
        incarnation: Eight bytes in hexadecimal; the name of its folder, and in every offset into its spool.
        folder: Where its files lie.
        socket: Where it listens.
        command: What it started, in `cwd`.
        labels: What whoever launched it wanted to find again.
        boot: Which start of the machine it belongs to.
        started: Seconds since the epoch.
    """

    version: int
    incarnation: str
    socket: str
    command: list[str]
    cwd: str
    labels: dict[str, str]
    boot: str
    started: float
    host: Pid
    agent: Pid
    folder: Path = Path()

    @property
    def id(self) -> bytes:
        """The incarnation as events carry it."""
        return bytes.fromhex(self.incarnation)


class Exit(Struct, frozen=True):
    """How an agent ended: by a code or by a signal."""

    code: int | None
    signal: int | None


class Status(Struct, frozen=True, kw_only=True):
    """What a host knows about its agent.

    Attributes:
        head: Offset after the last byte of output on disk.
        acked: Offset before which output was committed.
        full: Whether output waits because the disk takes no more.
        queued: Bytes that were accepted and did not fit into the agent's pipe.
        piped: Bytes that went into the pipe.
        unread: Bytes of those that the agent has not read, or never did.
        exit: How the agent ended; None while it lives.
        keys: For each key that was asked for, where its bytes begin and end; None if it was never accepted,
            the very beginning if it is settled.
    """

    version: int
    incarnation: str
    epoch: int
    head: int
    acked: int
    full: bool
    queued: int
    piped: int
    unread: int
    exit: Exit | None
    keys: dict[str, tuple[int, int] | None] = {}


class Ending(Status, frozen=True, kw_only=True):
    """A host's last status, and why it was the last.

    Attributes:
        reason: `exited`: the agent ended by itself. `stopped`: a daemon asked. `abandoned`: none came.
            `terminated`: the host was told to end.
        detail: More about that, for people.
        ended: Seconds since the epoch.
        truncated: Whether output was lost, because the disk was full to the end.
        left: Processes that could not be killed.
    """

    reason: Reason
    detail: str
    ended: float
    truncated: bool
    left: list[int]


def describe(folder: Path) -> Host | None:
    """Return who the host of this folder is; None before its agent has started.

    Raises:
        HostProtocolError: The file is damaged.
    """
    return _read(folder / HOST, Host, folder=folder)


def ending(folder: Path, keys: Iterable[str] = ()) -> Ending | None:
    """Return how the host ended, with what became of these keys; None if it lives or was killed.

    Raises:
        HostProtocolError: A file is damaged.
    """
    ending = _read(folder / ENDING, Ending)
    if ending is None:
        return None
    known = journal(folder)
    return msgspec.structs.replace(ending, keys={key: known.get(key) for key in keys})


def journal(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every key the host accepted, with where its bytes begin and end in the agent's input."""
    known: dict[str, tuple[int, int]] = {}
    for line in (folder / KEYS).read_bytes().splitlines():
        try:
            key, start, end = msgspec.json.decode(line, type=tuple[str, int, int])
        except msgspec.DecodeError:  # the last one, cut by the death of the machine
            continue
        known[key] = start, end
    return known


def errors(folder: Path) -> bytes:
    """Return the newest of what the agent wrote to standard error."""
    return unroll((folder / ERRORS).read_bytes())


def is_alive(folder: Path) -> bool:
    """Whether the host of this folder runs, or is being started. Its lock tells, which the kernel lifts at death."""
    try:
        file = (folder / KEYS).open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _read(path: Path, type_: type[_Told], **more: object) -> _Told | None:
    try:
        told = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.convert(json.loads(told) | more, type_)
    except (ValueError, TypeError) as error:
        raise HostProtocolError(f"{path} is damaged: {error}") from error
