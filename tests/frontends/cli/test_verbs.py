from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from msgspec import Raw, json
from msgspec.structs import replace

from holdfast.domain.answers import Behind, Check, FirstBad, Found, ImportReport, Verification
from holdfast.domain.content import of_text
from holdfast.domain.errors import NotFoundError, SettingsError, StoreDamagedError, TranscriptError
from holdfast.domain.recorded import Actor
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.frontends.cli.memory import MemoryLibrary

if TYPE_CHECKING:
    from tests.frontends.cli.conftest import Run

FIRST, SECOND = "0199aaaa-0000-4000-8000-000000000001", "0199aaaa-0000-4000-8000-000000000002"
PERSON = Actor("human", "cli")


@pytest.fixture
def library() -> MemoryLibrary:
    """Two sessions: one with a turn that asks for leave, one that has ended."""
    library = MemoryLibrary()
    library.happened(
        FIRST,
        e.SessionCreated("acp", "owner", agent="claude", cwd="/srv/shop", title="Fix the race"),
        e.Attached("link"),
        e.MessageSent("u1", of_text("Why?")),
        e.TurnStarted("t1"),
        e.ThoughtAppended("h1", "Let me\nthink"),
        e.TextAppended("a1", "Because "),
        e.TextAppended("a1", "of two calls."),
        e.ToolCalled("c1", "c1", "Bash", "execute", "completed", Raw(b'{"command": "ls"}'), Raw(b'"ok"')),
        e.PermissionRequested("req", "t1", "rm -rf build", Raw(b'{"x": 1}'), (e.Option("once", "allow_once"),), "hash"),
    )  # fmt: skip
    library.happened(SECOND, e.SessionCreated("acp", "owner", title="Over"), e.SessionEnded("user"))
    return library


def test_ls_lists_open_sessions(run: Run) -> None:
    lines = run("ls").out.splitlines()

    assert lines[0].split() == ["STATUS", "ID", "NAME", "NOW", "AGENT", "FOLDER", "AGE", "UNREAD"]
    assert len(lines) == 2
    assert lines[1].startswith("● needs-you  0199aaaa  Fix the race  rm -rf build  claude  /srv/shop")


@pytest.mark.parametrize("line", ["ls", "inbox", f"show {FIRST}", f"peek {FIRST}"])
def test_what_is_at_work_is_said_to_be_as_of_then_where_no_daemon_watches_it(run: Run, line: str) -> None:
    ran = run(*line.split())

    assert ran.err.startswith("holdfast: no daemon runs: what is at work is shown as of 20")
    assert ran.err.count("\n") == 1
    assert "`holdfast up`" in ran.err
    assert run(*line.split(), "--json").err == ""


def test_what_rests_is_shown_without_a_word_about_the_daemon(run: Run, library: MemoryLibrary) -> None:
    library.happened(FIRST, e.PermissionExpired("req", "turn-closed"), e.TurnEnded("t1", "end_turn"))

    assert [run(*line.split()).err for line in ("ls", f"show {FIRST}", f"peek {FIRST}", f"show {SECOND}")] == [""] * 4
    assert run("show", FIRST, "--until", "8").err == ""


def test_ls_says_why_a_session_failed_rather_than_what_it_said_last(run: Run, library: MemoryLibrary) -> None:
    library.happened(
        FIRST,
        e.PermissionExpired("req", "agent-gone"),
        e.TurnInterrupted("t1", "the agent ended by signal 9"),
        e.Detached("link", "exited", "the agent ended by signal 9"),
    )

    assert (
        run("ls")
        .out.splitlines()[1]
        .startswith("✗ failed  0199aaaa  Fix the race  the agent ended by signal 9  claude")
    )


def test_ls_all_lists_ended_ones_with_ids_that_tell_them_apart(run: Run) -> None:
    lines = run("ls", "--all").out.splitlines()

    assert f"  {FIRST}  " in lines[1]
    assert lines[2].startswith(f"◌ ended      {SECOND}  Over")


