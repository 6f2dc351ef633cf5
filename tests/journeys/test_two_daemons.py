"""A second daemon on a store whose daemon only sleeps."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import run_cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.world import World


def rounds(world: World, tmp_path: Path, count: int) -> None:
    """Stop the daemon in mid-turn so many times, and let another one try to take its place meanwhile."""
    agent = world.agent()
    agent.change(prompts=[[{"say": "{prompt}:{n} ", "times": 20}]])
    session = world.ready(agent.command)
    other = tmp_path / "other"
    store = {"HOLDFAST_DATABASE_URL": f"sqlite:///{world.home / 'log.db'}"}
    for number in range(count):
        world.send(session, f"p{number}")
        os.kill(world.daemon.pid, signal.SIGSTOP)
        try:
            refused = run_cli("up", "--foreground", "--port", "0", home=other, env=store)
        finally:
            os.kill(world.daemon.pid, signal.SIGCONT)
        assert refused.returncode == 4, refused
        assert len(refused.stderr.strip().splitlines()) == 1, refused
        world.wait(session)

    assert world.said(session) == "".join(f"p{number}:{n} " for number in range(count) for n in range(20))
    assert agent.prompts() == [f"p{number}" for number in range(count)]
    world.verified()


@pytest.mark.slow
def test_a_daemon_that_sleeps_keeps_its_store(world: World, tmp_path: Path) -> None:
    rounds(world, tmp_path, 3)


@pytest.mark.chaos
def test_a_daemon_that_sleeps_a_thousand_times_keeps_its_store(world: World, tmp_path: Path) -> None:
    rounds(world, tmp_path, 1_000)
