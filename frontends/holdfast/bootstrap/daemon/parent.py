"""`python -I -m holdfast.bootstrap.daemon.parent`: a daemon in sight, started again whenever it is killed.

This is what `make run` shows: the page may pull the plug of the daemon behind it, and it comes back.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Final, Literal

from msgspec.structs import replace

from holdfast.adapters.configuration.home import find_home, prepare_home
from holdfast.bootstrap.daemon import process
from holdfast.bootstrap.daemon.control import LocalDaemon
from holdfast.domain.daemon import Listen
from holdfast.domain.errors import HoldfastError
from holdfast.frontends.cli.exits import DONE, code_of
from holdfast.frontends.cli.terminal import complain, note, warn
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.sessions import DaemonSessions

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType
    from typing import NoReturn

    from holdfast.domain.daemon import Running

DEVICE: Final = "make run"

_READY_S = 120.0
_END_S = 40.0
_PAUSE_S = 1.0
"""Before a daemon is started again that ended by itself: its trouble may well be there a moment longer."""

_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)

Happening = Literal["ended", "entered"]


def main() -> int:
    """Keep a daemon running until interrupted; return the exit code."""
    arguments = _parser().parse_args()
    for each in _INTERRUPTS:  # a shell may have had the first one ignored
        signal.signal(each, _interrupt)
    try:
        return Parent(Listen(port=arguments.port)).run()
    except KeyboardInterrupt:
        return DONE
    except HoldfastError as error:
        complain(str(error))
        return code_of(error)


class Parent:
    """One daemon and the process that starts it again."""

    def __init__(self, listen: Listen) -> None:
        """Start nothing yet.

        Raises:
            SettingsError: The home cannot be used.
        """
        self._listen = listen
        self._home = find_home(os.environ)
        self._control = LocalDaemon(os.environ, warn)
        self._happenings: SimpleQueue[Happening] = SimpleQueue()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Keep it running until interrupted, then end it with its agents.

        Raises:
            HoldfastError: It cannot start.
        """
        running = self._control.running()
        if running is not None:
            note(f"A daemon of {self._home.path} runs already (process {running.pid}); this is it.")
            self._invite(running)
            return DONE
        prepare_home(self._home, warn)
        try:
            running = self._start()
            print(f"Holdfast runs at {running.url}", flush=True)  # noqa: T201 - the one place where it is said
            self._invite(running)
            if sys.stdin.isatty():
                note("Enter prints another link. Ctrl-C ends it.")
                Thread(target=self._read, daemon=True).start()
            else:
                note("Ctrl-C ends it.")
            return self._watch(running)
        finally:
            self._end()

    def _start(self) -> Running:
        environ = {**os.environ, process.PARENT: str(os.getpid())}
        with _uninterrupted():  # or a daemon could be begun of which nobody knows
            self._child, told = process.begin(self._home, environ, self._listen)
        running = process.outcome(self._home, self._child, told, _READY_S)
        # A page that is open finds it again where it was.
        self._listen = replace(self._listen, port=int(running.url.rpartition(":")[2]))
        Thread(target=self._wait, args=(self._child,), daemon=True).start()
        return running

    def _watch(self, running: Running) -> int:
        while True:
            if self._happenings.get() == "entered":
                self._invite(running)
                continue
            assert self._child is not None
            code = self._child.wait()
            if code == DONE:
                return DONE  # somebody told it to end
            if code > 0:
                note(f"The daemon ended with exit code {code}; `holdfast logs` says why. It is started again.")
                sleep(_PAUSE_S)
            else:
                note(f"The daemon was killed ({signal.Signals(-code).name}). It is started again.")
            running = self._start()

    def _invite(self, running: Running) -> None:
        """Print where a browser signs in."""
        link = DaemonSessions(Exchange(self._control, running, DEVICE, note)).sign_in_link()
        print(link.url, flush=True)  # noqa: T201 - alone on its line, so that a terminal makes it a link
        note(f"Open it within {link.expires_in} s; it works once. `holdfast web` prints another.")

    def _end(self) -> None:
        """End the daemon and its agents: nothing is left of what was only to be looked at."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        for each in _INTERRUPTS:
            signal.signal(each, signal.SIG_IGN)  # it is being done, and stays so while the interpreter ends
        try:
            self._control.stop(agents=True)
        except HoldfastError as error:
            complain(str(error))
            child.terminate()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        child.wait()
        self._happenings.put("ended")

    def _read(self) -> None:
        for _ in sys.stdin:
            self._happenings.put("entered")


@contextmanager
def _uninterrupted() -> Generator[None]:
    """Put interrupts off until the context is left."""
    interrupts: list[int] = []
    before = {each: signal.signal(each, lambda number, _: interrupts.append(number)) for each in _INTERRUPTS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if interrupts:
        _interrupt(interrupts[0], None)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Begin to end, once: another one in the middle of that would leave the daemon behind."""
    del number, frame
    for each in _INTERRUPTS:
        signal.signal(each, _heed_no_more)
    raise KeyboardInterrupt


def _heed_no_more(number: int, frame: FrameType | None) -> None:
    del number, frame


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("holdfast.bootstrap.daemon.parent", allow_abbrev=False)
    parser.add_argument("--port", type=int)
    return parser


if __name__ == "__main__":
    sys.exit(main())
