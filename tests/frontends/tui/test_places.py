"""What lies beside the list: switcher, inbox, search, inspector, a new session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.frontends.tui.stage import COMMAND, asking, begun, in_the_inbox, listed, said, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminal, Terminals

pytestmark = [pytest.mark.slow, pytest.mark.tmux]


def test_the_switcher_goes_to_a_session_by_a_few_letters(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    for title in ("Lighthouse", "Harbour", "Parrot"):
        begun(daemon, tmp_path, title, f"about the {title}")
    screen = terminal("tui")
    screen.until("Parrot")

    screen.keys("C-k")
    screen.until("something to do")
    screen.type("hrb")
    screen.keys("Enter")

    screen.until("about the Harbour")
    screen.keys("Escape")
    screen.until("Enter open")


def test_the_switcher_does_things(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    begun(daemon, tmp_path, "Parrot")
    screen = terminal("tui")
    screen.until("Parrot")

    screen.keys("C-k")
    screen.until("something to do")
    screen.type(">pin")
    screen.keys("Enter")

    screen.until("Pinned ─")


def test_alt_and_a_number_opens_a_session(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    begun(daemon, tmp_path, "Parrot", "pieces of eight")
    screen = terminal("tui")
    screen.until("Parrot")

    screen.keys("M-1")

    screen.until("Shift+Tab transcript")


def test_who_goes_back_to_the_list_looks_at_no_session(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    _, screen = listed(daemon, terminal, tmp_path, "pieces of eight")
    screen.keys("Enter")
    screen.until("Shift+Tab transcript")

    screen.keys("Escape")

    screen.until(lambda shown: "Enter open" in shown and "★" not in shown)


def test_the_inbox_shows_the_exact_command_and_takes_an_answer(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session, screen = in_the_inbox(daemon, terminal, tmp_path)
    answered(screen, "a")

    screen.until("nothing needs you")
    until(daemon, session, "idle")
    assert "assistant: allowed" in said(daemon, session)


def test_of_several_ways_to_allow_each_can_be_chosen_in_the_inbox(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    ways = [
        {"optionId": "once", "kind": "allow_once", "name": "Allow once"},
        {"optionId": "edits", "kind": "allow_once", "name": "Allow, and accept edits"},
        {"optionId": "folder", "kind": "allow_always", "name": "Always in this folder"},
        {"optionId": "ever", "kind": "allow_always", "name": "Always and everywhere"},
        {"optionId": "no", "kind": "reject_once", "name": "No"},
        {"optionId": "never", "kind": "reject_always", "name": "Never"},
    ]
    session = asking(daemon, tmp_path, "Careful", options=ways)
    screen = terminal("tui", size=(60, 24))
    screen.until("Run Careful")
    screen.keys("i")
    shown = screen.until(COMMAND)
    for key, does in (("A", "always: Always in this folder"), ("2", "Always and everywhere"), ("3", "Never")):
        assert f"{key} {does}" in shown

    answered(screen, "1")

    screen.until("nothing needs you")
    until(daemon, session, "idle")
    (asked,) = [
        each for each in daemon.get(f"/sessions/{session}/transcript").json()["items"] if each["kind"] == "permission"
    ]
    assert asked["decision"] == "edits"


def test_a_denial_takes_a_reason(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, screen = in_the_inbox(daemon, terminal, tmp_path)

    answered(screen, "d", shows="Deny: why?")
    screen.type("not on a Friday")
    screen.keys("Enter")

    screen.until("nothing needs you")
    until(daemon, session, "idle")
    assert "assistant: denied" in said(daemon, session)


def test_a_request_that_another_answers_goes_and_says_who(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    _, screen = in_the_inbox(daemon, terminal, tmp_path)
    (request,) = daemon.get("/inbox").json()["items"]

    body = {"option_id": "once", "reason": None}
    assert (
        daemon.request("POST", f"/inbox/{request['request_id']}", body, headers={"Holdfast-Client": "phone"}).status
        < 300
    )

    screen.until("answered elsewhere by phone")
    screen.until("nothing needs you")


def test_a_hit_of_a_search_opens_its_session_there(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    _, screen = listed(daemon, terminal, tmp_path, "where is the doubloon")

    screen.keys("/")
    screen.until("Search")
    screen.type("doubloon")
    screen.keys("Enter")

    screen.until("Shift+Tab transcript")
    screen.until("where is the doubloon")
    screen.keys("Escape")
    screen.until("Enter open at the hit")


def test_the_inspector_shows_events_as_they_come(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session = begun(daemon, tmp_path, "Parrot", "hello")
    until(daemon, session, "idle")
    screen = terminal("tui", size=(120, 40))
    screen.until("Parrot")

    screen.keys("e")
    screen.until("turn-ended")
    daemon.post(f"/sessions/{session}/rename", {"title": "Macaw"})
    screen.until("renamed")
    screen.keys("Enter")
    screen.until('"title": "Macaw"')
    screen.keys("3")
    screen.until("connected")
    screen.keys("4")
    screen.until('"method":"session/prompt"')


def test_a_new_session_begins_with_what_is_said_and_not_before(daemon: Daemon, terminal: Terminals) -> None:
    screen = terminal("tui")
    screen.until("no sessions")

    screen.keys("n")
    screen.until("built in")
    screen.keys("Escape")
    screen.until("New session", gone=True)
    assert daemon.get("/sessions?state=all").json()["items"] == []
    screen.keys("n")
    screen.until("built in")
    screen.type("explain how it works")
    screen.keys("Enter")

    screen.until("demo  ·")
    (begun,) = daemon.get("/sessions").json()["items"]
    assert begun["cwd"] == str(screen.folder)


def test_a_session_that_is_erased_is_not_shown_any_longer(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session = begun(daemon, tmp_path, "Parrot", "the secret doubloon")
    until(daemon, session, "idle")
    screen = terminal("tui", session)
    screen.until("Shift+Tab transcript")
    screen.until("the secret doubloon")

    assert daemon.request("DELETE", f"/sessions/{session}").status == 204

    screen.until("no sessions")
    screen.until("doubloon", gone=True)


def answered(screen: Terminal, key: str, shows: str = "nothing needs you") -> None:
    """Press a key until it counts: it does not while the request has only just come under the cursor."""
    screen.press_until(key, shows)
