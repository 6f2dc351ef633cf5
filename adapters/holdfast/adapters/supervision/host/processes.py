"""Which processes belong to which agent host, and how to signal exactly those. Standard library only.

Everything a host starts carries the host's incarnation in its environment. Where there is no /proc there is nothing to
find: the caller is left with the agent's process group.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import sys

TYPE_CHECKING = False  # the module typing is a tenth of a host's memory
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MARK = "HOLDFAST_HOST"
"""Names the environment variable that holds an incarnation in hexadecimal digits."""


class Process:
    """A living process as it was seen: its number alone says nothing, its number and start name it for good.

    Attributes:
        pid: Its number.
        parent: Its parent's number.
        start: When it started, in clock ticks since the machine did.
        mark: The value of the mark in its environment, None without one.
    """

    __slots__ = ("mark", "parent", "pid", "start")

    def __init__(self, pid: int, parent: int, start: int, mark: str | None) -> None:
        self.pid, self.parent, self.start, self.mark = pid, parent, start, mark


def look(pid: int) -> Process | None:
    """Return a process; None when it is gone, dead, or not ours to look into."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return None
    if fields[0] in {b"Z", b"X"}:
        return None
    mark = None
    for variable in variables:
        name, _, value = variable.partition(b"=")
        if name == MARK.encode():
            mark = value.decode(errors="replace")
    return Process(pid, int(fields[1]), int(fields[19]), mark)


def table() -> dict[int, Process]:
    """Return the living processes of this user."""
    if sys.platform != "linux":
        return {}
    names = os.listdir("/proc")
    return {int(name): found for name in names if name.isdigit() and (found := look(int(name)))}


def belongs(processes: Mapping[int, Process], pid: int, marks: Collection[str], host: int = 0) -> bool:
    """Whether a process carries one of these marks or, having none of its own, descends from one that does.

    A process under another mark belongs elsewhere, and so does what descends from it: an agent may run a daemon.

    Args:
        processes: Everything that lives.
        pid: The process in question.
        marks: Incarnations.
        host: A host whose children belong, marked or not: what lost its parent falls to it.
    """
    if pid == host:
        return False
    for _ in range(len(processes)):
        process = processes.get(pid)
        if process is None:
            return False
        if process.mark is not None:
            return process.mark in marks
        if process.parent == host:
            return True
        pid = process.parent
    return False


def strike(process: Process, number: int) -> bool:
    """Send a signal to exactly this process; return whether it was still there."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        # Looked at again with the handle open: from here on the number cannot become another's unnoticed.
        now = look(process.pid)
        if now is None or now.start != process.start:
            return False
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies; elsewhere than on Linux nothing happens."""
    _prctl(1, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of whatever loses its own below this process; elsewhere than on Linux nothing happens."""
    _prctl(36, 1)


def peer_uid(sock: socket.socket) -> int:
    """Return whose process is at the other end of a Unix socket."""
    if sys.platform != "linux":
        return int(struct.unpack_from("I", sock.getsockopt(0, 1, 76), 4)[0])  # LOCAL_PEERCRED and its xucred
    return int(struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
