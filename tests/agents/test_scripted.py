"""The agent that other tests are built on does what its script says."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.agents.client import Client, text, updates
from tests.agents.scripted import numbered
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from pathlib import Path


def begin(scripted: Scripted) -> tuple[Client, str]:
    client = Client(scripted.command, scripted.folder)
    client.initialize()
    return client, client.new()


def test_without_a_script_it_repeats_the_prompt(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path / "agent")
    client, session = begin(scripted)
    with client:
        heard, answer = client.until(client.prompt(session, "good morning"))

    assert text(heard) == "good morning"
    assert answer["result"] == {"stopReason": "end_turn"}
    assert scripted.prompts() == ["good morning"]
    assert scripted.turns()[0]["said"] == "good morning"
    assert [entry["at"] for entry in scripted.journal()][-1] == "eof"


def test_a_tool_waits_for_its_permission(tmp_path: Path) -> None:
    steps = [{"tool": {"toolCallId": "c", "title": "touch x"}}, {"ask": "c", "allow": [{"say": "done"}]}]
    client, session = begin(Scripted(tmp_path / "agent", prompts=[steps]))
    with client:
        turn = client.prompt(session, "go")
        _, question = client.until_asked()
        client.answer(question, "once")
        heard, _ = client.until(turn)

    assert question["params"]["toolCall"]["toolCallId"] == "c"
    assert text(heard) == "done"


def test_a_cancelled_turn_ends_after_the_pending_permission_was_answered(tmp_path: Path) -> None:
    client, session = begin(Scripted(tmp_path / "agent", prompts=[[{"ask": "c"}, {"say": "never"}]]))
    with client:
        turn = client.prompt(session, "go")
        _, question = client.until_asked()
        client.notify("session/cancel", sessionId=session)
        client.answer(question, None)
        heard, answer = client.until(turn)

    assert text(heard) == ""
    assert answer["result"] == {"stopReason": "cancelled"}


@pytest.mark.parametrize(
    ("overlap", "first", "second"),
    [("queue", "end_turn", "end_turn"), ("refuse", "end_turn", None), ("cancel_first", "cancelled", "end_turn")],
)
def test_overlapping_prompts_meet_what_the_script_says(
    tmp_path: Path, overlap: str, first: str, second: str | None
) -> None:
    scripted = Scripted(tmp_path / "agent", overlap=overlap)
    scripted.change(overlap=overlap, prompts=[[scripted.touch("begun"), scripted.wait("go")], []])
    client, session = begin(scripted)
    with client:
        turns = [client.prompt(session, "one")]
        scripted.reached("begun")
        turns.append(client.prompt(session, "two"))
        if overlap == "refuse":
            _, answer = client.until(turns.pop())
            assert answer["error"]["message"] == "A turn is already running"
        ended = [client.until(turns.pop(0))] if overlap == "cancel_first" else []  # the second ends it, not "go"
        scripted.open("go")
        ended += [client.until(turn) for turn in turns]
        reasons = [answer["result"]["stopReason"] for _, answer in ended]

    assert reasons == [each for each in (first, second) if each]


def test_a_new_process_knows_finished_turns_but_not_the_one_that_was_killed(tmp_path: Path) -> None:
    scripted = Scripted(
        tmp_path / "agent",
        load={},
        prompts=[[{"say": "one"}], [{"say": "lost"}, {"signal": signal.SIGKILL}]],
    )
    client, session = begin(scripted)
    with client:
        client.until(client.prompt(session, "first"))
        turn = client.prompt(session, "second")
        with pytest.raises(EOFError):
            client.until(turn)

    with Client(scripted.command, scripted.folder) as again:
        assert again.initialize()["agentCapabilities"]["loadSession"] is True
        heard, _ = again.until(again.ask("session/load", sessionId=session, cwd=again.cwd, mcpServers=[]))
    assert (text(heard, "user_message_chunk"), text(heard)) == ("first", "one")
    assert len(scripted.pids()) == 2


def test_an_output_is_as_long_as_asked_for_and_no_two_lines_are_the_same(tmp_path: Path) -> None:
    size = 349 * 1024
    client, session = begin(Scripted(tmp_path / "agent", prompts=[[{"output": "c", "bytes": size}]]))
    with client:
        heard, _ = client.until(client.prompt(session, "go"))

    (update,) = updates(heard, "tool_call_update")
    output = update["content"][0]["content"]["text"]
    assert output == numbered(size)
    assert len(output) == size
    assert len(set(output.splitlines())) == len(output.splitlines())
    assert len(json.dumps(update)) > size
