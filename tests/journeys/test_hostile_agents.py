"""Agents that misbehave: only their own session suffers."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.scripted import numbered
from tests.agents.scripting import until
from tests.journeys.world import gone, runs

if TYPE_CHECKING:
    from tests.journeys.world import World

Json = dict[str, Any]

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


def memory(pid: int) -> int:
    """Return the most memory that a process ever had, in bytes."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


SURVIVED: dict[str, list[Json]] = {
    "garbage": [{"raw": "this is no JSON\n"}, {"raw": "\x00\x01\udcff\n"}, {"raw": "42\nnull\n[]\n{}\n\n"}],
    "half a line, then the rest": [{"raw": '{"jsonrpc": "2.0", "method": "sess'}, {"raw": 'ion/nothing"}\n'}],
    "answers to nothing": [{"send": {"jsonrpc": "2.0", "id": each, "result": {}}} for each in (0, "0", 99, None, "x")],
    "its own errors": [{"send": {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no"}}}],
    "unknown kinds": [{"update": {"sessionUpdate": "hologram", "x": [1]}}, {"notify": "_vendor/hello"}],
    "somebody else's session": [{"update": {"sessionUpdate": "agent_message_chunk"}, "session": "ses_of_another"}],
    "deep nesting": [{"raw": '{"jsonrpc": "2.0", "method": "x", "params": ' + "[" * 20_000 + "]" * 20_000 + "}\n"}],
    "lone surrogates": [
        {"raw": '{"jsonrpc": "2.0", "method": "x", "params": {"a": "\\\\ud800"}}\n'.replace("\\\\", "\\")}
    ],
    "a permission without its tool": [{"ask": "nobody", "allow": [], "deny": [], "cancelled": []}],
    "requests that we do not serve": [{"request": "fs/read_text_file", "params": {"path": "/etc/passwd"}}],
    "complaints": [{"stderr": 20 * MIB}],
}


@pytest.mark.parametrize("steps", SURVIVED.values(), ids=SURVIVED)
def test_what_an_agent_says_wrongly_is_survived_and_the_turn_goes_on(world: World, steps: list[Json]) -> None:
    agent = world.agent(prompts=[[{"say": "before "}, *steps, {"say": "after"}]])
    session = world.ready(agent.command, "go")
    if any("ask" in step for step in steps):
        world.wait(session, "needs-you")
        (request,) = world.inbox()
        assert world.answer(request, "once") == 200

    world.wait(session)

    assert world.said(session) == "before after"
    assert world.notices(session) == []
    assert world.row(session)["connection"]["state"] == "connected"
    if any("request" in step for step in steps):
        (answer,) = agent.journal("answered")
        assert answer["error"]["code"] == -32601
    world.verified()


def test_an_answer_whose_id_has_another_type_is_no_answer(world: World) -> None:
    agent = world.agent()
    wrong = {"send": {"jsonrpc": "2.0", "id": 7, "result": {"stopReason": "end_turn"}}}
    agent.change(prompts=[[wrong, agent.touch("sent"), agent.wait("go"), {"say": "still here"}]])
    session = world.ready(agent.command, "go")
    agent.reached("sent")

    assert world.row(session)["lifecycle"] == "streaming"
    agent.open("go")
    world.wait(session)
    assert world.said(session) == "still here"


def test_a_line_of_830_kb_and_an_output_of_349_kb_arrive_whole(world: World) -> None:
    size = 349 * 1024
    steps: list[Json] = [
        {"say": "x" * 830_000},
        {"tool": {"toolCallId": "c", "title": "seq", "kind": "execute", "status": "in_progress"}},
        {"output": "c", "bytes": size},
    ]
    agent = world.agent(prompts=[steps])
    session = world.ready(agent.command, "go")
    world.wait(session)

    assert world.said(session) == "x" * 830_000
    (tool,) = world.items(session, "tool_call")
    assert numbered(size).splitlines()[-1] in str(tool["output"])
    assert str(tool["output"]).count("quick brown fox") == numbered(size).count("quick brown fox")


def test_a_line_without_an_end_fails_its_session_and_no_other(world: World) -> None:
    sound = world.agent("sound")
    other = world.ready(sound.command, "good morning")
    world.wait(other)
    before = memory(world.daemon.pid)
    flooding = world.agent("flooding", prompts=[[{"say": "before"}, {"flood": 40 * MIB}, {"hang": True}]])
    session = world.ready(flooding.command, "go")

    world.wait(session)

    row = world.row(session)
    assert row["connection"]["state"] == "failed", row
    assert "line" in row["connection"]["error"] or "frame" in row["connection"]["error"]
    assert world.said(session) == "before"
    assert world.notices(session) == ["interrupted"]
    gone(flooding.pids()[0])
    world.send(other, "still there?")
    world.wait(other)
    assert world.said(other) == "good morningstill there?"
    assert memory(world.daemon.pid) - before < 128 * MIB


def test_an_agent_that_ignores_every_wish_to_end_is_ended_with_all_its_children(world: World) -> None:
    children: list[Json] = [
        {"spawn": {"ignore_term": True}},
        {"spawn": {"setsid": True, "ignore_term": True}},
    ]
    agent = world.agent(ignore=["eof", "term", "int"], start=children)
    session = world.ready(agent.command, "hello")
    world.wait(session)
    assert all(runs(pid) for pid in [*agent.pids(), *agent.children()])

    assert world.cli("end", session).returncode == 0

    for pid in [*agent.pids(), *agent.children()]:
        gone(pid)
    assert world.row(session)["lifecycle"] == "ended"


def test_an_agent_that_ignores_a_cancellation_can_still_be_ended(world: World) -> None:
    agent = world.agent()
    agent.change(cancel="ignore", prompts=[[agent.touch("begun"), {"hang": True}]])
    session = world.ready(agent.command, "go")
    agent.reached("begun")
    world.cancel(session)
    until(lambda: agent.got("session/cancel"), "the agent never heard of it")

    assert world.row(session)["lifecycle"] == "streaming"
    assert world.cli("end", session).returncode == 0
    gone(agent.pids()[0])
    assert world.row(session)["lifecycle"] == "ended"


def test_a_stopped_agent_holds_up_nobody(world: World) -> None:
    agent, sound = world.agent(), world.agent("sound")
    agent.change(prompts=[[agent.touch("begun"), {"say": "late", "times": 3}]])
    session = world.ready(agent.command)
    os.kill(agent.pids()[0], signal.SIGSTOP)
    try:
        world.send(session, "go")
        other = world.ready(sound.command, "good morning")
        world.wait(other)
        assert world.said(other) == "good morning"
        assert world.row(session)["lifecycle"] == "streaming"
    finally:
        os.kill(agent.pids()[0], signal.SIGCONT)
    world.wait(session)
    assert world.said(session) == "late" * 3
