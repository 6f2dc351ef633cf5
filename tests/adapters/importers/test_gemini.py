"""Chats of Gemini CLI: documents that are rewritten, and lines that repeat what was said before."""

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
from holdfast.domain.errors import TranscriptError
from holdfast.domain.recorded import EventId, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.commands import Erase
from holdfast.domain.session.session import Context, fold, handle
from tests.adapters.importers import gemini_chats as g
from tests.adapters.importers.memory_log import NOW, MemoryLog, imported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields


def shown(log: MemoryLog) -> list[tuple[str, str | None, str]]:
    return [(item.kind, item.role or item.status, item.title or item.text) for item in log.items()]


SHOWN = [
    ("message", "user", "list the files"),
    ("thought", "assistant", "Looking\nAt the files."),
    ("message", "assistant", "I look."),
    ("tool_call", "completed", "run_shell_command: ls"),
    ("message", "assistant", "Done."),
    ("notice", "system", "Request cancelled."),
    ("message", "user", "again"),
    ("notice", "system", "no quota"),
    ("raw", None, "hologram"),
]


def test_a_document_is_a_session_with_everything_in_it(tmp_path: Path) -> None:
    (tmp_path / ".project_root").write_text("/srv/demo\n")
    path = g.chat(tmp_path / "chats" / "session-a.json", *g.MESSAGES, 7, summary="List the files")
    log = MemoryLog()

    report = log.take(path)

    assert report == ImportReport(files=1, sessions=1, events=len(log.events), malformed=1, skipped=0)
    row = log.row()
    assert (row.id, row.agent, row.imported_from, row.cwd) == (g.SESSION, "gemini", "gemini", "/srv/demo")
    assert (row.title, row.model) == ("List the files", "gemini-x")
    assert (row.created_at, row.updated_at) == ("2026-02-03T12:00:00.000Z", "2026-02-03T12:00:10.500Z")
    assert (row.metadata.message_count, row.metadata.total_tokens) == (4, 137)
    assert (row.lifecycle, row.unread, row.pending) == ("created", 0, 0)
    assert shown(log) == SHOWN


def test_a_chat_in_lines_is_the_same_session(tmp_path: Path) -> None:
    log = imported(g.lines(tmp_path / "session-a.jsonl", *g.MESSAGES))

    assert shown(log) == SHOWN
    assert log.row().metadata.total_tokens == 137


def test_importing_again_adds_nothing(tmp_path: Path) -> None:
    path = g.chat(tmp_path / "session-a.json", *g.MESSAGES)
    log = imported(path)
    before = list(log.events)

    assert log.take(path).events == 0
    assert log.take(g.chat(tmp_path / "session-a.json", *g.MESSAGES, lastUpdated="2026-02-04T00:00:00Z")).events == 0
    assert log.take(g.lines(tmp_path / "session-a.jsonl", *g.MESSAGES)).events == 0
    assert log.events == before


def test_a_document_that_was_rewritten_adds_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "session-a.json"
    running = g.message("gemini", "m2", "I lo", 2, toolCalls=[g.used(status="executing", output=None)], thoughts=[])
    log = MemoryLog()
    for messages in ([g.ASKED], [g.ASKED, running], [g.ASKED, g.CALLED], g.MESSAGES):
        log.take(g.chat(path, *messages))

    assert sorted(shown(log)) == sorted(SHOWN)
    assert log.row().metadata == imported(path).row().metadata
    assert log.notes == []
    texts = [fact.text for fact in log.facts() if isinstance(fact, e.TextAppended)]
    assert texts == ["I lo", "ok.", "Done."]


def test_lines_that_repeat_a_message_add_what_is_new(tmp_path: Path) -> None:
    first: Fields = {**g.CALLED, "toolCalls": [], "tokens": None}
    log = imported(
        g.lines(
            tmp_path / "session-a.jsonl",
            {"$set": {"lastUpdated": "2026-02-03T12:00:01Z"}},
            g.ASKED,
            first,
            {**first, "tokens": g.CALLED["tokens"]},
            {**g.CALLED, "toolCalls": [g.used(status="scheduled", output=None)]},
            g.CALLED,
            {"$set": {"messages": [g.ASKED, g.CALLED, g.DONE], "lastUpdated": "2026-02-03T12:00:04Z"}},
        )
    )

    assert shown(log) == SHOWN[:5]
    assert log.row().metadata.total_tokens == 137


