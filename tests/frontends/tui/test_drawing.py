"""What lists are drawn from: words, cells, signs and the order of sessions. No terminal is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from holdfast.domain.projections.roster import Connection, Metadata, StatusWord
from holdfast.frontends.tui.bars import fitting, head
from holdfast.frontends.tui.cells import clip, fill, harmless
from holdfast.frontends.tui.fuzzy import fits
from holdfast.frontends.tui.gist import asked_for, exact, gist
from holdfast.frontends.tui.plain import plain
from holdfast.frontends.tui.roster.entries import Entry, group_of, place
from holdfast.frontends.tui.roster.lines import columns, doing, first_line, second_line
from holdfast.frontends.tui.words import age, file_name, title
from tests.frontends.cli.hostile import HOSTILE, harm_in

if TYPE_CHECKING:
    from holdfast.frontends.client.views import Json

NOW = 1_792_000_000.0
AT = "2026-10-14T17:46:40.000Z"


def session(name: str = "Parrot", **fields: object) -> Entry:
    entry = Entry(
        id=name, title=name, transport="acp", target="parrot", agent="claude", cwd="/srv/ship", lifecycle="connected",
        connection=Connection("connected"), attention="none", unread=0, pending=0, queued=0, mode=None, pinned=False,
        muted_until=None, preview="pieces of eight", created_at=AT, updated_at=AT, ended=None, metadata=Metadata(),
    )  # fmt: skip
    return replace(entry, **fields)


IN_EVERY_STATE: dict[StatusWord, Entry] = {
    "needs_you": session(attention="needs_you"),
    "failed": session(attention="failed"),
    "working": session(lifecycle="streaming"),
    "reconnecting": session(connection=Connection("reconnecting", 3, "2026-10-14T17:46:47.000Z", "refused")),
    "unread": session(lifecycle="unread", unread=2),
    "hibernated": session(connection=Connection("hibernated")),
    "idle": session(),
    "ended": session(lifecycle="ended"),
}


def test_the_most_pressing_stands_first_and_pinned_ones_before_all() -> None:
    pinned = session("pinned", lifecycle="ended", pinned=True)
    order = sorted([*reversed(IN_EVERY_STATE.values()), pinned], key=place)

    assert order[0] is pinned
    assert [each.word for each in order[1:6]] == ["needs_you", "failed", "working", "reconnecting", "unread"]
    assert {order[6].word, order[7].word} == {"hibernated", "idle"}
    assert order[8].word == "ended"
    assert group_of(pinned) == "Pinned"


def test_sessions_at_work_do_not_change_places_with_every_word() -> None:
    older = session("a", lifecycle="streaming", updated_at="2026-10-14T17:47:00.000Z")
    newer = session("b", lifecycle="streaming", created_at="2026-10-14T17:46:50.000Z")

    assert place(newer) < place(older)


@pytest.mark.parametrize("width", [40, 60, 64, 92, 98, 116, 300])
@pytest.mark.parametrize("word", IN_EVERY_STATE)
def test_a_line_fills_its_width_and_no_more(width: int, word: StatusWord) -> None:
    entry = IN_EVERY_STATE[word]
    shown = columns(width)

    spans = first_line(entry, shown, NOW, question=None, turn=0)

    assert sum(cell_len(span.text) for span in spans) <= width
    assert sum(cell_len(span.text) for span in second_line(entry, width, NOW, question="x" * 999)) <= width
    assert "Parrot" in "".join(span.text for span in spans)


def test_a_folder_stands_by_its_own_name_where_there_is_no_room_for_its_path() -> None:
    entry = session("a", cwd="/home/somebody/projects/parrot")

    narrow = "".join(span.text for span in first_line(entry, columns(100), NOW, question=None, turn=0))
    wide = "".join(span.text for span in first_line(entry, columns(200), NOW, question=None, turn=0))

    assert "  parrot  " in narrow
    assert "somebody/projects/parrot" in wide


def test_of_a_long_thought_a_look_in_passing_shows_the_end_from_a_whole_word_on() -> None:
    thought: Json = {"kind": "thought", "text": "first of all  the words\nand then the last of them"}

    [line] = gist([thought], 26)

    assert "".join(span.text for span in line) == "  …then the last of them"


def test_what_a_session_wants_is_the_question_and_when_it_tries_again_is_counted() -> None:
    assert doing(IN_EVERY_STATE["needs_you"], "Run it", NOW) == ("Run it", "needs")
    assert doing(IN_EVERY_STATE["reconnecting"], None, NOW)[0] == "reconnecting, attempt 3, next in 7s: refused"


@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_hostile_is_left_in_a_line(evil: str) -> None:
    entry = session(evil, preview=evil, agent=evil, cwd=f"/{evil}", attention="needs_you")
    item: Json = {"kind": "message", "role": "user", "text": evil}
    tool: Json = {"kind": "tool_call", "title": evil, "status": "completed"}
    asked: Json = {"kind": "permission", "title": evil, "status": "pending", "input": {"command": evil}}

    spans = first_line(entry, columns(300), NOW, question=evil, turn=0) + second_line(entry, 80, NOW, question=evil)
    spans += [span for line in gist([item, tool, asked], 80) for span in line]

    assert harm_in("".join(span.text for span in spans), styled=False) == []
    assert harm_in(exact({"x": evil}) + harmless(evil), styled=False) == []
    asked_here = asked_for({"command": evil, evil: evil}, 80)
    assert harm_in("".join(asked_here), styled=False) == []
    assert not any("\n" in line for line in asked_here)


def test_what_is_asked_for_keeps_its_lines_whatever_else_goes_with_it_and_every_letter() -> None:
    assert asked_for({"command": "echo hi\nrm -rf /", "cwd": "/work"}, 80) == ["echo hi", "rm -rf /", "cwd: /work"]
    assert asked_for({"command": "日本語日本語"}, 8) == ["日本語日", "本語"]
    assert asked_for({"command": ["rm", "-rf", "a b"]}, 80) == ["rm -rf 'a b'"]
    assert asked_for("all of it", 80) == ["all of it"]
    assert "".join(asked_for({"command": "a" * 30_000}, 80)) == "a" * 30_000
    assert asked_for(None, 80) == []


@pytest.mark.parametrize("text", ["", "short", "日本語のとても長い名前", "a" * 99, "e\u0301" * 30])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 20])
def test_what_is_cut_and_filled_has_its_cells(text: str, size: int) -> None:
    assert cell_len(clip(text, size)) <= size
    assert cell_len(fill(text, size)) == size


@pytest.mark.parametrize("text", ["●◐✓✗∙◌↻★", "日本語", "Kröte", "─│┌┼█▌▔", "e\u0301", "🎉 party", "…“x”"])
def test_ascii_takes_the_same_cells(text: str) -> None:
    assert plain(text).isascii()
    assert len(plain(text)) == cell_len(text)


def test_letters_fit_words_they_begin_or_lie_in() -> None:
    assert fits("harb", "Make the harbour fast") > fits("arb", "Make the harbour fast") > 0
    assert fits("hrb", "harbour")
    assert fits("harbour make", "Make the harbour fast")
    assert not fits("harbour zebra", "Make the harbour fast")
    assert not fits("har", "Light or dark")
    assert fits("", "anything")


def test_ages_titles_and_file_names() -> None:
    assert [age(AT, NOW + after) for after in (0, 30, 90, 7_200, 200_000)] == ["now", "30s", "1m", "2h", "2d"]
    assert (title(0), title(1), title(2)) == ("Holdfast", "1 needs you · Holdfast", "2 need you · Holdfast")
    assert file_name("../../etc/Größe\x1b[2J", "0123456789", "md") == "etc-gr-e-2j-01234567.md"
    assert file_name("", "0123456789", "md") == "session-01234567.md"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 300])
@pytest.mark.parametrize("waiting", [0, 1, 12])
def test_the_head_of_a_session_keeps_its_name_and_drops_what_matters_less(width: int, waiting: int) -> None:
    named = session("Find out why the page is empty", cwd="/srv/a/long/way/down/the/tree")
    left, right = head(named, waiting, width)
    text, beside = ("".join(span.text for span in spans) for spans in (left, right))

    assert cell_len(text) + cell_len(beside) <= width
    assert bool(beside) is (waiting > 0)
    if width >= 40:
        assert "Find out why the page is empty" in text
    if width >= 60:
        assert "idle" in text


def test_keys_that_lead_out_are_kept_where_there_is_little_room() -> None:
    hints = [("Enter", "open"), ("Space", "peek"), ("n", "new"), ("?", "keys"), ("Esc", "back")]

    assert fitting(hints, 100) == hints
    assert fitting(hints, 32) == [("Enter", "open"), ("?", "keys"), ("Esc", "back")]
    assert fitting(hints, 12) == [("?", "keys")]
    assert fitting(hints, 0) == []
