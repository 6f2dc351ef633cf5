"""Turns that do not end as they should: every use of a tool has an end, everything is said once and counts once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.scripting import until
from tests.journeys.world import World
from tests.journeys.world import world as a_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.agents.scripting import Scripted

pytestmark = pytest.mark.slow

Json = dict[str, Any]

TOOL = {"toolCallId": "c1", "title": "sleep 60", "kind": "execute", "status": "in_progress"}
BUSY: list[Json] = [{"say": "Let me see."}, {"tool": TOOL}]


@pytest.fixture
def world(tmp_home: Path) -> Iterator[World]:
    """A daemon as everybody has it."""
    with a_world(tmp_home) as made:
        yield made


def settled(world: World, session: str) -> Json:
    """Return the row once no turn is open and nothing waits."""
    until(lambda: (row := world.row(session))["lifecycle"] != "streaming" and not row["queued"])
    return world.row(session)


def tools(world: World, session: str) -> list[tuple[str, str, str | None]]:
    return [(item["title"], item["status"], item.get("reason")) for item in world.items(session, "tool_call")]


def _the_agent_dies(world: World, agent: Scripted) -> str:
    agent.change(prompts=[[*BUSY, {"exit": 3}]])
    return world.ready(agent.command, "go")


def _it_is_stopped(world: World, agent: Scripted) -> str:
    agent.change(prompts=[[*BUSY, agent.touch("busy"), agent.wait("never")]])
    session = world.ready(agent.command, "go")
    agent.reached("busy")
    world.cancel(session)
    return session


def _it_is_refused(world: World, agent: Scripted) -> str:
    agent.change(prompts=[[*BUSY, {"ask": "c1", "tool": {"title": "sleep 60"}, "deny": [{"say": "Well."}]}]])
    session = world.ready(agent.command, "go")
    world.wait(session, "needs-you")
    (request,) = world.inbox()
    assert world.answer(request, "reject") == 200
    return session


def _the_prompt_fails(world: World, agent: Scripted) -> str:
    agent.change(prompts=[[*BUSY, {"fail": {"code": -32603, "message": "out of tokens"}}]])
    return world.ready(agent.command, "go")


def _it_just_ends(world: World, agent: Scripted) -> str:
    agent.change(prompts=[[*BUSY, {"end": "end_turn"}]])
    return world.ready(agent.command, "go")


WAYS = {
    "dies": (_the_agent_dies, "interrupted", 2),
    "stopped": (_it_is_stopped, "cancelled", 1),
    "refused": (_it_is_refused, "turn-ended", 2),  # the words, and the question
    "fails": (_the_prompt_fails, "turn-ended", 2),
    "ends": (_it_just_ends, "turn-ended", 1),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_use_of_a_tool_ends_with_its_turn_and_the_turn_counts_its_words_and_its_failure_once(
    world: World, way: str
) -> None:
    happens, reason, unread = WAYS[way]

    session = happens(world, world.agent())
    row = settled(world, session)

    assert tools(world, session) == [("sleep 60", "failed", reason)]
    assert row["unread"] == unread
    assert f"failed · {reason}" in world.cli("show", session).stdout
    world.restart()
    assert tools(world, session) == [("sleep 60", "failed", reason)]
    assert world.row(session)["unread"] == unread
    assert world.daemon.get("/digests").status == 200, "what is stored is what the log says"
    world.verified()


def test_what_an_agent_tells_of_a_tool_after_its_turn_counts(world: World) -> None:
    late = {"tool_update": {"toolCallId": "c1", "status": "completed", "rawOutput": "done"}}
    agent = world.agent(prompts=[[*BUSY, {"end": "end_turn"}], [late, {"say": "It is done."}]])
    session = world.ready(agent.command, "go")
    world.wait(session)
    assert tools(world, session) == [("sleep 60", "failed", "turn-ended")]

    world.send(session, "and now?")
    until(lambda: tools(world, session) == [("sleep 60", "completed", None)])


def test_a_turn_that_nobody_can_tell_of_counts_once(world: World) -> None:
    agent = world.agent(prompts=[[{"exit": 3}]])

    session = world.ready(agent.command, "go")
    row = settled(world, session)

    assert world.notices(session) == ["unknown"]
    assert (row["unread"], row["attention"]) == (1, "failed")


def failures(world: World, session: str) -> list[str]:
    return [item["text"] for item in world.items(session, "notice") if item["status"] == "failed"]


def test_a_prompt_for_a_session_that_cannot_be_taken_up_again_is_shown_with_its_words_and_told_once(
    world: World,
) -> None:
    agent = world.agent(prompts=[[{"say": "first"}, {"end": "end_turn"}]])
    session = world.ready(agent.command, "one")
    world.wait(session)
    world.daemon.post(f"/sessions/{session}/read")
    refusal = {"code": -32603, "message": "the disk is full"}
    agent.change(prompts=[[{"say": "never"}]], resume={"fail": refusal}, load={"fail": refusal})
    os.kill(agent.pids()[0], signal.SIGKILL)
    until(lambda: world.row(session)["connection"]["state"] == "offline")

    world.send(session, "two")
    row = settled(world, session)

    (shown,) = [item for item in world.items(session, "message") if item["text"] == "two"]
    assert (shown["role"], shown["status"]) == ("user", "failed")
    assert "the disk is full" in shown["reason"]
    assert len(failures(world, session)) == 1
    assert world.waiting(session) == []
    assert (row["queued"], row["unread"], row["connection"]["state"]) == (0, 1, "failed")
    assert world.asked(session) == ["one", "two"]
    assert "two" in world.cli("show", session).stdout


def test_a_prompt_that_waited_too_long_is_shown_with_its_words_and_told_once(tmp_home: Path) -> None:
    (tmp_home / "config.toml").write_text("[transports.acp.queue]\nttl_s = 1\n")
    with a_world(tmp_home) as world:
        session = world.new(["no-such-agent"])["id"]
        assert world.row(session)["unread"] == 1  # it could not be started
        world.daemon.post(f"/sessions/{session}/read")

        prompt = world.send(session, "hello?")
        until(lambda: not world.waiting(session))

        (shown,) = world.items(session, "message")
        assert (shown["id"], shown["text"], shown["status"]) == (prompt, "hello?", "failed")
        assert shown["reason"].startswith("it waited for 1 s for its peer")
        assert world.count(session)["prompt-failed"] == 1
        assert world.row(session)["queued"] == 0


def test_a_session_whose_agent_is_gone_can_be_compacted_and_gone_on_with(world: World) -> None:
    slowly = {"say": "word ", "times": 6, "every_s": 0.1}  # else its pieces become one by themselves
    agent = world.agent(prompts=[[slowly, {"tool": TOOL}, {"end": "end_turn"}]], resume={})
    session = world.ready(agent.command, "go")
    world.wait(session)
    before = world.items(session)
    assert world.daemon.post("/compact", {"session": session}).status == 409, "it is connected"
    agent.change(prompts=[[{"say": "again"}]], resume={})
    os.kill(agent.pids()[0], signal.SIGKILL)
    until(lambda: world.row(session)["connection"]["state"] == "offline")

    compacted = world.daemon.post("/compact", {"session": session})
    kept = world.items(session)
    world.send(session, "more")
    until(lambda: world.said(session).endswith("again"))

    assert compacted.status == 200, compacted.body
    assert world.count(session)["message-compacted"] == 1
    assert kept == before
    assert world.items(session)[: len(before)] == before
    assert world.daemon.get("/digests").status == 200
    world.verified()
