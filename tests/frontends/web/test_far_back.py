"""A conversation that is too long to be loaded: its past is reached without what lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.adapters.importers import claude_lines as claude

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

expect.set_options(timeout=45_000)

LINES = 1_500
MENTIONED = 300


def shown(page: Page, text: str) -> Locator:
    """Return what the transcript shows of a text."""
    return page.locator("[role=log]").get_by_text(text, exact=True)


@pytest.fixture
def conversation(web: Web, tmp_path: Path) -> str:
    """A session of 1,500 messages, one of which mentions an albatross. Returns its id."""
    said = [
        claude.user(f"message {n}{' and an albatross' * (n == MENTIONED)}", uuid=f"u{n}", at=n) for n in range(LINES)
    ]
    transcript = claude.written(tmp_path / "long.jsonl", *said)
    assert web.daemon.post("/imports", {"sources": [str(transcript)]}).status == 200
    return claude.SESSION


def test_a_hit_far_back_is_loaded_with_what_is_around_it_and_grows_into_the_rest(web: Web, conversation: str) -> None:
    page = web.open("/search")
    page.get_by_label("Search all sessions").fill("albatross")
    page.locator(".hits a").click()
    expect(page.locator(".item.marked")).to_be_in_viewport()
    assert not [url for url in web.requests if f"/{conversation}/transcript" in url]

    page.locator("[role=log]").hover()
    seen: list[str] = []
    while page.get_by_role("button", name="To the end").count():
        seen += page.locator(".item.user .said").all_inner_texts()
        page.mouse.wheel(0, 500)

    expect(shown(page, f"message {LINES - 1}")).to_be_in_viewport()
    order = list(dict.fromkeys(seen))
    numbers = [int(text.split()[1]) for text in order]
    first = numbers[0]
    assert first <= MENTIONED
    assert numbers == list(range(first, first + len(numbers)))


def test_the_first_key_of_a_long_conversation_leads_to_its_beginning(web: Web, conversation: str) -> None:
    page = web.open(f"/sessions/{conversation}")
    expect(shown(page, f"message {LINES - 1}")).to_be_in_viewport()

    page.keyboard.press("Home")
    expect(shown(page, "message 0")).to_be_in_viewport()
    page.keyboard.press("End")
    expect(shown(page, f"message {LINES - 1}")).to_be_in_viewport()


def test_who_writes_from_the_past_sees_what_is_written(web: Web) -> None:
    many = [{"say": f"paragraph {n} about nothing. " * 8, "message": f"m{n}"} for n in range(300)]
    many[3]["say"] = "here the albatross is mentioned"
    row = web.begin({"prompts": [many, [{"say": "and so it ends"}]]})
    web.send(row["id"], "Tell me")
    page = web.open("/search")
    page.get_by_label("Search all sessions").fill("albatross")
    page.locator(".hits a").click()
    expect(page.locator(".item.marked")).to_be_in_viewport()

    page.get_by_label("Message", exact=True).fill("Go on")
    page.get_by_label("Message", exact=True).press("Enter")

    expect(shown(page, "and so it ends")).to_be_in_viewport()
    assert page.url.endswith(f"/sessions/{row['id']}")


def test_a_link_to_what_is_not_there_says_so_and_shows_the_end(web: Web, conversation: str) -> None:
    page = web.open(f"/sessions/{conversation}#nothing-of-that-name")

    expect(page.locator(".toast")).to_contain_text("nothing-of-that-name")
    expect(shown(page, f"message {LINES - 1}")).to_be_in_viewport()