def test_ls_json_is_an_array_of_rows(run: Run) -> None:
    rows = run("ls", "--all", "--json").json()

    assert [row["id"] for row in rows] == [FIRST, SECOND]
    assert rows[0]["attention"] == "needs_you"
    assert {"lifecycle", "connection", "metadata", "preview", "pinned", "muted_until", "position"} <= rows[0].keys()


def test_an_empty_list_says_what_to_do_without_an_answer_on_stdout(run: Run, library: MemoryLibrary) -> None:
    library.sessions.clear()
    library.requests.clear()

    assert run("ls", "--json") == (0, "[]\n", "")
    assert run("inbox", "--json").json() == []
    for verb in (("ls",), ("ls", "--all")):
        ran = run(*verb)
        assert (ran.code, ran.out) == (0, "")
        assert "holdfast import" in ran.err


def test_show_json_has_items_without_what_is_internal(run: Run) -> None:
    page = run("show", FIRST, "--json").json()

    assert page.keys() == {"session", "items", "position", "before"}
    assert page["before"] is None
    items = page["items"]
    assert [item["kind"] for item in items] == ["message", "thought", "message", "tool_call", "permission"]
    assert items[2] == {
        "id": "a1", "position": 7, "kind": "message", "at": "2025-11-20T12:00:06.000Z", "role": "assistant",
        "author": None, "text": "Because of two calls.", "status": None,
    }  # fmt: skip
    assert items[3]["input"] == {"command": "ls"}
    assert items[3]["output"] == "ok"
    assert items[4]["options"] == [{"option_id": "once", "kind": "allow_once", "name": ""}]
    assert items[4]["decision"] is None


def test_show_goes_back_page_by_page(run: Run) -> None:
    newest = run("show", "Fix the race", "--last", "2", "--json").json()
    earlier = run("show", FIRST, "--last", "2", "--before", newest["before"], "--json").json()

    assert [item["kind"] for item in newest["items"]] == ["tool_call", "permission"]
    assert [item["kind"] for item in earlier["items"]] == ["thought", "message"]
    assert "--before 3" in run("show", FIRST, "--last", "2").out


def test_show_without_last_shows_all_however_long(run: Run, library: MemoryLibrary) -> None:
    library.happened(FIRST, *(e.MessageSent(f"m{n}", of_text(str(n))) for n in range(1200)))

    page = run("show", FIRST, "--json").json()

    assert (len(page["items"]), page["before"]) == (1205, None)
    assert [item["text"] for item in page["items"][5:]] == [str(n) for n in range(1200)]


def test_a_cursor_of_another_kind_is_a_usage_error(run: Run) -> None:
    assert run("show", FIRST, "--before", "nonsense").code == 2


@pytest.mark.parametrize("verb", ["show", "peek", "read", "unread", "mute", "pin"])
def test_a_session_that_is_not_there_is_not_found(run: Run, verb: str) -> None:
    for name in ("019", "nobody", ""):
        ran = run(verb, name)
        assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)


def test_a_prefix_of_several_sessions_is_refused_with_the_candidates(run: Run) -> None:
    ran = run("show", "0199")

    assert (ran.code, ran.out) == (4, "")
    assert FIRST in ran.err
    assert SECOND in ran.err


def test_peek_shows_the_last_turn_without_thoughts(run: Run) -> None:
    ran = run("peek", FIRST)

    assert "Because of two calls." in ran.out
    assert "thought" not in ran.out
    page = run("peek", FIRST, "--json").json()
    assert page["items"][0]["id"] == "u1"


