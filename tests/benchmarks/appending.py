"""P1 and P9: durable appends, one event a command, against a bare loop and against the stock library."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from tests.benchmarks.bare import BareLog
from tests.benchmarks.callers import Callers, p99_ms
from tests.benchmarks.material import new_session, row_of
from tests.benchmarks.report import Baseline, Figure, Goal, Row
from tests.benchmarks.rounds import side_by_side
from tests.benchmarks.stock import StockLog
from tests.support.postgres import PostgresServer
from tests.support.programs import MISSING, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.scale import Scale

_BARE: Final = Goal("at least", 0.75, "ratio")
_STOCK_SQLITE: Final = {16: 4, 100: 8}
_STOCK_POSTGRES: Final = {16: 6, 100: 15}
_P99: Final = Goal("at most", 10, "value")
_WARM_UP_S: Final = 0.2


def on_sqlite(folder: Path, scale: Scale) -> Figure:
    """Measure P1."""
    rows = [row for sessions in _STOCK_SQLITE for row in _sqlite(folder / str(sessions), sessions, scale)]
    return Figure("P1", "durable append on SQLite, one event a command", tuple(rows))


def _sqlite(folder: Path, sessions: int, scale: Scale) -> Iterator[Row]:
    folder.mkdir()
    bare = BareLog(folder / "bare.db", sessions, row_of(new_session()).row)
    stock = StockLog.on_sqlite(folder / "stock.db", sessions)
    settings = StoreSettings.from_url(f"sqlite:///{folder}/log.db")
    with open_store(settings, checkpoints=folder / "checkpoints") as store:
        callers = Callers(store, sessions)
        turns = {
            "holdfast": partial(callers.append_for, scale.slice_s),
            "bare": partial(bare.append_for, scale.slice_s),
            "stock": partial(stock.append_for, scale.slice_s, sessions),
        }
        callers.append_for(min(_WARM_UP_S, scale.slice_s))
        callers.latencies_s.clear()
        found = side_by_side(scale.rounds, turns)
    bare.close()
    stock.close()
    limit = Goal("at least", _STOCK_SQLITE[sessions], "ratio")
    yield found.row(f"{sessions} sessions", "events/s", "holdfast", baseline="bare", goal=_BARE)
    yield found.row(f"{sessions} sessions", "events/s", "holdfast", baseline="stock", goal=limit)
    p99, commit = p99_ms(callers.latencies_s), p99_ms(bare.commits_s)
    yield Row(f"{sessions} sessions, p99", "ms", p99, _P99, Baseline("bare commit", commit), p99 / commit)


def on_postgres(folder: Path, scale: Scale) -> Figure:
    """Measure P9 on a server that is made for it."""
    work = "durable append on PostgreSQL, one event a command"
    program = PROGRAMS["postgres"].find()
    if program is None:
        return Figure("P9", work, (), f"{PROGRAMS['postgres'].title}{MISSING}{PROGRAMS['postgres'].package}")
    server = PostgresServer(program.parent)
    try:
        server.start()
        rows = [row for sessions in _STOCK_POSTGRES for row in _postgres(server, folder, sessions, scale)]
    finally:
        server.close()
    return Figure("P9", work, tuple(rows))


def _postgres(server: PostgresServer, folder: Path, sessions: int, scale: Scale) -> Iterator[Row]:
    stock = StockLog.on_postgres(server.folder, server.create_database(), sessions)
    settings = StoreSettings.from_url(server.url(server.create_database()))
    with open_store(settings, checkpoints=folder / f"checkpoints-{sessions}") as store:
        callers = Callers(store, sessions)
        callers.append_for(min(_WARM_UP_S, scale.slice_s))
        callers.latencies_s.clear()
        turns = {
            "holdfast": partial(callers.append_for, scale.slice_s),
            "stock": partial(stock.append_for, scale.slice_s, sessions),
        }
        found = side_by_side(scale.rounds, turns)
    stock.close()
    limit = Goal("at least", _STOCK_POSTGRES[sessions], "ratio")
    yield found.row(f"{sessions} sessions", "events/s", "holdfast", baseline="stock", goal=limit)
    yield Row(f"{sessions} sessions, p99", "ms", p99_ms(callers.latencies_s))
