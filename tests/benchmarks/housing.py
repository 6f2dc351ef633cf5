"""A daemon with many sessions: what it holds, how fast it lists them and takes commands, and how soon it is ready."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from statistics import median, quantiles
from time import monotonic
from typing import TYPE_CHECKING, Final

from tests.benchmarks.material import converse, new_session
from tests.benchmarks.reading import fill_roster, opened
from tests.benchmarks.report import Figure, Goal, Row
from tests.benchmarks.talking import BenchDaemon, cast, new, prompt
from tests.support.cli import run_cli

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from http.client import HTTPConnection
    from pathlib import Path

    from tests.benchmarks.scale import Scale

_AGENT: Final = """
import sys
from json import loads
results = {"initialize": '{"protocolVersion":1,"agentCapabilities":{}}', "session/new": '{"sessionId":"s"}'}
for line in sys.stdin:
    message = loads(line)
    if message.get("method") in results:
        print(f'{{"jsonrpc":"2.0","id":"{message["id"]}","result":{results[message["method"]]}}}', flush=True)
"""


def listing_by_socket(folder: Path, scale: Scale) -> Figure:
    """P4 as a frontend sees it, and P8: ready over a long log, and `holdfast ls` as a person sees it."""
    with _daemon(folder, sessions=scale.roster) as daemon:
        took = [_ms(lambda: _list(daemon)) for _ in range(10 * scale.rounds)]
    long = folder / "long"
    with _daemon(long, events=scale.log) as daemon:
        ready = _restarted(daemon, scale.rounds)
        run_cli("ls", home=daemon.home)
        ls = [_ms(lambda: run_cli("ls", home=daemon.home)) for _ in range(scale.rounds)]
    rows = (
        Row(f"list {scale.roster:,} sessions over the socket", "ms", median(took), Goal("at most", 60, "value")),
        Row("the same, 99 of 100", "ms", quantiles(took, n=100)[98]),
        Row(f"start over {scale.log:,} events until it is ready", "ms", median(ready), Goal("at most", 1_000, "value")),
        Row("`holdfast ls`, interpreter included", "ms", median(ls), Goal("at most", 150, "value")),
    )
    return Figure("P8", "a daemon and its socket", rows)


def holding_sessions(folder: Path, scale: Scale) -> Figure:
    """P6: 1,000 stored and 50 live sessions, before and after each of these has had a turn at the same time."""
    live = max(2, scale.talkers // 2)
    with _daemon(folder, sessions=scale.roster // 10) as daemon:
        alone = daemon.memory_bytes()
        with cast(20, 1.0) as path:
            sessions = [new(daemon, {"target": f"many:{path}?{number}"}) for number in range(live)]
            _list(daemon)
            idle = daemon.memory_bytes()
            prompt(daemon, sessions)
            _until_idle(daemon, sessions)
            after = daemon.memory_bytes()
    goal = Goal("at most", 80 * 1024 * 1024, "value")
    rows = (
        Row("with none of them live", "bytes", alone),
        Row(f"with {live} live", "bytes", idle, goal),
        Row(f"after {live} turns at once", "bytes", after, goal),
    )
    return Figure("P6", f"memory of the daemon, {scale.roster // 10:,} sessions stored", rows)


def housing(folder: Path, scale: Scale) -> Figure:
    """R9: 10,000 stored sessions with 1,000 live over 50 links, and a run with 200 real agent hosts."""
    links = max(1, scale.talkers // 2)
    live = links * 20
    with _daemon(folder / "shared", sessions=scale.roster) as daemon, cast(10, 2.0 + scale.talk_s) as path:
        sessions = [new(daemon, {"target": f"many:{path}?{number % links}#{number}"}) for number in range(live)]
        prompt(daemon, sessions[:links])  # one of each link talks: 500 pieces a second
        shared = _rows(f"{live:,} live over {links} links", daemon, sessions[links:], scale)
    hosts = scale.talkers * 2
    with _daemon(folder / "hosts", sessions=scale.roster) as daemon:
        agent = [sys.executable, "-I", "-S", "-c", _AGENT]
        sessions = [new(daemon, {"command": agent}) for _ in range(hosts)]
        hosted = _rows(f"{hosts} agent hosts", daemon, sessions, scale)
    return Figure("R9", f"{scale.roster:,} sessions stored, commands and lists at the same time", (*shared, *hosted))


def _rows(what: str, daemon: BenchDaemon, sessions: Sequence[str], scale: Scale) -> Sequence[Row]:
    """Append by commands, one after the other as fast as they are answered, and list in between."""
    lists: list[float] = []
    appends: list[float] = []
    connection = daemon.connect()
    end = monotonic() + scale.talk_s
    while monotonic() < end or len(appends) < 4:
        appends += [_ask(daemon, connection, "POST", f"/sessions/{session}/unread") for session in sessions[:20]]
        lists += [_ask(daemon, connection, "GET", "/sessions") for _ in range(2)]
    connection.close()
    return (
        Row(f"{what}: memory", "bytes", daemon.memory_bytes(), Goal("at most", 1024**3, "value")),
        Row(f"{what}: a list, 99 of 100", "ms", quantiles(lists, n=100)[98], Goal("at most", 200, "value")),
        Row(
            f"{what}: a command that appends, 99 of 100",
            "ms",
            quantiles(appends, n=100)[98],
            Goal("at most", 50, "value"),
        ),
    )


@contextmanager
def _daemon(folder: Path, *, sessions: int = 0, events: int = 0) -> Generator[BenchDaemon]:
    """Run a daemon over a store that was filled before."""
    folder.mkdir(exist_ok=True)
    daemon = BenchDaemon(folder / "home")
    daemon.home.mkdir()
    with opened(daemon.home) as store:
        fill_roster(store, sessions)
        if events:
            converse(store, new_session(), events)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()


def _restarted(daemon: BenchDaemon, rounds: int) -> list[float]:
    took: list[float] = []
    for _ in range(rounds):
        daemon.stop()
        took.append(_ms(daemon.start))
    return took


def _list(daemon: BenchDaemon) -> None:
    connection = daemon.connect()
    _ask(daemon, connection, "GET", "/sessions?state=all")
    connection.close()


def _ask(daemon: BenchDaemon, connection: HTTPConnection, method: str, path: str) -> float:
    """Return how many milliseconds the answer takes."""
    begun = monotonic()
    headers = {"Authorization": f"Bearer {daemon.token}", "Content-Type": "application/json"}
    connection.request(method, f"/api/v1{path}", b"{}" if method == "POST" else None, headers)
    with connection.getresponse() as response:
        body = response.read()
        assert response.status == 200, body
    return (monotonic() - begun) * 1000


def _until_idle(daemon: BenchDaemon, sessions: Sequence[str]) -> None:
    for session in sessions:
        assert daemon.get(f"/sessions/{session}/wait?until=idle&timeout=60").status == 200


def _ms(work: Callable[[], object]) -> float:
    begun = monotonic()
    work()
    return (monotonic() - begun) * 1000
