"""What a browser is told to be like, who may come in, and what an inspector shows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.frontends.web.test_sessions import entry, write

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

expect.set_options(timeout=45_000)

PAPER = "getComputedStyle(document.body).backgroundColor"


def test_a_theme_is_kept_and_is_there_from_the_first_moment(shared_web: Web) -> None:
    page = shared_web.open("/settings", color_scheme="light")
    light = page.evaluate(PAPER)
    page.get_by_label("Dark", exact=True).check(force=True)
    dark = page.evaluate(PAPER)
    page.reload(wait_until="commit")

    assert dark != light
    page.wait_for_selector("[data-theme=dark] body")
    assert page.evaluate(PAPER) == dark
    expect(page.locator("meta[name=theme-color]").first).to_have_attribute("content", dark)
    page.get_by_label("As the system").check(force=True)
    assert page.evaluate(PAPER) == light


def test_a_token_is_given_out_shown_once_and_taken_back(web: Web) -> None:
    page = web.open("/settings")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Name of the token").fill("wall")
    page.get_by_role("button", name="Give out a token").click()
    secret = page.locator(".made code").inner_text()
    headers = {"Authorization": f"Bearer {secret}"}

    assert web.daemon.request("GET", "/status", headers=headers, tcp=True).status == 200
    assert web.daemon.request("POST", "/shutdown", {}, headers=headers, tcp=True).status == 403
    page.reload()
    row = page.locator(".tokens li")
    expect(row).to_contain_text("wall")
    expect(row).to_contain_text("reads only")
    assert secret not in page.content()
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert web.daemon.request("GET", "/status", headers=headers, tcp=True).status == 401


def test_who_signs_out_is_out_and_leaves_nothing_behind(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "a secret of mine"}]]}, title="Mine")
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Tell")
    expect(page.locator(".item.assistant .md")).to_have_text("a secret of mine")
    page.goto(f"{web.daemon.url}/settings")
    page.get_by_role("button", name="Sign this browser out").click()

    expect(page.locator("main")).to_contain_text("holdfast web")
    assert page.context.cookies() == []
    kept = page.evaluate("import('/static/lib/keep.js').then(({ readCopy }) => readCopy('roster'))")
    assert kept is None


def test_a_browser_notifies_of_what_nobody_looks_at_and_withdraws_it(web: Web, tmp_path: Path) -> None:
    """Notifications themselves are the browser's: here it is one that only notes what it is told."""
    ask = {"ask": "1", "tool": {"title": "Delete the branch"}}
    looked, asks = (web.begin({"prompts": [[ask]]}, title=title) for title in ("Looked at", "Asks"))
    muted = web.begin({"prompts": [[ask]]}, title="Muted")
    web.daemon.post(f"/sessions/{muted['id']}/mute", {"until": None})
    context = web.context()
    context.add_init_script(
        """globalThis.told = [];
           globalThis.Notification = class {
             static permission = 'granted';
             constructor(title, options) { Object.assign(this, options, {title, open: true}); told.push(this); }
             close() { this.open = false; }
           };
           localStorage.setItem('holdfast.notify', JSON.stringify({on: true}));"""
    )
    page = web.window(context)
    page.goto(web.link())
    page.goto(f"{web.daemon.url}/sessions/{looked['id']}")
    page.wait_for_selector(f"[data-session='{looked['id']}'][aria-current=page]")

    for row in (looked, muted, asks):
        web.send(row["id"], "Go")
        expect(entry(page, row["id"], "needs_you")).to_be_visible()
    page.wait_for_function("() => told.length > 0")
    said = page.evaluate("told.map(({title, body, open, tag, silent}) => ({title, body, open, tag, silent}))")
    assert said == [
        {
            "title": "Asks needs you",
            "body": "Delete the branch",
            "open": True,
            "tag": f"holdfast-{asks['id']}",
            "silent": True,
        }
    ]

    request = next(each for each in web.daemon.get("/inbox").json()["items"] if each["session_id"] == asks["id"])
    page.wait_for_function(
        "async (id) => (await (await fetch(`/api/v1/events?session=${id}&type=session-notified`)).text())",
        arg=asks["id"],
    )
    assert [event["data"]["item_id"] for event in web.events(asks["id"], "session-notified")] == [request["request_id"]]
    web.daemon.post(f"/inbox/{request['request_id']}", {"option_id": "once"}, Holdfast_Client="the-tray")
    page.wait_for_function("() => !told[0].open")
    page.evaluate("told[0].onclick()")
    expect(page.locator(".head h1")).to_contain_text("Asks")
    assert page.url.endswith(quote(request["request_id"], safe=""))


