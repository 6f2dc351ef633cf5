"""What is attached: how fast events reach a hundred frontends, what a connection costs, how fast a crowd is back."""

from __future__ import annotations

import resource
from contextlib import ExitStack, suppress
from datetime import datetime
from statistics import median, quantiles
from time import monotonic, time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.crowd import Reader, crowd, drink, served
from tests.benchmarks.report import Baseline, Figure, Goal, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.scale import Scale

_EVENTS: Final[dict[str, object]] = {"type": "subscribe", "sub": "e", "events": {"after": 0}}
_ROSTER: Final[dict[str, object]] = {"type": "subscribe", "sub": "r", "view": "roster"}


def fanning_out(folder: Path, scale: Scale) -> Figure:
    """P7: events that many clients are sent, against a queue for each of them."""
    rates = {
        kind: [_rate(folder / f"{kind}{turn}", kind, scale) for turn in range(min(3, scale.rounds))]
        for kind in ("stream", "plain")
    }
    ratio = median(ours / theirs for ours, theirs in zip(rates["stream"], rates["plain"], strict=True))
    row = Row(
        f"to {scale.clients} clients",
        "events/s",
        median(rates["stream"]),
        Goal("at least", 300_000, "value"),
        Baseline("queues", median(rates["plain"])),
        ratio,
        tuple(rates["stream"]),
    )
    return Figure("P7", "events handed to frontends a second, all of them together", (row,))


def _rate(folder: Path, kind: str, scale: Scale) -> float:
    folder.mkdir()
    burst = scale.burst if kind == "stream" else max(128, scale.burst // 4 // 128 * 128)
    with served(folder, kind) as server, crowd(server.url, scale.clients, [_EVENTS]) as readers:
        if kind == "stream":
            drink(readers, caught_up=True)
        before = readers[0].events
        begun = monotonic()
        server.tell(f"burst {burst}")
        ended = drink(readers, until_events=before + burst)
        server.done()
    return burst * scale.clients / (ended - begun)


def holding(folder: Path, scale: Scale) -> Figure:
    """P6: what an idle connection costs, roster and events subscribed."""
    _more_files()
    idle = scale.clients * 4
    with served(folder) as server:
        with crowd(server.url, 10, [_ROSTER, _EVENTS]) as readers:
            drink(readers, caught_up=True)  # what is made once is made
        before = server.memory_kib()
        with crowd(server.url, idle, [_ROSTER, _EVENTS]) as readers:
            drink(readers, caught_up=True)
            after = server.memory_kib()
    cost = max(1, after - before) * 1024 / idle  # it may give some back
    row = Row(f"each of {idle} idle connections", "bytes", cost, Goal("at most", 40 * 1024, "value"))
    return Figure("P6", "memory of the process that serves them", (row,))


def returning(folder: Path, scale: Scale) -> Figure:
    """R10: many clients come back at once, each a little behind."""
    _more_files()
    rows: list[Row] = []
    for count, behind, within_ms in ((scale.clients * 10, 384, 10_000), (scale.crowd, 64, 30_000)):
        place = folder / str(count)
        place.mkdir()
        took = _back(place, count, behind)
        goal = Goal("at most", within_ms, "value")
        rows.append(Row(f"{count:,} clients at once", "ms", took * 1000, goal))
    return Figure("R10", "until every one of them has caught up without a gap", tuple(rows))


def _back(folder: Path, count: int, behind: int) -> float:
    """Let so many come back at once, each so many events behind; return the seconds until all have caught up."""
    with served(folder) as server:
        server.tell(f"burst {128 * 4}")
        server.done()
        begun = monotonic()
        with crowd(server.url, count, [_EVENTS | {"events": {"after": 128 * 4 - behind}}]) as readers:
            took = drink(readers, caught_up=True) - begun
        events = {reader.events for reader in readers}
    assert len(events) == 1, f"some clients miss events: {sorted(events)}"
    return took


def stalling(folder: Path, scale: Scale) -> Figure:
    """R8: half of the clients never read, at a thousand events a second."""
    half = scale.clients // 2
    count = int(scale.stall_s * 1_000)
    with served(folder) as server, ExitStack() as stack:
        healthy = stack.enter_context(crowd(server.url, half, [_EVENTS]))
        stack.enter_context(crowd(server.url, half, [_EVENTS]))
        drink(healthy, caught_up=True)
        before = server.memory_kib()
        server.tell(f"pace {count} 1000")
        delays = _delays(healthy, count)
        server.done()
        grown = max(1, server.memory_kib() - before)  # it may give some back
    rows = (
        Row("memory while half of them stall", "bytes", grown * 1024.0, Goal("at most", 64 * 1024 * 1024, "value")),
        Row("99 of 100 events at the others", "ms", quantiles(delays, n=100)[98], Goal("at most", 250, "value")),
    )
    return Figure("R8", f"{half} of {scale.clients} clients never read, 1,000 events a second", rows)


def _delays(readers: Sequence[Reader], count: int) -> list[float]:
    """Milliseconds from the writing of an event until one client has it, for a sample; all others read on."""
    one, others = readers[0], readers[1:]
    delays: list[float] = []
    goal = one.events + count // 10 * 10
    while one.events < goal:
        data = one.take()
        now = time()
        found = data.rfind(b'"recorded_at":"')
        if found >= 0 and len(data) > found + 39:
            delays.append((now - _seconds(data[found + 15 : found + 39])) * 1000)
        for other in others:
            other.socket.setblocking(False)
            with suppress(BlockingIOError):
                other.take()
    return delays


def _seconds(text: bytes) -> float:
    return datetime.fromisoformat(text.decode()).timestamp()


def _more_files() -> None:
    """Each connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
