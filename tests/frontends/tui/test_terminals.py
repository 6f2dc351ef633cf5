"""Terminals of every kind, and text that would command them: what reaches them is looked at byte by byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.frontends.cli.hostile import HOSTILE
from tests.frontends.tui.stage import asking, begun, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminal, Terminals

pytestmark = [pytest.mark.slow, pytest.mark.tmux]

EVIL = [f"E{evil}V" for evil in HOSTILE if "\x00" not in evil and not evil.startswith("[bold")]

_POINTER = re.compile("\x1b]22;[a-z-]*\x07")
"""Textual sets the shape of the pointer."""

_NEVER_OURS = re.compile(
    "[\x00-\x06\x07\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def test_nothing_that_an_agent_says_commands_the_terminal(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    evil = " ".join(EVIL)
    tool = {"toolCallId": "t", "title": f"Run {evil}", "kind": "execute", "rawInput": {"command": f"echo {evil}"}}
    options = [{"optionId": "once", "kind": "allow_once", "name": f"Allow {evil}"}]
    steps = [{"think": evil}, {"say": evil}, {"tool": tool}, {"ask": "t", "tool": tool, "options": options}]
    folder = tmp_path / f"folder {EVIL[0]}"
    folder.mkdir()
    session = begun(daemon, folder, "Siren", f"Siren {evil}", prompts=[steps])
    until(daemon, session, "needs-you")
    daemon.post(f"/sessions/{session}/rename", {"title": f"Siren {evil}"})

    screen = terminal("tui", size=(160, 50))
    screen.until("Run E")
    for keys, shows in EVERYWHERE:
        for key in keys:
            screen.keys(key)
            screen.until(shows)
        screen.keys("Escape")
        screen.until(shows, gone=True)
    screen.keys("Enter")
    screen.until("Siren E\\x1b")
    screen.keys("C-q")

    screen.ends()
    assert harm_in(screen) == []


EVERYWHERE = (
    (["Space"], "r to reply"),
    (["C-k"], "something to do"),
    (["i"], "Inbox"),
    (["E"], "its history stays"),
    (["R"], "Enter does it"),
    (["M"], "15 minutes"),
    (["n"], "In the folder"),
    (["/", "S", "i", "r", "e", "n"], "Search"),
    (["e", "Enter"], "Inspector"),
    (["e", "3"], "Inspector"),
    (["e", "4", "Enter"], "Inspector"),
)


def harm_in(screen: Terminal) -> list[str]:
    """Return what reached the terminal and must not have."""
    raw = _POINTER.sub("", screen.raw().decode())
    return [evil for evil in EVIL if evil in raw and not evil.isprintable()] + _NEVER_OURS.findall(raw)


def test_a_locale_that_is_not_utf_8_gets_ascii_alone(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    until(daemon, begun(daemon, tmp_path, "Kröte", "schöne Grüße 日本語"), "idle")
    asking(daemon, tmp_path, "Careful")
    screen = terminal("tui", environ={"LANG": "C", "LC_ALL": "C"})
    screen.until("! ")
    screen.until("Krote")

    for key, shows in (("C-k", "something to do"), ("i", "Inbox"), ("?", "Everywhere"), ("Enter", "to answer")):
        screen.keys(key)
        screen.until(shows)
        screen.keys("Escape")
        screen.until(shows, gone=True)

    assert screen.raw().isascii()


def test_keys_that_are_no_utf_8_end_nothing(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    begun(daemon, tmp_path, "Parrot", "hello")
    screen = terminal("tui")
    screen.until("Parrot")

    screen.keys("-H", "ff", "e9", "0a")
    screen.keys("C-k")

    screen.until("something to do")


def test_a_terminal_of_sixteen_colours_gets_those_alone(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    asking(daemon, tmp_path, "Careful")
    screen = terminal("tui", environ={"TERM": "xterm", "COLORTERM": ""})
    screen.until("Run Careful")
    screen.keys("Enter")
    screen.until("to answer")
    screen.keys("Escape")
    screen.until("Enter open")

    assert re.findall(rb"\x1b\[(?:[0-9;]*;)?[34]8;[25];[0-9;]*m", screen.raw()) == []
    assert b"\x1b[" in screen.raw()