def tab(page: Page, name: str) -> None:
    if not page.locator(".inspector").count():
        page.locator(".head").get_by_role("button", name="Inspect").click()
    page.get_by_role("tab", name=name).click()


def test_an_inspector_shows_what_agent_and_daemon_say_while_they_say_it(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    row = web.begin({"prompts": [[{"say": "first"}, {"wait": str(go)}, {"say": "second"}]]}, title="Watched")
    page = web.open(f"/sessions/{row['id']}")
    tab(page, "Frames")
    frames = page.locator(".inspector .events li")
    expect(frames.filter(has_text="initialize")).to_have_count(1)
    expect(frames.filter(has_text="session/new")).to_have_count(1)

    write(page, "Go on")
    expect(frames.filter(has_text="session/prompt")).to_have_count(1)
    expect(frames.filter(has_text="agent_message_chunk")).to_have_count(1)
    go.touch()
    expect(frames.filter(has_text="agent_message_chunk")).to_have_count(2)
    newest = frames.filter(has_text="agent_message_chunk").first
    newest.get_by_role("button").first.click()
    shown: dict[str, Any] = json.loads(newest.locator("pre").inner_text())
    assert shown["params"]["update"]["content"]["text"] == "second"
    expect(newest.get_by_role("img", name="received")).to_be_visible()
    expect(frames.filter(has_text="session/prompt").get_by_role("img", name="sent")).to_be_visible()
    page.get_by_label("Find in frames").fill("initialize")
    expect(frames).to_have_count(1)

    page.get_by_label("Between").select_option("page")
    page.get_by_label("Find in frames").fill("")
    page.get_by_role("tab", name="Connection").click()
    expect(page.locator(".inspector")).to_contain_text("ses_")
    expect(page.locator(".inspector .facts-list")).to_contain_text("connected")
    page.get_by_role("tab", name="Events").click()
    expect(page.locator(".inspector .events li").filter(has_text="turn-ended")).to_be_visible()


def test_options_of_an_agent_are_chosen_like_its_modes(web: Web) -> None:
    options = [
        {
            "id": "model",
            "name": "Model",
            "type": "select",
            "currentValue": "small",
            "options": [
                {"value": "small", "name": "Small", "description": "Quick"},
                {"value": "large", "name": "Large", "description": "Careful"},
            ],
        }
    ]
    row = web.begin({"result": {"configOptions": options}}, title="Options")
    page = web.open(f"/sessions/{row['id']}")
    model = page.get_by_role("button", name=re.compile("^Model: "))
    expect(model).to_have_accessible_name("Model: Small")

    model.click()
    expect(page.get_by_role("menuitemradio", name="Small")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(model).to_be_focused()
    model.click()
    page.get_by_role("menuitemradio", name="Large").click()
    expect(model).to_have_accessible_name("Model: Large")
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_session_is_muted_for_a_time_and_says_so(web: Web) -> None:
    row = web.begin({}, title="Loud")
    page = web.open(f"/sessions/{row['id']}")
    page.get_by_label("More").click()
    page.get_by_role("button", name="Mute for an hour").click()

    expect(page.locator(".head .facts")).to_contain_text(re.compile(r"muted until \d"))
    expect(entry(page, row["id"])).to_contain_text("muted")
    page.get_by_label("More").click()
    page.get_by_role("button", name="Unmute").click()
    expect(page.locator(".head .facts")).not_to_contain_text("muted until")
