"""Whatever an agent or a peer writes, wherever it is shown: no script runs, nothing is fetched, it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

HOSTILE = (
    "<script>globalThis.broken=1</script>",
    "<img src=x onerror=globalThis.broken=1>",
    "<svg/onload=globalThis.broken=1>",
    "<svg><style><img src=x onerror=globalThis.broken=1></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=globalThis.broken=1&gt;'>",
    "<iframe srcdoc='<script>parent.broken=1</script>'></iframe>",
    "<a href='javascript:globalThis.broken=1'>click</a> [click](javascript:globalThis.broken=1)",
    "[click](data:text/html;base64,PHNjcmlwdD4xPC9zY3JpcHQ+) <javascript:globalThis.broken=1>",
    "![tracked](https://evil.invalid/pixel.png) [![x](https://evil.invalid/a.png)](https://evil.invalid)",
    "```html\n<script>globalThis.broken=1</script>\n```",
    "[https://bank.invalid](https://evil.invalid/login)",
    "{{constructor.constructor('globalThis.broken=1')()}} ${globalThis.broken=1}",
    "safe\u202egpj.exe \u2066hidden\u2069 zero\u200bwidth \x1b[31mred\x07",
)

UNFOLD = "where => document.querySelectorAll(`${where} :is(button.fold, summary)`).forEach(each => each.click())"


def test_hostile_text_in_every_field_stays_text(web: Web) -> None:
    everything = "\n\n".join(HOSTILE)
    name = HOSTILE[1]
    steps: list[dict[str, Any]] = [
        {"say": everything, "message": everything},
        {"think": everything},
        {"plan": [[each, "pending"] for each in HOSTILE]},
        {
            "tool": {
                "toolCallId": name,
                "title": everything,
                "kind": "execute",
                "status": "failed",
                "rawInput": {name: everything, "command": everything},
                "rawOutput": {name: everything},
                "content": [
                    {"type": "content", "content": {"type": "text", "text": everything}},
                    {"type": "diff", "path": name, "oldText": everything, "newText": everything + "\nmore"},
                    {"type": "content", "content": {"type": "image", "mimeType": "image/svg+xml", "data": "PHN2Zy8+"}},
                    {"type": "content", "content": {"type": "resource_link", "name": name, "uri": "javascript:1"}},
                ],
            }
        },
        {
            "update": {
                "sessionUpdate": "available_commands_update",
                "availableCommands": [{"name": name, "description": name}],
            }
        },
        {"update": {"sessionUpdate": "current_mode_update", "currentModeId": name}},
        {"update": {"sessionUpdate": name, "what": everything}},
        {
            "ask": "hostile",
            "tool": {"toolCallId": "hostile", "title": everything, "rawInput": {name: everything}},
            "options": [{"optionId": name, "kind": "allow_once", "name": everything}],
        },
    ]
    row = web.begin({"prompts": [steps], "agent_info": {"name": name, "version": name}}, title=f"{name} {HOSTILE[12]}")
    web.send(row["id"], everything)
    page = web.open(f"/sessions/{row['id']}")
    page.wait_for_selector("[data-request]")

    page.locator("[role=log]").press("Home")
    page.evaluate(UNFOLD, "[role=log]")
    page.wait_for_selector("[role=log] :text('\\\\u202e')")
    assert "evil.invalid" in page.inner_text("[role=log]"), "where a link leads is said"
    page.keyboard.press("Control+k")
    page.wait_for_selector("dialog.palette")
    page.keyboard.press("Escape")
    for tab in ("Events", "Approvals", "Connection", "Frames"):
        if not page.locator(".inspector").count():
            page.locator(".head").get_by_role("button", name="Inspect").click()
        page.get_by_role("tab", name=tab).click()
        page.evaluate(UNFOLD, ".inspector")
    places = {"/inbox": "[data-request]", "/search?q=globalThis": "mark", f"/replay/{row['id']}": "[data-request]"}
    for path, sign in places.items():
        page.goto(web.daemon.url + path)
        page.wait_for_selector(f"main {sign}")
        assert "\u202e" not in page.inner_text("main")

    assert page.evaluate("globalThis.broken") is None
    assert not page.locator("main :is(script, iframe, svg, math, object, embed, style)").count()
    assert not page.locator("main img:not([src^='data:image/png'], [src^='/static/'])").count()
    for link in page.locator("main a").all():
        assert (link.get_attribute("href") or "").startswith(("/", "https://", "http://", "mailto:"))
