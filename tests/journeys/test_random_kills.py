"""The daemon is killed at random moments while several agents speak, ask and are spoken to."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from tests.journeys.world import gone

if TYPE_CHECKING:
    from tests.journeys.world import World

SESSIONS = 3


def ordeal(world: World, kills: int, seed: int) -> None:
    """Kill the daemon so many times; then everything that was sent must be there, once."""
    print(f"{seed=}")
    chance = random.Random(seed)
    agent = world.agent()
    words = [{"think": "hm"}, {"say": "{prompt}:{n} ", "times": 40, "every_s": 0.002}]
    agent.change(resume={}, prompts=[words])
    sessions = [world.ready(agent.command) for _ in range(SESSIONS)]
    given: dict[str, list[str]] = {session: [] for session in sessions}
    for kill in range(kills):
        session = chance.choice(sessions)
        text = f"p{kill}"
        # Acknowledged, or asked for again with the same name: either way it is to happen once.
        world.send(session, text, client_id=f"c{kill}")
        given[session].append(text)
        timer = threading.Event()
        timer.wait(chance.random() * 0.15)
        world.daemon.kill()
        world.daemon.start()
        world.send(session, text, client_id=f"c{kill}")
    for session in sessions:
        world.wait(session)

    for session, texts in given.items():
        expected = "".join(f"{text}:{n} " for text in texts for n in range(40))
        assert world.said(session) == expected
        assert world.asked(session) == texts
        assert world.notices(session) == []
    assert sorted(agent.prompts()) == sorted(text for texts in given.values() for text in texts)
    assert len(agent.pids()) == SESSIONS
    world.verified()
    assert world.daemon.post("/shutdown", {"agents": True}).status == 202
    for pid in agent.pids():
        gone(pid)


@pytest.mark.slow
def test_ten_kills_at_random_points_lose_and_double_nothing(world: World) -> None:
    ordeal(world, 10, seed=random.randrange(1 << 32))


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(8))
def test_four_hundred_kills_at_random_points_lose_and_double_nothing(world: World, part: int) -> None:
    ordeal(world, 50, seed=random.randrange(1 << 32))
