"""P2: a hundred sessions whose agents talk at once, a frontend on each: from the agent's mouth to that ear."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from tests.benchmarks import many
from tests.benchmarks.report import Baseline, Figure, Goal, Row
from tests.frontends.daemon import PATIENCE_S, Daemon

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from holdfast.domain.daemon import Listen
    from tests.benchmarks.scale import Scale

ROOT: Final = Path(__file__).parents[2]
RATE: Final = 200

_FLOODER: Final = Path(__file__).with_name("flooder.py")
_SPEAKER: Final = Path(__file__).with_name("speaker.py")
_CPU_CLOCK: Final = 2
"""Linux gives every process a clock that only runs while it does: its number is made of the process's and of this."""
_BOOT: Final = (
    "import runpy, sys; sys.path[:0] = [{site!r}, {root!r}];"
    " sys.argv[0] = 'holdfast'; runpy.run_module('holdfast.bootstrap.daemon', run_name='__main__')"
)


class Heard(Struct, frozen=True):
    """What came of one run.

    Attributes:
        delays: Milliseconds of each piece, in order of arrival.
        pieces: How many were said.
        cores: Processors that the daemon kept busy.
    """

    delays: list[float]
    pieces: int
    cores: float


class BenchDaemon(Daemon):
    """A daemon in whose environment the transport `many` is installed."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.site = home.parent / "site"
        many.install(self.site)

    def command(self, listen: Listen, report: int) -> list[str]:
        """Start it with the package on its path."""
        arguments = super().command(listen, report)
        boot = _BOOT.format(site=str(self.site), root=str(ROOT))
        return [sys.executable, "-c", boot, *arguments[arguments.index("holdfast.bootstrap.daemon") + 1 :]]

    def memory_bytes(self) -> float:
        """Return how much it has resident."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096.0

    def busy_s(self) -> float:
        """Return how long it has used a processor so far."""
        return time.clock_gettime(~self.pid << 3 | _CPU_CLOCK)


def talking(folder: Path, scale: Scale) -> Figure:
    """Measure both ways to an agent: a connection of its own, and a program under its host."""
    rows = (
        *_rows("by connection", _by_connection(folder / "c", scale)),
        *_rows("by host", _by_host(folder / "h", scale)),
    )
    return Figure("P2", f"{scale.talkers} sessions, {RATE} pieces of text a second in each, a frontend on each", rows)


def flooding(folder: Path, scale: Scale) -> Figure:
    """R11: what others notice of an agent that says two-byte lines for ever, as fast as it can."""
    quiet = replace(scale, talkers=max(2, scale.talkers // 5))
    alone = _by_connection(folder / "alone", quiet)
    grown: list[float] = []
    beside = _by_connection(folder / "beside", quiet, flooder=grown)
    value, base = (quantiles(heard.delays, n=100)[98] for heard in (beside, alone))
    rows = (
        Row(
            "99 of 100 pieces of the others",
            "ms",
            value,
            Goal("at most", 2, "ratio"),
            Baseline("nobody", base),
            value / base,
        ),
        Row("growth of the daemon's memory", "bytes", max(1.0, *grown), Goal("at most", 64 * 1024 * 1024, "value")),
    )
    return Figure("R11", f"{quiet.talkers} sessions at {RATE} pieces a second, beside one that floods", rows)


def _rows(how: str, heard: Heard) -> Sequence[Row]:
    assert len(heard.delays) == heard.pieces, f"{heard.pieces - len(heard.delays)} pieces never arrived"
    tenth = max(2, len(heard.delays) // 10)
    return (
        Row(f"{how}: 99 of 100 pieces", "ms", quantiles(heard.delays, n=100)[98], Goal("at most", 20, "value")),
        Row(f"{how}: one of two", "ms", quantiles(heard.delays, n=2)[0]),
        Row(f"{how}: the last tenth, 99 of 100", "ms", quantiles(heard.delays[-tenth:], n=100)[98]),
        Row(f"{how}: processors of the daemon", "cores", heard.cores, Goal("at most", 1, "value")),
    )


def _by_connection(folder: Path, scale: Scale, flooder: list[float] | None = None) -> Heard:
    """Let agents talk that have a connection each; with `flooder`, beside one that floods, and tell what that took."""
    with running(folder) as daemon, cast(RATE, scale.talk_s) as path:
        sessions = [new(daemon, {"target": f"many:{path}?{number}"}) for number in range(scale.talkers)]
        with _audience(daemon, sessions, scale) as audience:
            held = daemon.memory_bytes()
            if flooder is not None:
                prompt(daemon, [new(daemon, {"command": [sys.executable, "-I", "-S", str(_FLOODER)]})])
            prompt(daemon, sessions)
            before, begun = daemon.busy_s(), monotonic()
            delays = json.loads(_line(audience))
            if flooder is not None:
                flooder.append(daemon.memory_bytes() - held)
            cores = (daemon.busy_s() - before) / (monotonic() - begun)
    return Heard(delays, _count(scale) * scale.talkers, cores)


def _by_host(folder: Path, scale: Scale) -> Heard:
    with running(folder) as daemon:
        agent = [sys.executable, "-I", "-S", str(_SPEAKER), str(RATE), str(scale.talk_s)]
        sessions = [new(daemon, {"command": agent}) for _ in range(scale.talkers)]
        with _audience(daemon, sessions, scale) as audience:
            before, begun = daemon.busy_s(), monotonic()
            prompt(daemon, sessions)
            delays = json.loads(_line(audience))
            cores = (daemon.busy_s() - before) / (monotonic() - begun)
    return Heard(delays, _count(scale) * scale.talkers, cores)


def _count(scale: Scale) -> int:
    return int(RATE * scale.talk_s)


@contextmanager
def running(folder: Path) -> Generator[BenchDaemon]:
    """Run a daemon over an empty store."""
    folder.mkdir()
    daemon = BenchDaemon(folder / "home")
    daemon.home.mkdir()
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()


@contextmanager
def cast(rate: float, seconds: float) -> Generator[Path]:
    """Play any number of agents, who listen on the socket that this gives."""
    with TemporaryDirectory(prefix="hf-", dir="/tmp") as folder:  # a socket's name must be short
        path = Path(folder) / "agents.sock"
        command = [sys.executable, "-m", "tests.benchmarks.cast", str(path), str(rate), str(seconds)]
        with _process(command, stdin=subprocess.PIPE) as process:
            assert _line(process) == "ready"
            try:
                yield path
            finally:
                assert process.stdin is not None
                process.stdin.close()


def new(daemon: Daemon, order: dict[str, object]) -> str:
    """Begin a session and return it once it is connected."""
    answer = daemon.post("/sessions", {**order, "cwd": "/tmp", "wait_s": 30})
    assert answer.status == 201, answer.body
    row = answer.json()
    assert row["connection"]["state"] == "connected", row
    return str(row["id"])


def prompt(daemon: Daemon, sessions: Sequence[str]) -> None:
    """Say something in each of them."""
    for session in sessions:
        answer = daemon.post(f"/sessions/{session}/prompts", {"content": "talk"})
        assert answer.status == 202, answer.body


@contextmanager
def _audience(daemon: Daemon, sessions: Sequence[str], scale: Scale) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.benchmarks.audience", _stream(daemon), daemon.token, str(_count(scale))]
    with _process([*command, *sessions]) as process:
        assert _line(process) == "ready"
        yield process


@contextmanager
def _process(command: list[str], stdin: int | None = None) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
            process.wait(PATIENCE_S)
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _stream(daemon: Daemon) -> str:
    return f"ws://127.0.0.1:{daemon.port}/api/v1/stream"
