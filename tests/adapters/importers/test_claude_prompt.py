"""Lines in the person's name: what the person said, and what the tool says in that name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from holdfast.domain.session import events as e
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import MemoryLog, imported

if TYPE_CHECKING:
    from pathlib import Path


def given(tmp_path: Path, *lines: c.Fields | bytes) -> MemoryLog:
    return imported(c.written(tmp_path / "transcript.jsonl", *lines))


def spoken(log: MemoryLog) -> list[tuple[str | None, str]]:
    return [(item.role, item.text) for item in log.items() if item.kind == "message"]


def noticed(log: MemoryLog) -> list[tuple[str | None, str]]:
    return [(item.status, item.text) for item in log.items() if item.kind == "notice"]


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


@pytest.mark.parametrize(
    "content", ["hello there", [c.said("hello there")], ["hello there"]], ids=["text", "blocks", "bare texts"]
)
def test_what_a_person_said_is_a_message_and_begins_a_turn(tmp_path: Path, content: object) -> None:
    log = given(tmp_path, c.user(content, "u7"))

    assert spoken(log) == [("user", "hello there")]
    assert log.items()[0].id == "u7"
    assert e.TurnStarted("turn-u7") in log.facts()
    assert log.row().metadata.message_count == 1
    assert log.row().metadata.first_message_preview == "hello there"


def test_images_stay_with_the_words_as_they_were_sent(tmp_path: Path) -> None:
    log = given(tmp_path, c.user([c.said("look"), IMAGE]))

    (item,) = log.items()
    assert item.text == "look\n[image]"
    assert msgspec.json.decode(item.content) == [c.said("look"), IMAGE]


COMMAND = (
    "<command-name>/review</command-name>\n<command-message>review</command-message>\n<command-args>all</command-args>"
)
INJECTED: list[tuple[str, dict[str, Any], tuple[str, str | None]]] = [
    ("Caveat: made by commands", {"isMeta": True}, ("injected", None)),
    ("The story so far", {"isCompactSummary": True, "isVisibleInTranscriptOnly": True}, ("summary", None)),
    ("A task came to its end", {"origin": {"kind": "task-notification"}}, ("injected", None)),
    ("go on", {"promptSource": "system"}, ("injected", None)),
    ("<system-reminder>todo</system-reminder>", {}, ("injected", None)),
    ("<ide_opened_file>a.py</ide_opened_file>", {}, ("injected", None)),
    ("<local-command-caveat>mind</local-command-caveat>", {"isMeta": True}, ("injected", None)),
    ("<user-prompt-submit-hook>ok</user-prompt-submit-hook>", {}, ("injected", None)),
    (COMMAND, {}, ("command", "/review all")),
    ("<command-message>x</command-message>\n<command-name>/init</command-name>", {}, ("command", "/init")),
    ("<local-command-stdout>4 files</local-command-stdout>", {}, ("output", "4 files")),
    ("<bash-input>git status</bash-input>", {}, ("command", "! git status")),
    ("<bash-stdout>clean</bash-stdout><bash-stderr></bash-stderr>", {}, ("output", "clean")),
    ("<user-memory-input>tabs, never spaces</user-memory-input>", {}, ("command", "# tabs, never spaces")),
]


@pytest.mark.parametrize(("text", "flags", "notice"), INJECTED, ids=[each[0][:24] for each in INJECTED])
@pytest.mark.parametrize("blocks", [False, True], ids=["text", "blocks"])
def test_what_the_tool_says_in_the_persons_name_is_a_notice_and_no_message(
    tmp_path: Path, text: str, flags: dict[str, Any], notice: tuple[str, str | None], blocks: bool
) -> None:
    log = given(tmp_path, c.user([c.said(text)] if blocks else text, "u7", **flags))

    kind, shown = notice
    assert noticed(log) == [(kind, shown or text)]
    assert log.items()[0].id == "u7"
    assert log.row().metadata.message_count == 0
    assert not any(isinstance(fact, e.TurnStarted) for fact in log.facts())


def test_words_after_a_reminder_are_the_persons(tmp_path: Path) -> None:
    log = given(tmp_path, c.user([c.said("<system-reminder>r</system-reminder>\nfix it"), c.said("please")], "u7"))

    assert spoken(log) == [("user", "fix it\nplease")]
    assert noticed(log) == [("injected", "<system-reminder>r</system-reminder>")]
    assert [item.id for item in log.items()] == ["u7.1", "u7"]


def test_a_person_may_write_about_tags(tmp_path: Path) -> None:
    log = given(tmp_path, c.user("What does <system-reminder> mean, and <b>this</b>?"))

    assert spoken(log) == [("user", "What does <system-reminder> mean, and <b>this</b>?")]


@pytest.mark.parametrize("content", ["", "  \n", [], [c.said("")], None, 7, {"type": "text"}])
def test_a_line_without_words_is_skipped(tmp_path: Path, content: object) -> None:
    log = MemoryLog()

    report = log.take(c.written(tmp_path / "t.jsonl", c.user("hello", "u1"), c.user(content, "u2")))

    assert report.skipped == 1
    assert spoken(log) == [("user", "hello")]


def test_a_prompt_in_the_middle_of_a_turn_ends_that_turn_as_unrecorded(tmp_path: Path) -> None:
    log = given(tmp_path, c.user("one", "u1"), c.assistant(c.said("hm")), c.user("two", "u2", 5))

    assert [fact for fact in log.facts() if isinstance(fact, e.TurnStarted | e.TurnEnded)] == [
        e.TurnStarted("turn-u1"),
        e.TurnEnded("turn-u1", "unrecorded"),
        e.TurnStarted("turn-u2"),
        e.TurnEnded("turn-u2", "unrecorded"),
    ]


@pytest.mark.parametrize("text", ["[Request interrupted by user]", "[Request interrupted by user for tool use]"])
def test_an_interruption_ends_the_turn_as_cancelled(tmp_path: Path, text: str) -> None:
    log = given(tmp_path, c.user("one", "u1"), c.assistant(c.said("hm")), c.user([c.said(text)], "u2", 5))

    assert e.TurnEnded("turn-u1", "cancelled") in log.facts()
    assert noticed(log) == [("cancelled", "")]
    assert log.row().metadata.message_count == 2
    assert log.row().attention == "none"


def test_the_mode_is_recorded_when_it_changes(tmp_path: Path) -> None:
    modes = ["default", "default", "plan", "acceptEdits", None]
    log = given(tmp_path, *(c.user("go", f"u{n}", n, permissionMode=mode) for n, mode in enumerate(modes)))

    assert [fact.mode for fact in log.facts() if isinstance(fact, e.ModeChanged)] == ["default", "plan", "acceptEdits"]
    assert log.row().mode == "acceptEdits"


def tool(log: MemoryLog) -> Any:
    (item,) = [item for item in log.items() if item.kind == "tool_call"]
    return item


@pytest.mark.parametrize(
    ("result", "status", "output"),
    [
        (c.came("t1", "hello-tool", is_error=False), "completed", "hello-tool"),
        (c.came("t1", "no such file", is_error=True), "failed", "no such file"),
        (c.came("t1", [c.said("a"), IMAGE]), "completed", [c.said("a"), IMAGE]),
        ({"type": "tool_result", "tool_use_id": "t1"}, "completed", ""),
    ],
    ids=["text", "error", "image", "nothing"],
)
def test_a_result_finds_its_tool_by_the_id_of_the_use(
    tmp_path: Path, result: object, status: str, output: object
) -> None:
    log = given(
        tmp_path,
        c.user("go"),
        c.assistant(c.called("t1", command="echo")),
        c.assistant(c.said("meanwhile"), message="msg_2"),
        c.user([result], "u2", 5),
    )

    assert (tool(log).status, msgspec.json.decode(tool(log).output)) == (status, output)
    assert msgspec.json.decode(tool(log).input) == {"command": "echo"}


def test_a_result_without_its_use_is_kept(tmp_path: Path) -> None:
    log = given(tmp_path, c.user([c.came("t9", "orphan")]))

    assert (tool(log).id, tool(log).status, tool(log).title) == ("t9", "completed", "t9")


def test_words_beside_a_result_are_the_persons(tmp_path: Path) -> None:
    log = given(tmp_path, c.assistant(c.called("t1")), c.user([c.came("t1"), c.said("now the other one")], "u2", 5))

    assert spoken(log) == [("user", "now the other one")]
    assert tool(log).status == "completed"


def test_a_side_chain_is_a_thread_and_its_prompt_is_no_message_of_a_person(tmp_path: Path) -> None:
    side = {"isSidechain": True, "agentId": "a7f3"}
    log = given(
        tmp_path,
        c.user("go", "u1"),
        c.assistant(c.called("t1", "Task", description="survey")),
        c.user("Look at everything", "u2", 2, **side),
        c.assistant(c.thought("hm"), c.called("t2"), message="msg_s", uuid="a2", at=3, **side),
        c.user([c.came("t2")], "u3", 4, **side),
        c.assistant(c.said("all is well"), message="msg_s2", uuid="a3", at=5, stop_reason="end_turn", **side),
        c.user([c.came("t1", "all is well")], "u4", 6),
    )

    threads = {item.id: item.thread for item in log.items()}
    assert threads == {
        "u1": None, "t1": None, "u2": "a7f3", "msg_s.thought": "a7f3", "t2": "a7f3", "msg_s2": "a7f3",
    }  # fmt: skip
    assert noticed(log) == [("injected", "Look at everything")]
    assert [fact for fact in log.facts() if isinstance(fact, e.TurnEnded)] == [e.TurnEnded("turn-u1", "unrecorded")]


def test_a_side_chain_of_an_early_version_has_no_name(tmp_path: Path) -> None:
    log = given(tmp_path, c.user("go"), c.assistant(c.said("hm"), isSidechain=True))

    assert [item.thread for item in log.items()] == [None, "sidechain"]


def test_an_interrupted_side_chain_leaves_the_turn_open(tmp_path: Path) -> None:
    side = {"isSidechain": True, "agentId": "a7f3"}
    log = given(tmp_path, c.user("go"), c.user([c.said("[Request interrupted by user]")], "u2", 2, **side))

    assert noticed(log) == [("cancelled", "[Request interrupted by user]")]
    assert e.TurnEnded("turn-u1", "unrecorded") in log.facts()
