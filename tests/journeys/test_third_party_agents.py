"""Agents that others wrote, each with a model on loopback: everything a user does with them, through the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.model_server import HELD, RELEASED, ModelServer
from tests.agents.third_party import THIRD_PARTY, sdk_example
from tests.journeys.world import World
from tests.journeys.world import world as a_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(params=THIRD_PARTY)
def agent(request: pytest.FixtureRequest, model: ModelServer, tmp_path: Path) -> tuple[list[str], Path]:
    """An agent's command, and a home in which it finds its configuration."""
    third_party = THIRD_PARTY[request.param]
    command = third_party.command()
    user = tmp_path / "user"
    third_party.configure(user, model.url)
    return command, user


@pytest.fixture
def world(agent: tuple[list[str], Path], tmp_home: Path) -> Iterator[World]:
    with a_world(tmp_home, {"HOME": str(agent[1]), "SHELL": "/bin/bash"}) as made:
        yield made


def option(request: Json, kind: str) -> str:
    return next(str(each["option_id"]) for each in request["options"] if each["kind"] == kind)


def asked(world: World, session: str) -> Json:
    """Return the one permission that waits."""
    world.wait(session, "needs-you")
    (request,) = world.inbox()
    assert request["session_id"] == session
    return request


def allowed(world: World, session: str) -> None:
    """Return once the turn is over; allow whatever it asks for, as not every agent asks for everything."""
    with world.daemon.streaming(
        f"/events?session={session}&follow=true&type=permission-requested&type=turn-ended"
    ) as events:
        for event in events:
            for request in world.inbox():
                assert world.answer(request, option(request, "allow_once")) == 200
            if event["type"] == "turn-ended" and len(endings(world, session)) == world.count(session)["prompt-queued"]:
                return


def held(world: World, session: str) -> None:
    """Return once the first half of what is held back is in the log."""
    with world.daemon.streaming(f"/events?session={session}&follow=true") as events:
        sent, said = world.count(session)["prompt-queued"], ""
        for event in events:
            if event["type"] == "turn-started":
                sent, said = sent - 1, ""
            elif event["type"] == "text-appended":
                said += event["data"]["text"]
            if HELD in said and sent == 0:
                return


def endings(world: World, session: str) -> list[str]:
    return [event["data"]["stop_reason"] for event in world.events(session, "turn-ended")]


def test_a_day_at_work(world: World, agent: tuple[list[str], Path], model: ModelServer) -> None:
    session = world.ready(agent[0], "good morning")
    world.wait(session)
    assert "You said: good morning" in world.said(session)

    # A tool, allowed from another client.
    world.send(session, "RUN echo hello > made.txt && cat made.txt")
    request = asked(world, session)
    assert "made.txt" in str(request["title"]) + str(request["input"])
    assert not (world.work / "made.txt").exists()
    assert world.answer(request, option(request, "allow_once"), "phone") == 200
    assert world.answer(request, option(request, "reject_once"), "laptop") == 409
    world.wait(session)
    assert (world.work / "made.txt").read_text() == "hello\n"
    assert "It said: " in world.said(session)
    (tool,) = world.items(session, "tool_call")
    assert tool["status"] == "completed"
    assert "hello" in str(tool["output"])
    answered = world.events(session, "permission-answered")
    assert [event["actor"]["device"] for event in answered] == ["phone"]

    # 2,000 deltas as fast as they go.
    before = len(world.said(session))
    world.send(session, "FAST 2000")
    world.wait(session)
    assert "".join(f"{n} " for n in range(2000)).strip() in world.said(session)[before:]

    # An output of 349 KB.
    world.send(session, "RUN seq 1 60000")
    allowed(world, session)
    tool = world.items(session, "tool_call")[-1]
    assert tool["status"] == "completed"
    # Some agents hand the whole of it on, others its beginning or its end.
    assert len(str(tool["output"])) > 2_000

    assert endings(world, session) == ["end_turn"] * 4
    assert world.notices(session) == []
    assert world.asked(session) == [
        "good morning", "RUN echo hello > made.txt && cat made.txt", "FAST 2000", "RUN seq 1 60000",
    ]  # fmt: skip
    world.verified()


def test_stopping_and_talking_over_each_other(world: World, agent: tuple[list[str], Path], model: ModelServer) -> None:
    session = world.ready(agent[0], "HOLD the line")
    held(world, session)

    # Stopped in mid-stream.
    world.cancel(session)
    world.wait(session)
    assert endings(world, session) == ["cancelled"]
    assert RELEASED not in world.said(session)

    # Stopped while a permission is waited for: it is over, and the tool is not run.
    world.send(session, "RUN touch made.txt")
    request = asked(world, session)
    world.cancel(session)
    world.wait(session)
    assert world.inbox() == []
    assert world.answer(request, option(request, "allow_once")) == 409
    assert not (world.work / "made.txt").exists()
    assert endings(world, session) == ["cancelled"] * 2

    # Two prompts at once: the second waits for the first, whatever the agent would do with it.
    world.send(session, "HOLD again")
    held(world, session)
    world.send(session, "and this")
    assert [each["text"] for each in world.waiting(session)] == ["and this"]
    model.release()
    world.wait(session)
    assert endings(world, session) == ["cancelled"] * 2 + ["end_turn"] * 2
    assert world.said(session).index(RELEASED) < world.said(session).index("You said: and this")
    world.verified()


def test_the_example_agent_of_the_sdk(tmp_home: Path) -> None:
    with a_world(tmp_home) as world:
        session = world.ready(sdk_example(), "hello")
        world.wait(session)
        world.restart()
        world.send(session, "again")
        world.wait(session)

        assert world.said(session) == "Client sent:helloClient sent:again"
        assert world.asked(session) == ["hello", "again"]
        assert endings(world, session) == ["end_turn"] * 2
        world.verified()
