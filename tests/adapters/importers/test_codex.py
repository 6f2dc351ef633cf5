"""Rollouts of Codex: what each line says, and that nothing is said twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from holdfast.adapters.importers import found
from holdfast.adapters.importers.codex.calls import has_failed
from holdfast.adapters.importers.codex.tools import hint_of, kind_of
from holdfast.domain.answers import ImportReport
from holdfast.domain.errors import NotFoundError
from holdfast.domain.session import events as e
from tests.adapters.importers import codex_lines as x
from tests.adapters.importers.memory_log import MemoryLog, imported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields

OTHER = "9f1e2d3c-4b5a-4968-8776-655443322110"


def given(tmp_path: Path, *lines: Fields | bytes) -> MemoryLog:
    return imported(x.rollout(tmp_path / "rollout.jsonl", *lines))


def shown(log: MemoryLog) -> list[tuple[str, str | None, str]]:
    return [(item.kind, item.role or item.status, item.title or item.text) for item in log.items()]


def test_a_session_keeps_its_id_folder_model_and_times(tmp_path: Path) -> None:
    log = MemoryLog()

    report = log.take(x.written(tmp_path / "any.jsonl", *x.SESSION_LINES))

    assert report == ImportReport(files=1, sessions=1, events=len(log.events), malformed=1, skipped=1)
    row = log.row()
    assert (row.id, row.agent, row.imported_from, row.transport) == (x.SESSION, "codex", "codex", "import")
    assert (row.cwd, row.model, row.target) == ("/srv/demo", "gpt-y", "codex 0.137.0")
    assert (row.created_at, row.updated_at) == ("2026-02-03T12:00:00.000Z", "2026-02-03T12:00:13.500Z")
    assert (row.lifecycle, row.connection.state, row.unread, row.pending) == ("created", "offline", 0, 0)
    assert (row.title, row.metadata.message_count) == ("list the files", 5)


def test_everything_is_said_once_and_in_order(tmp_path: Path) -> None:
    log = imported(x.written(tmp_path / "any.jsonl", *x.SESSION_LINES))

    assert shown(log) == [
        ("notice", "system", "<permissions instructions>all</permissions instructions>"),
        ("notice", "system", "<environment_context><cwd>/srv/demo</cwd></environment_context>"),
        ("message", "user", "list the files"),
        ("thought", "assistant", "a listing"),
        ("message", "assistant", "I will look."),
        ("tool_call", "failed", "exec_command: ls"),
        ("message", "assistant", "Done."),
        ("message", "user", "list the files"),
        ("message", "assistant", "Done."),
        ("notice", "system", ""),
        ("raw", None, "hologram"),
    ]
    assert [item.status for item in log.items()][-2] == "cancelled"


PAIRS: dict[str, tuple[Fields, ...]] = {
    "a person, both": x.person("yes"),
    "a person, for the model alone": x.person("yes")[:1],
    "a person, for people alone": x.person("yes")[1:],
    "a person, for people first": x.person("yes")[::-1],
    "the agent, both": x.agent("yes"),
    "the agent, for people alone": x.agent("yes")[:1],
    "the agent, for the model alone": x.agent("yes")[1:],
    "the agent, for the model first": x.agent("yes")[::-1],
}


@pytest.mark.parametrize("lines", PAIRS.values(), ids=PAIRS.keys())
@pytest.mark.parametrize("times", [1, 2, 3])
def test_words_are_said_as_often_as_they_were_said(tmp_path: Path, lines: tuple[Fields, ...], times: int) -> None:
    log = given(tmp_path, x.started(), *lines * times)

    assert [item.text for item in log.items()] == ["yes"] * times
    assert log.row().metadata.message_count == times


def test_twins_need_not_stand_side_by_side(tmp_path: Path) -> None:
    one, one_again = x.person("one")
    two, two_again = x.person("two")

    log = given(tmp_path, x.started(), one, two, x.tokens(1, 1), one_again, two_again)

    assert [item.text for item in log.items()] == ["one", "two"]


def test_a_thought_is_thought_once(tmp_path: Path) -> None:
    summary = [{"type": "summary_text", "text": each} for each in ("first", "second")]
    log = given(
        tmp_path,
        x.event("agent_reasoning", text="first"),
        x.event("agent_reasoning", text="second"),
        x.item("reasoning", id="rs_1", summary=summary, content=[{"type": "reasoning_text", "text": "raw"}]),
        x.event("agent_reasoning_raw_content", text="raw"),
        x.item("reasoning", summary=[], content=None, encrypted_content="eA=="),
    )

    assert shown(log) == [("thought", "assistant", each) for each in ("first", "second", "raw")]


def test_several_parts_of_an_answer_are_one_message(tmp_path: Path) -> None:
    log = given(tmp_path, x.message("assistant", "one ", "two", name="msg_7"))

    (item,) = log.items()
    assert (item.id, item.text) == ("msg_7", "one two")


INJECTED = [
    "# AGENTS.md instructions for /srv/demo\n\n<INSTRUCTIONS>\nTabs.\n</INSTRUCTIONS>",
    "<user_instructions>\nTabs.\n</user_instructions>",
    "<environment_context>\n  <cwd>/srv</cwd>\n</environment_context>\n",
    "<turn_aborted>\nstopped\n</turn_aborted>",
    "<collaboration_mode>plan</collaboration_mode>",
    '<skill name="x">how</skill>',
    "<skills_instructions>many</skills_instructions>",
    "<subagent_notification>{}</subagent_notification>",
]


@pytest.mark.parametrize("text", INJECTED)
def test_what_the_tool_puts_into_a_persons_mouth_is_a_notice(tmp_path: Path, text: str) -> None:
    log = given(tmp_path, x.message("user", text))

    (item,) = log.items()
    assert (item.kind, item.status, item.text) == ("notice", "injected", text.strip())
    assert log.row().metadata.message_count == 0


@pytest.mark.parametrize("text", ["<div>help</div>", "<b>bold</b> words", "a < b", "<environment_context> is what?"])
def test_words_with_angle_brackets_may_be_a_persons(tmp_path: Path, text: str) -> None:
    assert shown(given(tmp_path, *x.person(text))) == [("message", "user", text)]


def test_a_message_may_be_half_injected(tmp_path: Path) -> None:
    log = given(tmp_path, x.message("user", INJECTED[2], "hello"))

    assert [(item.kind, item.text) for item in log.items()] == [("notice", INJECTED[2].strip()), ("message", "hello")]


def test_a_command_of_the_person_is_told(tmp_path: Path) -> None:
    log = given(tmp_path, x.message("user", "<user_shell_command>\n<command>ls</command>\n</user_shell_command>"))

    assert [(item.status, item.text) for item in log.items()] == [("command", "<command>ls</command>")]


def test_images_stay_with_the_words(tmp_path: Path) -> None:
    content = [
        {"type": "input_text", "text": "look"},
        {"type": "input_text", "text": "<image name=[Image #1]>"},
        {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
        {"type": "input_text", "text": "</image>"},
        {"type": "input_image", "image_url": "https://example.org/a.png"},
    ]
    log = given(
        tmp_path, x.item("message", role="user", content=content), x.event("user_message", message="look", images=["…"])
    )

    (item,) = log.items()
    assert msgspec.json.decode(item.content) == [
        {"type": "text", "text": "look"},
        {"type": "image", "mimeType": "image/png", "data": "aGk="},
        {"type": "resource_link", "name": "image", "uri": "https://example.org/a.png"},
    ]


def test_injected_events_of_early_versions_are_nobodys_words(tmp_path: Path) -> None:
    log = given(tmp_path, x.event("user_message", message="<cwd>", kind="environment_context"))

    assert log.items() == []


TOOLS: list[tuple[Fields, str, str, object]] = [
    (x.called(), "exec_command: ls", "execute", {"cmd": "ls"}),
    (x.called(name="shell", arguments='{"command": ["bash", "-lc", "ls -l"]}'), "shell: ls -l", "execute", None),
    (x.called(name="shell", arguments='{"command": ["git", "log"]}'), "shell: git log", "execute", None),
    (x.called(name="mcp__db__run", arguments='{"sql": "select"}'), "mcp__db__run", "other", None),
    (x.called(name="view_image", arguments='{"path": "a.png"}'), "view_image: a.png", "read", None),
    (x.called(name="broken", arguments='{"path": '), 'broken: {"path":', "other", '{"path": '),
    (
        x.item(
            "custom_tool_call", name="apply_patch", call_id="call_1", input="*** Update File: a.py\n*** Add File: b\n"
        ),
        "apply_patch: a.py, b",
        "edit",
        "*** Update File: a.py\n*** Add File: b\n",
    ),
    (
        x.item("local_shell_call", call_id="call_1", status="completed", action={"type": "exec", "command": ["ls"]}),
        "local_shell: ls",
        "execute",
        {"type": "exec", "command": ["ls"]},
    ),
    (
        x.item("tool_search_call", call_id="call_1", arguments={"query": "q"}),
        "tool_search: q",
        "search",
        {"query": "q"},
    ),
]


@pytest.mark.parametrize(("line", "title", "kind", "arguments"), TOOLS, ids=[each[1] for each in TOOLS])
def test_a_use_of_a_tool_is_shown_and_paired_with_what_came(
    tmp_path: Path, line: Fields, title: str, kind: str, arguments: object
) -> None:
    log = given(tmp_path, line, x.came("other"), x.came())

    item = log.items()[0]
    assert (item.id, item.title, item.tool, item.status) == ("call_1", title, kind, "completed")
    assert msgspec.json.decode(item.output) == "Exit code: 0\nOutput:\nok"
    assert arguments is None or msgspec.json.decode(item.input) == arguments


def test_tools_of_the_server_tell_it_all_at_once(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        x.item("web_search_call", id="ws_1", status="completed", action={"type": "search", "query": "tides"}),
        x.event("web_search_end", call_id="ws_1", query="tides"),
        x.item("image_generation_call", id="ig_1", revised_prompt="a harbour", result="aGk="),
    )

    assert shown(log) == [
        ("tool_call", "completed", "web_search: tides"),
        ("tool_call", "completed", "image_generation: a harbour"),
    ]


OUTPUTS: list[tuple[object, bool | None]] = [
    ("Exit code: 0\nWall time: 1 seconds\nOutput:\nExit code: 3", False),
    ("Exit code: 127\nWall time: 1 seconds\nOutput:\n", True),
    ("Chunk ID: 1\nWall time: 0.0 seconds\nProcess exited with code 0\nOutput:\n", False),
    ("Chunk ID: 1\nWall time: 0.0 seconds\nProcess exited with code -1\nOutput:\n", True),
    ("Wall time: 9 seconds\nProcess running with session ID 5\nOutput:\n", None),
    ('{"output": "ok", "metadata": {"exit_code": 0}}', False),
    ('{"output": "no", "metadata": {"exit_code": 1}}', True),
    ('{"some": "json"}', None),
    ("aborted by user after 0.1s", True),
    ("exec command rejected by user", True),
    ("patch rejected by user", True),
    ("failed to parse function arguments: …", True),
    ("The words: Exit code: 1", None),
    ([{"type": "input_text", "text": "Exit code: 1\nOutput:\n"}, {"type": "input_image", "image_url": "…"}], True),
    ({"content": "ok", "success": True}, False),
    ({"content": "ok", "success": False}, True),
    ({"content": "aborted"}, True),
    ("", None),
    (None, None),
    (7, None),
]


@pytest.mark.parametrize(("output", "failed"), OUTPUTS)
def test_an_output_tells_whether_the_tool_failed(output: object, *, failed: bool | None) -> None:
    assert has_failed(output) is failed


FAILURES = [
    x.event("mcp_tool_call_end", call_id="call_1", result={"Err": "gone"}),
    x.event("mcp_tool_call_end", call_id="call_1", result={"Ok": {"content": [], "isError": True}}),
    x.event("patch_apply_end", call_id="call_1", success=False, stderr="no"),
    x.event("exec_command_end", call_id="call_1", exit_code=1),
]


@pytest.mark.parametrize("end", FAILURES)
def test_a_failure_that_only_an_event_tells_stays_one(tmp_path: Path, end: Fields) -> None:
    log = given(tmp_path, x.called(name="db"), end, x.came(output="nothing"))

    (item,) = log.items()
    assert (item.status, bytes(item.output)) == ("failed", b'"nothing"')


@pytest.mark.parametrize("success", [True, None])
def test_an_event_without_a_failure_adds_nothing(tmp_path: Path, *, success: bool | None) -> None:
    log = given(tmp_path, x.called(), x.event("patch_apply_end", call_id="call_1", success=success), x.came())

    assert [item.status for item in log.items()] == ["completed"]
    assert sum(isinstance(fact, e.ToolUpdated) for fact in log.facts()) == 1


def test_tokens_are_the_last_running_total(tmp_path: Path) -> None:
    log = given(tmp_path, x.tokens(100, 20, 40, 120), x.tokens(100, 20, 40, 120), x.tokens(300, 60, 90, 240))

    assert log.row().metadata.total_tokens == 360
    reports = [fact for fact in log.facts() if isinstance(fact, e.UsageReported)]
    assert [report.total for report in reports] == [120, 360]
    last = reports[-1]
    assert (last.scope, last.input, last.cache_read, last.output) == ("session", 210, 90, 60)
    assert (last.context_used, last.context_size) == (240, 1000)


@pytest.mark.parametrize("info", [None, {}, 3, {"total_token_usage": {"total_tokens": "9"}}])
def test_a_count_without_tokens_counts_nothing(tmp_path: Path, info: object) -> None:
    log = given(tmp_path, x.event("token_count", info=info))

    assert not any(isinstance(fact, e.UsageReported) for fact in log.facts())


def turns(log: MemoryLog) -> list[object]:
    return [fact for fact in log.facts() if isinstance(fact, e.TurnStarted | e.TurnEnded)]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (x.completed(), "end_turn"),
        (x.event("turn_complete"), "end_turn"),
        (x.event("turn_aborted", reason="interrupted"), "cancelled"),
        (x.event("turn_aborted", reason="replaced"), "cancelled"),
        (x.event("turn_aborted"), "cancelled"),
        (x.event("turn_aborted", reason="budget_limited"), "budget_limited"),
    ],
)
def test_a_task_is_a_turn(tmp_path: Path, end: Fields, reason: str) -> None:
    log = given(tmp_path, x.started(), *x.person("go"), *x.person("and this"), *x.agent("yes"), end)

    turn = f"turn-task-{x.TURN}"
    assert turns(log) == [e.TurnStarted(turn), e.TurnEnded(turn, reason)]
    assert log.row().lifecycle == "created"


def test_without_tasks_a_persons_words_begin_a_turn(tmp_path: Path) -> None:
    log = given(tmp_path, *x.person("one"), *x.agent("yes"), *x.person("two"))

    assert [type(fact).__name__ for fact in turns(log)] == ["TurnStarted", "TurnEnded"] * 2


def test_the_model_and_the_mode_are_the_latest(tmp_path: Path) -> None:
    log = given(tmp_path, x.context("a"), x.context("a"), x.context("b", "plan"), x.context("b", "default"))

    assert [fact.model for fact in log.facts() if isinstance(fact, e.InfoChanged)] == ["a", "b"]
    assert [fact.mode for fact in log.facts() if isinstance(fact, e.ModeChanged)] == ["plan", "default"]


NOTICES: list[tuple[Fields, str, str]] = [
    (x.line("compacted", {"message": "The story so far"}), "summary", "The story so far"),
    (x.line("compacted", {"message": ""}), "compacted", "what was said so far was compacted"),
    (x.event("error", message="no credit"), "error", "no credit"),
    (x.event("warning", message="long thread"), "warning", "long thread"),
    (x.event("entered_review_mode", user_facing_hint="changes"), "info", "changes"),
    (x.event("exited_review_mode", review_output={"overall_explanation": "fine"}), "summary", "fine"),
    (x.event("exited_review_mode", review_output=None), "summary", "the review ended"),
    (x.event("thread_rolled_back", num_turns=1), "info", "1 turn was taken back"),
    (
        x.item("agent_message", author="/root", recipient="/a", content=[{"type": "input_text", "text": "dig"}]),
        "agent",
        "/root → /a: dig",
    ),
]


@pytest.mark.parametrize(("line", "kind", "text"), NOTICES)
def test_what_the_tool_reports_is_a_notice(tmp_path: Path, line: Fields, kind: str, text: str) -> None:
    assert [(item.status, item.text) for item in given(tmp_path, line).items()] == [(kind, text)]


def test_a_name_that_a_person_gave_is_the_title(tmp_path: Path) -> None:
    named = x.event("thread_name_updated", thread_name="Harbour")
    log = given(tmp_path, named, named)

    assert log.row().title == "Harbour"
    assert sum(isinstance(fact, e.SessionRenamed) for fact in log.facts()) == 1


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (x.line("hologram", {"type": "x"}), "hologram x"),
        (x.item("hologram"), "response_item hologram"),
        (x.event("hologram"), "event_msg hologram"),
        ({"type": "bare_hologram"}, "bare_hologram"),
    ],
)
def test_a_line_of_an_unknown_kind_is_kept_and_counted(tmp_path: Path, line: Fields, label: str) -> None:
    log = MemoryLog()

    report = log.take(x.rollout(tmp_path / "t.jsonl", line))

    (item,) = log.items()
    assert (item.kind, item.title, report.skipped) == ("raw", label, 1)
    assert msgspec.json.decode(item.content or item.output or item.input or b"null") in (line, None)


@pytest.mark.parametrize(
    "line", [x.item("ghost_snapshot", ghost_commit={}), x.event("sub_agent_activity"), {"record_type": "state"}]
)
def test_a_line_that_says_nothing_to_people_is_counted(tmp_path: Path, line: Fields) -> None:
    log = MemoryLog()

    report = log.take(x.rollout(tmp_path / "t.jsonl", line))

    assert (report.skipped, report.malformed, log.items()) == (1, 0, [])


def test_rollouts_of_the_first_versions_are_read(tmp_path: Path) -> None:
    context = "<environment_context>\n<cwd>/srv/old</cwd>\n</environment_context>"
    path = x.written(
        tmp_path / "t.jsonl",
        {"id": x.SESSION, "timestamp": "2025-06-01T08:00:00.000Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        x.message("user", context)["payload"],
        x.message("user", "hello")["payload"],
        x.called()["payload"],
        x.came(output='{"output": "", "metadata": {"exit_code": 1}}')["payload"],
        x.message("assistant", "bye")["payload"],
    )
    log = imported(path)

    assert (log.row().id, log.row().cwd, log.row().metadata.message_count) == (x.SESSION, "/srv/old", 2)
    assert [item.status for item in log.items() if item.kind == "tool_call"] == ["failed"]
    assert bytes(log.items()[2].input) == b'{"cmd": "ls"}'


def test_a_fork_is_a_session_of_its_own_with_the_history_it_took_over(tmp_path: Path) -> None:
    first = x.written(tmp_path / "a.jsonl", *x.SESSION_LINES)
    fork = x.written(tmp_path / "b.jsonl", x.meta(OTHER, forked_from_id=x.SESSION), *x.SESSION_LINES)
    log = MemoryLog()

    log.take(first, fork)

    assert log.sessions == [x.SESSION, OTHER]
    assert log.row(x.SESSION).metadata == log.row(OTHER).metadata
    assert log.take(fork, first).events == 0


def test_a_rollout_that_lost_its_first_line_is_known_by_its_name(tmp_path: Path) -> None:
    name = f"rollout-2026-02-03T12-00-00-{x.SESSION}.jsonl"
    log = imported(x.written(tmp_path / name, b"{cut", *x.SESSION_LINES[1:]))

    assert (log.sessions, log.row().cwd) == ([x.SESSION], "/srv/demo")


def test_the_name_of_the_tool_stands_for_its_folders(tmp_path: Path) -> None:
    home = tmp_path / ".codex"
    x.rollout(home / "sessions" / "2026" / "02" / "03" / f"rollout-2026-02-03T12-00-00-{x.SESSION}.jsonl")
    x.written(home / "archived_sessions" / f"rollout-2026-01-01T00-00-00-{OTHER}.jsonl", x.meta(OTHER))
    x.written(home / "history.jsonl", {"session_id": x.SESSION, "text": "hello"})
    log = MemoryLog()

    assert log.take("codex", environ={"HOME": str(tmp_path)}).files == 2
    assert log.take("codex", environ={"HOME": "/nope", "CODEX_HOME": str(home)}).events == 0
    assert sorted(log.sessions) == [x.SESSION, OTHER]
    listed = found({"HOME": str(tmp_path)})
    assert [(each.source, each.path, each.files) for each in listed] == [
        ("codex", str(home / "sessions"), 1),
        ("codex", str(home / "archived_sessions"), 1),
    ]
    assert all(each.bytes for each in listed)
    with pytest.raises(NotFoundError, match="codex"):
        log.take("codex", environ={"HOME": "/nope"})


FIELDS = [
    "id", "role", "content", "summary", "name", "arguments", "input", "output", "call_id", "action", "status",
    "message", "text", "info", "turn_id", "reason", "result", "success", "exit_code", "cwd", "model",
    "collaboration_mode", "timestamp", "review_output", "num_turns", "thread_name", "kind", "tools",
]  # fmt: skip
KINDS = [
    "message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "local_shell_call",
    "web_search_call", "user_message", "agent_message", "agent_reasoning", "token_count", "task_started",
    "task_complete", "turn_aborted", "mcp_tool_call_end", "exited_review_mode", "thread_rolled_back", "brand_new",
]  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(["user", ""])
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "type", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)
payloads = st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)).map(
    lambda pair: {"type": pair[0], **pair[1]}
)
records = st.tuples(
    st.sampled_from(["session_meta", "turn_context", "response_item", "event_msg", "compacted", "new"]), payloads
).map(lambda pair: x.line(pair[0], pair[1]))


@pytest.mark.slow
@over(lines=st.lists(records | payloads, max_size=6))
@settings(max_examples=150)
def test_any_record_is_survived(tmp_path_factory: pytest.TempPathFactory, lines: list[Fields]) -> None:
    path = x.rollout(tmp_path_factory.mktemp("fuzz") / "t.jsonl", *lines)
    log = MemoryLog()

    log.take(path)

    assert log.take(path).events == 0
    assert log.row().lifecycle == "created"
    for item in log.items():
        (item.text + (item.title or "")).encode()


def test_tools_have_kinds_and_hints() -> None:
    assert [kind_of(each) for each in ("shell", "apply_patch", "nothing")] == ["execute", "edit", "other"]
    assert hint_of({"input": "*** Delete File: a\n"}) == "a"
    assert hint_of({"command": [1, 2]}) == ""
    assert hint_of(7) == ""
