"""Importing whole files: once, again, later, killed, cut, moved, shared."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.importers import feed
from holdfast.adapters.importers.names import source_id
from holdfast.domain.answers import ImportReport
from holdfast.domain.errors import TranscriptError
from holdfast.domain.recorded import PEER, EventId, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.commands import Create, Erase, MarkUnread, Observe
from holdfast.domain.session.session import Context, fold, handle
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import NOW, MemoryLog, broken_off, imported

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "9f1e2d3c-4b5a-4968-8776-655443322110"


def order(log: MemoryLog, command: Create | Erase | MarkUnread | Observe, session_id: str = c.SESSION) -> None:
    """Carry out a command beside the import."""
    session = log.load(StreamId(session_id))
    event_id = EventId(os.urandom(16))
    events = handle(session, command, Context(NOW, lambda: event_id))
    log.append(fold(session, events), events)


def test_the_example_is_a_session_with_everything_in_it() -> None:
    log = MemoryLog()

    report = log.take(c.EXAMPLE)

    assert report == ImportReport(files=1, sessions=1, events=len(log.events), malformed=0, skipped=2)
    row = log.row()
    assert (row.lifecycle, row.connection.state, row.attention, row.unread) == ("created", "offline", "none", 0)
    assert row.title == "Find out why the harbour page is empty"
    assert (row.agent, row.cwd, row.model) == ("claude", "/srv/tidewatch", "claude-sonnet-4-5")
    assert row.created_at == "2026-03-12T09:04:11.120Z"
    kinds = {item.kind for item in log.items()}
    assert kinds == {"message", "thought", "tool_call", "notice"}
    assert {item.status for item in log.items() if item.kind == "tool_call"} == {"completed", "failed"}
    assert any(item.thread for item in log.items())


def test_an_imported_session_keeps_the_id_the_times_and_the_place_of_its_source(tmp_path: Path) -> None:
    log = imported(c.written(tmp_path / "t.jsonl", *c.TURN))

    row = log.row()
    assert (row.id, row.cwd, row.target) == (c.SESSION, "/srv/demo", "claude 2.1.197")
    assert (row.created_at, row.updated_at) == ("2026-02-03T12:00:00.000Z", "2026-02-03T12:00:07.000Z")
    assert (row.metadata.message_count, row.metadata.total_tokens) == (3, 11)
    assert all(each.occurred_at is not None and each.recorded_at == NOW for each in log.events)


def test_every_event_tells_the_byte_after_the_line_it_came_from(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log = imported(path)

    ends = [len(part) + 1 for part in path.read_bytes().splitlines()]
    offsets = [each.source.offset for each in log.events if each.source]
    assert len(offsets) == len(log.events)
    assert offsets == sorted(offsets)
    assert set(offsets) <= {sum(ends[: n + 1]) for n in range(len(ends))}
    assert len({each.source.id for each in log.events if each.source}) == 1


def test_importing_again_adds_nothing_and_reads_no_session(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log = imported(path)
    events = list(log.events)

    assert log.take(path).events == 0
    assert log.events == events


def test_the_file_is_not_touched(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    before, status = path.read_bytes(), path.stat()
    path.chmod(0o400)

    imported(path)

    assert path.read_bytes() == before
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (status.st_mtime_ns, status.st_ino)


def test_a_file_that_grew_adds_the_rest(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN[:4])
    log = imported(path)
    c.written(path, *c.TURN)

    report = log.take(path)

    assert report.sessions == 1
    assert log.dump() == imported(path).dump()


@pytest.mark.parametrize("change", ["moved", "copied", "linked"])
def test_a_file_is_known_wherever_it_lies(tmp_path: Path, change: str) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log = imported(path)
    elsewhere = tmp_path / "archive" / "old.jsonl"
    elsewhere.parent.mkdir()
    match change:
        case "moved":
            path.rename(elsewhere)
        case "copied":
            shutil.copy(path, elsewhere)
        case _:
            elsewhere.symlink_to(path)

    assert log.take(elsewhere).events == 0


def test_a_file_that_became_shorter_is_left_alone(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log = imported(path)
    c.written(path, *c.TURN[:3])

    report = log.take(path)

    assert report.events == 0
    assert log.notes == [f"{path} is shorter than what was imported of it; nothing was added"]


def test_a_file_that_was_changed_before_the_end_is_left_alone(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    log = imported(path)
    c.written(path, c.TURN[0], c.user("x" * 5000, "u9"))

    assert log.take(path).events == 0
    assert log.notes == [f"{path} does not go on from what was imported of it; nothing was added"]


def test_a_turn_that_was_closed_too_early_goes_on_as_if_it_never_was(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN[:10])
    log = imported(path)
    assert log.row().lifecycle == "created"
    c.written(path, *c.TURN)

    log.take(path)

    assert log.dump() == imported(path).dump()
    assert e.TurnEnded("turn-u4", "cancelled") in log.facts()


def test_a_last_line_without_newline_counts_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(c.encoded(c.TURN[:2])[:-1])
    log = imported(path)
    assert [item.text for item in log.items()] == ["one", "hm", "first "]

    path.write_bytes(c.encoded(c.TURN[:3])[:-7])
    report = log.take(path)

    assert (report.events, report.malformed) == (0, 1)
    path.write_bytes(c.encoded(c.TURN[:3]))
    assert log.take(path).malformed == 0
    assert log.items()[-1].text == "first words"


def test_each_batch_is_one_append_and_ends_read(tmp_path: Path) -> None:
    lines = [
        each
        for n in range(400)
        for each in (c.user(f"q{n}", f"u{n}"), c.assistant(c.said("a"), message=f"m{n}", uuid=f"a{n}"))
    ]
    log = imported(c.written(tmp_path / "t.jsonl", *lines))

    assert len(log.appends) == 2
    positions = [sum(log.appends[: n + 1]) - 1 for n in range(len(log.appends))]
    assert [type(log.events[position].event) for position in positions] == [e.ReadUpTo, e.ReadUpTo]
    assert log.row().metadata.message_count == 800


def test_large_lines_make_small_batches(tmp_path: Path) -> None:
    lines = [c.user("x" * 1_500_000, f"u{n}") for n in range(9)]

    log = imported(c.written(tmp_path / "t.jsonl", *lines))

    assert len(log.appends) == 3


def test_a_session_that_a_person_marked_stays_marked(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN[:4])
    log = imported(path)
    order(log, MarkUnread())
    c.written(path, *c.TURN)

    log.take(path)

    assert log.row().unread > 0


def test_malformed_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    bad = [
        b"nonsense",
        b"[1]",
        b'"text"',
        b'{"type": "user',
        b'{"a": 1}',
        b"\xff\xfe",
        b"\x00" * 64,
        b'{"type": "\xed\xa0\xbd"}',
    ]
    lines = [each for line in c.TURN if isinstance(line, dict) for each in (line, bad[len(line) % len(bad)])]
    log = MemoryLog()

    report = log.take(c.written(tmp_path / "t.jsonl", *bad, *lines))

    assert report.malformed == len(bad) + len(lines) // 2
    assert (
        log.dump()
        == imported(c.written(tmp_path / "u.jsonl", *(each for each in c.TURN if each != b"half a li"))).dump()
    )


def test_blank_lines_and_windows_line_ends_are_nothing_special(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + c.encoded(c.TURN).replace(b"\n", b"\r\n\r\n"))

    log = MemoryLog()
    report = log.take(path)

    assert report.malformed == 1
    assert log.row().metadata.message_count == 3


def test_two_sessions_in_one_file_are_two_sessions(tmp_path: Path) -> None:
    other = [{**line, "sessionId": OTHER} if isinstance(line, dict) else line for line in c.TURN]
    path = c.written(tmp_path / "t.jsonl", *c.TURN[:6], *other[:8], *c.TURN[6:], *other[8:])
    log = MemoryLog()

    report = log.take(path)

    alone = imported(c.written(tmp_path / "alone.jsonl", *c.TURN))
    assert report.sessions == 2
    assert log.dump()[c.SESSION] == alone.dump()[c.SESSION]
    assert log.row(OTHER).metadata == log.row(c.SESSION).metadata
    assert log.take(path).events == 0


@pytest.mark.parametrize("eighths", range(8))
def test_two_sessions_in_one_file_survive_a_kill(tmp_path: Path, eighths: int) -> None:
    other = [{**line, "sessionId": OTHER} if isinstance(line, dict) else line for line in c.TURN]
    mixed = [each for pair in zip(c.TURN, other, strict=True) for each in pair]
    path = c.written(tmp_path / "t.jsonl", *mixed)
    log = broken_off(path, room=len(imported(path).events) * eighths // 8)

    log.take(path)

    assert log.dump() == imported(path).dump()


def test_more_sessions_than_are_held_at_once_are_imported_all_the_same(tmp_path: Path) -> None:
    ids = [f"session-{n:03}" for n in range(40)]
    lines = [c.user(f"{n}", f"u{n}", sessionId=ids[n % 40]) for n in range(120)]
    path = c.written(tmp_path / "t.jsonl", *lines)
    log = MemoryLog()

    assert log.take(path).sessions == 40
    assert {log.row(each).metadata.message_count for each in ids} == {3}
    assert log.take(path).events == 0


def test_a_file_named_after_a_session_is_that_session_with_the_history_it_took_over(tmp_path: Path) -> None:
    first = c.written(tmp_path / f"{c.SESSION}.jsonl", *c.TURN)
    taken_up = {**c.user("and now?", "u8", 30), "sessionId": OTHER}
    second = c.written(tmp_path / f"{OTHER}.jsonl", *c.TURN, taken_up)
    log = MemoryLog()

    log.take(first, second)

    assert log.row(c.SESSION).metadata.message_count == 3
    assert log.row(OTHER).metadata.message_count == 4
    assert log.take(second, first).events == 0


def test_a_file_named_after_another_session_belongs_to_the_one_that_its_lines_name(tmp_path: Path) -> None:
    log = imported(c.written(tmp_path / f"{OTHER}.jsonl", *c.TURN))

    assert log.sessions == [c.SESSION]


def test_files_of_sub_agents_belong_to_the_session_they_worked_for(tmp_path: Path) -> None:
    side = {"isSidechain": True, "agentId": "a7f3"}
    c.written(tmp_path / f"{c.SESSION}.jsonl", *c.TURN)
    c.written(
        tmp_path / c.SESSION / "subagents" / "agent-a7f3.jsonl",
        c.user("look", "s1", 3, **side),
        c.assistant(c.said("seen"), message="msg_s", uuid="s2", at=4, stop_reason="end_turn", **side),
    )
    log = MemoryLog()

    report = log.take(tmp_path)

    assert (report.files, report.sessions) == (2, 1)
    assert [(item.id, item.thread) for item in log.items()][-2:] == [("s1", "a7f3"), ("msg_s", "a7f3")]
    assert (log.row().unread, log.row().lifecycle) == (0, "created")
    assert log.take(tmp_path).events == 0


def test_lines_that_name_no_session_belong_to_the_one_before(tmp_path: Path) -> None:
    nameless = c.assistant(c.said("hm"))
    del nameless["sessionId"]

    log = imported(c.written(tmp_path / "t.jsonl", c.user("go"), nameless))

    assert [item.text for item in log.items()] == ["go", "hm"]


@pytest.mark.parametrize("session_id", [None, "", "a/b", "../../etc", "x" * 200, "a\nb", 7])
def test_a_transcript_without_a_usable_session_id_gets_one_of_its_own(tmp_path: Path, session_id: object) -> None:
    path = c.written(tmp_path / "t.jsonl", c.user("go", sessionId=session_id, messageId="m"))
    log = imported(path)

    (made_up,) = log.sessions
    assert len(made_up) == 36
    assert log.take(path).events == 0


@pytest.mark.parametrize("name", ["a b", "x" * 500, "ü", "a#2", "\x1b[31m", "\x00"])
def test_odd_names_of_items_are_replaced(tmp_path: Path, name: str) -> None:
    path = c.written(
        tmp_path / "t.jsonl",
        c.user("go", name),
        c.assistant(c.said("hm"), c.called(name), message=name, uuid="a1"),
        c.user([c.came(name)], "u2"),
    )

    ids = [item.id for item in imported(path).items()]

    assert all(each.isascii() and each.isprintable() and len(each) < 40 and "#" not in each for each in ids)
    assert len(ids) == 1  # one name, one item: the source says that they are the same


def test_what_was_erased_does_not_come_back(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN[:4])
    log = imported(path)
    order(log, Erase())
    before = len(log.events)

    log.take(path)
    c.written(path, *c.TURN)
    log.take(path)

    assert len(log.events) == before
    assert log.notes == [f"{path}: session {c.SESSION} was erased; nothing was added to it"] * 2


def test_a_session_that_is_recorded_live_is_not_imported_over(tmp_path: Path) -> None:
    log = MemoryLog()
    order(log, Create(transport="acp"))
    order(log, Observe((e.Attached("link"), e.TurnStarted("t"))))

    report = log.take(c.written(tmp_path / "t.jsonl", *c.TURN))

    assert report.events == 0
    assert log.row().lifecycle == "streaming"
    assert "is recorded live" in log.notes[0]


@pytest.mark.parametrize("change", ["truncated", "emptied", "rewritten", "replaced", "gone", "grown"])
def test_a_file_that_changes_while_it_is_read_loses_nothing_that_was_read_and_is_told_at_the_latest_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Given a file that is read in several pieces, something happens to it after the first batch was appended."""
    monkeypatch.setattr(feed, "BATCH_LINES", 20)
    lines = [c.user("start", "first"), *(c.user(f"{n} {'x' * 9_000}", f"u{n}") for n in range(100))]
    path = c.written(tmp_path / "t.jsonl", *lines)
    log = MemoryLog()
    happened: list[int] = []

    def happens(_what: str, _done: int, _of: int | None) -> None:
        if happened:
            return
        happened.append(len(log.events))
        match change:
            case "truncated":
                os.truncate(path, 5_000)
            case "emptied":
                path.write_bytes(b"")
            case "rewritten":
                path.write_bytes(b"\xff" * path.stat().st_size)
            case "replaced":
                c.written(tmp_path / "new", c.user("other", sessionId=OTHER)).replace(path)
            case "gone":
                path.unlink()
            case _:
                with path.open("ab") as file:
                    file.write(c.encoded([c.user("the last word", "last")]))

    log.take(path, progress=happens)

    assert happened[0] > 0
    said = [item.text.split()[0] for item in log.items(c.SESSION) if item.kind == "message"]
    whole = ["start", *(str(n) for n in range(100)), "the"]
    assert said == whole[: len(said)]
    assert len(said) >= 20
    assert log.row(c.SESSION).lifecycle == "created"
    match change:
        case "gone" | "replaced":
            assert said == whole[:-1], "what is open can be read to its end"
        case "grown":
            assert said == whole
        case "truncated":
            log.take(path)
            assert log.notes == [f"{path} is shorter than what was imported of it; nothing was added"]
        case _:
            with pytest.raises(TranscriptError, match="holds no transcript"):
                log.take(path)


def test_progress_tells_bytes_and_comes_to_its_end(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    for n in range(3):
        c.written(tmp_path / f"{n}.jsonl", c.user("q" * n, sessionId=f"session-{n}"))
    total = sum(path.stat().st_size for path in tmp_path.iterdir())

    MemoryLog().take(tmp_path, progress=lambda what, done, of: seen.append((what, done, of)))

    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1] == ("bytes", total, total)


def test_a_source_is_named_by_kind_session_and_content() -> None:
    names = {
        source_id("claude", "s", b"line"),
        source_id("codex", "s", b"line"),
        source_id("claude", "t", b"line"),
        source_id("claude", "s", b"other"),
        source_id("claude", "sl", b"ine"),
    }

    assert len(names) == 5
    assert {len(each) for each in names} == {8}


def test_what_a_peer_did_is_the_peers(tmp_path: Path) -> None:
    log = imported(c.written(tmp_path / "t.jsonl", *c.TURN))

    def by_person(each: Recorded) -> bool:
        return isinstance(each.event, e.ReadUpTo)

    assert {each.actor for each in log.events if not by_person(each)} == {PEER}
    assert {each.cause for each in log.events} == {None}