def test_inbox_json_names_the_request_and_its_answers(run: Run) -> None:
    assert run("inbox", "--json").json() == [
        {
            "request_id": "req",
            "session_id": FIRST,
            "turn_id": "t1",
            "title": "rm -rf build",
            "input": {"x": 1},
            "options": [{"option_id": "once", "kind": "allow_once", "name": ""}],
            "requested_at": "2025-11-20T12:00:09.000Z",
        }
    ]
    assert "rm -rf build" in run("inbox").out


def test_events_are_one_json_object_a_line(run: Run) -> None:
    lines = run("events").out.splitlines()

    assert len(lines) == 11
    first = json.decode(lines[0])
    assert first == {
        "position": 1,
        "event_id": str(UUID(int=0)),
        "session_id": FIRST,
        "link_id": None,
        "version": 1,
        "type": "session-created",
        "schema": 2,
        "recorded_at": "2025-11-20T12:00:01.000Z",
        "occurred_at": None,
        "cause": None,
        "actor": {"kind": "peer", "device": None},
        "data": {"transport": "acp", "owner": "owner", "agent": "claude", "cwd": "/srv/shop", "title": "Fix the race"},
    }
    assert run("events", "--json").out.splitlines() == lines


def test_events_can_be_narrowed(run: Run) -> None:
    def positions(*args: str) -> list[int]:
        return [json.decode(line)["position"] for line in run("events", *args).out.splitlines()]

    assert positions("--since", "9") == [10, 11]
    assert positions("--session", "Over") == [10, 11]
    assert positions("--type", "text-appended", "--type", "session-ended") == [6, 7, 11]
    assert positions("--since", "11") == []


def test_an_event_stays_on_its_line_whatever_its_peer_wrote(run: Run, library: MemoryLibrary) -> None:
    library.happened(FIRST, e.ToolCalled("c2", "c2", input=Raw(b'{\n  "a":\r\n [1]}')))

    (line,) = run("events", "--since", "11").out.splitlines()

    assert json.decode(line)["data"]["input"] == {"a": [1]}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Verification(ok=True, checked=11, first_bad=None, behind=None, cannot_know=["the rest"]), ""),
        (
            Verification(False, 5, FirstBad(6, FIRST, 6, "tampered"), None, []),
            f"tampered at position 6, session {FIRST}, version 6",
        ),
        (
            Verification(False, 5, None, Behind(5, 11), []),
            "it ends at position 5, position 11 was written once",
        ),
        (
            Verification(False, 11, None, Behind(11, 11), []),
            "another log stands where its witness saw one that had come to position 11",
        ),
    ],
)
def test_verify_answers_and_fails_with_the_first_fault(
    run: Run, library: MemoryLibrary, found: Verification, told: str
) -> None:
    library.verification = found

    ran = run("verify", "--json")

    assert ran.code == (0 if found.ok else 1)
    assert told in ran.err
    assert ran.err.count("\n") == (not found.ok)
    assert json.decode(ran.out, type=Verification) == found
    assert run("verify").code == ran.code


def test_verify_tells_people_what_it_cannot_know(run: Run, library: MemoryLibrary) -> None:
    library.verification = Verification(ok=True, checked=1204, first_bad=None, behind=None, cannot_know=["the tail"])

    assert run("verify").out == "✓ verified: 1,204 events\n  cannot know: the tail\n"


def test_rebuild_gives_a_digest_per_view_and_check_only_reads(run: Run, library: MemoryLibrary) -> None:
    assert run("rebuild", "--check", "--json").json() == {"transcript": "ab12", "inbox": "cd34"}
    assert library.opened == ["reading"]
    assert run("rebuild").out == "ab12  transcript\ncd34  inbox\n"
    assert library.opened == ["reading", "writing"]


