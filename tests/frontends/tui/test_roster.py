"""The list of sessions: what stands in it, and what its keys do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.frontends.tui.stage import asking, begun, listed, row, said, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminals

pytestmark = [pytest.mark.slow, pytest.mark.tmux]


def test_sessions_stand_in_the_order_in_which_they_want_a_person(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    quiet = begun(daemon, tmp_path, "Quiet", "hello")
    until(daemon, quiet, "idle")
    daemon.post(f"/sessions/{quiet}/read")
    until(daemon, begun(daemon, tmp_path, "Fresh", "hello"), "idle")
    begun(daemon, tmp_path, "Busy", "hello", prompts=[[{"say": "thinking"}, {"hang": True}]])
    begun(daemon, tmp_path, "Broken", initialize=[{"exit": 3}])
    asking(daemon, tmp_path, "Careful")

    screen = terminal("tui", size=(130, 30))
    shown = screen.until(lambda text: all(name in text for name in ("Quiet", "Fresh", "Busy", "Broken", "Run Careful")))

    places = [shown.index(name) for name in ("Careful", "Broken", "Busy", "Fresh", "Quiet")]
    assert places == sorted(places)
    assert [line.split()[0] for line in shown.splitlines() if "──" in line] == [
        "Needs", "Failed", "Working", "Unread", "Idle",
    ]  # fmt: skip
    assert "exit code 3" in shown, "why it failed"
    assert screen.title() == "1 needs you · Holdfast"


def test_tab_goes_to_what_needs_you_and_u_to_what_is_unread(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    asking(daemon, tmp_path, "Careful")
    until(daemon, begun(daemon, tmp_path, "Fresh", "hello"), "idle")
    quiet = begun(daemon, tmp_path, "Quiet")
    daemon.post(f"/sessions/{quiet}/pin")
    screen = terminal("tui")
    screen.until("▌∙  Quiet")

    screen.keys("Tab")
    screen.until("▌●  Careful")
    screen.keys("u")
    screen.until("▌✓  Fresh")


def test_a_peek_shows_the_last_words_takes_a_reply_and_reads_nothing(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session, screen = listed(daemon, terminal, tmp_path, "pieces of eight")

    screen.keys("Space")
    screen.until("› pieces of eight")
    assert row(daemon, session)["unread"] == 1
    screen.keys("r")
    screen.until("Enter sends")
    screen.type("and a bottle of rum")
    screen.keys("Enter")

    screen.until("› and a bottle of rum")
    assert any("bottle of rum" in each for each in said(daemon, session))
    screen.keys("Escape", "Escape")
    screen.until("› pieces of eight", gone=True)


def test_keys_mark_mute_pin_rename_and_end(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session = begun(daemon, tmp_path, "Parrot", "hello")
    until(daemon, session, "idle")
    daemon.post(f"/sessions/{session}/read")
    screen = terminal("tui")
    screen.until("∙  Parrot")

    screen.keys("m")
    screen.until("marked unread")
    assert row(daemon, session)["attention"] == "unread"
    screen.keys("M")
    screen.until("1 hour")
    screen.keys("j", "Enter")
    screen.until("muted for 1 hour")
    assert row(daemon, session)["muted_until"] is not None
    screen.keys("p")
    screen.until("Pinned ─")
    screen.keys("R")
    screen.until("Rename")
    screen.type("Macaw")
    screen.keys("Enter")
    screen.until("✓  Macaw")
    screen.keys("E")
    screen.until("its history stays")
    assert row(daemon, session)["lifecycle"] != "ended"
    screen.keys("Enter")
    screen.until("“Macaw”: ended")
    assert row(daemon, session)["lifecycle"] == "ended"


def test_ended_sessions_are_shown_when_asked_for(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session = begun(daemon, tmp_path, "Gone")
    daemon.post(f"/sessions/{session}/end")
    screen = terminal("tui")
    screen.until("no sessions")

    screen.keys("z")

    screen.until("◌  Gone")
    screen.keys("z")
    screen.until("◌  Gone", gone=True)


def test_an_export_lies_in_the_folder_where_the_program_was_started(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    _, screen = listed(daemon, terminal, tmp_path, "hello")

    screen.keys("x")
    screen.until("Markdown")
    screen.keys("Enter")

    screen.until("written to")
    (written,) = screen.folder.glob("parrot-*.md")
    assert "hello" in written.read_text()


def test_a_session_that_loses_its_agent_counts_down(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    begun(daemon, tmp_path, "Shaky", "hello", prompts=[[{"say": "oops"}, {"exit": 1}]])
    screen = terminal("tui", size=(130, 30))

    screen.until(lambda text: "Shaky" in text and any(word in text for word in ("interrupted", "✓", "✗", "↻", "next")))


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (300, 80)])
def test_every_size_shows_the_sessions_and_its_keys(
    daemon: Daemon, terminal: Terminals, tmp_path: Path, size: tuple[int, int]
) -> None:
    asking(daemon, tmp_path, "Careful")
    screen = terminal("tui", size=size)
    screen.until("Run Careful")
    assert max(map(len, screen.screen().splitlines())) <= size[0]

    for key, shows in (
        ("?", "Everywhere"),
        ("n", "In the folder"),
        ("i", "Inbox"),
        ("/", "a phrase"),
        ("e", "Inspector"),
    ):
        screen.keys(key)
        screen.until(shows)
        screen.keys("Escape")
        screen.until(shows, gone=True)


def test_a_window_that_changes_its_size_is_filled_again(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    asking(daemon, tmp_path, "Careful")
    screen = terminal("tui", size=(130, 30))
    screen.until("Careful")

    for width, height in ((40, 10), (300, 80), (61, 13)):
        screen.resize(width, height)
        screen.until(partial(filled, width))
        screen.until("Careful")


def filled(width: int, text: str) -> bool:
    return width - 8 < max(map(len, text.splitlines()), default=0) <= width
