"""R12: the primary is killed for good, its synchronous standby is promoted, and the writer goes on there."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.errors import OutcomeUnknownError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session.events import SessionErased
from holdfast.domain.session.facts import Unknown
from tests.chaos.invariants import check
from tests.chaos.load import history
from tests.support.postgres import PostgresServer
from tests.support.programs import need

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.chaos.figures import Figures
    from tests.chaos.processes import Run, Zygote

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

OWNER = Actor("human", "cli")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture
def primary() -> Iterator[PostgresServer]:
    """A server of this test's own, which does not outlive it."""
    with closing(PostgresServer(need("postgres").parent)) as server:
        server.start()
        yield server


class Pair:
    """A store that two servers have, of which a writer takes the one that may be written to."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer, name: str, home: Path) -> None:
        self.primary = primary
        self.standby = standby
        self._home = home
        hosts = f"{primary.folder},{standby.folder}"
        self.url = f"{primary.url(name).partition('?')[0]}?host={hosts}&target_session_attrs=read-write"

    def writer(self, zygote: Zygote, *options: str) -> Run:
        """Start a writer, and return when some of its events are safe."""
        run = zygote.start(
            "writer", "--url", self.url, "--home", self._home, "--sessions", "8", "--persist", "--ticker", *options
        )
        run.listen_to_acks(100)
        return run

    def take_over(self) -> None:
        """Lose the primary and go on with the standby, which was stopped."""
        self.primary.kill()
        self.standby.start()
        self.standby.promote()

    def violations(self, run: Run) -> list[str]:
        """End a writer; return what does not hold of the store as it is now."""
        words = run.kill()
        violations = check(StoreSettings.from_url(self.url, wait_s=30), self._home, [words]).violations
        if words.status != -9:
            violations.append(f"the writer gave up: {words.stopped}")
        return violations


@contextmanager
def paired(primary: PostgresServer, home: Path) -> Generator[Pair]:
    """Make a database, and a standby that has it too."""
    name = primary.create_database()
    with closing(primary.standby()) as standby:
        yield Pair(primary, standby, name, home)


def fail_over(zygote: Zygote, pair: Pair) -> tuple[list[str], float, float]:
    """Kill the primary under load and promote; return what does not hold, how long writing and the loop stood."""
    run = pair.writer(zygote)
    pair.primary.kill()
    run.catch_up()
    pair.standby.promote()
    promoted = time.monotonic()
    run.listen_to_acks(50)
    resumed_s = time.monotonic() - promoted
    return pair.violations(run), resumed_s, run.words.late_s


@pytest.mark.parametrize(
    "times", [pytest.param(1, id="slice"), *(pytest.param(10, id=f"{n}", marks=pytest.mark.chaos) for n in range(3))]
)
def test_a_promoted_standby_has_all_that_was_acknowledged(
    times: int, *, zygote: Zygote, primary: PostgresServer, tmp_path: Path, figures: Figures
) -> None:
    found: list[tuple[list[str], float, float]] = []
    for number in range(times):
        primary.start()
        primary.wait_for_no_standby()
        with paired(primary, tmp_path / str(number)) as pair:
            found.append(fail_over(zygote, pair))

    violations = [violation for each, _, _ in found for violation in each]
    late_s = max(late for _, _, late in found)
    figures(
        "R12", "the primary killed, its standby promoted",
        tried=times, violations=len(violations), resumed_s=round(max(resumed for _, resumed, _ in found), 2),
        loop_blocked_s=round(late_s, 3),
    )  # fmt: skip
    assert violations == []


def test_what_only_a_crashed_primary_has_is_not_acknowledged_before_its_standby_has_it_too(
    zygote: Zygote, primary: PostgresServer, tmp_path: Path
) -> None:
    with paired(primary, tmp_path) as pair:
        run = pair.writer(zygote)
        pair.standby.stop()
        primary.wait_until(WAITING)
        primary.kill()
        primary.start()  # after recovery everybody sees what was committed here alone
        primary.wait_until(WAITING)
        pair.take_over()
        run.listen_to_acks(20)

        assert pair.violations(run) == []


def test_a_commit_whose_wait_for_the_standby_is_cancelled_is_not_acknowledged_before_it_has_it(
    zygote: Zygote, primary: PostgresServer, tmp_path: Path
) -> None:
    with paired(primary, tmp_path) as pair:
        run = pair.writer(zygote)
        pair.standby.stop()
        with primary.connect() as connection:
            for _ in range(3):
                primary.wait_until(WAITING)
                connection.execute(f"SELECT pg_cancel_backend(pid) {WAITING.removeprefix('SELECT count(*) ')}".encode())
        primary.wait_until(WAITING)
        pair.take_over()
        run.listen_to_acks(20)

        assert pair.violations(run) == []


def test_an_erasure_whose_wait_for_the_standby_is_cancelled_is_not_called_done_before_it_has_it(
    primary: PostgresServer, tmp_path: Path
) -> None:
    doomed = StreamId("doomed")
    with paired(primary, tmp_path) as pair:
        settings = StoreSettings.from_url(pair.url, home=tmp_path, wait_s=30)
        with open_store(settings) as store, ThreadPoolExecutor() as threads:
            for session, events in history(doomed, Random(1), 40):
                store.append_now(events, roster_row(session))
            pair.standby.stop()
            erasing = threads.submit(erase, store, doomed, actor=OWNER)
            try:
                cancelled = _cancel_the_wait(primary)
                # The writer comes back over a connection of its own and waits there, or nothing waits any more.
                primary.wait_until(f"{WAITING} AND pid <> {cancelled}")
                assert not erasing.done()
            finally:
                pair.standby.start()

            with pytest.raises(OutcomeUnknownError, match="do it again"):
                erasing.result(timeout=60)
            assert erase(store, doomed, actor=OWNER).events == 0
        primary.kill()
        pair.standby.promote()
        with open_store(settings) as store:
            *before, last = store.events(doomed)
        assert isinstance(last.event, SessionErased)
        assert all(isinstance(each.event, Unknown) and each.event.data is None for each in before)


def _cancel_the_wait(server: PostgresServer) -> int:
    """Cancel what waits for a standby; return the process that did."""
    server.wait_until(WAITING)
    with server.connect() as connection:
        row = connection.execute(f"{WAITING.replace('count(*)', 'pid, pg_cancel_backend(pid)')}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_failovers_catch_a_standby_that_was_not_waited_for(
    zygote: Zygote, primary: PostgresServer, tmp_path: Path
) -> None:
    with paired(primary, tmp_path) as pair:
        run = pair.writer(zygote)
        pair.standby.stop()
        primary.wait_for_no_standby()
        run.listen_to_acks(100)
        pair.take_over()
        words = run.wait()

        assert words.stopped is not None
        assert "gone backwards" in str(pair.violations(run))
