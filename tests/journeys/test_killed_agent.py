"""The agent is killed, alone or with everything else, and what was said before is still there."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.scripting import until
from tests.journeys.world import ON_BOTH, gone

if TYPE_CHECKING:
    from tests.agents.scripting import Scripted
    from tests.journeys.world import World

pytestmark = [pytest.mark.slow, ON_BOTH]

Json = dict[str, Any]


def talking(world: World, **script: object) -> tuple[Scripted, str]:
    """Return an agent in mid-turn, and its session: one turn is over, of the second the half was said."""
    agent = world.agent()
    turns: list[list[Json]] = [[{"say": "one"}], [{"say": "half a "}, agent.touch("half"), agent.wait("never")]]
    agent.change(prompts=turns, **script)
    session = world.ready(agent.command, "first")
    world.wait(session)
    world.send(session, "second")
    agent.reached("half")
    # The next process answers anything.
    agent.change(prompts=[[{"say": "again: {prompt}"}]], **script)
    return agent, session


def seen(world: World, session: str, text: str) -> None:
    """Return once the log has what the agent said last."""
    with world.daemon.streaming(f"/events?session={session}&follow=true") as events:
        for event in events:
            if event["type"] == "text-appended" and text in event["data"]["text"]:
                return


@pytest.mark.parametrize("way", ["resume", "load"])
def test_a_killed_agent_leaves_an_interrupted_turn_and_is_taken_up_again_without_doubled_history(
    world: World, way: str
) -> None:
    ways: Json = {way: {}}
    agent, session = talking(world, **ways)
    seen(world, session, "half a ")

    os.kill(agent.pids()[0], signal.SIGKILL)
    row = world.wait(session)

    assert world.said(session) == "onehalf a "
    assert world.notices(session) == ["interrupted"]
    assert row["lifecycle"] == "unread"
    world.send(session, "third")
    world.wait(session)
    assert world.said(session) == "onehalf a again: third"
    assert world.asked(session) == ["first", "second", "third"]
    assert world.notices(session) == ["interrupted"]
    assert agent.prompts() == ["first", "second", "third"]
    assert len(agent.got(f"session/{way}")) >= 1
    assert len(agent.got("session/new")) == 1
    assert world.count(session)["turn-interrupted"] == 1


@pytest.mark.parametrize("replay", [True, False])
def test_an_agent_that_replays_although_it_must_not_or_does_not_although_it_must_doubles_nothing(
    world: World, replay: bool
) -> None:
    way = "resume" if replay else "load"
    agent, session = talking(world, **{way: {"replay": replay}})
    seen(world, session, "half a ")

    os.kill(agent.pids()[0], signal.SIGKILL)
    world.wait(session)
    world.send(session, "third")
    world.wait(session)

    assert world.said(session) == "onehalf a again: third"
    assert world.asked(session) == ["first", "second", "third"]


def test_an_agent_that_cannot_take_up_a_session_is_not_replaced_by_one_that_knows_nothing(world: World) -> None:
    agent, session = talking(world)
    seen(world, session, "half a ")

    os.kill(agent.pids()[0], signal.SIGKILL)
    world.wait(session)
    world.send(session, "third")
    world.wait(session)

    assert world.said(session) == "onehalf a "
    assert agent.prompts() == ["first", "second"]
    assert len(agent.got("session/new")) == 1
    row = world.row(session)
    assert row["connection"]["state"] in {"failed", "gave_up"}
    assert row["connection"]["error"]


def test_a_session_that_its_agent_destroyed_keeps_its_history(world: World) -> None:
    agent, session = talking(world, load={"destroys": True})
    seen(world, session, "half a ")

    os.kill(agent.pids()[0], signal.SIGKILL)
    world.wait(session)
    world.send(session, "third")
    world.wait(session)

    assert world.said(session) == "onehalf a "
    assert world.asked(session)[:2] == ["first", "second"]
    row = world.row(session)
    assert row["connection"]["state"] in {"failed", "gave_up"}
    assert "No previous sessions found" in row["connection"]["error"]


def test_after_everything_was_killed_what_was_acknowledged_is_there_and_the_user_is_told(world: World) -> None:
    agent, session = talking(world, resume={}, start=[{"spawn": {"setsid": True}}])
    seen(world, session, "half a ")
    (pid, child) = (agent.pids()[0], agent.children()[0])

    world.daemon.kill()
    world.kill_hosts()
    gone(pid)
    world.daemon.start()
    world.wait(session)

    gone(child)
    assert world.said(session) == "onehalf a "
    assert world.notices(session) in (["interrupted"], ["unknown"])
    counts = world.count(session)
    assert counts.get("turn-interrupted", 0) + counts.get("turn-unknown", 0) == 1
    assert agent.prompts() == ["first", "second"], "nothing is said a second time by itself"
    world.send(session, "third")
    world.wait(session)
    assert world.said(session) == "onehalf a again: third"
    world.verified()


def test_a_prompt_that_may_have_been_acted_on_is_unknown_and_never_sent_again(world: World) -> None:
    agent = world.agent()
    agent.change(resume={}, prompts=[[agent.touch("begun"), agent.wait("never")]])
    session = world.ready(agent.command, "delete everything")
    agent.reached("begun")
    agent.change(resume={})

    world.daemon.kill()
    world.kill_hosts()
    gone(agent.pids()[0])
    world.daemon.start()
    world.wait(session)

    assert agent.prompts() == ["delete everything"]
    assert world.notices(session) == ["unknown"]
    assert world.asked(session) == ["delete everything"]


def test_what_waits_after_an_interruption_is_held_until_somebody_says_so(world: World) -> None:
    agent, session = talking(world, resume={})
    seen(world, session, "half a ")
    world.send(session, "third")

    os.kill(agent.pids()[0], signal.SIGKILL)
    until(lambda: world.notices(session) == ["interrupted"], "nobody was told")
    (waiting,) = world.daemon.get(f"/sessions/{session}/queue").json()["items"]
    assert waiting["text"] == "third"
    assert agent.prompts() == ["first", "second"]

    assert world.daemon.post(f"/sessions/{session}/queue/resume").status == 200
    world.wait(session)
    assert agent.prompts() == ["first", "second", "third"]
