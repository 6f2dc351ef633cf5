"""What the writer does when the database does not do what it should. The errors here are SQLite's own."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from holdfast.adapters.storage.mapper import to_stored
from holdfast.domain.errors import StoreBusyError, StoreFullError
from tests.adapters.storage.given import said

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.store import Store


def limit_pages(store: Store, more: int) -> None:
    """Let the database grow by so many pages: beyond them SQLite says that the disk is full."""

    def work(transaction: WriteTransaction) -> None:
        pages = transaction.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        transaction.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")

    store.write(work)


def test_a_full_disk_is_said_and_the_store_goes_on_when_there_is_space(sqlite_store: Store) -> None:
    sqlite_store.append_now([said("s", 1)])
    limit_pages(sqlite_store, 2)
    with pytest.raises(StoreFullError):
        sqlite_store.append_now([said("s", 2, "x" * 100_000)])

    assert [event.originator_version for event in sqlite_store.events("s")] == [1]
    assert sqlite_store.stopped is None

    limit_pages(sqlite_store, 1_000)
    assert sqlite_store.append_now([said("s", 2)]) == [2]


def test_everyone_in_a_group_that_found_no_space_is_told(sqlite_store: Store) -> None:
    limit_pages(sqlite_store, 2)
    gate = threading.Event()
    hold = threading.Thread(target=lambda: sqlite_store.write(lambda _: gate.wait(10)))
    hold.start()
    futures = [sqlite_store.submit([to_stored(said(f"s{n}", 1, "x" * 20_000))]) for n in range(20)]
    gate.set()
    hold.join()

    outcomes = [future.exception(timeout=10) for future in futures]
    assert all(isinstance(outcome, StoreFullError) for outcome in outcomes)
    assert sqlite_store.head() == 0


def test_a_job_that_finds_no_space_is_told_and_undone(sqlite_store: Store) -> None:
    limit_pages(sqlite_store, 2)

    def work(transaction: WriteTransaction) -> None:
        transaction.connection.execute(text("INSERT INTO projections VALUES (:name, 1)"), {"name": "x" * 50_000})

    with pytest.raises(StoreFullError):
        sqlite_store.write(work)
    assert sqlite_store.append_now([said("s", 1)]) == [1]


def test_a_full_disk_costs_the_ballast_first(sqlite_store: Store, tmp_path: Path) -> None:
    ballast = tmp_path / "log.db.ballast"
    assert ballast.stat().st_size > 1_000_000
    limit_pages(sqlite_store, 2)
    with pytest.raises(StoreFullError):
        sqlite_store.append_now([said("s", 1, "x" * 100_000)])

    assert ballast.stat().st_size == 0
    assert (tmp_path / "log.db-wal").stat().st_size == 0


@pytest.mark.slow
def test_another_programs_write_lock_is_said_and_waited_for(sqlite_store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError):
        sqlite_store.append_now([said("s", 1)])
    other.execute("ROLLBACK")
    other.close()

    assert sqlite_store.append_now([said("s", 1)]) == [1]


def test_events_that_somebody_wrote_behind_our_back_are_no_reason_to_stop(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.append_now([said("s", 1)])
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    columns = "stream, version, event_id, type, schema, recorded_at, actor, data, hash"
    other.execute(f"INSERT INTO events ({columns}) SELECT stream, 2, {columns[17:]} FROM events")
    other.close()

    assert sqlite_store.append_now([said("t", 1)]) == [3]
    assert sqlite_store.append_now([said("s", 3)]) == [4]


FAILING = """
    import resource, signal, sys
    from holdfast.adapters.storage.opening import open_store
    from holdfast.adapters.storage.settings import StoreSettings
    from tests.adapters.storage.given import said
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = open_store(StoreSettings.from_url(sys.argv[1]), environ={})
    print(store.append_now([said("s", 1)]), flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    for version in range(2, 5):
        try:
            print(store.append_now([said("s", version, "x" * 100_000)]))
        except Exception as error:
            print(type(error).__name__, flush=True)
    print([event.position for event in store.log()])
    store.close()
"""


def test_after_an_input_output_error_nothing_is_acknowledged_any_more(tmp_path: Path) -> None:
    """A file that may not grow makes SQLite's write fail with an error that is not a full disk."""
    path = [path for path in sys.path if path]
    output = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FAILING), f"sqlite:///{tmp_path}/log.db", str(140_000)],
        check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )  # fmt: skip

    assert output.stdout.split("\n") == [
        "[1]", "OutcomeUnknownError", "StoreClosedError", "StoreClosedError", "[1]", "",
    ], output.stderr  # fmt: skip


def test_the_limit_that_the_test_above_relies_on_exists() -> None:
    assert resource.RLIMIT_FSIZE is not None
