"""The daemon is killed while agents are at work, and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.agents.scripting import until
from tests.journeys.world import ON_BOTH, runs

if TYPE_CHECKING:
    from tests.journeys.world import World

pytestmark = [pytest.mark.slow, ON_BOTH]


def test_a_turn_goes_on_while_the_daemon_is_dead_and_nothing_of_it_is_missing(world: World) -> None:
    agent = world.agent()
    steps = [
        {"think": "let me see"},
        {"say": "before {n} ", "times": 50},
        agent.touch("half"),
        agent.wait("dead"),
        {"say": "meanwhile {n} ", "times": 500},
        {"tool": {"toolCallId": "c", "title": "ls", "kind": "execute", "status": "completed"}},
        agent.touch("spoken"),
        agent.wait("back"),
        {"say": "after {n} ", "times": 50},
    ]
    agent.change(prompts=[steps])
    session = world.ready(agent.command, "tell me")
    agent.reached("half")

    world.daemon.kill()
    agent.open("dead")
    agent.reached("spoken")
    world.daemon.start()
    agent.open("back")
    row = world.wait(session)

    expected = "".join(
        f"{word} {n} " for word, times in (("before", 50), ("meanwhile", 500), ("after", 50)) for n in range(times)
    )
    assert world.said(session) == expected == agent.turns()[0]["said"]
    assert agent.prompts() == ["tell me"]
    assert len(agent.pids()) == 1
    assert world.notices(session) == []
    counts = world.count(session)
    assert (counts["turn-started"], counts["turn-ended"], counts["prompt-sent"]) == (1, 1, 1)
    assert row["lifecycle"] == "unread"
    world.verified()


def test_a_permission_that_was_asked_for_meanwhile_can_be_answered_afterwards(world: World) -> None:
    agent = world.agent()
    steps = [
        agent.touch("begun"),
        agent.wait("dead"),
        {"tool": {"toolCallId": "c", "title": "touch x", "status": "pending"}},
        {"ask": "c", "allow": [{"say": "allowed"}], "deny": [{"say": "denied"}]},
    ]
    agent.change(prompts=[steps])
    session = world.ready(agent.command, "go")
    agent.reached("begun")

    world.daemon.kill()
    agent.open("dead")
    world.daemon.start()
    row = world.wait(session, "needs-you")
    (request,) = world.inbox()

    assert row["pending"] == 1
    assert [option["kind"] for option in request["options"]] == ["allow_once", "allow_always", "reject_once"]
    assert world.answer(request, "once") == 200
    assert world.answer(request, "reject", "laptop") == 409
    world.wait(session)
    assert world.said(session) == "allowed"
    assert world.inbox() == []
    assert len(agent.journal("answered")) == 1


def test_a_permission_that_was_asked_for_before_can_be_answered_afterwards(world: World) -> None:
    agent = world.agent(prompts=[[{"ask": "c", "allow": [{"say": "allowed"}]}]])
    session = world.ready(agent.command, "go")
    world.wait(session, "needs-you")
    (before,) = world.inbox()

    world.restart()

    world.wait(session, "needs-you")
    assert world.inbox() == [before]
    assert world.answer(before, "once") == 200
    world.wait(session)
    assert world.said(session) == "allowed"


def test_what_waited_in_the_queue_is_sent_once_afterwards(world: World) -> None:
    agent = world.agent()
    agent.change(prompts=[[agent.touch("begun"), agent.wait("go")], [{"say": "{prompt} "}]])
    session = world.ready(agent.command, "first")
    agent.reached("begun")
    for text in ("second", "third"):
        world.send(session, text, client_id=f"mine-{text}")

    world.restart()
    # The user's program did not see the answer, and asks again.
    world.send(session, "third", client_id="mine-third")
    agent.open("go")
    world.wait(session)

    assert agent.prompts() == ["first", "second", "third"]
    assert world.said(session) == "second third "


def test_the_cancellation_of_a_turn_outlives_the_daemon(world: World) -> None:
    agent = world.agent()
    agent.change(prompts=[[agent.touch("begun"), agent.wait("never")]])
    session = world.ready(agent.command, "first")
    agent.reached("begun")

    world.restart()
    world.cancel(session)
    world.wait(session)

    assert [turn["reason"] for turn in agent.turns()] == ["cancelled"]
    (ended,) = world.events(session, "turn-ended")
    assert ended["data"]["stop_reason"] == "cancelled"


def test_an_agent_outlives_a_daemon_that_stops_in_good_order(world: World) -> None:
    agent = world.agent()
    agent.change(prompts=[[{"say": "one "}, agent.touch("begun"), agent.wait("go"), {"say": "two"}]])
    session = world.ready(agent.command, "go")
    agent.reached("begun")

    assert world.daemon.stop() == 0
    assert runs(agent.pids()[0])
    agent.open("go")
    until(agent.turns, "the turn never ended")
    world.daemon.start()
    world.wait(session)

    assert world.said(session) == "one two"
    assert world.notices(session) == []
