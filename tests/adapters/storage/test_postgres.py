"""What only a server can do to a store: go away, lose a reply, hold a transaction, serve two writers."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import psycopg
import pytest
from sqlalchemy import select

from holdfast.adapters.storage import postgres_log, schema
from holdfast.adapters.storage.chain import GENESIS
from holdfast.domain.errors import (
    LogRegressedError,
    OutcomeUnknownError,
    StoreBusyError,
    StoreError,
    StoreFencedError,
    StoreUnavailableError,
)
from tests.adapters.storage.cutting import CuttingProxy
from tests.adapters.storage.given import Stores, row, said
from tests.support.programs import need

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.adapters.storage.jobs import WriteTransaction
    from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def through(url: str, proxy: CuttingProxy) -> str:
    return url.partition("host=")[0] + f"host={proxy.folder}"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_reply_is_lost_is_answered_truthfully(
    postgres_server: PostgresServer, postgres_url: str, when: Literal["before", "after"]
) -> None:
    """Given a connection cut at COMMIT, the append is answered with its position, and written exactly once."""
    proxy = CuttingProxy(postgres_server.folder, b"COMMIT", when)
    with proxy, Stores(through(postgres_url, proxy)).open() as store:
        store.append_now([said("s", 1)])
        for version in range(2, 8):
            proxy.cuts = 1
            assert store.append_now([said("s", version)], row()) == [version]
            assert proxy.cuts == 0
        assert [event.position for event in store.log()] == list(range(1, 8))


def test_a_whole_group_is_settled_one_by_one_after_a_lost_reply(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    proxy = CuttingProxy(postgres_server.folder, b"COMMIT", "after")
    with proxy, Stores(through(postgres_url, proxy)).open() as store:
        store.append_now([said("s0", 1)])
        proxy.cuts = 2
        with ThreadPoolExecutor(12) as threads:
            jobs = [threads.submit(store.append_now, [said(f"t{number}", 1)]) for number in range(12)]
            positions = sorted(job.result()[0] for job in jobs)
        assert positions == list(range(2, 14))
        assert store.head() == 13


def test_a_server_that_restarts_is_come_back_to(postgres_server: PostgresServer, postgres_url: str) -> None:
    with Stores(postgres_url).open() as store:
        for version in range(1, 4):
            assert store.append_now([said("s", version)]) == [version]
            postgres_server.restart()
        assert store.append_now([said("s", 4)]) == [4]


def saying(version: int) -> Callable[[WriteTransaction], Sequence[int]]:
    return lambda transaction: transaction.append([said("s", version)])


def test_a_job_is_run_again_on_a_new_connection(postgres_server: PostgresServer, postgres_url: str) -> None:
    with Stores(postgres_url).open() as store:
        store.append_now([said("s", 1)])
        for version in range(2, 5):
            postgres_server.restart()
            assert store.write(saying(version)) == [version]


def test_a_server_that_crashes_under_load_loses_nothing_acknowledged(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    acknowledged: dict[int, bytes] = {}
    stop = threading.Event()
    written = threading.Semaphore(0)

    def write(name: str) -> None:
        version = 1
        event = said(name, version)
        while not stop.is_set():
            try:
                (position,) = store.append_now([event])
            except (OutcomeUnknownError, StoreUnavailableError):
                continue  # the same event again, as the error says
            assert position not in acknowledged
            acknowledged[position] = event.event_id
            written.release()
            version += 1
            event = said(name, version)

    with Stores(postgres_url).open() as store:
        with ThreadPoolExecutor(6) as threads:
            jobs = [threads.submit(write, f"s{number}") for number in range(6)]
            for _ in range(2):
                for _ in range(50):
                    assert written.acquire(timeout=20)
                postgres_server.kill()
                postgres_server.start()
            stop.set()
            for job in jobs:
                job.result()
        stored = {event.position: event.event_id for event in store.log()}

    assert acknowledged.items() <= stored.items()
    assert len(set(stored.values())) == len(stored)
    assert sorted(position or 0 for position in stored) == list(range(1, len(stored) + 1))


def test_a_server_that_stays_away_is_said_and_come_back_to(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_log, "RECONNECT_S", 0.2)
    with Stores(postgres_url).open() as store:
        store.append_now([said("s", 1)])
        postgres_server.stop()
        with pytest.raises(StoreUnavailableError):
            store.append_now([said("s", 2)])
        with pytest.raises(StoreError):
            store.head()
        postgres_server.start()
        assert store.append_now([said("s", 2)]) == [2]


def test_a_writer_that_lost_its_lock_to_another_is_fenced(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_log, "RECONNECT_S", 0.2)
    with Stores(postgres_url).open() as first:
        first.append_now([said("s", 1)])
        with connect(postgres_url) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'holdfast writer%'"
            )
        with Stores(postgres_url).open() as second:
            assert second.append_now([said("s", 2)]) == [2]
            with pytest.raises((StoreFencedError, OutcomeUnknownError)):
                first.append_now([said("s", 3)])
            with pytest.raises(StoreError):
                first.append_now([said("t", 1)])
            assert second.append_now([said("s", 3)]) == [3]
            assert [event.position for event in second.log()] == [1, 2, 3]


def test_a_server_that_lacks_what_was_committed_is_not_written_to(postgres_url: str) -> None:
    """Given a server that took over without the last commits, no position is given twice; reading goes on."""
    with Stores(postgres_url).open() as store, connect(postgres_url) as server:
        for version in range(1, 4):
            store.append_now([said("s", version)])
        server.execute("DELETE FROM events WHERE position = 3")
        server.execute("UPDATE store SET position = 2")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")

        for _ in range(2):
            with pytest.raises(LogRegressedError, match="ends at 2, and 3 was acknowledged"):
                store.append_now([said("t", 1)])
        assert [event.position for event in store.log()] == [1, 2]


def test_the_writer_that_holds_the_store_is_named(postgres_url: str) -> None:
    with Stores(postgres_url).open(), pytest.raises(StoreBusyError, match="holdfast writer, process"):
        Stores(postgres_url).open()


def _hold(url: str, *, serialised: bool) -> psycopg.Connection[tuple[object, ...]]:
    """Write position 2 as another writer of the same epoch would, and leave the transaction open."""
    held = psycopg.connect(url.replace("+psycopg", ""))
    if serialised:
        held.execute("UPDATE store SET position = 2, log_hash = %b", (GENESIS,))
    held.execute(
        "INSERT INTO events SELECT 2, stream, 2, %b, type, schema, recorded_at, occurred_at, cause, actor, device, "
        "source, source_offset, data, digest, hash FROM events WHERE position = 1",
        (b"h" * 16,),
    )
    return held


def test_no_reader_sees_a_position_before_a_smaller_one_that_is_still_in_flight(postgres_url: str) -> None:
    """Given a transaction that holds position 2, nothing later becomes visible until it ends."""
    with Stores(postgres_url).open() as store, Stores(postgres_url).open(write=False) as reader:
        store.append_now([said("s", 1)])
        held = _hold(postgres_url, serialised=True)
        seen: list[int] = []
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(store.append_now, [said("t", 1)])
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            seen += [event.position or 0 for event in reader.log()]
            held.commit()
            assert waiting.result(timeout=10) == [3]
        held.close()
        seen += [event.position or 0 for event in reader.log(after=seen[-1])]

    assert seen == [1, 2, 3]


def test_without_the_row_that_serialises_a_reader_would_skip(postgres_url: str) -> None:
    """The mutant of the test above: a writer that takes its position without waiting makes the gap visible."""
    with Stores(postgres_url).open() as store, Stores(postgres_url).open(write=False) as reader:
        store.append_now([said("s", 1)])
        held = _hold(postgres_url, serialised=False)
        with connect(postgres_url) as other:
            other.execute(
                "INSERT INTO events SELECT 3, stream, 3, %b, type, schema, recorded_at, occurred_at, cause, actor, "
                "device, source, source_offset, data, digest, hash FROM events WHERE position = 1",
                (b"o" * 16,),
            )
        seen = [event.position or 0 for event in reader.log()]
        held.commit()
        held.close()
        seen += [event.position or 0 for event in reader.log(after=seen[-1])]

    assert seen == [1, 3]


def test_dump_and_restore_keep_positions_and_the_high_water_mark(
    postgres_server: PostgresServer, postgres_url: str, run_postgres: Callable[..., bytes]
) -> None:
    with Stores(postgres_url).open() as store:
        store.append_now([said("s", 1), said("s", 2), said("t", 1)], row())
        before = list(store.log())
        store.write(lambda t: t.connection.exec_driver_sql("DELETE FROM events WHERE position = 3"))
    dump = run_postgres("pg_dump", postgres_url)
    database = postgres_server.create_database()
    run_postgres("psql", postgres_server.url(database), dump)

    with Stores(postgres_server.url(database)).open() as store:
        assert list(store.log()) == before[:2]
        assert store.append_now([said("s", 3)]) == [4]
        with store.reading() as connection:
            assert connection.scalar(select(schema.sessions.c.version)) == 3
    postgres_server.drop_database(database)


@pytest.fixture
def run_postgres() -> Callable[..., bytes]:
    folder = need("postgres").parent

    def run(program: str, url: str, sent: bytes = b"") -> bytes:
        command = [str(folder / program), url.replace("+psycopg", "")]
        return subprocess.run(command, check=True, capture_output=True, input=sent).stdout

    return run


def test_a_server_without_durable_settings_is_refused(postgres_server: PostgresServer, postgres_url: str) -> None:
    with postgres_server.connect() as admin:
        admin.execute("ALTER SYSTEM SET full_page_writes = off")
        admin.execute("SELECT pg_reload_conf()")
    try:
        with pytest.raises(StoreError, match="full_page_writes"):
            Stores(postgres_url).open()
    finally:
        with postgres_server.connect() as admin:
            admin.execute("ALTER SYSTEM RESET full_page_writes")
            admin.execute("SELECT pg_reload_conf()")


def test_asynchronous_commit_is_switched_on_again_for_the_writer(postgres_url: str) -> None:
    with Stores(f"{postgres_url}&options=-c%20synchronous_commit%3Doff").open() as store:
        value = store.write(lambda t: t.connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    assert value == "on"
