"""The store of opencode: sessions put together from many small files that are rewritten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from holdfast.adapters.importers import found
from holdfast.domain.answers import ImportReport
from holdfast.domain.errors import NotFoundError, TranscriptError
from holdfast.domain.session import events as e
from tests.adapters.importers import opencode_store as o
from tests.adapters.importers.memory_log import MemoryLog, imported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields


def shown(log: MemoryLog) -> list[tuple[str, str | None, str]]:
    return [(item.kind, item.role or item.status, item.title or item.text) for item in log.items()]


SHOWN = [
    ("notice", "system", "<context>"),
    ("message", "user", "list the files"),
    ("thought", "assistant", "hm"),
    ("message", "assistant", "I look."),
    ("tool_call", "completed", "bash: ls"),
    ("message", "assistant", "One more."),
    ("tool_call", "failed", "bash: ls"),
    ("message", "assistant", "Done."),
    ("message", "user", "again\n[resource_link a.py file:///a]"),
    ("raw", None, "hologram"),
    ("notice", "system", "no quota"),
]


def test_a_session_is_put_together_from_its_files(tmp_path: Path) -> None:
    path = o.stored(tmp_path, *o.MESSAGES)
    (tmp_path / "part" / "msg_3" / "prt_31.json").write_text("{half")
    log = MemoryLog()

    report = log.take(path)

    assert report == ImportReport(files=1, sessions=1, events=len(log.events), malformed=1, skipped=0)
    row = log.row()
    assert (row.id, row.agent, row.imported_from, row.cwd) == (o.SESSION, "opencode", "opencode", "/srv/demo")
    assert (row.title, row.model, row.mode, row.target) == ("List the files", "stub/big", "build", "opencode 1.1.0")
    assert (row.created_at, row.updated_at) == ("2026-02-03T12:00:00.000Z", "2026-02-03T12:00:08.000Z")
    assert (row.metadata.message_count, row.metadata.total_tokens) == (4, 184)
    assert (row.lifecycle, row.unread, row.pending) == ("created", 0, 0)
    assert shown(log) == SHOWN


def test_a_turn_ends_as_its_last_message_says(tmp_path: Path) -> None:
    log = imported(o.stored(tmp_path, *o.MESSAGES))

    assert [fact for fact in log.facts() if isinstance(fact, e.TurnStarted | e.TurnEnded | e.TurnInterrupted)] == [
        e.TurnStarted("turn-msg_1"),
        e.TurnEnded("turn-msg_1", "end_turn"),
        e.TurnStarted("turn-msg_4"),
        e.TurnInterrupted("turn-msg_4", "no quota"),
    ]


def test_a_turn_that_was_aborted_is_cancelled(tmp_path: Path) -> None:
    aborted = o.answer("msg_2", o.text("prt_2", "so"), at=2, error={"name": "MessageAbortedError"})

    log = imported(o.stored(tmp_path, o.MESSAGES[0], aborted))

    assert log.facts()[-2] == e.TurnEnded("turn-msg_1", "cancelled")


def test_a_failure_that_is_told_later_is_told(tmp_path: Path) -> None:
    log = imported(o.stored(tmp_path, *o.MESSAGES[:4]))
    path = o.stored(tmp_path, o.answer("msg_5", at=8, parentID="msg_4", error=o.FAILED))

    log.take(path)
    log.take(o.stored(tmp_path, title="Another title"))

    assert [item.text for item in log.items() if item.status == "error"] == ["no quota"]


def test_importing_again_adds_nothing(tmp_path: Path) -> None:
    path = o.stored(tmp_path, *o.MESSAGES)
    log = imported(path)

    assert log.take(path).events == 0
    assert log.take(o.stored(tmp_path, *o.MESSAGES, time={"created": o.NOON, "updated": o.NOON + 9})).events == 0


def test_a_session_that_grew_adds_the_rest(tmp_path: Path) -> None:
    running = o.answer("msg_2", o.text("prt_22", "I lo"), o.used("prt_23", "running", input={}, title=""), at=2)
    running[0]["time"].pop("completed")
    log, path = MemoryLog(), tmp_path
    for messages in (o.MESSAGES[:1], [o.MESSAGES[0], running], o.MESSAGES[:2], o.MESSAGES):
        path = o.stored(tmp_path, *messages)
        log.take(path)

    assert sorted(shown(log)) == sorted(SHOWN)
    assert log.row().metadata == imported(path).row().metadata
    texts = [fact.text for fact in log.facts() if isinstance(fact, e.TextAppended)]
    assert texts == ["I lo", "ok.", "One more.", "Done."]


def test_a_tool_keeps_what_it_was_given_and_what_it_returned(tmp_path: Path) -> None:
    first, second = [item for item in imported(o.stored(tmp_path, *o.MESSAGES)).items() if item.kind == "tool_call"]

    assert (msgspec.json.decode(first.input), msgspec.json.decode(first.output)) == ({"command": "ls"}, "a b")
    assert (first.tool, msgspec.json.decode(second.output)) == ("execute", "denied")


def test_a_summary_is_a_notice_when_it_is_done(tmp_path: Path) -> None:
    log = imported(o.stored(tmp_path, o.MESSAGES[0], o.answer("msg_2", o.text("prt_2", "so far"), at=2, summary=True)))

    assert shown(log)[-1] == ("notice", "system", "so far")
    assert log.row().metadata.message_count == 1


def test_a_retry_is_told(tmp_path: Path) -> None:
    retried = o.part("retry", "prt_2", attempt=1, error={"data": {"message": "busy"}})

    log = imported(o.stored(tmp_path, o.MESSAGES[0], o.answer("msg_2", retried, at=2)))

    assert shown(log)[-1] == ("notice", "system", "busy")


@pytest.mark.parametrize("title", ["New session - 2026-02-03T12:00:00.000Z", ""])
def test_a_session_that_nobody_named_has_the_title_of_its_first_words(tmp_path: Path, title: str) -> None:
    assert imported(o.stored(tmp_path, *o.MESSAGES, title=title)).row().title == "list the files"


def test_a_session_in_which_nothing_was_said_leaves_nothing(tmp_path: Path) -> None:
    report = MemoryLog().take(o.stored(tmp_path))

    assert (report.files, report.sessions, report.events) == (1, 0, 0)


FOREIGN: list[Fields] = [
    {"id": "../x"},
    {"id": None},
    {"time": {}},
    {"time": None},
    {"directory": None, "projectID": None},
]


@pytest.mark.parametrize("about", FOREIGN)
def test_other_documents_are_no_sessions(tmp_path: Path, about: Fields) -> None:
    path = tmp_path / "a" / "b" / "ses_1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"id": "s", "projectID": "p", "directory": "/", "time": {"created": 1}, **about}))

    with pytest.raises(TranscriptError, match="holds no transcript"):
        MemoryLog().take(path)


def test_the_name_of_the_tool_stands_for_its_store(tmp_path: Path) -> None:
    data = tmp_path / ".local" / "share"
    o.stored(data / "opencode" / "storage", *o.MESSAGES)
    log = MemoryLog()

    assert log.take("opencode", environ={"HOME": str(tmp_path)}).files == 1
    assert log.take("opencode", environ={"HOME": "/nope", "XDG_DATA_HOME": str(data)}).events == 0
    assert log.take(data).events == 0
    assert [(each.source, each.files) for each in found({"HOME": str(tmp_path)})] == [("opencode", 1)]
    with pytest.raises(NotFoundError, match="opencode"):
        log.take("opencode", environ={"HOME": "/nope"})


finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers() | finite | st.text(max_size=9)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda deep: st.lists(deep, max_size=3) | st.dictionaries(st.sampled_from(["text", "id", "a"]), deep, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["text", "reasoning", "tool", "file", "retry", "new", "", 7])
parts = st.tuples(
    KINDS, st.dictionaries(st.sampled_from(["text", "state", "callID", "tool", "synthetic", "url", "error"]), values)
).map(lambda pair: {**pair[1], "id": "prt_1", "type": pair[0]})
heads = st.dictionaries(
    st.sampled_from(["role", "time", "tokens", "cost", "error", "modelID", "mode", "summary"]), values
)


@pytest.mark.slow
@over(head=heads, role=st.sampled_from(["user", "assistant"]), inside=parts)
@settings(max_examples=150)
def test_any_message_is_survived(
    tmp_path_factory: pytest.TempPathFactory, head: Fields, role: str, inside: Fields
) -> None:
    message: tuple[Fields, list[Fields]] = ({"role": role, **head, "id": "msg_9"}, [inside])
    path = o.stored(tmp_path_factory.mktemp("fuzz"), o.MESSAGES[0], message)
    log = MemoryLog()

    log.take(path)

    assert log.take(path).events == 0
    assert log.row().lifecycle == "created"
    for item in log.items():
        json.dumps(item.text + (item.title or "")).encode()
