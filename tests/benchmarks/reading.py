"""P3, P4 and P5: a long session folded from the log, a long list, and what an event weighs on disk."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views.roster import listed, roster_row
from holdfast.adapters.storage.views.transcript import replay
from holdfast.domain.session.session import Session, fold
from tests.benchmarks.bare import list_plainly, read_plainly
from tests.benchmarks.material import converse, created, new_session, piece, talk
from tests.benchmarks.report import Baseline, Figure, Goal, Row
from tests.benchmarks.rounds import milliseconds, per_second, side_by_side
from tests.benchmarks.stock import StockLog

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from tests.benchmarks.scale import Scale

_FOLD: Final = Goal("at least", 300_000, "value")
_LIST: Final = Goal("at most", 25, "value")
_BYTES: Final = Goal("at most", 260, "value")
_STOCK_EVENTS: Final = 20_000


def folding(folder: Path, scale: Scale) -> Figure:
    """Measure P3 on one session of whole turns: mostly text, with thoughts, tools, prompts and usage in between."""
    session = new_session()
    count = scale.events
    stock, name = StockLog.on_sqlite(folder / "stock.db", 1), uuid.uuid4()
    stock.talk(name, min(count, _STOCK_EVENTS))
    with opened(folder) as store:
        converse(store, session, count)
        turns = {
            "session": per_second(count, lambda: fold(Session(session), store.events(session))),
            "transcript": per_second(count, lambda: replay({}, store.events(session))),
            "read": per_second(count, lambda: _drain(store.events(session))),
            "sqlite3 + json": per_second(count, partial(read_plainly, folder / "log.db", session)),
            "stock": per_second(min(count, _STOCK_EVENTS), partial(stock.read, name)),
        }
        found = side_by_side(scale.rounds, turns)
    stock.close()
    rows = (
        found.row("the session's state", "events/s", "session", baseline="sqlite3 + json", goal=_FOLD),
        found.row("its transcript", "events/s", "transcript", baseline="sqlite3 + json", goal=_FOLD),
        found.row("only reading and decoding", "events/s", "read", baseline="stock"),
    )
    return Figure("P3", f"fold {count:,} events of one session from the log", rows)


def _drain(events: Iterator[object]) -> None:
    for _ in events:
        pass


def listing(folder: Path, scale: Scale) -> Figure:
    """Measure P4."""
    with opened(folder) as store:
        fill_roster(store, scale.roster)

        def list_all() -> None:
            with store.reading() as connection:
                listed(connection, ended=True)

        turns = {"holdfast": milliseconds(list_all), "sqlite3": milliseconds(partial(list_plainly, folder / "log.db"))}
        found = side_by_side(scale.rounds * 3, turns)
    row = found.row("in the store", "ms", "holdfast", baseline="sqlite3", goal=_LIST)
    return Figure("P4", f"list {scale.roster:,} sessions", (row,))


def fill_roster(store: Store, sessions: int) -> None:
    """Append one event to each of so many sessions, with the row that a list shows of it."""

    async def begin() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(sessions):
                name = new_session()
                tasks.start_soon(store.append, [piece(name, 1)], roster_row(created(name)))

    anyio.run(begin)


def weighing(folder: Path, scale: Scale) -> Figure:
    """Measure P5: how much two closed files grew, so that nothing is left in a write-ahead log."""
    count = scale.events
    path, session = folder / "log.db", new_session()
    with opened(folder) as store:
        store.append_now([piece(new_session(), 1)])
    before = path.stat().st_size
    with opened(folder) as store:
        talk(store, session, count)
    ours = (path.stat().st_size - before) / count
    stock = StockLog.on_sqlite(folder / "stock.db", 1)
    stock.talk(uuid.uuid4(), count)
    stock.close()
    theirs = (folder / "stock.db").stat().st_size / count
    row = Row("one event", "bytes", ours, _BYTES, Baseline("stock", theirs), ours / theirs)
    return Figure("P5", "bytes on disk of 120 bytes of text, ids and hash included", (row,))


@contextmanager
def opened(folder: Path) -> Generator[Store]:
    """Open the store of a folder as the command line does, witnesses included."""
    settings = StoreSettings.from_url(f"sqlite:///{folder}/log.db", home=folder)
    with open_store(settings, checkpoints=folder / "checkpoints") as store:
        yield store
