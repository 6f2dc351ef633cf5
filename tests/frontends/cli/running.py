"""Runs the program with pipes or on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.support.cli import HOLDFAST

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
ROOTS = os.pathsep.join(str(ROOT / each) for each in ("domain", "adapters", "frontends", "."))


class Ran(NamedTuple):
    """What came of a run on a terminal: everything the terminal was sent, and the exit code."""

    printed: str
    code: int


def command(*args: str) -> list[str]:
    """Return the argument list that runs the program."""
    return [sys.executable, "-m", "tests.frontends.cli.program", *args]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which nothing of the developer's own is seen."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}
    plain = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ROOTS,
        "HOME": "/srv",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }
    return {**kept, **plain, **(extra or {})}


def piped(*args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program with its streams on pipes."""
    return subprocess.run(
        command(*args), env=environment(env), cwd=ROOT, capture_output=True, check=False, encoding="utf-8", input=""
    )


class OnTerminal:
    """The program on a pseudo-terminal of its own."""

    def __init__(
        self,
        *args: str,
        columns: int = 120,
        env: Mapping[str, str] | None = None,
        whole: Mapping[str, str] | None = None,
    ) -> None:
        """Start it: over a library in memory with a little more environment, or as installed with a whole one."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._process = subprocess.Popen(
            command(*args) if whole is None else [str(HOLDFAST), *args],
            env=environment(env) if whole is None else whole,
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._printed = b""

    def until(self, text: str) -> OnTerminal:
        """Read until `text` was printed."""
        while text.encode() not in self._printed:
            piece = self._read()
            assert piece, f"{text!r} was never printed: {self._printed!r}"
            self._printed += piece
        return self

    def type(self, keys: str) -> OnTerminal:
        """Type on the terminal."""
        os.write(self._master, keys.encode())
        return self

    def interrupt(self) -> OnTerminal:
        """Do what Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        return self

    def ran(self) -> Ran:
        """Read to the end."""
        while piece := self._read():
            self._printed += piece
        os.close(self._master)
        return Ran(self._printed.decode(), self._process.wait())

    def _read(self) -> bytes:
        try:
            return os.read(self._master, 65536)
        except OSError:  # Linux says EIO once nobody has the other side open
            return b""
        except BaseException:
            self._process.kill()  # the test is over, out of time perhaps
            self._process.wait()
            raise


def on_terminal(*args: str, columns: int = 120, env: Mapping[str, str] | None = None) -> Ran:
    """Run the program on a pseudo-terminal to its end."""
    return OnTerminal(*args, columns=columns, env=env).ran()