@pytest.mark.parametrize(
    ("args", "command", "expected"),
    [
        (("rename", FIRST, "New"), c.Rename("New"), ("title", "New")),
        (("read", FIRST), c.MarkRead(), ("unread", 0)),
        (("pin", FIRST), c.Pin(), ("pinned", True)),
        (("pin", FIRST, "--off"), c.Pin(pinned=False), ("pinned", False)),
        (("mute", FIRST), c.Mute(), ("muted_until", "9999-12-31T23:59:59.999Z")),
        (("mute", FIRST, "--off"), c.Mute(muted=False), ("muted_until", None)),
        (("unread", FIRST), c.MarkUnread(), ("id", FIRST)),
    ],
)
def test_a_change_is_a_command_of_a_person_and_answers_with_the_row(
    run: Run, library: MemoryLibrary, args: tuple[str, ...], command: c.Command, expected: tuple[str, object]
) -> None:
    ran = run(*args, "--json")

    assert (ran.code, ran.err) == (0, "")
    ((session_id, asked, actor, cause),) = library.asked
    assert (asked, actor) == (command, PERSON)
    assert session_id == FIRST
    assert cause
    row = ran.json()
    assert (expected[0], row[expected[0]]) == expected
    assert run(*args).out.count("\n") == 1


def test_mute_for_a_while_counts_from_now(run: Run, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000_000)

    run("mute", FIRST, "--for", "1h30m")

    assert library.asked[0][1] == c.Mute(until=1_000_000_000 + 5_400_000_000)


def test_rm_with_yes_erases(run: Run, library: MemoryLibrary) -> None:
    ran = run("rm", "Over", "--yes")

    assert ran == (0, f"{SECOND} is erased\n", "")
    assert library.erased == [SECOND]
    assert run("rm", FIRST, "--yes", "--json").json() == {"id": FIRST, "erased": True}


def test_what_was_erased_takes_no_change(run: Run) -> None:
    run("rm", FIRST, "--yes")

    ran = run("rename", FIRST, "Back")

    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)


def test_import_reports_what_it_did(run: Run, library: MemoryLibrary) -> None:
    library.report = ImportReport(files=2, sessions=1, events=1204, malformed=1, skipped=7)

    assert run("import", "a", "claude", "--json").json() == {
        "files": 2, "sessions": 1, "events": 1204, "malformed": 1, "skipped": 7,
    }  # fmt: skip
    assert library.imported == [["a", "claude"]]
    assert run("import", "a").out == "imported 1 session, 1,204 events from 2 files; 1 malformed line left out\n"


def test_importing_again_is_done_with_nothing_new(run: Run, library: MemoryLibrary) -> None:
    library.report = ImportReport(files=1)

    assert run("import", "a") == (0, "nothing new in 1 file\n", "")


@pytest.mark.parametrize(
    ("report", "code"), [(ImportReport(), 1), (TranscriptError("a.bin is binary"), 1), (NotFoundError("no file x"), 3)]
)
def test_import_of_nothing_is_an_error(
    run: Run, library: MemoryLibrary, report: ImportReport | TranscriptError | NotFoundError, code: int
) -> None:
    library.report = report

    ran = run("import", "a.bin")

    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)


def test_import_of_a_bad_source_does_not_even_open_the_store(run: Run, library: MemoryLibrary) -> None:
    library.report = TranscriptError("a.bin is binary")

    run("import", "a.bin")

    assert library.opened == []


def test_import_with_watch_tells_what_was_there_and_then_what_comes(run: Run, library: MemoryLibrary) -> None:
    library.report = ImportReport(files=2, sessions=1, events=1204)
    library.coming = [ImportReport(files=1, sessions=1, events=2)]

    assert run("import", "a", "--watch") == (
        0,
        "imported 1 session, 1,204 events from 2 files\n2 events came into 1 session\n",
        "Watching; Ctrl-C ends it.\n",
    )
    lines = run("import", "a", "--watch", "--json").out.splitlines()
    assert [json.decode(line)["events"] for line in lines] == [1204, 2]


