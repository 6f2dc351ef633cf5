"""Following transcripts as they grow, are cut, replaced and shared, on a clock of the test's own."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain.errors import NotFoundError, TranscriptError
from holdfast.domain.recorded import EventId, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.commands import MarkRead, Observe, Rename
from holdfast.domain.session.session import Context, fold, handle
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers import codex_lines, gemini_chats, opencode_store, test_acp
from tests.adapters.importers.memory_log import MemoryLog, imported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.domain.session.commands import Command

HOUR_US = 3_600_000_000
OTHER = "9f1e2d3c-4b5a-4968-8776-655443322110"
ASKED = c.user("hello", "u1", 0)
BEGUN = c.assistant(c.said("Let me "), uuid="a1", at=1)
DONE = c.assistant(c.said("see."), uuid="a2", at=2, stop_reason="end_turn")


@pytest.fixture
def log() -> MemoryLog:
    """A log whose clock stands at the time of the files that a test writes."""
    log = MemoryLog()
    log.now = time.time_ns() // 1000
    return log


def add(path: Path, *lines: c.Fields | bytes) -> None:
    with path.open("ab") as file:
        file.write(c.encoded(lines))


def status(log: MemoryLog, session_id: str = c.SESSION) -> tuple[str, int]:
    row = log.row(session_id)
    return row.lifecycle, row.unread


def order(log: MemoryLog, command: Command, session_id: str = c.SESSION) -> None:
    """Carry out a command beside the watch."""
    session = log.load(StreamId(session_id))
    events = handle(session, command, Context(log.now, lambda: EventId(os.urandom(16))))
    log.append(fold(session, events), events)


def test_a_session_streams_while_its_turn_is_open_and_is_unread_after_what_came_in(
    tmp_path: Path, log: MemoryLog
) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED)
    watch = log.watch(path)
    assert status(log) == ("streaming", 0)

    add(path, BEGUN)
    report = watch.look(everywhere=True)
    assert (report.files, report.sessions, report.events) == (1, 1, 2)
    assert status(log) == ("streaming", 1)

    add(path, DONE)
    watch.look(everywhere=True)
    assert status(log) == ("unread", 1)
    assert [item.text for item in log.items()] == ["hello", "Let me see."]
    assert watch.look(everywhere=True).events == 0


def test_what_was_there_before_the_watch_starts_read(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)

    log.watch(path)

    assert status(log) == ("created", 0)


def test_what_is_added_to_a_turn_of_which_the_beginning_was_read_is_unread(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, BEGUN)
    watch = log.watch(path)
    assert status(log) == ("streaming", 0)

    add(path, DONE)
    watch.look(everywhere=True)
    assert status(log) == ("unread", 1)

    order(log, MarkRead())
    assert status(log) == ("created", 0)


def test_a_file_in_the_folder_that_is_new_is_a_session_that_was_started_outside(tmp_path: Path, log: MemoryLog) -> None:
    watch = log.watch(tmp_path)
    assert log.events == []

    path = c.written(tmp_path / "deep" / "t.jsonl", ASKED, BEGUN)
    watch.look(everywhere=True)
    assert status(log) == ("streaming", 1)

    add(path, DONE)
    watch.look()  # it changed lately, so it is looked at each time
    assert status(log) == ("unread", 1)


def test_a_folder_of_a_tool_may_be_empty_but_not_missing(tmp_path: Path, log: MemoryLog) -> None:
    with pytest.raises(NotFoundError):
        log.watch("claude", environ={"HOME": str(tmp_path)})
    with pytest.raises(TranscriptError):
        log.watch(c.written(tmp_path / "notes.txt", b"Dear diary"))

    (tmp_path / ".claude" / "projects").mkdir(parents=True)
    assert log.watch("claude", environ={"HOME": str(tmp_path)}).look(everywhere=True).files == 0


def read_by_this_process() -> int:
    found = re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a process has read is told by Linux")
def test_of_a_file_that_grew_only_the_new_bytes_are_read(tmp_path: Path, log: MemoryLog) -> None:
    words = "It goes on and on. " * 5_000
    path = c.written(tmp_path / "t.jsonl", ASKED)
    add(path, *(c.assistant(c.said(words), uuid=f"a{n}", message=f"m{n}") for n in range(100)))
    size = path.stat().st_size
    watch = log.watch(path)

    before = read_by_this_process()
    for number in range(10):
        add(path, c.assistant(c.said("more"), uuid=f"b{number}", message=f"n{number}"))
        assert watch.look().events
    grown = path.stat().st_size - size
    assert read_by_this_process() - before < grown + 10 * 4_096

    before = read_by_this_process()
    add(path, DONE)
    restarted = log.watch(path)
    restarted.look(everywhere=True)
    assert size > 9_000_000
    assert read_by_this_process() - before < 2_000_000, "after a restart, the beginning of the file and what is new"
    assert log.items()[-1].text == "see."


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a process has read is told by Linux")
def test_a_long_line_that_comes_in_slowly_is_not_read_from_its_beginning_each_time(
    tmp_path: Path, log: MemoryLog
) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED)
    watch = log.watch(path)
    line = c.encoded([c.assistant(c.said("word " * 1_000_000), stop_reason="end_turn")])
    cuts = range(0, len(line) + 100_000, 100_000)

    before = read_by_this_process()
    with path.open("ab") as file:
        for start, end in pairwise(cuts):
            file.write(line[start:end])
            file.flush()
            assert (watch.look(everywhere=True).events > 0) == (end >= len(line))
    assert len(line) > 5_000_000
    assert read_by_this_process() - before < 3 * len(line)
    assert status(log) == ("unread", 1)


def test_half_a_line_is_no_malformed_one_while_somebody_writes_it(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED)
    watch = log.watch(path)
    line = c.encoded([DONE])

    with path.open("ab") as file:
        file.write(line[:40])
        file.flush()
        assert watch.look(everywhere=True).malformed == 0
        file.write(line[40:-1])  # all but the newline: it is complete
        file.flush()
        assert watch.look(everywhere=True).events
        file.write(b"\nno JSON\n")
    report = watch.look(everywhere=True)
    assert (report.events, report.malformed) == (0, 1)
    assert status(log) == ("unread", 1)


KINDS: Mapping[str, bytes] = {
    "claude": c.EXAMPLE.read_bytes(),
    "claude, all kinds of lines": c.encoded(c.TURN),
    "codex": codex_lines.encoded(codex_lines.SESSION_LINES),
    "gemini": c.encoded([gemini_chats.ABOUT, *gemini_chats.MESSAGES]),
    "acp": c.encoded(test_acp.WHOLE_SESSION),
}


def plain(log: MemoryLog) -> object:
    """Return all that a person sees, but for what is said of turns that were open at some time."""
    dumped: dict[str, object] = {}
    for session_id in sorted(log.sessions):
        row = log.row(session_id)
        named = (row.title, row.agent, row.cwd, row.target, row.model, row.mode, row.created_at, row.metadata)
        dumped[session_id] = (named, log.shown(session_id))
    return dumped


@pytest.mark.slow
@pytest.mark.parametrize("content", KINDS.values(), ids=KINDS.keys())
@given(data=st.data())
@settings(max_examples=15)
def test_however_a_file_grows_and_however_often_the_watch_is_restarted_it_becomes_the_same(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("watch") / "t.jsonl"
    log = MemoryLog()
    log.now = time.time_ns() // 1000
    first = content.find(b"\n") + 1
    begun = content.find(b"\n", first) + 1
    cuts = sorted(data.draw(st.lists(st.integers(begun, len(content)), min_size=1, max_size=6)))
    path.write_bytes(content[:begun])
    watch = log.watch(path)
    for start, end in pairwise([begun, *cuts, len(content)]):
        with path.open("ab") as file:
            file.write(content[start:end])
        if data.draw(st.booleans(), label="restart"):
            watch = log.watch(path)
        else:
            watch.look(everywhere=True)

    at_once = MemoryLog()
    at_once.now = log.now
    at_once.take(path)
    assert plain(log) == plain(at_once)
    watch.close_turns()
    assert {log.row(each).lifecycle for each in log.sessions} <= {"created", "unread"}
    assert log.take(path).events == 0


def test_a_file_that_became_shorter_adds_nothing_and_is_told_once(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    watch = log.watch(path)
    events = len(log.events)

    c.written(path, *c.TURN[:3])
    watch.look(everywhere=True)
    add(path, *(c.user("x" * 100, f"w{n}") for n in range(3)))
    watch.look(everywhere=True)

    assert len(log.events) == events
    assert log.notes == [f"{path} is shorter than what was imported of it; nothing was added"]


def test_a_file_that_was_rewritten_and_is_longer_adds_nothing_and_is_told(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, BEGUN, DONE)
    watch = log.watch(path)
    events = len(log.events)

    changed = c.assistant(c.said("LET ME "), uuid="a1", at=1), c.assistant(c.said("SEE."), uuid="a2", at=2)
    c.written(path, ASKED, changed[0], {**changed[1], "version": "2.1.198"}, *(c.user("x", f"w{n}") for n in range(9)))
    watch.look(everywhere=True)

    assert len(log.events) == events
    assert log.notes == [f"{path} does not go on from what was imported of it; nothing was added"]


def test_a_file_that_was_replaced_by_another_transcript_is_that_one(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    watch = log.watch(path)
    before = log.dump()[c.SESSION]

    other = c.written(tmp_path / "other", c.user("another", sessionId=OTHER))
    other.replace(path)
    watch.look(everywhere=True)

    assert log.dump()[c.SESSION] == before
    assert status(log, OTHER) == ("streaming", 0)


def test_a_file_that_is_gone_is_told_and_goes_on_when_it_is_back(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, BEGUN)
    watch = log.watch(tmp_path)
    elsewhere = path.rename(tmp_path / "kept")

    watch.look(everywhere=True)
    assert log.notes == [f"{path} is gone; what was imported of it stays"]

    add(elsewhere, DONE)
    elsewhere.rename(path)
    watch.look(everywhere=True)
    assert status(log) == ("unread", 1)
    assert [item.text for item in log.items()] == ["hello", "Let me see."]


def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path, log: MemoryLog) -> None:
    c.written(tmp_path / "a" / "t.jsonl", ASKED)
    kept = c.written(tmp_path / "b.jsonl", c.user("other", sessionId=OTHER))
    watch = log.watch(tmp_path / "a", kept)

    (tmp_path / "a" / "t.jsonl").unlink()
    (tmp_path / "a").rmdir()
    add(kept, c.assistant(c.said("yes"), sessionId=OTHER, stop_reason="end_turn"))
    watch.look(everywhere=True)

    assert status(log, OTHER) == ("unread", 1)


def test_bytes_that_are_no_text_and_lines_that_are_no_records_are_counted_and_passed_over(
    tmp_path: Path, log: MemoryLog
) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED)
    watch = log.watch(path)

    add(path, b"\xff\xfe\x00", b'{"type": "user", "text": "\xed\xa0\x80"}', b"[" * 5_000, DONE)
    report = watch.look(everywhere=True)

    assert report.malformed == 3
    assert status(log) == ("unread", 1)


def test_a_session_that_holdfast_connected_to_is_left_to_holdfast(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, DONE)
    other = c.written(tmp_path / "u.jsonl", c.user("other", sessionId=OTHER))
    watch = log.watch(tmp_path)
    order(log, Observe((e.AttachRequested("link"), e.Attached("link", "remote", resumed=True))))
    events = len(log.of(c.SESSION))

    add(path, c.user("said elsewhere", "u2"))
    add(other, c.assistant(c.said("yes"), sessionId=OTHER, stop_reason="end_turn"))
    for _ in range(3):
        watch.look(everywhere=True)
    watch.close_turns()

    assert len(log.of(c.SESSION)) == events
    (note,) = log.notes
    assert f"session {c.SESSION} is recorded live" in note
    assert status(log, OTHER) == ("unread", 1)


def test_a_connection_that_was_tried_and_never_came_about_keeps_nothing_out(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED)
    watch = log.watch(path)
    order(log, Observe((e.AttachRequested("link"),)))
    add(path, BEGUN)
    assert watch.look(everywhere=True).events == 0, "an attempt is under way"

    order(log, Observe((e.Detached("link", "failed", "no such agent"),)))
    order(log, MarkRead())
    add(path, DONE)
    watch.look(everywhere=True)
    assert [item.text for item in log.items() if item.kind == "message"] == ["hello", "Let me see."]


def test_what_a_person_does_to_the_session_meanwhile_is_no_conflict(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED)
    watch = log.watch(path)

    for number in range(3):
        order(log, Rename(f"title {number}"))
        add(path, c.assistant(c.said(f"{number}"), uuid=f"a{number}"))
        assert watch.look(everywhere=True).events

    assert (log.row().title, log.items()[-1].text) == ("title 2", "012")


def test_two_files_may_feed_one_session_in_turns(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / f"{c.SESSION}.jsonl", ASKED)
    helper = c.written(tmp_path / "agent-1.jsonl", c.user("look it up", "s0", isSidechain=True, agentId="1"))
    watch = log.watch(tmp_path)

    for number in range(3):
        add(path, c.assistant(c.said(f"p{number}"), uuid=f"a{number}", message=f"m{number}"))
        said = c.said(f"s{number}")
        add(helper, c.assistant(said, uuid=f"h{number}", message=f"n{number}", isSidechain=True, agentId="1"))
        watch.look(everywhere=True)

    texts = [(item.thread, item.text) for item in log.items() if item.kind == "message" and item.role == "assistant"]
    assert texts == [(None, "p0"), ("1", "s0"), (None, "p1"), ("1", "s1"), (None, "p2"), ("1", "s2")]
    assert log.watch(tmp_path).look(everywhere=True).events == 0


def test_a_turn_that_nobody_goes_on_with_for_an_hour_is_over(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, BEGUN)
    watch = log.watch(path)
    log.now += HOUR_US // 2
    watch.look()
    assert status(log)[0] == "streaming"

    log.now += HOUR_US
    watch.look()
    assert status(log) == ("created", 0)

    add(path, DONE)
    watch.look(everywhere=True)
    assert status(log) == ("unread", 1)
    assert [item.text for item in log.items()] == ["hello", "Let me see."]


def test_a_file_that_was_left_long_ago_is_not_in_the_middle_of_anything(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, BEGUN, b'{"cut off')
    log.now += 2 * HOUR_US
    watch = log.watch(path)
    assert status(log) == ("created", 0)

    whole = c.encoded([DONE])
    path.write_bytes(c.encoded([ASKED, BEGUN]) + whole)
    watch.look(everywhere=True)
    assert [item.text for item in log.items()] == ["hello", "Let me see."]


@pytest.mark.parametrize("again", ["the watch is closed", "an hour later", "imported again"])
def test_a_turn_that_a_killed_watch_left_open_is_closed_later(tmp_path: Path, log: MemoryLog, again: str) -> None:
    path = c.written(tmp_path / "t.jsonl", ASKED, BEGUN)
    log.watch(path)
    assert status(log)[0] == "streaming"

    match again:
        case "the watch is closed":
            log.watch(path).close_turns()
        case "an hour later":
            watch = log.watch(path)
            log.now += 2 * HOUR_US
            watch.look()
        case _:
            log.take(path)

    assert status(log) == ("created", 0)


def test_a_document_that_is_rewritten_adds_what_is_new(tmp_path: Path, log: MemoryLog) -> None:
    path = gemini_chats.chat(tmp_path / "session-1.json", *gemini_chats.MESSAGES[:1])
    watch = log.watch(path)
    assert log.row().lifecycle == "streaming"
    whole = gemini_chats.chat(tmp_path / "whole", *gemini_chats.MESSAGES).read_bytes()

    path.write_bytes(whole[: len(whole) // 2])  # in the middle of writing it
    assert watch.look(everywhere=True).events == 0
    assert log.notes == []
    path.write_bytes(whole)
    assert watch.look(everywhere=True).events

    assert plain(log) == plain(imported(path))
    path.write_bytes(whole[:-20])
    for _ in range(2):
        watch.look(everywhere=True)
    assert len(log.notes) == 1, "it stays as it is, so somebody should know"


def test_a_session_of_many_files_is_followed_in_all_of_them(tmp_path: Path, log: MemoryLog) -> None:
    store = tmp_path / "storage"
    path = opencode_store.stored(store, *opencode_store.MESSAGES[:1])
    watch = log.watch(store / "session")
    assert log.row().lifecycle == "streaming"
    text = opencode_store.text("prt_22", "I lo")
    opencode_store.stored(store, opencode_store.answer("msg_2", text, time={"created": opencode_store.NOON + 2000}))
    about = path.stat()
    watch.look(everywhere=True)
    assert log.items()[-1].text == "I lo"

    part = store / "part" / "msg_2" / "prt_22.json"
    part.write_text(json.dumps({**text, "text": "I look."}))
    watch.look(everywhere=True)

    assert path.stat().st_mtime_ns == about.st_mtime_ns, "only the part was written to"
    assert log.items()[-1].text == "I look."


def test_an_export_that_cannot_be_taken_back_is_told(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "e.jsonl", {"holdfast_export": 1, "session_id": "../up"})

    log.watch(tmp_path).look(everywhere=True)

    assert log.notes == [f"{path} names no session that could be imported"]


@pytest.mark.slow
def test_more_files_than_are_held_in_memory_are_all_followed(tmp_path: Path, log: MemoryLog) -> None:
    names = [f"session-{number:03}" for number in range(70)]
    paths = [c.written(tmp_path / f"{name}.jsonl", {**ASKED, "sessionId": name}) for name in names]
    watch = log.watch(tmp_path)

    for path, name in zip(paths, names, strict=True):
        add(path, {**DONE, "sessionId": name})
    assert watch.look(everywhere=True).sessions == 70
    assert {status(log, name) for name in names} == {("unread", 1)}


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def transcript(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "t.jsonl"
    path.write_bytes(request.param)
    return path


@pytest.mark.parametrize("watched", [True, False])
def test_a_session_that_holdfast_drives_is_no_second_one(transcript: Path, log: MemoryLog, watched: bool) -> None:
    log.drivers = dict.fromkeys(imported(transcript).sessions, StreamId("ours"))

    taken_in(log, transcript, watched=watched)

    assert log.events == []
    assert log.notes[0].endswith("is recorded live by Holdfast as ours; nothing was added to it")


@pytest.mark.parametrize("watched", [True, False])
def test_a_session_that_holdfast_drove_and_erased_does_not_come_back(
    transcript: Path, log: MemoryLog, watched: bool
) -> None:
    log.erased = set(imported(transcript).sessions)

    taken_in(log, transcript, watched=watched)

    assert log.events == []
    assert log.notes[0].endswith("was erased; nothing was added to it")


def taken_in(log: MemoryLog, path: Path, *, watched: bool) -> None:
    if watched:
        log.watch(path).look(everywhere=True)
    else:
        log.take(path)


def test_a_session_waits_while_one_with_its_agent_is_begun_and_has_no_name_yet(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log.connecting = {"claude"}
    watch = log.watch(path)
    watch.look(everywhere=True)
    assert log.events == []

    log.connecting = set()
    watch.look(everywhere=True)
    assert log.sessions == [c.SESSION]


def test_a_session_that_turns_out_to_be_driven_never_comes(tmp_path: Path, log: MemoryLog) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log.connecting = {"claude"}
    watch = log.watch(path)

    log.connecting, log.drivers = set(), {c.SESSION: StreamId("ours")}
    watch.look(everywhere=True)
    add(path, c.user("more", "u9", 9))
    watch.look(everywhere=True)

    assert log.events == []
