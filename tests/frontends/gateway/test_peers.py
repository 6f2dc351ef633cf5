"""The API about sessions with a peer: a scripted agent behind a real daemon."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from tests.adapters.importers import claude_lines as claude
from tests.agents.scripting import Scripted
from tests.frontends.gateway.serving import Client
from tests.frontends.gateway.test_api import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Answer, Daemon

pytestmark = pytest.mark.slow


def begin(daemon: Daemon, agent: Scripted, **more: object) -> Answer:
    """Begin a session with the agent, and wait until it is ready or has failed."""
    return daemon.post(
        "/sessions", {"command": agent.command, "cwd": str(agent.folder), "wait_s": 30, **more}, Holdfast_Client="test"
    )


def reaches(daemon: Daemon, session: str, state: str) -> Any:
    answer = daemon.get(f"/sessions/{session}/wait?until={state}&timeout=60")
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_session_is_begun_once_however_often_it_is_asked_for(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")

    first = begin(daemon, agent, client_id="n-1", title="Ebbe", prompt="hello")
    again = begin(daemon, agent, client_id="n-1", title="Flut", prompt="hello")

    assert (first.status, again.status) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["connection"]["state"] == "connected"
    row = reaches(daemon, first.json()["id"], "idle")
    assert row["title"] == "Ebbe"
    assert agent.prompts() == ["hello"]
    assert daemon.get("/status").json()["agents"] == 1


def test_a_prompt_is_sent_once_and_what_waits_can_be_changed(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[agent.touch("busy"), agent.wait("go")], [{"say": "{prompt}"}]])
    session = begin(daemon, agent).json()["id"]
    path = f"/sessions/{session}"

    first = daemon.post(f"{path}/prompts", {"content": "one", "client_id": "p-1"})
    agent.reached("busy")
    again = daemon.post(f"{path}/prompts", {"content": "one", "client_id": "p-1"})
    second = daemon.post(f"{path}/prompts", {"content": [{"type": "text", "text": "two"}]}).json()
    third = daemon.post(f"{path}/prompts", {"content": "three"}).json()

    assert first.status == again.status == 202
    assert again.body == first.body
    assert second["state"] == third["state"] == "queued"
    assert [each["text"] for each in daemon.get(f"{path}/queue").json()["items"]] == ["two", "three"]
    edited = daemon.request("PATCH", f"{path}/queue/{second['prompt_id']}", {"content": "zwei"}).json()
    assert [each["text"] for each in edited["items"]] == ["zwei", "three"]
    dropped = daemon.request("DELETE", f"{path}/queue/{third['prompt_id']}").json()
    assert [each["text"] for each in dropped["items"]] == ["zwei"]
    refused(daemon.request("DELETE", f"{path}/queue/{first.json()['prompt_id']}"), 409, "prompt")
    refused(daemon.request("DELETE", f"{path}/queue/nothing"), 404, "not_found")
    daemon.post(f"{path}/prompts", {"content": "four"})
    daemon.post(f"{path}/prompts", {"content": "five"})
    assert daemon.request("DELETE", f"{path}/queue").json()["items"] == []
    daemon.post(f"{path}/prompts", {"content": "six"})

    agent.open("go")
    reaches(daemon, session, "idle")

    assert agent.prompts() == ["one", "six"]
    assert daemon.post(f"{path}/prompts", {"content": "one", "client_id": "p-1"}).body == first.body


def test_a_permission_is_answered_once_and_the_first_answer_wins(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent", prompts=[[{"ask": "t1", "tool": {"title": "rm -rf x"}}]])
    session = begin(daemon, agent, prompt="do it").json()["id"]
    assert reaches(daemon, session, "needs-you")["attention"] == "needs_you"

    (asked,) = daemon.get("/inbox").json()["items"]
    path = f"/inbox/{asked['request_id']}"
    assert asked["session_id"] == session
    assert [each["option_id"] for each in asked["options"]] == ["once", "always", "reject"]
    refused(daemon.post(path, {"option_id": "never offered"}), 409, "option")
    refused(daemon.post(path, {}), 400, "usage")
    first = daemon.post(path, {"option_id": "once", "client_id": "a-1"})
    again = daemon.post(path, {"option_id": "once", "client_id": "a-1"})

    assert first.json() == {"request_id": asked["request_id"], "session_id": session, "option_id": "once"}
    assert again.json() == first.json(), "the same client is told what it did"
    refused(daemon.post(path, {"option_id": "reject", "client_id": "a-2"}), 409, "permission_expired")
    refused(daemon.post("/inbox/r:nobody:1", {"option_id": None}), 409, "not_found")
    reaches(daemon, session, "idle")
    assert daemon.get("/inbox").json()["items"] == []


def test_a_turn_can_be_cancelled_and_there_is_nothing_to_cancel_without_one(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[agent.touch("busy"), {"ask": "t1", "tool": {"title": "x"}}]])
    session = begin(daemon, agent, prompt="go").json()["id"]
    reaches(daemon, session, "needs-you")

    assert daemon.post(f"/sessions/{session}/cancel").status == 200
    assert reaches(daemon, session, "idle")["pending"] == 0
    refused(daemon.post(f"/sessions/{session}/cancel"), 409, "conflict")


def test_an_ended_session_takes_nothing_more_and_stays_readable(daemon: Daemon, tmp_path: Path) -> None:
    session = begin(daemon, Scripted(tmp_path / "agent"), prompt="hello").json()["id"]
    reaches(daemon, session, "idle")

    path = f"/sessions/{session}"
    ended = daemon.post(f"{path}/end", {"client_id": "e-1"})
    assert ended.json()["lifecycle"] == "ended"

    for verb, body in {
        "prompts": {"content": "x"},
        "cancel": {},
        "reconnect": {},
        "mode": {"mode": "x"},
        "option": {"option": "model", "value": "x"},
        "queue/resume": {},
        "rename": {"title": "x"},
        "pin": {},
        "mute": {},
        "unread": {},
        "end": {"client_id": "e-2"},
    }.items():
        refused(daemon.post(f"{path}/{verb}", body), 409, "session_ended")
    refused(daemon.request("PATCH", f"{path}/queue/p1", {"content": "x"}), 409, "session_ended")
    refused(daemon.request("DELETE", f"{path}/queue/p1"), 409, "session_ended")
    refused(daemon.request("DELETE", f"{path}/queue"), 409, "session_ended")
    again = daemon.post(f"{path}/end", {"client_id": "e-1"})
    assert again.status == 200, "who ended it is told so again"
    assert again.body == ended.body, "though its agent may have left meanwhile"
    assert daemon.get(f"{path}/transcript").json()["items"]


def test_what_an_ended_session_said_last_can_be_read_and_told_of(daemon: Daemon, tmp_path: Path) -> None:
    session = begin(daemon, Scripted(tmp_path / "agent"), prompt="hello").json()["id"]
    assert reaches(daemon, session, "idle")["unread"] == 1
    assert daemon.post(f"/sessions/{session}/end").json()["unread"] == 1

    assert daemon.post(f"/sessions/{session}/notified", {"item_id": "t1.1"}).status == 200
    assert daemon.post(f"/sessions/{session}/read").json()["unread"] == 0


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({}, 400, "usage"),
        ({"agent": "demo", "command": ["x"]}, 400, "usage"),
        ({"agent": "nobody"}, 400, "usage"),
        ({"target": "gopher://example.org"}, 400, "usage"),
        ({"command": []}, 400, "usage"),
        ({"command": "a string"}, 400, "usage"),
        ({"command": ["x\0y"]}, 400, "usage"),
        ({"agent": "demo", "prompt": "  "}, 400, "usage"),
        ({"agent": "demo", "prompt": [{"text": "no type"}]}, 400, "usage"),
        ({"agent": "demo", "cwd": "relative"}, 400, "usage"),
        ({"agent": "demo", "prompt": "x" * 1_100_000}, 413, "too_large"),
        ({"agent": "goose"}, 422, "command_not_found"),
    ],
)
def test_an_order_that_cannot_be_carried_out_makes_no_session(
    shared_daemon: Daemon, order: dict[str, object], status: int, code: str
) -> None:
    refused(shared_daemon.post("/sessions", order), status, code)

    assert shared_daemon.get("/sessions?state=all").json()["items"] == []


def test_a_prompt_may_have_sixteen_megabytes_and_no_more(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent", prompts=[[{"say": "thanks"}]])
    path = f"/sessions/{begin(daemon, agent).json()['id']}/prompts"

    assert daemon.post(path, {"content": "x" * 5_000_000}).status == 202
    refused(daemon.post(path, {"content": "x" * 17_000_000}), 413, "too_large")


def test_a_killed_daemon_knows_everything_again(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[{"say": "begun "}, agent.touch("begun"), agent.wait("go"), {"say": "and done"}]])
    session = begin(daemon, agent, prompt="go").json()["id"]
    agent.reached("begun")
    with daemon.streaming(f"/events?follow=true&session={session}&type=text-appended") as events:
        next(events)

    daemon.kill()
    daemon.start()
    agent.open("go")
    reaches(daemon, session, "idle")

    said = [item["text"] for item in daemon.get(f"/sessions/{session}/transcript").json()["items"]]
    assert said[-1] == "begun and done"
    assert agent.prompts() == ["go"]
    assert daemon.get("/verify").json()["ok"] is True


def test_told_to_end_its_agents_the_daemon_leaves_none(daemon: Daemon, tmp_path: Path) -> None:
    begin(daemon, Scripted(tmp_path / "agent"))

    assert daemon.post("/shutdown", {"agents": True}).status == 202

    assert daemon.wait() == 0
    daemon.start()
    assert daemon.get("/status").json()["agents"] == 0


def test_files_of_a_session_are_found_by_a_part_of_their_path(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    work = tmp_path / "work"
    for name in ("src/tide.py", "src/other.py", "docs/tides.md", ".git/tide", "node_modules/tide.js", "tide\n.txt"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).touch()
    (work / "link").symlink_to(tmp_path)
    session = begin(daemon, agent, cwd=str(work)).json()["id"]

    assert daemon.get(f"/sessions/{session}/files?q=TIDE").json()["items"] == ["src/tide.py", "docs/tides.md"]
    assert daemon.get(f"/sessions/{session}/files?q=src/o").json()["items"] == ["src/other.py"]
    assert daemon.get(f"/sessions/{session}/files?q=../").json()["items"] == []
    assert len(daemon.get(f"/sessions/{session}/files?limit=2").json()["items"]) == 2
    shutil.rmtree(work)
    assert daemon.get(f"/sessions/{session}/files").json()["items"] == []


def test_the_doctor_looks_at_agents_as_well(daemon: Daemon, tmp_path: Path) -> None:
    begin(daemon, Scripted(tmp_path / "agent"))

    found = {each["check"]: each for each in daemon.get("/doctor").json()["items"]}

    assert "demo" in found["agents"]["detail"]
    assert found["orphans"] == {"check": "orphans", "ok": True, "detail": "none; 1 agent under its host"}


def test_what_an_agent_offers_is_there_for_every_frontend_and_changes_with_it(daemon: Daemon, tmp_path: Path) -> None:
    values = [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large"}]
    model = {"id": "model", "name": "Model", "type": "select", "currentValue": "small", "options": values}
    modes = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "act", "name": "Act"}]}
    commands = {"sessionUpdate": "available_commands_update", "availableCommands": [{"name": "init"}]}
    agent = Scripted(
        tmp_path / "agent", result={"modes": modes, "configOptions": [model]}, prompts=[[{"update": commands}]]
    )
    session = begin(daemon, agent).json()["id"]
    path = f"/sessions/{session}"
    url = f"ws://127.0.0.1:{daemon.port}/api/v1/stream"
    with connect(url, compression=None) as connection:
        client = Client(connection)
        client.send(type="hello", client="picker", token=daemon.token)
        client.send(type="subscribe", sub="o", view="offers", session=session)
        (first,) = client.receive("snapshot")["items"]
        daemon.post(f"{path}/prompts", {"content": "what can you do"})
        seen = [client.receive("patch")["ops"][-1]["item"]]
        daemon.post(f"{path}/option", {"option": "model", "value": "large"})
        seen += [client.receive("patch")["ops"][-1]["item"]]
        daemon.post(f"{path}/mode", {"mode": "act"})
        seen += [client.receive("patch")["ops"][-1]["item"]]
    refusal = daemon.post(f"{path}/option", {"option": "model"})
    row, offers = daemon.get(path).json(), daemon.get(f"{path}/offers").json()

    assert [each["id"] for each in first["modes"]] == ["ask", "act"]
    assert (first["mode"], first["options"][0]["value"], first["commands"]) == ("ask", "small", [])
    assert [each["name"] for each in seen[0]["commands"]] == ["init"]
    assert [(each["mode"], each["options"][0]["value"]) for each in seen] == [
        ("ask", "small"),
        ("ask", "large"),
        ("act", "large"),
    ]
    assert {name: value for name, value in seen[-1].items() if name not in ("id", "position")} == offers
    assert row["options"] == {"model": "large"}
    assert min(row["offers"].values()) > 0
    refused(refusal, 400, "usage")
    assert daemon.get("/sessions/nobody/offers").status == 404


@pytest.mark.parametrize(
    "script", [{"initialize": [{"exit": 3}]}, {"refuse": {"initialize": {"code": -32603, "message": "not today"}}}]
)
def test_a_row_that_says_failed_says_so_in_everything(daemon: Daemon, tmp_path: Path, script: dict[str, Any]) -> None:
    agent = Scripted(tmp_path / "agent", **script)

    rows = [begin(daemon, agent).json() for _ in range(5)]

    assert {(row["connection"]["state"], row["attention"], row["unread"]) for row in rows} == {("failed", "failed", 1)}
    for row in rows:
        (detached,) = daemon.get(f"/events?session={row['id']}&type=detached").lines()
        assert row["position"] == detached["position"]


def test_a_session_is_connecting_from_the_first_moment(daemon: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    order = {"command": agent.command, "cwd": str(agent.folder)}

    rows = [daemon.post("/sessions", order).json() for _ in range(5)]
    for row in rows:  # or an agent would be left that nobody knows of yet
        daemon.get(f"/sessions/{row['id']}/wait?until=opened&timeout=60")

    assert {row["connection"]["state"] for row in rows} <= {"connecting", "connected"}


@pytest.mark.parametrize("first", ["driven", "imported"])
def test_a_session_of_another_tool_is_there_once(daemon: Daemon, tmp_path: Path, first: str) -> None:
    """Its agent writes a transcript that is watched, while Holdfast drives it or after it was imported."""
    agent = Scripted(tmp_path / "agent", resume={"replay": False})
    program = tmp_path / "bin" / "claude-agent-acp"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec " + " ".join(agent.command) + "\n")
    program.chmod(0o755)
    daemon.stop()
    daemon.environ["PATH"] = f"{program.parent}:{daemon.environ['PATH']}"
    daemon.start()
    folder = tmp_path / "transcripts"
    folder.mkdir()
    assert daemon.post("/imports", {"sources": [str(folder)], "watch": True}).status == 200
    if first == "driven":
        order = {"agent": "claude", "cwd": str(tmp_path), "prompt": "hello", "wait_s": 30}
        session = daemon.post("/sessions", order).json()["id"]
        remote = reaches(daemon, session, "idle")["remote_id"]
    else:
        session = remote = claude.SESSION
        (agent.folder / "state" / f"{remote}.jsonl").touch()
        claude.written(folder / "t.jsonl", claude.user("long ago", cwd=str(tmp_path)))
        with daemon.streaming("/events?follow=true&type=session-created") as created:
            next(created)
        assert daemon.post(f"/sessions/{session}/prompts", {"content": "go on"}).status == 202
        reaches(daemon, session, "idle")
    before = len(daemon.get(f"/events?session={session}").lines())
    said = [claude.user("said there", sessionId=remote), claude.assistant(claude.said("indeed"), sessionId=remote)]
    claude.written(folder / "t.jsonl", claude.user("long ago", sessionId=remote, cwd=str(tmp_path)), *said)
    other = "9f1e2d3c-4b5a-4968-8776-655443322110"
    claude.written(folder / "u.jsonl", claude.user("somebody else", sessionId=other))
    with daemon.streaming("/events?follow=true&type=session-created") as created:
        while next(created)["session_id"] != other:
            pass

    daemon.post("/imports", {"sources": [str(folder)]})

    assert {row["id"] for row in daemon.get("/sessions").json()["items"]} == {session, other}
    assert len(daemon.get(f"/events?session={session}").lines()) == before
