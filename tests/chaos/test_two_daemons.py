"""R13: a daemon sleeps, and a second one is started on its store. Never do both of them write."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPException
from random import Random
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.chaos.forked import ForkedDaemon
from tests.chaos.processes import Zygote
from tests.journeys.world import World
from tests.journeys.world import world as a_world
from tests.support.cli import run_cli

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from http.client import HTTPConnection
    from pathlib import Path

    from tests.agents.scripting import Scripted
    from tests.chaos.figures import Figures

WORDS = 20
REFUSED = 4


@pytest.fixture(scope="module")
def zygotes() -> Iterator[list[Zygote]]:
    """Two, because each has one child at a time."""
    with Zygote() as one, Zygote() as other:
        yield [one, other]


@contextmanager
def kept(home: Path, daemon: ForkedDaemon) -> Generator[World]:
    """Provide a world whose daemon is this one."""
    world = World(home)
    world.daemon = daemon
    try:
        daemon.start()
        yield world
    finally:
        world.close()


def talkative(world: World) -> Scripted:
    """Return an agent whose answers take some time, so that there is always something to write."""
    agent = world.agent()
    agent.change(prompts=[[{"say": "{prompt}:{n} ", "times": WORDS, "every_s": 0.001}]])
    return agent


def check(world: World, agent: Scripted, session: str, prompts: list[str]) -> None:
    """Check that everything happened, once."""
    assert world.said(session) == "".join(f"{prompt}:{n} " for prompt in prompts for n in range(WORDS))
    assert agent.prompts() == prompts
    assert world.notices(session) == []
    assert len(agent.pids()) == 1
    world.verified()


def asleep(world: World) -> int:
    """Stop the daemon and return its process."""
    pid = world.daemon.pid
    os.kill(pid, signal.SIGSTOP)
    return pid


@pytest.mark.slow
def test_a_daemon_that_sleeps_keeps_its_store(tmp_home: Path, tmp_path: Path) -> None:
    with a_world(tmp_home) as world:
        agent = talkative(world)
        session = world.ready(agent.command)
        for number in range(3):
            world.send(session, f"p{number}")
            pid = asleep(world)
            try:
                refused = run_cli("up", "--foreground", "--port", "0", home=tmp_path / "other", env=store_of(world))
            finally:
                os.kill(pid, signal.SIGCONT)
            assert refused.returncode == REFUSED, refused
            assert len(refused.stderr.strip().splitlines()) == 1, refused
            world.wait(session)

        check(world, agent, session, ["p0", "p1", "p2"])


def store_of(world: World) -> dict[str, str]:
    """Return what makes a daemon of another home want the store of this one."""
    return {"HOLDFAST_DATABASE_URL": f"sqlite:///{world.home / 'log.db'}"}


@pytest.mark.chaos
def test_a_daemon_that_sleeps_a_thousand_times_keeps_its_store(
    tmp_home: Path, tmp_path: Path, zygotes: list[Zygote], figures: Figures
) -> None:
    rounds = 1_000
    let_in: list[int] = []
    with kept(tmp_home, ForkedDaemon(tmp_home, zygotes[0])) as world:
        agent = talkative(world)
        session = world.ready(agent.command)
        other = tmp_path / "other"
        other.mkdir(mode=0o700)
        for number in range(rounds):
            world.send(session, f"p{number}")
            pid = asleep(world)
            second = ForkedDaemon(other, zygotes[1], store_of(world))
            try:
                if second.begin() is None:
                    let_in.append(number)
                    second.kill()
                else:
                    assert second.wait() == REFUSED
            finally:
                os.kill(pid, signal.SIGCONT)
            world.wait(session)
        figures("R13", "a second daemon while the first one sleeps", tried=rounds, violations=len(let_in))
        assert let_in == []
        check(world, agent, session, [f"p{number}" for number in range(rounds)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "rounds"),
    [pytest.param(0, 2, id="slice"), *(pytest.param(part, 125, marks=pytest.mark.chaos) for part in range(1, 9))],
)
def test_a_daemon_whose_store_was_taken_over_while_it_slept_writes_nothing_more(
    tmp_home: Path, zygotes: list[Zygote], part: int, rounds: int, figures: Figures
) -> None:
    """On a disk where locks mean nothing: what keeps the first one from writing is the epoch alone."""
    found = taken_over(tmp_home, zygotes, rounds, seed=part)

    figures("R13", "a daemon whose store was taken over while it slept", tried=rounds, violations=len(found))
    assert found == []


@pytest.mark.slow
def test_a_daemon_that_does_not_notice_is_caught(tmp_home: Path, zygotes: list[Zygote]) -> None:
    assert taken_over(tmp_home, zygotes, 1, mutant="no-epoch", within_s=2)


def taken_over(
    home: Path, zygotes: list[Zygote], rounds: int, *, seed: int = 0, mutant: str = "no-lock", within_s: float = 60
) -> list[str]:
    """Take the place of a daemon that sleeps in mid-turn, so many times; return what one of them did wrong."""
    chance = Random(seed)
    first = ForkedDaemon(home, zygotes[0], mutant=mutant)
    prompts: list[str] = []
    taken = 0
    with kept(home, first) as world:
        agent = talkative(world)
        session = world.ready(agent.command)
        while taken < rounds:
            prompts.append(f"p{len(prompts)}")
            world.send(session, prompts[-1])
            Event().wait(chance.random() * 0.03)
            pid = asleep(world)
            second = ForkedDaemon(home, zygotes[(taken + 1) % 2], mutant=mutant)
            with closing(first.connect()) as line:
                rename(line, first, session, prompts[-1])
                refused = second.begin()
                os.kill(pid, signal.SIGCONT)
                if refused is not None:  # the first one sleeps in the middle of a transaction
                    second.wait()
                    assert is_done(line)
                else:
                    taken += 1
                    world.daemon = second
                    wrong = stale(first, line, within_s)
                    first.kill()
                    if wrong:
                        return [f"round {taken}: {wrong}"]
                    first = second
            world.wait(session)
        check(world, agent, session, prompts)
        assert len(world.events(session, "session-renamed")) == len(prompts) - taken
    return []


def stale(first: ForkedDaemon, line: HTTPConnection, within_s: float) -> str | None:
    """Return what a daemon does wrong that wakes and has no store any more."""
    if is_done(line):
        return "it did what it was asked for"
    try:
        code = first.wait(within_s)
    except TimeoutError:
        return "it goes on"
    return None if code == REFUSED else f"it ended with {code}"


def rename(line: HTTPConnection, daemon: ForkedDaemon, session: str, title: str) -> None:
    """Ask for something that is to be written, of a daemon that sleeps."""
    headers = {"Authorization": f"Bearer {daemon.token}", "Content-Type": "application/json"}
    line.request("POST", f"/api/v1/sessions/{session}/rename", json.dumps({"title": title}), headers)


def is_done(line: HTTPConnection) -> bool:
    """Return whether what was asked for is said to be done."""
    try:
        return line.getresponse().status == HTTPStatus.OK
    except (HTTPException, ConnectionError):
        return False  # it ended without an answer