def test_old_outputs_are_kept_when_the_tool_shortens_them(tmp_path: Path) -> None:
    path = tmp_path / "session-a.json"
    log = imported(g.chat(path, g.ASKED, g.CALLED))

    log.take(g.chat(path, g.ASKED, {**g.CALLED, "toolCalls": [g.used(output="[masked]")]}))

    assert "masked" not in bytes(log.items()[-1].output).decode()


@pytest.mark.parametrize(
    ("status", "shown_as"),
    [("success", "completed"), ("error", "failed"), ("cancelled", "failed"), ("executing", "failed"), ("?", None)],
)
def test_a_tool_has_a_status(tmp_path: Path, status: str, shown_as: str | None) -> None:
    call = g.used(status=status, output=None, resultDisplay="shown")
    log = imported(g.chat(tmp_path / "session-a.json", g.message("gemini", "m", "", toolCalls=[call])))

    (item,) = log.items()
    assert item.tool == "execute"
    assert shown_as is None or item.status == shown_as
    assert msgspec.json.decode(item.output) == "shown"


CONTENTS: list[tuple[object, str]] = [
    ("plain", "plain"),
    ({"text": "one part"}, "one part"),
    (["a ", {"text": "b"}], "a b"),
    ([{"text": "seen"}, {"text": "unseen", "thought": True}], "seen"),
]


@pytest.mark.parametrize(("content", "text"), CONTENTS)
def test_contents_come_in_several_shapes(tmp_path: Path, content: object, text: str) -> None:
    log = imported(g.chat(tmp_path / "session-a.json", g.message("user", "m", content)))

    assert shown(log) == [("message", "user", text)]


def test_what_was_typed_is_shown_and_not_what_it_was_expanded_to(tmp_path: Path) -> None:
    typed = g.message("user", "m", "look at <all of a.py>", displayContent="look at @a.py")

    assert shown(imported(g.chat(tmp_path / "session-a.json", typed))) == [("message", "user", "look at @a.py")]


def test_images_stay_with_the_words(tmp_path: Path) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    log = imported(g.chat(tmp_path / "session-a.json", g.message("user", "m", [{"text": "look"}, image])))

    assert msgspec.json.decode(log.items()[0].content) == [
        {"type": "text", "text": "look"},
        {"type": "image", "mimeType": "image/png", "data": "aGk="},
    ]


def test_what_a_person_did_not_say_is_no_message(tmp_path: Path) -> None:
    path = g.chat(
        tmp_path / "session-a.json",
        g.message("user", "m1", "<session_context>\nThis is Gemini CLI"),
        g.message("user", "m2", [{"functionResponse": {"id": "call_1"}}]),
        g.message("info", "m3", " "),
    )

    assert [(item.kind, item.status) for item in imported(path).items()] == [("notice", "injected")]


def test_a_turn_ends_with_an_answer_that_uses_no_tool(tmp_path: Path) -> None:
    log = imported(g.chat(tmp_path / "session-a.json", g.ASKED, g.CALLED, g.DONE))

    ends = [fact for fact in log.facts() if isinstance(fact, e.TurnStarted | e.TurnEnded)]
    assert ends == [e.TurnStarted("turn-m1"), e.TurnEnded("turn-m1", "end_turn")]


def test_messages_that_were_taken_back_stay_and_it_is_told(tmp_path: Path) -> None:
    log = imported(g.lines(tmp_path / "session-a.jsonl", g.ASKED, {"$rewindTo": "m1"}, g.message("user", "n1", "else")))

    assert [kind for kind, _, _ in shown(log)] == ["message", "notice", "message"]


def test_a_summary_is_the_title(tmp_path: Path) -> None:
    log = imported(g.lines(tmp_path / "session-a.jsonl", g.ASKED, {"$set": {"summary": "Files"}}))

    assert log.row().title == "Files"


@pytest.mark.parametrize("kind", ["document", "lines"])
def test_a_chat_in_which_nothing_was_said_leaves_nothing(tmp_path: Path, kind: str) -> None:
    path = g.chat(tmp_path / "a.json") if kind == "document" else g.lines(tmp_path / "a.jsonl", {"$set": {}})

    report = MemoryLog().take(path)

    assert (report.files, report.sessions, report.events) == (1, 0, 0)


def test_malformed_lines_are_counted(tmp_path: Path) -> None:
    report = MemoryLog().take(g.lines(tmp_path / "a.jsonl", g.ASKED, b"{half", b"7", g.DONE))

    assert (report.malformed, report.sessions) == (2, 1)


FOREIGN = [
    b"{}",
    b"{",
    b'{"sessionId": "a", "messages": []}',
    b'{"sessionId": "../a", "projectHash": "h", "messages": []}',
    b'{"sessionId": "a", "projectHash": "h", "messages": {}}',
    b"[" * 1000,
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b'{\n"sessionId": "\xff"}',
]


