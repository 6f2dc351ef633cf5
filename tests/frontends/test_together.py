"""Several frontends on one log, each of them the real one: pages in a browser, the terminal interface, bare streams."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.frontends.gateway.serving import Client
from tests.frontends.tui.terminal import terminal
from tests.frontends.web.conftest import chromium, web
from tests.frontends.web.test_promises import journal
from tests.frontends.web.test_sessions import entry, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.tui.terminal import Terminals
    from tests.frontends.web.conftest import Web

__all__ = ["chromium", "terminal", "web"]

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

expect.set_options(timeout=45_000)

VISITS, AT_A_TIME = 50, 10


def visit(web: Web, session: str, number: int) -> dict[str, Any]:
    """Come, look at a session, and go; return what was shown first."""
    with connect(
        f"ws://127.0.0.1:{web.daemon.port}/api/v1/stream",
        subprotocols=[Subprotocol("holdfast.v1")],
        additional_headers={"Authorization": f"Bearer {web.daemon.token}"},
    ) as opened:
        client = Client(opened)
        client.send(type="hello", client=f"visitor {number}")
        client.send(type="subscribe", sub="t", view="transcript", session=session)
        client.send(type="focus", session=session)
        return client.receive("snapshot")


def test_fifty_frontends_come_and_go_and_the_agent_has_one_connection(web: Web, tmp_path: Path) -> None:
    """Nobody waits between two visits, ten at a time: far more than ten a second, however slow the machine is."""
    go = tmp_path / "go"
    words = [{"say": "a{n} ", "times": 20}, {"wait": str(go)}, {"say": "b{n} ", "times": 20}]
    row = web.begin({"prompts": [words]} | {"journal": str(tmp_path / "journal")}, title="Visited")
    page, stays = web.open(f"/sessions/{row['id']}"), web.open(f"/sessions/{row['id']}")
    write(page, "Speak")
    expect(page.locator(".md.streaming")).to_contain_text("a19")

    with ThreadPoolExecutor(AT_A_TIME) as visitors:
        visits = [visitors.submit(visit, web, row["id"], number) for number in range(VISITS)]
        for _ in range(VISITS):
            page.reload(wait_until="domcontentloaded")
    go.touch()

    whole = "".join(f"a{n} " for n in range(20)) + "".join(f"b{n} " for n in range(20))
    for window in (page, stays):
        expect(window.locator(".item.assistant .md")).to_have_text([whole.strip()])
        expect(window.locator(".item.user .md")).to_have_text(["Speak"])
        expect(entry(window, row["id"], "idle")).to_be_visible()
    assert len(visits) == VISITS
    assert all(each.result()["items"][-1]["text"].startswith("a0 a1 ") for each in visits)
    assert journal(tmp_path / "journal", "started") == 1
    assert journal(tmp_path / "journal", "eof") == 0
    assert len(web.events(row["id"], "attached")) == 1
    assert web.daemon.get("/status").json()["agents"] == 1
    assert "".join(each["data"]["text"] for each in web.events(row["id"], "text-appended")) == whole


@pytest.mark.tmux
def test_what_a_closed_page_showed_is_in_the_terminal_and_then_in_another_page(
    web: Web, terminal: Terminals, tmp_path: Path
) -> None:
    tool = {"toolCallId": "t", "title": "Look around", "status": "completed", "rawInput": {"path": "x"}}
    script = {"prompts": [[{"say": "the first answer "}, {"tool": tool}, {"say": "its end", "message": "2"}]]}
    row = web.begin(script | {"journal": str(tmp_path / "journal")}, title="Moves on")
    page = web.open(f"/sessions/{row['id']}")
    for number in range(2):
        write(page, f"question {number}")
        expect(page.locator(".item.assistant .md")).to_have_text(["the first answer", "its end"] * (number + 1))
        expect(entry(page, row["id"], "idle")).to_be_visible()
    page.context.close()

    screen = terminal("tui", row["id"], size=(100, 50))
    said = ["Moves on", "question 0", "the first answer", "Look around", "its end", "question 1"]
    shown = screen.until(lambda text: all(each in text for each in said) and text.count("its end") == 2)
    screen.keys("C-q")
    screen.ends()
    other = web.open(f"/sessions/{row['id']}")

    expect(other.locator(".item.user .md")).to_have_text(["question 0", "question 1"])
    expect(other.locator(".item.assistant .md")).to_have_text(["the first answer", "its end"] * 2)
    expect(other.locator(".tool")).to_have_count(2)
    assert shown.index("question 0") < shown.index("the first answer") < shown.index("question 1")
    assert journal(tmp_path / "journal", "started") == 1
    assert journal(tmp_path / "journal", "eof") == 0
    assert (tmp_path / "journal").read_text().count('"session/new"') == 1


@pytest.mark.tmux
def test_what_begins_or_is_said_in_one_is_in_two_pages_and_a_terminal(
    web: Web, terminal: Terminals, tmp_path: Path
) -> None:
    row = web.begin({"prompts": [[{"say": "heard: {prompt}"}]]}, title="Shared")
    one, two = web.open(f"/sessions/{row['id']}"), web.open(f"/sessions/{row['id']}")
    screen = terminal("tui", row["id"], size=(100, 40))
    screen.until("Shared")
    expect(one.locator("[data-here]")).to_contain_text("also open in tui")

    write(one, "from a page")
    for page in (one, two):
        expect(page.locator(".item.user .md")).to_have_text("from a page")
        expect(page.locator(".item.assistant .md")).to_have_text("heard: from a page")
    screen.until("heard: from a page")
    screen.type("from the terminal")
    screen.until("from the terminal")
    screen.keys("Enter")
    for page in (one, two):
        expect(page.locator(".item.user .md")).to_have_text(["from a page", "from the terminal"])
        expect(page.locator(".item.assistant .md").last).to_have_text("heard: from the terminal")
    screen.until("heard: from the terminal")

    one.get_by_role("button", name="New", exact=True).click()
    one.get_by_label("demo").check()
    one.get_by_role("button", name="Begin").click()
    one.wait_for_url("**/new/*")
    write(one, "Begun in a page")
    one.wait_for_url("**/sessions/*")
    begun = one.url.rpartition("/")[2]
    expect(entry(two, begun)).to_be_visible()
    screen.keys("Escape")
    screen.press_until("Escape", "Enter open")
    screen.until("demo")
    expect(one.locator("[data-here]")).to_have_count(0)
    assert [each["data"]["content"][0]["text"] for each in web.events(row["id"], "prompt-sent")] == [
        "from a page", "from the terminal",
    ]  # fmt: skip
