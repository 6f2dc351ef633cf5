"""What every test can ask for: a home, the command line, a real PostgreSQL, both event loops."""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.cli import Cli, run_cli
from tests.support.postgres import PostgresServer
from tests.support.programs import MISSING, PROGRAMS, need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["tests.chaos.figures"]

# A shell starts what it puts into the background with interrupts ignored, and every child inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes depends on the machine, and nothing that depends on time may fail a run.
settings.register_profile("holdfast", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("holdfast")


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every asynchronous test on both event loops."""
    return str(request.param)


@pytest.fixture
def tmp_home(tmp_path: Path) -> Path:
    """An empty folder to be `HOLDFAST_HOME`."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def cli(tmp_home: Path) -> Cli:
    """`holdfast` in its own process; see `tests.support.cli`."""
    return partial(run_cli, home=tmp_home)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresServer]:
    """The server of this worker, running. Tests that disturb it take `postgres_server`."""
    server = PostgresServer(need("postgres").parent)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_server(postgres_cluster: PostgresServer) -> Iterator[PostgresServer]:
    """A running server that no other worker uses. A test may stop, kill and restart it."""
    postgres_cluster.start()
    yield postgres_cluster
    postgres_cluster.start()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    with postgres_server.database() as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a real server, so that `-m "not postgres"` leaves it out."""
    for item in items:
        if "postgres_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("postgres")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or in CI fail, what needs a program that is not there."""
    for marker in PROGRAMS:
        if item.get_closest_marker(marker):
            need(marker)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Take two workers more than there are processors: for three quarters of their time tests wait for programs."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (processors or 1) + 2


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count what was skipped for want of a program, and name the line that would install it."""
    reports = terminalreporter.getreports("skipped")
    missing = Counter(
        program
        for report in reports
        for program in PROGRAMS.values()
        if f"{program.title}{MISSING}" in str(report.longrepr)
    )
    if missing:
        counts = ", ".join(f"{count} for want of {program.title}" for program, count in missing.items())
        packages = " ".join(sorted(program.package for program in missing))
        terminalreporter.write_sep("-", "not everything was tested")
        terminalreporter.write_line(f"Skipped: {counts}. This would bring it:")
        terminalreporter.write_line(f"sudo apt-get update && sudo apt-get install --yes {packages}")