def test_import_without_source_lists_what_there_is_and_wants_a_yes(run: Run, library: MemoryLibrary) -> None:
    library.on_machine = [Found("claude", "/srv/a", 3, 4096), Found("codex", "/srv/b", 1, 10)]

    ran = run("import")
    as_json = run("import", "--json")

    assert (ran.code, as_json.code) == (2, 2)
    assert "claude" in ran.out
    assert as_json.json() == [
        {"source": "claude", "path": "/srv/a", "files": 3, "bytes": 4096},
        {"source": "codex", "path": "/srv/b", "files": 1, "bytes": 10},
    ]
    assert library.imported == []


def test_import_with_yes_takes_all_that_is_found(run: Run, library: MemoryLibrary) -> None:
    library.on_machine = [Found("claude", "/srv/a", 3, 4096), Found("codex", "/srv/b", 1, 10)]
    library.report = ImportReport(files=4, sessions=4, events=9)

    assert run("import", "--yes").code == 0
    assert library.imported == [["claude", "codex"]]


def test_import_with_yes_of_nothing_found_says_so(run: Run) -> None:
    assert run("import", "--yes").code == 3


def test_compact_tells_the_bytes_before_and_after(run: Run, library: MemoryLibrary) -> None:
    ran = run("compact")

    assert ran == (
        0,
        (
            "2 messages of 1 session compacted: digests instead of 30 payloads\n"
            "events    4.9 KiB before, 3.9 KiB after\n"
            "database  88.0 KiB before, 80.0 KiB after\n"
        ),
        "",
    )
    assert run("compact", FIRST, "--json").json()["before"] == 5_000
    assert library.compacted == [None, FIRST]
    assert run("compact", "nobody").code == 3


def test_compact_says_what_kept_the_file_from_shrinking(run: Run, library: MemoryLibrary) -> None:
    library.saved = replace(library.saved, events=0, remains="the disk is full")

    ran = run("compact")

    assert (ran.code, ran.out.splitlines()[0]) == (0, "Nothing to compact.")
    assert ran.err == "The file did not shrink: the disk is full.\n"


def test_compact_says_how_many_sessions_it_left_alone(run: Run, library: MemoryLibrary) -> None:
    library.saved = replace(library.saved, events=0, connected=2)

    ran = run("compact")

    assert ran.out.startswith("Nothing to compact.")
    assert ran.err == "Left alone: 2 connected sessions. Compact again when their agents sleep or are gone.\n"


def test_doctor_fails_when_a_check_does(run: Run, library: MemoryLibrary) -> None:
    library.health = [Check("store", ok=True, detail="SQLite"), Check("disk", ok=False, detail="full")]

    ran = run("doctor")

    assert ran == (1, "✓ ok   store  SQLite\n✗ bad  disk   full\n", "")
    assert run("doctor", "--json").json() == [
        {"check": "store", "ok": True, "detail": "SQLite"},
        {"check": "disk", "ok": False, "detail": "full"},
    ]


def test_doctor_names_a_configuration_that_cannot_be_used(run: Run, library: MemoryLibrary) -> None:
    library.broken = SettingsError("config.toml cannot be used: why (line 2)")

    ran = run("doctor", "--json")

    assert ran.code == 2
    assert ran.json() == [{"check": "configuration", "ok": False, "detail": "config.toml cannot be used: why (line 2)"}]


def test_doctor_reports_a_store_that_does_not_open(run: Run, library: MemoryLibrary) -> None:
    library.broken = StoreDamagedError("log.db is damaged; restore it")

    ran = run("doctor", "--json")

    assert (ran.code, ran.err) == (4, "holdfast: log.db is damaged; restore it\n")
    assert ran.json() == [{"check": "store", "ok": False, "detail": "log.db is damaged; restore it"}]


def test_a_bug_is_one_line_too(run: Run, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    library.items.clear()

    ran = run("show", FIRST)

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "internal error: KeyError" in ran.err
    monkeypatch.setenv("HOLDFAST_DEBUG", "1")
    assert "Traceback" in run("show", FIRST).err
