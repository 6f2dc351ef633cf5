"""Starting, watching, tracing and killing the processes of `zygote` from a test."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


class Zygote:
    """One process that forks programs, one at a time. Ends with the `with` block, its child too."""

    def __init__(self, prefix: Sequence[str] = (), errors: Path | None = None) -> None:
        """Start it, behind a command such as `unshare` where one is given."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        environment |= {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in (".", "domain", "adapters", "frontends")),
        }
        self._errors = (errors or Path(os.devnull)).open("ab")
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "tests.chaos.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors if errors else None,
            cwd=ROOT,
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        self._run: Run | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def start(self, program: str, *arguments: str | Path, wait: bool = False) -> Run:
        """Start a program; with `wait` it does nothing before `Run.go`."""
        if self._run is not None and not self._run.words.ended:
            self._run.kill()  # a test that failed has left it
        self.tell(json.dumps([program, [str(argument) for argument in arguments], wait]))
        self._run = Run(self)
        return self._run

    def tell(self, line: str) -> None:
        """Write to whoever reads the standard input now."""
        os.write(self._in, line.encode())

    def read(self, timeout_s: float) -> bytes | None:
        """Return what is said within some seconds, b"" at the end of everything, None where nothing is said."""
        readable, _, _ = select.select([self._out], [], [], max(0.0, timeout_s))
        return os.read(self._out, 1 << 20) if readable else None


class Run:
    """One forked process from its first word to its exit.

    Attributes:
        words: What it has said so far.
    """

    def __init__(self, zygote: Zygote) -> None:
        self._zygote = zygote
        self._partial = b""
        self.words = Words()
        self.listen_for(lambda words: words.pid > 0)
        self.pid = self.words.pid

    def go(self) -> None:
        """Let it begin."""
        self._zygote.tell("go")

    def listen_for(self, enough: Callable[[Words], bool], within_s: float = PATIENCE_S) -> None:
        """Take in what it says until that is enough, or until it has ended, however long it goes on.

        Raises:
            TimeoutError: It has said nothing for so long.
        """
        while not self.words.ended and not enough(self.words):
            if not self._hear(time.monotonic() + within_s):
                message = f"process {self.words.pid} says nothing more: {str(self.words)[-300:]}"
                raise TimeoutError(message)

    def listen_to_acks(self, more: int) -> None:
        """Take in what it says until so many more events are acknowledged, or until it has ended."""
        count = len(self.words.acks) + more
        self.listen_for(lambda words: len(words.acks) >= count)

    def listen_until(self, deadline: float) -> None:
        """Take in what it says until some moment, or until it has ended."""
        while not self.words.ended and self._hear(deadline):
            if time.monotonic() >= deadline:
                return

    def catch_up(self) -> None:
        """Take in everything that it has said up to now. It must not be able to say more for ever."""
        while not self.words.ended and self._hear(0.0):
            pass

    def kill(self) -> Words:
        """Kill it at this very moment and return all it had said."""
        if not self.words.ended:
            with suppress(ProcessLookupError):  # it was quicker
                os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self, within_s: float = PATIENCE_S) -> Words:
        """Return all it said, after it has ended by itself.

        Raises:
            TimeoutError: It has not.
        """
        self.listen_for(lambda words: words.ended, within_s)
        return self.words

    def _hear(self, deadline: float) -> bool:
        """Take in what it says next; tell whether it said anything in time."""
        said = self._zygote.read(deadline - time.monotonic())
        if not said:
            return False
        *lines, self._partial = (self._partial + said).split(b"\n")
        for line in lines:
            self.words.add(line.decode())
        return True


class Strace:
    """`strace` attached to a waiting process. Ends with it."""

    def __init__(self, pid: int, *arguments: str, output: Path | str = os.devnull) -> None:
        """Attach, and return once it is attached.

        Raises:
            RuntimeError: It may not.
        """
        self._process = subprocess.Popen(
            ["strace", "-f", "-p", str(pid), "-o", str(output), *arguments],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        if "attached" not in line:
            self._process.kill()
            message = f"strace cannot attach: {line}"
            raise RuntimeError(message)

    def wait(self) -> None:
        """Return when everything it traces has ended."""
        self._process.communicate(timeout=PATIENCE_S)


def traced(zygote: Zygote, program: Sequence[str | Path], *arguments: str, output: Path | str = os.devnull) -> Words:
    """Run a program under strace to its end, whatever that is, and return what it said."""
    run = zygote.start(str(program[0]), *program[1:], wait=True)
    strace = Strace(run.pid, *arguments, output=output)
    run.go()
    words = run.wait()
    strace.wait()
    return words


def every(points: Sequence[tuple[str, int]], nth: int) -> Iterator[tuple[str, int]]:
    """Yield every n-th of some points, the first and the last included."""
    return (point for index, point in enumerate(points) if index % nth == 0 or index == len(points) - 1)
