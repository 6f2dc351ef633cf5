"""The terminal and the page on one daemon: what is done in one is in the other, and both tell of the same events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.frontends.tui.stage import begun, said, until
from tests.frontends.web.conftest import chromium, web

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminals
    from tests.frontends.web.conftest import Web

__all__ = ["chromium", "web"]

pytestmark = [pytest.mark.slow, pytest.mark.tmux, pytest.mark.chromium]


def test_a_message_in_one_is_in_the_other_and_both_show_the_same_events(
    daemon: Daemon, web: Web, terminal: Terminals, tmp_path: Path
) -> None:
    session = begun(daemon, tmp_path, "Parrot", "pieces of eight")
    page = web.open(f"/sessions/{session}", width=1600)
    page.wait_for_selector("[role=log] >> text=pieces of eight")
    screen = terminal("tui", session, size=(140, 50))
    screen.until("Shift+Tab transcript")
    screen.until("pieces of eight")

    screen.type("from the terminal")
    screen.until("from the terminal")
    screen.keys("Enter")
    page.wait_for_selector("[role=log] >> text=from the terminal")
    until(daemon, session, "idle")
    composer = page.locator("textarea").first
    composer.fill("from the page")
    composer.press("Enter")
    screen.until("from the page")
    until(daemon, session, "idle")

    assert [each for each in said(daemon, session) if each.startswith("user")] == [
        "user: pieces of eight", "user: from the terminal", "user: from the page",
    ]  # fmt: skip

    screen.press_until("Escape", "Enter open")
    screen.press_until("e", "Inspector")
    last = web.events(session)[-1]
    shown = screen.until(f" {last['position']} ")
    page.locator("h1, h2").first.click()
    page.keyboard.press("e")
    page.wait_for_selector(f".inspector .events li >> text='{last['position']}'")

    rows = re.finditer(r"^\W*(\d+) [\d:.]{12} ([a-z-]+)", shown, re.MULTILINE)
    items = [text.split() for text in page.locator(".inspector .events li").all_inner_texts()]
    end = last["position"]  # what one of them looked at meanwhile is an event too
    logged = [(event["position"], event["type"]) for event in web.events(session) if event["position"] <= end]
    in_terminal = [(int(row[1]), row[2]) for row in rows if int(row[1]) <= end]
    on_page = [(int(item[0]), item[1]) for item in items if int(item[0]) <= end]
    assert len(in_terminal) > 10
    assert in_terminal == logged[-len(in_terminal) :]
    assert on_page == logged[::-1]
