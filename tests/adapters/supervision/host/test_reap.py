"""What is left after a crash is found, and exactly that is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.supervision.host import folder
from holdfast.adapters.supervision.host.processes import Process, belongs, look, strike
from holdfast.adapters.supervision.host.reap import discard, end_orphans, orphans, survey
from holdfast.domain.errors import HostProtocolError
from tests.adapters.supervision.host.support import death_of, driving, is_running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.supervision.host.support import House

pytestmark = pytest.mark.slow


@pytest.mark.anyio
async def test_hosts_are_told_apart_by_how_they_ended(house: House) -> None:
    alive, killed, stopped = [await house.launch() for _ in range(3)]
    os.kill(killed.host.pid, signal.SIGKILL)
    os.kill(stopped.host.pid, signal.SIGTERM)
    for host in (killed, stopped):
        await death_of(host.host.pid)
        await death_of(host.agent.pid)
    (house.hosts / "00112233aabbccdd").mkdir()
    (house.hosts / "something else").mkdir()

    found = {one.incarnation: (one.state, one.agent_alive) for one in survey(house.hosts)}

    assert found == {
        alive.incarnation: ("alive", True),
        killed.incarnation: ("dead", False),
        stopped.incarnation: ("ended", False),
        "00112233aabbccdd": ("unborn", False),
    }


@pytest.mark.anyio
async def test_what_a_killed_host_left_running_is_ended_and_nothing_else(house: House) -> None:
    living, killed = await house.launch(), await house.launch()
    async with driving(living) as driven:
        spared = [int(await driven.ask(kind)) for kind in ("child", "stray")]
    async with driving(killed) as driven:
        doomed = [int(await driven.ask(kind)) for kind in ("child", "stray")]
    foreign, nested = bystander("f" * 16), bystander("")
    try:
        os.kill(killed.host.pid, signal.SIGKILL)
        await death_of(killed.host.pid)
        await death_of(killed.agent.pid)
        assert all(map(is_running, doomed)), "the kernel ends the agent, and not what it started"
        assert {process.pid for process in orphans(survey(house.hosts))} == set(doomed)

        ended = end_orphans(house.hosts)

        assert set(ended) == set(doomed)
        assert not any(map(is_running, doomed))
        assert all(map(is_running, [*spared, living.agent.pid, living.host.pid, foreign.pid, nested.pid]))
        assert end_orphans(house.hosts) == []
    finally:
        for process in (foreign, nested):
            process.communicate()


def bystander(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={"HOLDFAST_HOST": mark})


def test_where_there_are_no_hosts_nothing_is_looked_for(tmp_path: Path) -> None:
    assert survey(tmp_path / "hosts") == []
    assert end_orphans(tmp_path / "hosts") == []


@pytest.mark.anyio
async def test_the_files_of_the_dead_can_be_removed_and_those_of_the_living_cannot(house: House) -> None:
    host = await house.launch()
    with pytest.raises(HostProtocolError, match="lives"):
        discard(survey(house.hosts)[0])

    os.kill(host.host.pid, signal.SIGKILL)
    await death_of(host.host.pid)
    discard(survey(house.hosts)[0])

    assert survey(house.hosts) == []
    assert list(house.runtime.iterdir()) == []


@pytest.mark.anyio
async def test_a_damaged_file_hides_no_orphan(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        stray = int(await driven.ask("stray"))
    (host.folder / folder.HOST).write_text("{")
    os.kill(host.host.pid, signal.SIGKILL)
    await death_of(host.host.pid)

    assert stray in end_orphans(house.hosts)
    with pytest.raises(HostProtocolError, match="is damaged"):
        folder.describe(host.folder)


def test_a_number_that_belongs_to_another_by_now_is_left_alone() -> None:
    bystander = subprocess.Popen([sys.executable, "-ISc", "input()"], stdin=subprocess.PIPE)
    try:
        now = look(bystander.pid)
        assert now is not None
        before = Process(now.pid, now.parent, now.start - 1, "a" * 16)

        assert strike(before, signal.SIGKILL) is False
        assert bystander.poll() is None
        assert strike(now, signal.SIGKILL) is True
        assert bystander.wait() == -signal.SIGKILL
        assert strike(now, signal.SIGKILL) is False
    finally:
        bystander.communicate()


def table(*rows: tuple[int, int, str | None]) -> dict[int, Process]:
    return {pid: Process(pid, parent, 0, mark) for pid, parent, mark in rows}


@pytest.mark.parametrize(
    ("pid", "mine"),
    [(10, False), (11, True), (12, True), (13, True), (14, False), (15, False), (16, True), (1, False), (99, False)],
    ids=[
        "the host itself", "the agent", "its child", "what cleared its environment", "a daemon that it started",
        "what that one started", "what fell to the host", "the first process", "nobody",
    ],
)  # fmt: skip
def test_what_belongs_to_a_host(pid: int, mine: bool) -> None:
    living = table(
        (1, 0, None),
        (10, 1, ""),
        (11, 10, "mine"),
        (12, 11, "mine"),
        (13, 12, None),
        (14, 11, ""),
        (15, 14, None),
        (16, 10, None),
    )

    assert belongs(living, pid, {"mine"}, 10) is mine


def test_a_circle_of_parents_ends_the_search() -> None:
    assert belongs(table((2, 3, None), (3, 2, None)), 2, {"mine"}) is False
