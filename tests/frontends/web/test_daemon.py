"""The page while its daemon is killed, away, and back."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from holdfast.domain.daemon import Listen
from tests.frontends.web.test_sessions import entry, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

expect.set_options(timeout=45_000)


def test_a_kill_in_mid_sentence_is_told_and_nothing_is_missing_or_doubled(web: Web, tmp_path: Path) -> None:
    go, end = tmp_path / "go", tmp_path / "end"
    words = [
        {"say": "a{n} ", "times": 5},
        {"wait": str(go)},
        {"say": "b{n} ", "times": 5},
        {"wait": str(end)},
        {"say": "c"},
    ]
    row = web.begin({"prompts": [words]}, title="Goes on")
    page = web.open(f"/sessions/{row['id']}")
    page.get_by_label("Message", exact=True).fill("Go")
    page.get_by_label("Message", exact=True).press("Enter")
    expect(page.locator(".item.assistant .md")).to_have_text(re.compile("a0 .*a4"))
    page.get_by_label("Message", exact=True).fill("a draft")
    port = web.daemon.port

    web.daemon.kill()
    expect(page.locator("[data-banner=daemon]")).to_contain_text("as of")
    page.get_by_label("Message", exact=True).press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_have_value("a draft")
    go.touch()  # the agent goes on without it
    web.daemon.start(Listen(port=port))

    expect(page.locator("[data-banner=daemon]")).to_have_count(0)
    expect(page.locator(".item.assistant .md")).to_have_text("a0 a1 a2 a3 a4 b0 b1 b2 b3 b4")
    end.touch()
    expect(page.locator(".item.assistant .md")).to_have_text("a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 c")
    expect(page.locator(".item.user .md")).to_have_text(["Go"])
    expect(page.get_by_label("Message", exact=True)).to_have_value("a draft")


def test_a_daemon_that_is_frozen_is_told_like_one_that_is_away(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "re: {prompt}"}]]}, title="Frozen")
    page = web.open(f"/sessions/{row['id']}")
    expect(entry(page, row["id"])).to_be_visible()
    pid = web.daemon.pid

    os.kill(pid, signal.SIGSTOP)
    try:
        expect(page.locator("[data-banner=daemon]")).to_contain_text("as of")
    finally:
        os.kill(pid, signal.SIGCONT)

    expect(page.locator("[data-banner=daemon]")).to_have_count(0)
    write(page, "Awake")
    expect(page.locator(".item.assistant .md")).to_have_text(["re: Awake"])


def test_a_page_that_is_opened_while_the_daemon_is_down_shows_the_last_and_comes_alive(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "kept for later"}]]}, title="Seen before")
    page = web.open(f"/sessions/{row['id']}")
    web.send(row["id"], "Say it")
    expect(page.locator(".item.assistant .md")).to_have_text("kept for later")
    page.evaluate("navigator.serviceWorker.ready")
    page.evaluate(
        """async id => {
             const { readCopy } = await import('/static/lib/keep.js');
             const kept = async () => (await readCopy(`transcript-${id}`))?.value.items.length ?? 0;
             while (await kept() < 2) await new Promise(requestAnimationFrame);
           }""",
        row["id"],
    )
    port = web.daemon.port

    web.daemon.stop()
    page.reload()
    expect(page.locator("[data-banner=daemon]")).to_contain_text("as of")
    expect(page.locator(".item.assistant .md")).to_have_text("kept for later")
    expect(page.locator(f"nav [data-session='{row['id']}']")).to_contain_text("Seen before")
    expect(page.get_by_text("cannot be sent now")).to_be_visible()
    web.daemon.start(Listen(port=port))

    expect(page.locator("[data-banner=daemon]")).to_have_count(0)
    page.get_by_label("Message", exact=True).fill("Again")
    page.get_by_label("Message", exact=True).press("Enter")
    expect(page.locator(".item.assistant .md")).to_have_text(["kept for later", "kept for later"])


def test_a_browser_without_a_right_is_told_how_to_get_one(web: Web) -> None:
    page = web.window(web.context())

    page.goto(web.daemon.url)
    expect(page.locator("main")).to_contain_text("holdfast web")
    link = web.link()
    page.goto(link)
    expect(page.locator("nav.list")).to_be_visible()
    assert "code" not in page.url

    other = web.window(web.context())
    other.goto(link)
    expect(other.get_by_role("alert")).to_contain_text("another")


def test_a_first_load_is_small(web: Web) -> None:
    page = web.window(web.context(service_workers="block"))
    page.on("console", lambda message: web.errors.clear())  # the block itself is a warning

    page.goto(web.link())
    expect(page.locator(".welcome h2")).to_have_text(["Try it", "Your own transcripts"])
    sizes = page.evaluate(
        """[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
             .filter(each => !each.name.includes('/api/')).map(each => [each.name, each.encodedBodySize])"""
    )

    assert len(sizes) > 20
    assert sum(size for _, size in sizes) <= 200_000, sizes