@pytest.mark.parametrize("content", FOREIGN)
def test_other_documents_are_no_chats(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session-a.json"
    path.write_bytes(content)

    with pytest.raises(TranscriptError, match="holds no transcript"):
        MemoryLog().take(path)


def test_the_name_of_the_tool_stands_for_its_folder(tmp_path: Path) -> None:
    root = tmp_path / ".gemini" / "tmp"
    g.chat(root / "demo" / "chats" / "session-2026-02-03T12-00-70e80e34.json", *g.MESSAGES)
    g.lines(root / "demo" / "chats" / "session-2026-02-03T12-00-70e80e34.jsonl", *g.MESSAGES)
    (root / "demo" / "logs.json").write_text("[]")
    log = MemoryLog()

    report = log.take("gemini", environ={"HOME": str(tmp_path)})

    assert (report.files, report.sessions, log.notes) == (2, 1, [])
    assert log.take("gemini", environ={"HOME": "/nope", "GEMINI_CLI_HOME": str(tmp_path)}).events == 0
    assert [(each.source, each.files) for each in found({"HOME": str(tmp_path)})] == [("gemini", 2)]


def test_what_was_erased_does_not_come_back(tmp_path: Path) -> None:
    path = g.chat(tmp_path / "a.json", g.ASKED)
    log = imported(path)
    session = log.load(StreamId(g.SESSION))
    events = handle(session, Erase(), Context(NOW, lambda: EventId(bytes(16))))
    log.append(fold(session, events), events)
    before = len(log.events)

    log.take(path)
    log.take(g.chat(path, *g.MESSAGES))

    assert len(log.events) == before
    assert log.notes == [f"{path}: session {g.SESSION} was erased; nothing was added to it"] * 2


def test_a_document_that_vanishes_while_it_is_read_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        g.chat(tmp_path / f"session-{name}.json", g.ASKED, sessionId=f"session-{name}")
    log = MemoryLog()

    def rewrite(_what: str, _done: int, _of: int | None) -> None:
        (tmp_path / "session-b.json").write_text("{}")

    report = log.take(tmp_path, progress=rewrite)

    assert (report.files, log.sessions) == (1, ["session-a"])
    assert log.notes == [f"{tmp_path / 'session-b.json'} was changed while it was read; import it again"]


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda deep: st.lists(deep, max_size=3) | st.dictionaries(st.sampled_from(["text", "id", "a"]), deep, max_size=3),
    max_leaves=8,
)
NAMES = ["content", "thoughts", "toolCalls", "tokens", "model", "displayContent", "summary", "$set", "$rewindTo", "id"]
records: st.SearchStrategy[Fields] = st.tuples(
    st.sampled_from(["user", "gemini", "info", "new", "", 7]),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=6),
).map(lambda pair: {"id": "m", "type": pair[0], **pair[1]})


@pytest.mark.slow
@over(messages=st.lists(records, max_size=5))
@settings(max_examples=150)
def test_any_chat_is_survived(tmp_path_factory: pytest.TempPathFactory, messages: list[Fields]) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    log = MemoryLog()
    for path in (g.chat(folder / "a.json", g.ASKED, *messages), g.lines(folder / "b.jsonl", g.ASKED, *messages)):
        log.take(path)

        assert log.take(path).events == 0
        assert log.row(g.SESSION).lifecycle == "created"
    for item in log.items(g.SESSION):
        json.dumps(item.text + (item.title or "")).encode()


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ([{"functionResponse": {"id": "call_1", "name": "ls", "response": {"output": "a b"}}}], "a b"),
        ([{"functionResponse": {"response": {"error": "no such folder"}}}], "no such folder"),
        ([{"functionResponse": {"response": {"output": "a", "more": 1}}}],) * 2,
        ([{"functionResponse": {"response": {"output": "a"}}}, {"inlineData": {"data": "eA=="}}],) * 2,
        ([{"functionResponse": {"id": "call_1"}}],) * 2,
        ("bare",) * 2,
    ],
)
def test_an_output_is_what_the_tool_returned_and_nothing_of_it_is_left_out(
    tmp_path: Path, result: object, output: object
) -> None:
    call = {**g.used(), "result": result}

    log = imported(g.chat(tmp_path / "session-x.json", g.ASKED, g.message("gemini", "m2", "", 2, toolCalls=[call])))

    assert msgspec.json.decode(log.items()[-1].output) == output
