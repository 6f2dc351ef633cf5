"""The TUI in a terminal of its own: until it is there, until a word is on the screen, and what streaming costs."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final

from tests.agents.scripting import Scripted
from tests.benchmarks.material import new_session
from tests.benchmarks.page import caught_up, fill
from tests.benchmarks.reading import opened
from tests.benchmarks.report import Figure, Goal, Row
from tests.frontends.daemon import Daemon
from tests.support.cli import HOLDFAST, environment

if TYPE_CHECKING:
    from tests.benchmarks.scale import Scale

_LINES: Final = 100_000
_PER_ITEM: Final = 8
"""Lines that one item of `page.fill` takes on a screen of this width, at least."""

_RATE: Final = 200
_QUIET_S: Final = 0.15
_SCREENFUL: Final = 3_000
"""Bytes that are written for a screen of other lines, at least."""

_SIZE: Final = (50, 140)
_START: Final = Goal("at most", 500, "value")
_WORD: Final = Goal("at most", 100, "value")
_KEY: Final = Goal("at most", 100, "value")
_HALF: Final = Goal("at most", 0.5, "value")
_OPEN: Final = Goal("at most", 5_000, "value")
_SCROLL: Final = Goal("at most", 100, "value")


class Screen:
    """The program under a terminal that does nothing but note when what was written."""

    def __init__(self, home: Path, *args: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
        environ = {**environment(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.begun = perf_counter()
        self._program = subprocess.Popen(
            [str(HOLDFAST), *args], stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True
        )
        os.close(theirs)
        self._read = bytearray()
        self._more = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def until(self, text: str, *, since: int = 0) -> float:
        """Return when a text has been written, at the latest after a minute."""
        wanted = text.encode()
        with self._more:
            if not self._more.wait_for(lambda: wanted in self._read[since:], timeout=60):
                msg = f"{text!r} did not come: {bytes(self._read[-2_000:])!r}"
                raise TimeoutError(msg)
            return perf_counter()

    def until_longer(self, length: int) -> float:
        """Return when so much has been written."""
        with self._more:
            if not self._more.wait_for(lambda: len(self._read) >= length, timeout=60):
                msg = f"only {len(self._read)} of {length} bytes came"
                raise TimeoutError(msg)
            return perf_counter()

    def quiet(self) -> None:
        """Return once nothing has been written for a while."""
        before = -1
        while before != self.length:
            before = self.length
            sleep(_QUIET_S)

    @property
    def length(self) -> int:
        """How much has been written."""
        with self._more:
            return len(self._read)

    def press(self, keys: str) -> tuple[float, int]:
        """Press keys, and return when, and how much had been written by then."""
        length = self.length
        os.write(self._ours, keys.encode())
        return perf_counter(), length

    def cpu_s(self) -> float:
        """Return the time that the program has computed."""
        fields = Path(f"/proc/{self._program.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self._program.terminate()
        self._program.wait(30)
        os.close(self._ours)

    def _listen(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 1 << 16)
            except OSError:
                return
            with self._more:
                self._read += piece
                self._more.notify_all()


def showing(folder: Path, scale: Scale) -> Figure:
    """Measure the TUI on a daemon with a long session and one whose agent talks."""
    items = min(scale.events, _LINES) // _PER_ITEM
    home = folder / "home"
    home.mkdir(mode=0o700)
    long = new_session()
    with opened(home) as store:
        fill(store, long, items)
    daemon = Daemon(home)
    try:
        daemon.start()
        caught_up(daemon, long)
        rows = (*_starting(home, scale), *_scrolling(home, str(long), items), *_streaming(folder, home, daemon, scale))
    finally:
        daemon.close()
    return Figure("tui", f"the terminal, with {items * _PER_ITEM:,} lines in a session", rows)


def _starting(home: Path, scale: Scale) -> tuple[Row, ...]:
    took: list[float] = []
    for _ in range(min(5, scale.rounds)):
        screen = Screen(home, "tui")
        took.append((screen.until("Holdfast") - screen.begun) * 1_000)
        screen.close()
    took.sort()
    return (Row("first paint", "ms", took[len(took) // 2], _START, samples=tuple(took)),)


def _scrolling(home: Path, session: str, items: int) -> tuple[Row, ...]:
    screen = Screen(home, "tui", session)
    try:
        opened_at = screen.until("▌ ")
        pressed, since = screen.press("\x1b[H")
        loaded = screen.until("m0? ", since=since)
        screen.quiet()
        took: list[float] = []
        for _ in range(min(20, items * _PER_ITEM // _SIZE[0] - 2)):
            pressed_at, since = screen.press("\x1b[6~")
            took.append((screen.until_longer(since + _SCREENFUL) - pressed_at) * 1_000)
            screen.quiet()
        took.sort()
        pressed_at, since = screen.press("\x1b[F")
        end = screen.until(f"{items - 1}", since=since)
    finally:
        screen.close()
    return (
        Row("opening the long session", "ms", (opened_at - screen.begun) * 1_000),
        Row("loading all of its lines and going to the first", "ms", (loaded - pressed) * 1_000, _OPEN),
        Row("a page down, all lines open", "ms", took[len(took) // 2], _SCROLL, samples=tuple(took)),
        Row("to the end, all lines open", "ms", (end - pressed_at) * 1_000, _SCROLL),
    )


def _streaming(folder: Path, home: Path, daemon: Daemon, scale: Scale) -> tuple[Row, ...]:
    seconds = max(1.0, min(10.0, scale.talk_s))
    pieces = int(seconds * _RATE)
    agent = Scripted(folder / "agent")
    words = [
        step for n in range(min(20, scale.rounds * 2)) for step in (agent.wait(f"w{n}"), {"say": f"word{n}done\n\n"})
    ]
    talk = {"say": "piece {n} of *it* ", "times": pieces, "every_s": 1 / _RATE}
    agent.change(prompts=[[*words, agent.wait("talk"), talk, {"say": "\n\nand that was it"}]])
    body = {"command": agent.command, "title": "Talk", "cwd": str(folder), "wait_s": 30, "prompt": "go"}
    session = str(daemon.post("/sessions", body).json()["id"])
    screen = Screen(home, "tui", session)
    try:
        screen.until("▌ ")
        screen.until("go")
        shown: list[float] = []
        for n in range(len(words) // 2):
            began = perf_counter()
            since = screen.length
            agent.open(f"w{n}")
            shown.append((screen.until(f"word{n}done", since=since) - began) * 1_000)
        shown.sort()
        echoes: list[float] = []
        cpu, began = screen.cpu_s(), perf_counter()
        agent.open("talk")
        while perf_counter() - began < seconds:
            letter = chr(ord("A") + len(echoes) % 26) * 3
            pressed, since = screen.press(letter)
            echoes.append((screen.until(letter[0], since=since) - pressed) * 1_000)
            sleep(0.2)
        cores = (screen.cpu_s() - cpu) / (perf_counter() - began)
        screen.until("that was it")
    finally:
        screen.close()
    echoes.sort()
    return (
        Row("from the agent's word to the screen", "ms", shown[len(shown) // 2], _WORD, samples=tuple(shown)),
        Row(f"streaming {_RATE} pieces a second", "cores", cores, _HALF),
        Row("a key meanwhile, median", "ms", echoes[len(echoes) // 2], _KEY, samples=tuple(echoes)),
        Row("a key meanwhile, slowest", "ms", echoes[-1]),
    )
