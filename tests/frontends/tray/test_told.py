"""Who is told, by a real daemon, on a real notification daemon: once, where nobody looks, and taken back."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import anyio
import pytest
from anyio import to_thread

from holdfast.bootstrap.daemon.control import LocalDaemon
from holdfast.frontends.client.stream import attached
from tests.agents.scripting import until
from tests.frontends.tray.asking import WRITE, asks
from tests.frontends.web.conftest import browser

if TYPE_CHECKING:
    from tests.frontends.tray.desk import Desk
    from tests.journeys.world import World

pytestmark = [
    pytest.mark.slow,
    *(getattr(pytest.mark, name) for name in ("dbus", "gdbus", "dunst", "xvfb")),
]


@pytest.fixture
def told(desk: Desk, world: World) -> Desk:
    """A desktop that shows notifications, and a tray on it that is up to date."""
    desk.display()
    desk.dunst()
    desk.tray()
    until(lambda: "all is quiet" in desk.icon("Title"), "the tray never was up to date")
    return desk


def shown(desk: Desk) -> int:
    return int(desk.dunstctl("count", "displayed") or 0)


def notified(world: World) -> list[dict[str, Any]]:
    """What the log says people were told of."""
    return [each for each in world.daemon.get("/events?type=session-notified").lines() if "type" in each]


def clicked(desk: Desk, label: str) -> bool:
    """Click a line if it is there; return whether it has gone, as it does once the click has counted."""
    number = desk.line(label)
    if number is not None:
        desk.click_line(number)
    return number is None


def answer(desk: Desk, world: World, label: str) -> None:
    """Click until it counts: a line that has just come into the menu cannot be meant yet."""

    def clicked() -> bool:
        number = desk.line(label)
        if number is not None:
            desk.click_line(number)
        return not world.daemon.get("/inbox").json()["items"]

    until(clicked, "nothing was answered")


def decided(desk: Desk, world: World) -> None:
    """Return when the tray has decided about a question, and it is answered: the menu offers what it has looked at."""
    until(lambda: desk.line("Allow this once") is not None, "the tray does not know of the question")
    (request,) = world.daemon.get("/inbox").json()["items"]
    assert world.cli("deny", request["request_id"]).returncode == 0
    world.wait(request["session_id"])
    until(lambda: desk.line("Allow this once") is None, "the tray does not know of the answer")


def marker(world: World) -> str:
    """Have something told that surely is; whatever came before it was decided before it."""
    before = len(notified(world))
    session = world.ready(world.agent(f"marker-{before}", prompts=[[{"say": "marked"}]]).command, "mark")
    until(lambda: any(each["session_id"] == session for each in notified(world)), "the marker was not told")
    return session


def test_an_answer_on_the_command_line_takes_it_back(told: Desk, world: World) -> None:
    session = world.ready(world.agent(prompts=[asks()]).command, "Look")
    until(lambda: shown(told) == 1, "nobody was told")
    (request,) = world.daemon.get("/inbox").json()["items"]
    (event,) = notified(world)
    assert (event["data"]["frontend"], event["data"]["item_id"]) == ("tray", request["request_id"])

    assert world.cli("deny", request["request_id"]).returncode == 0
    world.wait(session)
    world.cli("read", session)

    until(lambda: shown(told) == 0, "it was not taken back")


def test_neither_the_tray_nor_the_daemon_tells_twice(told: Desk, world: World) -> None:
    world.ready(world.agent(prompts=[asks()]).command, "Look")
    until(lambda: shown(told) == 1, "nobody was told")

    world.daemon.kill()
    until(lambda: "not running" in told.icon("Title"), "the tray did not notice")
    world.daemon.start()
    until(lambda: "1 needs you" in told.icon("Title"), "it never came back")
    told.end("tray")
    until(lambda: shown(told) == 0, "what nobody hears clicks of stays")
    told.tray()
    until(lambda: "1 needs you" in told.icon("Title"), "it never was up to date")
    marker(world)

    assert len(notified(world)) == 2
    until(lambda: shown(told) == 1, "the marker alone is not what is shown")


def test_two_things_of_one_session_are_one_notification(told: Desk, world: World) -> None:
    agent = world.agent(prompts=[[{"say": "One <b>bold</b> & true."}], [{"say": "Two."}]])
    session = world.ready(agent.command, "Look")
    until(lambda: len(notified(world)) == 1, "the first was not told")
    world.send(session, "Again")
    until(lambda: len(notified(world)) == 2, "the second was not told")

    until(lambda: shown(told) == 1, "there is more than one")
    told.dunstctl("close-all")
    history = json.loads(told.dunstctl("history"))["data"][0]
    assert [each["summary"]["data"] for each in history][:1] == ["Finished: Look"]
    assert "Two." in history[0]["body"]["data"]


def test_what_an_agent_writes_is_no_markup(told: Desk, world: World) -> None:
    world.ready(world.agent(prompts=[[{"say": '<a href="http://x">One</a> & <b>two</b>'}]]).command, "Look")
    until(lambda: shown(told) == 1, "nobody was told")

    told.dunstctl("close-all")

    body = json.loads(told.dunstctl("history"))["data"][0][0]["body"]["data"]
    assert body == '&lt;a href="http://x"&gt;One&lt;/a&gt; &amp; &lt;b&gt;two&lt;/b&gt;'


async def test_nobody_is_told_of_what_is_looked_at(told: Desk, world: World) -> None:
    agent = world.agent(prompts=[[{"wait": str(world.work / "gate")}, {"say": "Here."}]])
    session = await to_thread.run_sync(world.ready, agent.command, "Look")
    with anyio.fail_after(60):
        async with attached(LocalDaemon(world.daemon.environ, lambda line: None), "phone") as stream:
            roster = await stream.view("roster")
            await stream.view("transcript", session)
            await stream.focus(session)
            async with aclosing(roster.changes()) as changes:
                async for _ in changes:
                    if roster.items[session]["focused"]:
                        break
            (world.work / "gate").touch()
            await to_thread.run_sync(world.wait, session)
            other = await to_thread.run_sync(marker, world)  # while another one is looked at

    assert [each["session_id"] for each in notified(world)] == [other]


def test_nobody_is_told_of_what_was_imported_muted_or_switched_off(told: Desk, world: World) -> None:
    transcript = Path(world.work / "aaaa1111.jsonl")
    said = {
        "type": "assistant",
        "uuid": "u2",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "x"}]},
    }
    line = {"sessionId": "aaaa1111", "timestamp": "2026-03-12T09:30:00.000Z", "cwd": "/srv"}
    asked = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "?"}}
    transcript.write_text("".join(json.dumps(line | each) + "\n" for each in (asked, said)))
    world.daemon.post("/imports", {"sources": [str(transcript)]})

    agent = world.agent(prompts=[asks()])
    muted = world.ready(agent.command)
    world.cli("mute", muted, "--for", "1h")
    world.send(muted, "Look")
    decided(told, world)

    settings = world.home / "config.toml"
    settings.write_text("[notifications]\nenabled = false\n")
    world.ready(agent.command, "Look")
    decided(told, world)
    settings.write_text('[notifications]\nquiet_hours = "00:00-23:59"\n')
    world.ready(agent.command, "Look")
    decided(told, world)
    settings.write_text('[notifications]\nquiet_hours = ""\n')

    last = marker(world)

    assert [each["session_id"] for each in notified(world)] == [last]


def test_a_do_not_disturb_of_the_desktop_holds(told: Desk, world: World) -> None:
    told.dunstctl("set-paused", "true")
    world.ready(world.agent(prompts=[asks()]).command, "Look")
    until(lambda: told.dunstctl("count", "waiting").strip() == "1", "it is not held back")
    assert shown(told) == 0
    (request,) = world.daemon.get("/inbox").json()["items"]

    assert world.cli("deny", request["request_id"]).returncode == 0
    until(lambda: "needs you" not in told.icon("Title"), "it still needs somebody")
    world.cli("read", request["session_id"])
    until(lambda: told.dunstctl("count", "waiting").strip() == "0", "it waits though it was answered")
    told.dunstctl("set-paused", "false")

    assert shown(told) == 0


@pytest.mark.chromium
def test_a_click_opens_the_exact_item_on_a_page_that_is_signed_in(told: Desk, world: World) -> None:
    opened = told.command("xdg-open")
    session = world.ready(world.agent(prompts=[asks(WRITE)]).command, "Look")
    until(lambda: shown(told) == 1, "nobody was told")
    (request,) = world.daemon.get("/inbox").json()["items"]

    told.dunstctl("action")  # what a click does

    until(opened.exists, "nothing was opened")
    file = Path(unquote(opened.read_text().strip().removeprefix("file://")))
    assert file.stat().st_mode & 0o077 == 0
    with browser() as chromium:
        page = chromium.new_page()
        page.goto(file.as_uri())
        page.wait_for_selector(f'[data-request="{request["request_id"]}"]', timeout=45_000)
        address = unquote(page.url)
    assert address == f"{world.daemon.url}/sessions/{session}#{request['request_id']}"

    told.end("tray")
    assert not file.exists()


def test_a_browser_in_a_snap_is_given_a_file_that_it_can_read(desk: Desk, world: World) -> None:
    folder = world.work / "snap" / "firefox" / "common"
    folder.mkdir(parents=True)
    asked = desk.folder / "bin" / "xdg-settings"
    asked.write_text("#!/bin/sh\necho firefox_firefox.desktop\n")
    asked.chmod(0o755)
    opened = desk.command("xdg-open")
    desk.tray(HOME=str(world.work))
    until(lambda: "all is quiet" in desk.icon("Title"), "the tray never was up to date")

    desk.choose("Open the page")

    until(opened.exists, "nothing was opened")
    file = Path(unquote(opened.read_text().strip().removeprefix("file://")))
    assert file.parent == folder
    assert file.stat().st_mode & 0o077 == 0
    desk.end("tray")
    assert not file.exists()


def test_a_click_on_the_icon_opens_what_needs_somebody_in_a_terminal_if_that_was_chosen(
    told: Desk, world: World
) -> None:
    (world.home / "config.toml").write_text('[tray]\nopen = "tui"\nterminal = ["my-terminal", "--run"]\n')
    opened = told.command("my-terminal")
    world.ready(world.agent("quiet", prompts=[[{"say": "Done."}]]).command, "Look")
    session = world.ready(world.agent(prompts=[asks(WRITE)]).command, "Look")
    until(lambda: "1 needs you" in told.icon("Title"), "nothing needs anybody")

    told.call(told.item(), "/StatusNotifierItem", "org.kde.StatusNotifierItem.Activate", "0", "0")

    until(opened.exists, "nothing was opened")
    words = opened.read_text().splitlines()
    assert words[0] == "--run"
    assert words[-4:] == ["holdfast.bootstrap", "tui", "--", session]


def test_a_question_is_answered_and_a_session_muted_in_the_menu(told: Desk, world: World) -> None:
    session = world.ready(world.agent(prompts=[asks()]).command, "Look")
    until(lambda: told.line("Allow this once") is not None, "it cannot be allowed")
    assert told.line('{"path":"/srv/shop/orders.py"}') is not None

    told.choose("For 1 hour")
    until(lambda: world.row(session)["muted_until"] is not None, "it is not muted")
    until(lambda: shown(told) == 0, "what is muted is still shown")
    answer(told, world, "Allow this once")
    world.wait(session)

    assert world.said(session) == "I was let."


def test_what_may_do_something_can_only_be_denied_without_opening_it(told: Desk, world: World) -> None:
    session = world.ready(world.agent(prompts=[asks(WRITE)]).command, "Look")
    until(lambda: told.line("Deny this once") is not None, "it cannot be denied")
    assert told.line("Allow this once") is None

    answer(told, world, "Deny this once")
    world.wait(session)

    assert world.said(session) == "I was not let."


def test_what_was_asked_before_the_tray_came_is_allowed_in_its_menu_if_it_only_looks(desk: Desk, world: World) -> None:
    looks = world.ready(world.agent("looks", prompts=[[{"say": "First."}], asks()]).command, "Look")
    world.wait(looks)
    world.send(looks, "Again")
    world.wait(looks, "needs-you")
    acts = world.ready(world.agent("acts", prompts=[asks(WRITE)]).command, "Act")
    world.wait(acts, "needs-you")
    before = {request["request_id"] for request in world.inbox()}
    desk.tray()
    until(lambda: "2 need you" in desk.icon("Title"), "the tray never was up to date")

    until(lambda: desk.menu().count("Allow this once") == 1, "it cannot be allowed")
    assert desk.menu().count("Deny this once") == 2
    until(lambda: clicked(desk, "Allow this once"), "nothing was answered")
    world.wait(looks)

    assert world.said(looks).endswith("I was let.")
    assert world.row(acts)["attention"] == "needs_you"
    assert before.isdisjoint(each["data"]["item_id"] for each in notified(world)), "what was before is not told"
