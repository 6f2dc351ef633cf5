"""The tray on a real panel with real notifications: seen, clicked, and heard by the agent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.agents.scripting import until
from tests.frontends.tray.asking import asks
from tests.frontends.tray.pixels import grab

if TYPE_CHECKING:
    from tests.frontends.tray.desk import Desk
    from tests.journeys.world import World

pytestmark = [
    pytest.mark.slow,
    *(getattr(pytest.mark, name) for name in ("dbus", "gdbus", "panel", "xvfb", "xdotool", "imagemagick")),
]

YELLOW = (0xF2, 0xB9, 0x0C)
BLUE = (0x6C, 0xB6, 0xFF)
RED = (0xFF, 0x6B, 0x5E)
ICON = (0, 0, 40, 40)


@pytest.mark.dunst
def test_the_icon_says_how_the_sessions_are(world: World, desk: Desk) -> None:
    desk.display()
    desk.panel()
    desk.dunst()
    desk.tray()
    until(lambda: "all is quiet" in desk.icon("Title"), "it never was quiet")

    agent = world.agent(prompts=[[{"wait": str(world.work / "gate")}, *asks()]])
    session = world.ready(agent.command, "Look")
    until(lambda: "1 works" in desk.icon("Title"), "it never worked")
    until(lambda: BLUE in grab(desk, ICON).colours(), "the icon does not look like work")

    (world.work / "gate").touch()
    until(lambda: "1 needs you" in desk.icon("Title"), "it never needed anybody")
    until(lambda: YELLOW in grab(desk, ICON).colours(), "the icon does not look like somebody is needed")
    assert "NeedsAttention" in desk.icon("Status")
    assert "Background mode is off" in desk.icon("ToolTip")

    world.daemon.kill()
    until(lambda: "the daemon is not running" in desk.icon("Title"), "it never was down")
    until(lambda: RED in grab(desk, ICON).colours(), "the icon does not look like something is wrong")

    world.daemon.start()
    until(lambda: "1 needs you" in desk.icon("Title"), "it never came back")
    assert world.row(session)["attention"] == "needs_you"


@pytest.mark.bubbles
def test_allow_in_a_notification_reaches_the_agent(world: World, desk: Desk) -> None:
    desk.display()
    desk.panel()
    desk.bubbles()
    desk.tray()
    until(lambda: "all is quiet" in desk.icon("Title"), "it never was quiet")
    before = set(desk.windows())

    session = world.ready(world.agent(prompts=[asks()]).command, "Look at the orders")
    until(lambda: set(desk.windows()) - before, "no notification came")
    words = until_words(desk)

    desk.click(*words[0])  # Allow comes before Deny
    world.wait(session)

    assert world.said(session) == "I was let."
    (item,) = world.items(session, "permission")
    assert (item["decision"], item["decided_by"]) == ("once", "tray")


@pytest.mark.dunst
def test_the_menu_is_clicked_and_the_tray_is_gone(world: World, desk: Desk) -> None:
    desk.display()
    desk.panel()
    desk.dunst()
    desk.tray()
    desk.until_shown()
    until(lambda: "Connected" in desk.menu(), "the menu never was there")
    before = set(desk.windows())

    desk.click(20, 20, button=3)
    until(lambda: set(desk.windows()) - before, "no menu came")
    desk.keys("Up", "Return")  # the last line

    assert desk.wait("tray") == 0
    assert desk.said("tray") == ""
    until(lambda: not desk.icons(), "the icon stays")
    assert world.daemon.get("/status").status == 200


@pytest.mark.dunst
def test_a_left_click_on_the_panel_opens_the_question_that_waits(world: World, desk: Desk) -> None:
    desk.display()
    desk.panel()
    desk.dunst()
    opened = desk.command("xdg-open")
    session = world.ready(world.agent(prompts=[asks()]).command, "Look")
    world.wait(session, "needs-you")
    desk.tray()
    desk.until_shown()
    until(lambda: YELLOW in grab(desk, ICON).colours(), "the icon does not look like somebody is needed")

    desk.click(20, 20)

    until(opened.exists, "nothing was opened")
    page = Path(opened.read_text().strip().removeprefix("file://")).read_text()
    (request,) = world.inbox()
    assert f"/sessions/{session}#" in page
    assert f"item={quote(request['request_id'], safe='')}" in page


def until_words(desk: Desk) -> list[tuple[int, int]]:
    """Return where the words of the lowest line of the notification are, once it is drawn."""
    found: list[tuple[int, int]] = []

    def drawn() -> bool:
        found[:] = grab(desk, (450, 60, 450, 130)).words()
        return len(found) == 2

    until(drawn, "the notification has no buttons")
    return found
