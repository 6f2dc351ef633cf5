"""The suite's own ground: real servers that are really ours, and honest skips."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy

from tests.agents.third_party import THIRD_PARTY, versions
from tests.support.programs import PROGRAMS, Program, need

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[1]


def test_a_fresh_database_is_empty(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    try:
        assert sqlalchemy.inspect(engine).get_table_names() == []
    finally:
        engine.dispose()


def test_the_server_keeps_its_promises_about_durability(postgres_server: PostgresServer) -> None:
    with postgres_server.connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


@pytest.mark.slow
def test_a_killed_server_comes_back_with_what_was_committed(postgres_server: PostgresServer) -> None:
    database = postgres_server.create_database()
    with postgres_server.connect(database) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('safe')")

        postgres_server.kill()

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not postgres_server.running
    postgres_server.start()
    with postgres_server.connect(database) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("safe",)]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel does this on Linux only")
@pytest.mark.postgres
def test_no_server_outlives_its_test_run() -> None:
    orphaned = subprocess.run(
        [sys.executable, "-c", _START_A_SERVER_AND_DIE],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    pid, _, folder = orphaned.stdout.strip().partition(" ")

    assert orphaned.returncode == -9
    _wait_until_gone(int(pid))
    shutil.rmtree(folder)


_START_A_SERVER_AND_DIE = """
import os, signal
from tests.support.postgres import PostgresServer
from tests.agents.third_party import THIRD_PARTY, versions
from tests.support.programs import need
server = PostgresServer(need("postgres").parent)
server.start()
print(server._process.pid, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def _wait_until_gone(pid: int, within_s: float = 30) -> None:
    # A pidfd is readable once its process has ended.
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable, _, _ = select.select([handle], [], [], within_s)
        assert readable, f"process {pid} still runs"
    finally:
        os.close(handle)


def test_without_a_program_a_test_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setitem(PROGRAMS, "strace", Program("strace", "no-such-program", "strace"))

    with pytest.raises(pytest.skip.Exception, match="strace is missing: apt-get install strace"):
        need("strace")


def test_in_ci_a_missing_program_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setitem(PROGRAMS, "strace", Program("strace", "no-such-program", "strace"))

    with pytest.raises(pytest.fail.Exception, match="strace is missing"):
        need("strace")


def test_every_program_is_provisioned() -> None:
    provision = (ROOT / ".ci" / "provision.sh").read_text()

    for program in PROGRAMS.values():
        assert f"need {program.command} {program.package}\n" in provision


def test_every_agent_that_is_provisioned_can_be_driven() -> None:
    assert set(versions()) == set(THIRD_PARTY)


def test_without_the_right_to_install_one_line_says_what_would() -> None:
    script = (ROOT / ".ci" / "packages.sh").read_text()
    # Without apt-get on its path no machine lets it install anything.
    told = subprocess.run(
        ["/bin/sh", "-s", "strace", "tmux"],
        input=script,
        env={"PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 1
    assert told.stderr.splitlines()[-1].endswith("apt-get install --yes --no-install-recommends strace tmux")
