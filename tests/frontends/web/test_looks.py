"""For every eye, hand and width: roles, contrast, names of controls, and no line that is wider than the screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
SAID = """# Found

It is `here`, see [the page](https://example.com/x).

```python
def f(): return 1
```

| a | b |
|--|--|
| 1 | 2 |
"""
RICH: list[dict[str, Any]] = [
    {"think": "Let me look."},
    {"say": SAID},
    {"plan": [["Look", "completed"], ["Fix", "in_progress"], ["Test", "pending"]]},
    {
        "tool": {
            "toolCallId": "1",
            "title": "Run the tests",
            "kind": "execute",
            "status": "failed",
            "rawInput": {"command": "make"},
        }
    },
    {"ask": "2", "tool": {"toolCallId": "2", "title": "Delete a file", "rawInput": {"command": "rm " + "long/" * 60}}},
]


MODES = {
    "currentModeId": "ask",
    "availableModes": [{"id": "ask", "name": "Ask", "description": "Asks first"}, {"id": "plan", "name": "Plan"}],
}


def worries(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"{AXE}\n;0")
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_nobody_is_kept_out(shared_web: Web, scheme: str, width: int) -> None:
    row = shared_web.begin({"prompts": [RICH], "result": {"modes": MODES}}, title="Fix the build")
    shared_web.send(row["id"], "Please fix it.")
    page = shared_web.open(f"/sessions/{row['id']}", width=width, color_scheme=scheme, bypass_csp=True)
    page.wait_for_selector("[data-request]")
    seen: dict[str, list[str]] = {}

    seen["session"] = worries(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    for key, selector in (("Control+k", "dialog.palette"), ("?", "dialog.keys"), ("n", "dialog.new")):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        page.wait_for_selector(selector)
        seen[selector] = worries(page)
        page.keyboard.press("Escape")
        page.wait_for_selector(selector, state="detached")
    for path in ("/inbox", "/search?q=build", f"/replay/{row['id']}", "/new/draft", "/settings", "/sessions/none"):
        page.goto(shared_web.daemon.url + path)
        page.wait_for_selector("main h1")
        seen[path] = worries(page)
        wide = max(wide, page.evaluate("document.documentElement.scrollWidth"))
    page.goto(f"{shared_web.daemon.url}/sessions/{row['id']}")
    page.wait_for_selector("[data-request]")
    page.get_by_role("button", name=re.compile("^Mode: ")).click()
    page.wait_for_selector("[role=menu]")
    seen["modes"] = worries(page)
    page.keyboard.press("Escape")
    page.get_by_label("More").click()
    seen["menu"] = worries(page)
    page.get_by_label("More").press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("e")
    for tab in ("Events", "Approvals", "Connection", "Frames"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector(".inspector :is(li, dl)")
        seen[tab] = worries(page)

    assert {where: found for where, found in seen.items() if found} == {}
    assert wide <= width


def test_an_inspector_above_its_session_is_what_escape_closes(shared_web: Web) -> None:
    row = shared_web.begin({}, title="Inspected")
    page = shared_web.open(f"/sessions/{row['id']}", width=360)
    expect(page.locator(".head h1")).to_contain_text("Inspected")
    page.wait_for_selector("textarea:focus")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("e")
    page.wait_for_selector(".inspector [role=tab]")
    tops = page.get_by_role("tab").evaluate_all("tabs => [...new Set(tabs.map((tab) => tab.offsetTop))]")

    assert len(tops) == 1, "on one line"
    page.keyboard.press("Escape")
    expect(page.locator(".inspector")).to_have_count(0)
    expect(page.locator(".head h1")).to_contain_text("Inspected")
    page.keyboard.press("Escape")
    expect(page.locator(".head h1")).to_have_count(0)


def test_a_menu_is_walked_by_arrows_and_left_by_escape_or_by_going_elsewhere(shared_web: Web) -> None:
    row = shared_web.begin({}, title="With a menu")
    page = shared_web.open(f"/sessions/{row['id']}")
    more = page.get_by_label("More")
    items = page.locator(".menu > div")

    more.press("Enter")
    more.press("ArrowDown")
    expect(page.get_by_role("button", name="Replay")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("button", name="Remove for good")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(items).to_be_hidden()
    assert page.url.endswith(row["id"])
    for elsewhere in (page.locator("[role=log]"), page.get_by_label("Message", exact=True)):
        more.click()
        expect(items).to_be_visible()
        elsewhere.click()
        expect(items).to_be_hidden()


def test_an_entry_tells_its_status_in_words_and_shape(shared_web: Web) -> None:
    row = shared_web.begin({"prompts": [RICH]}, title="Words and shapes")
    shared_web.send(row["id"], "Please.")
    page = shared_web.open("/inbox")

    entry = page.locator(f"nav [data-session='{row['id']}'][data-status='needs_you']")
    entry.wait_for()

    expect(entry).to_contain_text("needs you")
    expect(entry).to_contain_text("●")
    expect(entry).to_contain_text("Delete a file")
    expect(page).to_have_title(re.compile("you · Holdfast"))


def test_less_motion_is_no_motion(shared_web: Web) -> None:
    page = shared_web.open(reduced_motion="reduce")

    assert page.evaluate("document.getAnimations().length") == 0
