"""Lines of the agent: texts, thoughts, tools, tokens, and how a turn ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from holdfast.adapters.importers.claude.tools import kind_of, title_of
from holdfast.adapters.importers.titles import TITLE
from holdfast.domain.session import events as e
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import MemoryLog, imported

if TYPE_CHECKING:
    from pathlib import Path


def given(tmp_path: Path, *lines: c.Fields | bytes) -> MemoryLog:
    return imported(c.written(tmp_path / "transcript.jsonl", *lines))


def shown(log: MemoryLog) -> list[tuple[str, str, str]]:
    return [(item.kind, item.id, item.title or item.text) for item in log.items()]


def test_all_blocks_of_a_turn_are_kept_in_order(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.thought("first look")),
        c.assistant(c.said("I look."), uuid="a2"),
        c.assistant(c.called("t1", command="ls"), uuid="a3"),
        c.user([c.came("t1", "a b")], "u2", 4),
        c.assistant(c.said("Two files."), message="msg_2", uuid="a4", at=5, stop_reason="end_turn"),
    )

    assert shown(log) == [
        ("message", "u1", "go"),
        ("thought", "msg_1.thought", "first look"),
        ("message", "msg_1", "I look."),
        ("tool_call", "t1", "Bash: ls"),
        ("message", "msg_2", "Two files."),
    ]
    assert log.row().metadata.message_count == 3


def test_pieces_of_a_message_merge_until_something_else_comes_between(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.said("one "), c.said("two ")),
        c.assistant(c.said("three"), uuid="a2"),
        c.assistant(c.called("t1", command="ls"), uuid="a3"),
        c.assistant(c.said("four "), uuid="a4"),
        c.user([c.came("t1")], "u2", 4),
        c.assistant(c.said("five"), uuid="a5"),
        c.assistant(c.thought("hm"), c.said("six"), uuid="a6"),
    )

    assert shown(log)[1:] == [
        ("message", "msg_1", "one two three"),
        ("tool_call", "t1", "Bash: ls"),
        ("message", "msg_1#2", "four five"),
        ("thought", "msg_1.thought", "hm"),
        ("message", "msg_1#3", "six"),
    ]
    assert log.row().metadata.message_count == 2


def test_other_threads_do_not_come_between(tmp_path: Path) -> None:
    side: dict[str, Any] = {"isSidechain": True, "agentId": "a7"}
    log = given(
        tmp_path,
        c.assistant(c.said("one ")),
        c.assistant(c.said("aside"), message="msg_s", uuid="a2", **side),
        c.assistant(c.said("two"), uuid="a3"),
    )

    assert shown(log) == [("message", "msg_1", "one two"), ("message", "msg_s", "aside")]


def test_content_may_be_a_text(tmp_path: Path) -> None:
    fields = c.assistant(stop_reason="end_turn")
    fields["message"]["content"] = "plain"

    assert shown(given(tmp_path, fields)) == [("message", "msg_1", "plain")]


def test_a_message_without_id_has_that_of_its_line(tmp_path: Path) -> None:
    fields = c.assistant(c.said("who am I"), usage=c.tokens())
    del fields["message"]["id"]

    log = given(tmp_path, fields)

    assert shown(log) == [("message", "a1", "who am I")]
    assert log.row().metadata.total_tokens == 10


def test_arguments_are_kept_as_they_were_written(tmp_path: Path) -> None:
    raw = b'{"n": 1.0,  "big": 12345678901234567890123, "e": "\\u00e9"}'
    fields = c.encoded([c.assistant(c.called("t1"))]).replace(b'"input": {}', b'"input": ' + raw)

    (item,) = given(tmp_path, fields.strip()).items()

    assert bytes(item.input) == raw
    assert (item.status, item.reason, item.tool) == ("failed", "unrecorded", "execute")


@pytest.mark.parametrize(
    ("tool", "arguments", "title", "kind"),
    [
        ("Bash", {"command": "echo hello-tool", "description": "say hello"}, "Bash: echo hello-tool", "execute"),
        ("Bash", {"command": "cat <<E\n  a\nE"}, "Bash: cat <<E a E", "execute"),
        ("Read", {"file_path": "/srv/a.py"}, "Read: /srv/a.py", "read"),
        ("Edit", {"file_path": "/srv/a.py", "old_string": "a"}, "Edit: /srv/a.py", "edit"),
        ("Write", {"file_path": "/srv/a.py"}, "Write: /srv/a.py", "edit"),
        ("Grep", {"pattern": "def x", "path": "/srv"}, "Grep: def x", "search"),
        ("Glob", {"pattern": "**/*.py"}, "Glob: **/*.py", "search"),
        ("WebFetch", {"url": "https://example.org", "prompt": "sum up"}, "WebFetch: https://example.org", "fetch"),
        ("WebSearch", {"query": "tides"}, "WebSearch: tides", "fetch"),
        ("Task", {"description": "survey", "prompt": "look"}, "Task: survey", "think"),
        ("TodoWrite", {"todos": []}, "TodoWrite", "think"),
        ("ExitPlanMode", {"plan": "…"}, "ExitPlanMode", "switch_mode"),
        ("mcp__db__run", {"sql": "select 1"}, "mcp__db__run", "other"),
        ("Bash", {"command": 7}, "Bash", "execute"),
        ("Bash", "echo", "Bash", "execute"),
    ],
)
def test_a_tool_has_a_title_and_a_kind(tool: str, arguments: Any, title: str, kind: str) -> None:
    assert (title_of(tool, arguments), kind_of(tool)) == (title, kind)


def test_a_title_is_one_short_line() -> None:
    title = title_of("Bash", {"command": "x" * 10_000})

    assert len(title) == TITLE
    assert title.endswith("…")


def test_tools_of_the_server_and_their_results_stand_in_the_message(tmp_path: Path) -> None:
    found = [{"type": "web_search_result", "url": "https://example.org"}]
    log = given(
        tmp_path,
        c.assistant(
            {"type": "server_tool_use", "id": "srv1", "name": "web_search", "input": {"query": "tides"}},
            {"type": "web_search_tool_result", "tool_use_id": "srv1", "content": found},
        ),
    )

    (item,) = log.items()
    assert (item.title, item.tool, item.status) == ("web_search: tides", "fetch", "completed")
    assert msgspec.json.decode(item.output) == found


def test_a_block_of_an_unknown_kind_is_kept_raw(tmp_path: Path) -> None:
    block = {"type": "hologram", "size": 3}
    log = given(tmp_path, c.assistant(block, {"type": "redacted_thinking", "data": "eA=="}, c.thought(""), 7))

    assert [(item.kind, item.title) for item in log.items()] == [
        ("raw", "assistant hologram"),
        ("raw", "assistant unknown"),
    ]
    assert [item.id for item in log.items()] == ["a1.0", "a1.3"]


def test_tokens_are_counted_once_a_message(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.thought("hm"), usage=c.tokens(12, 1, 3, 4)),
        c.assistant(c.said("one"), uuid="a2", usage=c.tokens(12, 1, 3, 4)),
        c.assistant(c.called("t1"), uuid="a3", usage=c.tokens(12, 5, 3, 4)),
        c.assistant(c.said("two"), message="msg_2", uuid="a4", usage=c.tokens(10, 10, 10, 10)),
    )

    assert log.row().metadata.total_tokens == 24 + 40
    assert [fact.total for fact in log.facts() if isinstance(fact, e.UsageReported)] == [20, 24, 40]


def test_tokens_may_stand_beside_the_message(tmp_path: Path) -> None:
    fields = c.assistant(c.said("one"))
    fields["usage"] = c.tokens()

    assert given(tmp_path, fields).row().metadata.total_tokens == 10


@pytest.mark.parametrize("usage", [None, 3, {}, {"input_tokens": "9"}, {"input_tokens": -3}, {"output_tokens": True}])
def test_tokens_that_are_no_counts_do_not_count(tmp_path: Path, usage: object) -> None:
    log = given(tmp_path, c.assistant(c.said("one"), usage=usage))

    assert log.row().metadata.total_tokens == 0
    assert not any(isinstance(fact, e.UsageReported) for fact in log.facts())


@pytest.mark.parametrize("stop_reason", ["end_turn", "max_tokens", "refusal"])
def test_a_stop_reason_ends_the_turn(tmp_path: Path, stop_reason: str) -> None:
    log = given(tmp_path, c.user("go"), c.assistant(c.said("one"), stop_reason=stop_reason))

    assert e.TurnEnded("turn-u1", stop_reason) in log.facts()
    assert log.row().lifecycle == "created"


@pytest.mark.parametrize("stop_reason", [None, "tool_use", "pause_turn"])
def test_a_turn_that_goes_on_is_closed_with_the_import(tmp_path: Path, stop_reason: str | None) -> None:
    log = given(tmp_path, c.user("go"), c.assistant(c.called("t1"), stop_reason=stop_reason))

    assert log.facts()[-1] == e.TurnEnded("turn-u1", "unrecorded")
    assert log.row().lifecycle == "created"


def test_an_agent_that_goes_on_by_itself_begins_a_turn(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.said("one"), stop_reason="end_turn"),
        c.assistant(c.said("two"), message="msg_2", uuid="a2", at=9, stop_reason="end_turn"),
    )

    assert [fact for fact in log.facts() if isinstance(fact, e.TurnStarted | e.TurnEnded)] == [
        e.TurnStarted("turn-u1"),
        e.TurnEnded("turn-u1", "end_turn"),
        e.TurnStarted("turn-a2"),
        e.TurnEnded("turn-a2", "end_turn"),
    ]


def test_a_model_that_cannot_be_reached_interrupts_the_turn(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.said("API Error: 529 Overloaded"), model="<synthetic>", isApiErrorMessage=True),
    )

    assert [(item.kind, item.status, item.text) for item in log.items()][1:] == [
        ("notice", "interrupted", "API Error: 529 Overloaded")
    ]
    assert (log.row().attention, log.row().unread, log.row().metadata.message_count) == ("none", 0, 1)


def test_words_that_no_model_wrote_are_a_notice(tmp_path: Path) -> None:
    log = given(tmp_path, c.user("go"), c.assistant(c.said("No response requested."), model="<synthetic>"))

    assert log.items()[1].status == "injected"
    assert log.row().metadata.message_count == 1
    assert log.row().model is None


def test_the_model_is_that_of_the_latest_message(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.said("one"), model="claude-a"),
        c.assistant(c.said("two"), model="claude-a", uuid="a2"),
        c.assistant(c.said("three"), model="claude-b", message="msg_2", uuid="a3"),
        c.assistant(c.said("aside"), model="claude-c", message="msg_3", uuid="a4", isSidechain=True, agentId="x"),
    )

    assert [fact.model for fact in log.facts() if isinstance(fact, e.InfoChanged)] == ["claude-a", "claude-b"]
    assert log.row().model == "claude-b"
