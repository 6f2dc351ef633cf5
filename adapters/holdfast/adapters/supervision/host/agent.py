"""An agent's process and its pipes: started once, fed once for each key. The host's side; standard library only."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import sys
import termios

from holdfast.adapters.supervision.host.processes import MARK, die_with_parent

TYPE_CHECKING = False  # the module typing is a tenth of a host's memory
if TYPE_CHECKING:
    from typing import Any

READ_BYTES = 1 << 16

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ)


class FullError(Exception):
    """There is no room for what was to be written, and nothing of it was kept."""


class Agent:
    """The process, the three pipes, and what is to be written to it.

    Attributes:
        pid: Its process, which leads a session and a group of its own.
        stdin: The end that is written to, -1 once closed.
        stdout: The end that is read, -1 at its end.
        stderr: Likewise.
        piped: How many bytes went into its standard input.
        queue: What is accepted and waits for the agent to read.
        known: For each accepted key where its bytes begin and end in everything ever written.
        settled: Hashes of keys that need no answer any more; still known, at a fifth of the memory.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        """Start the agent.

        Raises:
            OSError: Its folder cannot be entered, or its command not be run; `filename` says which.
        """
        # The host keeps the agent's own end as well: what was never read can be counted after the agent's death.
        self._unread, self.stdin = os.pipe()
        self.stdout, out = os.pipe()
        self.stderr, err = os.pipe()
        for end in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(end, False)
        self.pid = _spawn(order, self._unread, out, err)
        os.close(out)
        os.close(err)
        self.piped = 0
        self.queue = bytearray()
        self.known: dict[str, tuple[int, int]] = {}
        self.settled: set[int] = set()
        self._queue_bytes = int(order["limits"]["queue_bytes"])
        self._journal, self._journal_bytes = int(order["keys"]), 0

    def accept(self, key: str, data: bytes) -> None:
        """Journal a new key and queue its data.

        Raises:
            FullError: The queue or the disk has no room.
        """
        if self.queue and len(self.queue) + len(data) > self._queue_bytes:
            raise FullError(f"{len(self.queue)} bytes wait for the agent to read")
        start = self.piped + len(self.queue)
        line = json.dumps([key, start, start + len(data)]).encode() + b"\n"
        try:
            whole = os.write(self._journal, line) == len(line)
        except OSError:
            whole = False
        if not whole:
            os.ftruncate(self._journal, self._journal_bytes)
            raise FullError("the disk takes no more keys")
        self._journal_bytes += len(line)
        self.known[key] = start, start + len(data)
        self.queue += data

    def find(self, key: str) -> tuple[int, int] | None:
        """Return where a key's bytes are, None if it was never accepted. Of a settled one only that it was is known."""
        return (0, 0) if hash(key) in self.settled else self.known.get(key)

    def settle(self, key: str) -> None:
        """Keep no more of a key than that it was accepted."""
        if self.known.pop(key, None):
            self.settled.add(hash(key))

    def feed(self) -> None:
        """Write what the pipe takes."""
        written = os.write(self.stdin, self.queue[:READ_BYTES])
        del self.queue[:written]
        self.piped += written

    def end_input(self) -> None:
        """Let the agent see the end of its input; what is queued stays unsent."""
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def read_output(self) -> bytes:
        """Return what it wrote to standard output; empty at the end."""
        data = os.read(self.stdout, READ_BYTES)
        if not data:
            os.close(self.stdout)
            self.stdout = -1
        return data

    def read_errors(self) -> bytes:
        """Return what it wrote to standard error; empty at the end."""
        data = os.read(self.stderr, READ_BYTES)
        if not data:
            os.close(self.stderr)
            self.stderr = -1
        return data

    def unread(self) -> int:
        """Return how many bytes lie in its standard input, before and after its death."""
        count = bytearray(4)
        fcntl.ioctl(self._unread, termios.FIONREAD, count)
        return int.from_bytes(count, sys.byteorder)


def _spawn(order: dict[str, Any], *pipes: int) -> int:
    faults, fault = os.pipe()
    host = os.getpid()
    pid = os.fork()
    if not pid:
        _become(order, host, pipes, fault)
    os.close(fault)
    number, _, name = os.read(faults, 1 << 16).decode(errors="surrogateescape").partition(" ")
    os.close(faults)
    if number:
        os.waitpid(pid, 0)
        raise OSError(int(number), os.strerror(int(number)), name)
    return pid


def _become(order: dict[str, Any], host: int, pipes: tuple[int, ...], fault: int) -> None:
    name = str(order["cwd"])
    try:
        os.setsid()
        die_with_parent()
        if os.getppid() != host:
            os._exit(1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for target, pipe in enumerate(pipes):
            os.dup2(pipe, target)
        os.umask(order["umask"])
        os.chdir(name)
        name = order["command"][0]
        os.execvpe(name, order["command"], {**order["environment"], MARK: order["incarnation"]})  # noqa: S606 - never a shell
    except (OSError, ValueError) as error:  # a value error is a zero byte in a name
        os.write(fault, f"{getattr(error, 'errno', errno.EINVAL)} {name}".encode(errors="surrogateescape"))
    finally:
        os._exit(127)
