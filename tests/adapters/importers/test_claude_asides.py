"""Lines that are neither the person's nor the agent's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from holdfast.domain.session import events as e
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import MemoryLog

if TYPE_CHECKING:
    from pathlib import Path


def given(tmp_path: Path, *lines: c.Fields | bytes) -> tuple[MemoryLog, int]:
    log = MemoryLog()
    report = log.take(c.written(tmp_path / "transcript.jsonl", *lines))
    return log, report.skipped


FILE = {"type": "file", "filename": "/srv/a.py", "content": {"type": "text", "file": {"content": "x = 1"}}}
TASK = {"type": "queued_command", "prompt": "task 7 is done", "commandMode": "task-notification"}
ATTACHED: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "skill_listing", "content": "- review", "skillCount": 1}, "injected", "skill_listing\n- review"),
    ({"type": "agent_listing_delta", "addedLines": ["- a", "- b"]}, "injected", "agent_listing_delta\n- a\n- b"),
    (FILE, "injected", "file /srv/a.py\nx = 1"),
    ({"type": "edited_text_file", "filename": "/a.py", "snippet": "1 x"}, "injected", "edited_text_file /a.py\n1 x"),
    ({"type": "hook_success", "hookName": "Stop", "content": "fine"}, "hook", "hook_success Stop\nfine"),
    ({"type": "date_change", "newDate": "2026-02-04"}, "injected", 'date_change\n{"newDate":"2026-02-04"}'),
    (TASK, "injected", "queued_command\ntask 7 is done"),
    ({"type": "critical"}, "injected", "critical"),
]


@pytest.mark.parametrize(("attached", "kind", "shown"), ATTACHED, ids=[str(each[0]["type"]) for each in ATTACHED])
def test_an_attachment_is_a_notice(tmp_path: Path, attached: dict[str, Any], kind: str, shown: str) -> None:
    log, skipped = given(tmp_path, c.line("attachment", "x1", attachment=attached))

    (item,) = log.items()
    assert (item.id, item.kind, item.status, item.text) == ("x1", "notice", kind, shown)
    assert (log.row().metadata.message_count, skipped) == (0, 0)


@pytest.mark.parametrize("prompt", ["and the tests", [c.said("and the tests")]])
def test_what_a_person_typed_in_the_middle_of_a_turn_is_a_message(tmp_path: Path, prompt: object) -> None:
    queued = {"type": "queued_command", "prompt": prompt, "commandMode": "prompt"}
    log, _ = given(tmp_path, c.user("go"), c.line("attachment", "x1", 2, attachment=queued))

    assert [(item.id, item.text) for item in log.items()] == [("u1", "go"), ("x1", "and the tests")]
    assert [fact for fact in log.facts() if isinstance(fact, e.TurnStarted)] == [e.TurnStarted("turn-u1")]


OVERLOADED = {
    "subtype": "api_error",
    "error": {"status": 529, "error": {"error": {"message": "Overloaded"}}},
    "retryAttempt": 2,
    "maxRetries": 10,
}
SYSTEM: list[tuple[dict[str, Any], str, str]] = [
    ({"subtype": "compact_boundary", "content": "Conversation compacted"}, "compacted", "Conversation compacted"),
    ({"subtype": "informational", "content": "Plan mode on", "level": "info"}, "info", "Plan mode on"),
    ({"subtype": "informational", "content": "Out of credit", "level": "error"}, "error", "Out of credit"),
    ({"subtype": "local_command", "content": "<command-name>/cost</command-name>"}, "command", "/cost"),
    ({"subtype": "local_command", "content": "<local-command-stdout>1 USD</local-command-stdout>"}, "output", "1 USD"),
    (OVERLOADED, "error", "API error 529 (attempt 2 of 10): Overloaded"),
    ({"subtype": "api_error", "error": {}}, "error", "API error"),
    ({"subtype": "away_summary", "content": "You were fixing tides"}, "summary", "You were fixing tides"),
    ({"subtype": "brand_new", "content": "Something to read"}, "info", "Something to read"),
    ({"content": "PreToolUse:Bash [lint] completed"}, "info", "PreToolUse:Bash [lint] completed"),
]


@pytest.mark.parametrize(
    ("fields", "kind", "shown"), SYSTEM, ids=[f"{each[0].get('subtype')}-{each[1]}" for each in SYSTEM]
)
def test_what_the_tool_reports_about_itself_is_a_notice(
    tmp_path: Path, fields: dict[str, Any], kind: str, shown: str
) -> None:
    log, skipped = given(tmp_path, c.line("system", "x1", **fields))

    (item,) = log.items()
    assert (item.id, item.kind, item.status, item.text) == ("x1", "notice", kind, shown)
    assert skipped == 0


@pytest.mark.parametrize("subtype", ["init", "turn_duration", "stop_hook_summary", "microcompact_boundary"])
def test_housekeeping_of_the_tool_is_skipped(tmp_path: Path, subtype: str) -> None:
    log, skipped = given(tmp_path, c.user("go"), c.line("system", "x1", subtype=subtype, durationMs=12))

    assert len(log.items()) == 1
    assert skipped == 1


SILENT: list[dict[str, Any]] = [
    {"type": "queue-operation", "operation": "enqueue", "content": "hello there"},
    {"type": "last-prompt", "lastPrompt": "hello there"},
    {"type": "file-history-snapshot", "messageId": "u1", "snapshot": {}},
    {"type": "progress", "data": {"type": "hook_progress"}},
    {"type": "mode", "mode": "normal"},
    {"type": "agent-name", "agentName": "Ada"},
    {"type": "attachment", "attachment": None},
    {"type": "pr-link"},
]


@pytest.mark.parametrize("fields", SILENT, ids=lambda fields: str(fields["type"]))
def test_lines_that_say_nothing_to_people_are_skipped(tmp_path: Path, fields: dict[str, Any]) -> None:
    log, skipped = given(tmp_path, fields | {"sessionId": c.SESSION}, c.user("go"), fields | {"sessionId": c.SESSION})

    assert [item.text for item in log.items()] == ["go"]
    assert skipped == 2


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"type": "hologram", "uuid": "x1", "depth": 3}, "hologram"),
        ({"type": "system", "uuid": "x1", "subtype": "brand_new", "depth": 3}, "system brand_new"),
    ],
)
def test_lines_of_unknown_kinds_are_kept_and_counted(tmp_path: Path, fields: dict[str, Any], label: str) -> None:
    fields = fields | {"sessionId": c.SESSION}
    log, skipped = given(tmp_path, c.user("go"), fields)

    item = log.items()[-1]
    assert (item.id, item.kind, item.title, msgspec.json.decode(item.content)) == ("x1", "raw", label, fields)
    assert skipped == 1


def test_an_unknown_line_before_the_first_message_is_kept_too(tmp_path: Path) -> None:
    log, _ = given(tmp_path, c.line("progress"), {"type": "hologram", "sessionId": c.SESSION}, c.user("go", at=3))

    assert [item.kind for item in log.items()] == ["raw", "message"]
    assert log.row().cwd == "/srv/demo"


def test_a_link_to_a_pull_request_is_a_notice(tmp_path: Path) -> None:
    link = {"type": "pr-link", "prUrl": "https://example.org/pull/7", "sessionId": c.SESSION}
    log, _ = given(tmp_path, c.user("go"), link)

    assert [(item.status, item.text) for item in log.items()][1:] == [("link", "https://example.org/pull/7")]


@pytest.mark.parametrize(
    ("modes", "last"),
    [
        ([("permission-mode", "permissionMode", "plan")], "plan"),
        ([("mode", "mode", "coordinator")], "coordinator"),
        ([("mode", "mode", "coordinator"), ("mode", "mode", "normal")], "normal"),
        ([("permission-mode", "permissionMode", "plan"), ("mode", "mode", "normal")], "plan"),
    ],
)
def test_lines_of_their_own_may_change_the_mode(tmp_path: Path, modes: list[tuple[str, str, str]], last: str) -> None:
    lines = [{"type": kind, field: mode, "sessionId": c.SESSION} for kind, field, mode in modes]
    log, _ = given(tmp_path, c.user("go"), *lines)

    assert log.row().mode == last


def test_the_title_is_the_latest_that_the_tool_gave(tmp_path: Path) -> None:
    log, skipped = given(
        tmp_path,
        {"type": "summary", "summary": "Old title", "leafUuid": "u1"},
        c.user("go"),
        {"type": "ai-title", "aiTitle": "New title", "sessionId": c.SESSION},
        {"type": "ai-title", "aiTitle": "New title", "sessionId": c.SESSION},
        {"type": "ai-title", "aiTitle": "", "sessionId": c.SESSION},
    )

    assert log.row().title == "New title"
    assert [fact.title for fact in log.facts() if isinstance(fact, e.InfoChanged)] == ["Old title", "New title"]
    assert skipped == 0


def test_a_title_that_a_person_gave_holds(tmp_path: Path) -> None:
    titles = [("ai-title", "aiTitle", "A"), ("custom-title", "customTitle", "A"), ("ai-title", "aiTitle", "B")]
    log, _ = given(
        tmp_path, c.user("go"), *({"type": kind, field: title, "sessionId": c.SESSION} for kind, field, title in titles)
    )

    assert log.row().title == "A"
    assert [fact for fact in log.facts() if isinstance(fact, e.InfoChanged | e.SessionRenamed)] == [
        e.InfoChanged(title="A"),
        e.SessionRenamed("A"),
    ]


def test_without_a_title_the_first_message_stands_for_it(tmp_path: Path) -> None:
    log, _ = given(tmp_path, c.user("Why is the page empty?"))

    assert log.row().title == "Why is the page empty?"
