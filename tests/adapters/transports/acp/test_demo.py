"""The demo agent as its client sees it: a process on pipes."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.adapters.transports.acp.agents import agent
from tests.agents.client import Client, text, updates

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

FOUND = agent("demo").find(lambda _: None)
assert FOUND is not None
COMMAND = [*FOUND, "--speed", "1000"]
AT_ITS_OWN_PACE = list(FOUND)
PROMPT = "Find out why the harbour page is empty"
SCENES = json.loads(Path(FOUND[-1]).with_name("recording.json").read_text())["scenes"]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(COMMAND, tmp_path) as connected:
        connected.initialize()
        yield connected


def play(client: Client, turn: int, option: str | None) -> tuple[list[Json], Json]:
    """Answer every question alike until the turn is over; return all that was heard, and its answer."""
    heard: list[Json] = []
    while True:
        message = client.next()
        if "method" not in message and message["id"] == turn:
            return heard, message
        if "id" in message:
            client.answer(message, option)
        heard.append(message)


def test_it_thinks_plans_uses_tools_asks_and_speaks(client: Client) -> None:
    heard, answer = play(client, client.prompt(client.new(), PROMPT), "once")

    assert answer["result"] == {"stopReason": "end_turn"}
    kinds = Counter(update["sessionUpdate"] for update in updates(heard))
    assert kinds["session_info_update"] == 1
    assert kinds["agent_thought_chunk"] > 50
    assert kinds["agent_message_chunk"] > 300
    assert kinds["plan"] == 4
    assert kinds["tool_call"] == 4
    assert sum(message.get("method") == "session/request_permission" for message in heard) == 2
    assert "## What was wrong\n\nThe page for Ny-Hellesund" in text(heard)
    finished = [update for update in updates(heard, "tool_call_update") if update["status"] == "completed"]
    assert "1 failed, 1 passed" in finished[1]["rawOutput"]["output"]
    assert finished[2]["content"][0]["type"] == "diff"


@pytest.mark.parametrize("option", ["reject", None])
def test_without_permission_it_says_what_it_can_say_without_the_tool(client: Client, option: str | None) -> None:
    heard, answer = play(client, client.prompt(client.new(), PROMPT), option)

    assert answer["result"] == {"stopReason": "end_turn"}
    assert "All right, I will not run anything." in text(heard)
    assert "All four tests pass" not in text(heard)
    (failed,) = [update for update in updates(heard, "tool_call_update") if update["status"] == "failed"]
    assert failed["rawOutput"] == {"output": "Rejected."}


def test_always_allowed_means_asked_once(client: Client) -> None:
    heard, _ = play(client, client.prompt(client.new(), PROMPT), "always")

    assert sum("id" in message for message in heard) == 1


def test_in_the_acting_mode_it_does_not_ask(client: Client) -> None:
    session = client.new()
    heard, _ = client.until(client.ask("session/set_mode", sessionId=session, modeId="auto"))
    assert [update["currentModeId"] for update in updates(heard, "current_mode_update")] == ["auto"]

    heard, _ = play(client, client.prompt(session, PROMPT), None)

    assert not [message for message in heard if "id" in message]
    assert "All four tests pass" in text(heard)


@pytest.mark.parametrize("scene", SCENES, ids=[scene["title"] for scene in SCENES])
def test_every_scene_can_be_had_by_its_words(client: Client, scene: Json) -> None:
    prompt = " ".join(scene["words"]) or "sing\na song"

    heard, _ = play(client, client.prompt(client.new(), prompt), "once")

    said = "".join(step["say"] for step in scene["steps"] if "say" in step)
    assert text(heard) == said.replace("{prompt}", "> sing\n> a song")
    (titled,) = updates(heard, "session_info_update")
    assert titled["title"] == scene["title"]


def test_it_stops_in_mid_sentence(tmp_path: Path) -> None:
    with Client(AT_ITS_OWN_PACE, tmp_path) as client:
        client.initialize()
        session = client.new()
        turn = client.prompt(session, "explain how it works")
        client.next()
        client.notify("session/cancel", sessionId=session)
        heard, answer = client.until(turn)

    assert answer["result"] == {"stopReason": "cancelled"}
    assert "What I would change first" not in text(heard)


def test_a_cancellation_on_the_heels_of_its_prompt_is_not_lost(tmp_path: Path) -> None:
    with Client(AT_ITS_OWN_PACE, tmp_path) as client:
        client.initialize()
        session = client.new()
        for _ in range(20):
            turn = client.prompt(session, "explain how it works")
            client.notify("session/cancel", sessionId=session)
            _, answer = client.until(turn)
            assert answer["result"] == {"stopReason": "cancelled"}


def test_cancelled_while_it_asks_it_uses_no_tool(client: Client) -> None:
    session = client.new()
    turn = client.prompt(session, PROMPT)
    _, question = client.until_asked()
    client.notify("session/cancel", sessionId=session)
    heard, answer = client.until(turn)
    client.answer(question, "once")

    assert answer["result"] == {"stopReason": "cancelled"}
    assert [update["status"] for update in updates(heard, "tool_call_update")] == ["failed"]
    heard, answer = client.until(client.prompt(session, "sing a song"))
    assert answer["result"] == {"stopReason": "end_turn"}


def test_a_second_prompt_meanwhile_is_refused(client: Client) -> None:
    session = client.new()
    turn = client.prompt(session, PROMPT)
    client.until_asked()

    _, refused = client.until(client.prompt(session, "and another thing"))

    assert refused["error"]["message"] == "a turn is already running"
    client.notify("session/cancel", sessionId=session)
    client.until(turn)


def test_a_load_replays_what_was_said_before_it_answers(client: Client) -> None:
    session = client.new()
    told, _ = client.until(client.prompt(session, "sing a song"))

    heard, answer = client.until(client.ask("session/load", sessionId=session, cwd=client.cwd, mcpServers=[]))

    assert answer["result"]["modes"]["currentModeId"] == "ask"
    assert text(heard, "user_message_chunk") == "sing a song"
    assert text(heard) == text(told)
    assert text(heard, "agent_thought_chunk") == text(told, "agent_thought_chunk")
    assert len(heard) < len(told) / 10


def test_another_process_takes_a_session_up_again_but_does_not_pretend_to_know_its_history(
    client: Client, tmp_path: Path
) -> None:
    session = client.new()
    with Client(COMMAND, tmp_path) as later:
        later.initialize()
        _, refused = later.until(later.ask("session/load", sessionId=session, cwd=later.cwd, mcpServers=[]))
        assert refused["error"]["code"] == -32002

        heard, _ = later.until(later.ask("session/resume", sessionId=session, cwd=later.cwd, mcpServers=[]))
        assert not heard
        heard, _ = later.until(later.prompt(session, "sing a song"))
        assert "You wrote" in text(heard)


@pytest.mark.parametrize("session", ["ses_1", "demo-", "demo-0123456789ab00000000", "demo-zz", ""])
def test_a_session_that_was_never_its_own_is_not_resumed(client: Client, session: str) -> None:
    _, refused = client.until(client.ask("session/resume", sessionId=session, cwd=client.cwd, mcpServers=[]))

    assert refused["error"]["code"] == -32002


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json\n", -32700),
        (b"[]\n", -32600),
        (b"42\n", -32600),
        (b'{"method": "session/cancel"}\n', -32600),
        (b'{"id": 1, "method": "session/prompt"}\n', -32602),
        (b'{"id": 1, "method": "session/prompt", "params": {"sessionId": "nobody", "prompt": []}}\n', -32002),
        (b'{"id": 1, "method": "fs/read_text_file", "params": {}}\n', -32601),
        (b'{"id": 1, "method": "session/set_mode", "params": {"sessionId": "nobody", "modeId": "x"}}\n', -32002),
    ],
)
def test_nonsense_is_answered_and_survived(client: Client, line: bytes, code: int) -> None:
    assert client.process.stdin is not None
    client.process.stdin.write(line)
    client.process.stdin.flush()

    assert client.next()["error"]["code"] == code
    assert client.new()


def test_it_ends_when_its_client_is_gone(tmp_path: Path) -> None:
    begun = subprocess.run(
        COMMAND,
        cwd=tmp_path,
        input=b'{"id": 1, "method": "initialize", "params": {}}\n',
        capture_output=True,
        check=True,
    )

    assert json.loads(begun.stdout)["result"]["agentInfo"]["name"] == "holdfast-demo"
    assert begun.stderr == b""
