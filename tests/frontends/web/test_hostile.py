"""Whatever an agent or a peer writes, wherever it is shown: no script runs, nothing is fetched, it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.frontends.gateway.serving import Client

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

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

    harmless(page)


def harmless(page: Page) -> None:
    """Nothing ran, nothing but text came of it, and every link leads where links may lead."""
    assert page.evaluate("globalThis.broken") is None
    assert not page.locator("main :is(script, iframe, svg, math, object, embed, style)").count()
    assert not page.locator("main img:not([src^='data:image/png'], [src^='/static/'])").count()
    for link in page.locator("main a").all():
        assert (link.get_attribute("href") or "").startswith(("/", "https://", "http://", "mailto:"))


def test_hostile_choices_errors_files_and_devices_stay_text(web: Web, tmp_path: Path) -> None:
    name, everything = HOSTILE[1], "\n\n".join(HOSTILE)
    (tmp_path / '<svg>&lt;onload="globalThis.broken=1"\'.py').touch()
    choice = {"name": name, "description": everything}
    script = {
        "result": {
            "modes": {"currentModeId": name, "availableModes": [{"id": name, **choice}, {"id": "other", **choice}]},
            "configOptions": [
                {
                    "id": name,
                    "name": name,
                    "description": everything,
                    "type": "select",
                    "currentValue": name,
                    "options": [{"group": name, "name": name, "options": [{"value": name, **choice}]}],
                },
            ],
        },
        "opened": [
            {
                "update": {
                    "sessionUpdate": "available_commands_update",
                    "availableCommands": [{"name": "x<img>", "description": everything, "input": {"hint": name}}],
                }
            }
        ],
        "prompts": [
            [{"ask": "1", "tool": {"title": name}}],
            [{"fail": {"code": -32603, "message": everything, "data": {"details": name}}}],
        ],
    }
    row = web.begin(script, title=name)
    gone = web.daemon.post("/sessions", {"command": [f"/nowhere/{name}"], "title": name, "wait_s": 30}).json()
    page = web.open(f"/sessions/{row['id']}")
    message = page.get_by_label("Message", exact=True)

    for button in page.locator(".composer .picked").all():
        button.click()
        expect(page.get_by_role("menu")).to_contain_text("<script>")
        page.keyboard.press("Escape")
    message.press_sequentially("/x")
    expect(page.get_by_role("option")).to_contain_text("x<img>")
    message.fill("")
    message.press_sequentially("@svg")
    expect(page.get_by_role("option")).to_contain_text("<svg>&lt;")
    message.fill("Go")
    message.press("Enter")
    expect(page.locator("[data-request]")).to_be_visible()
    request = web.daemon.get("/inbox").json()["items"][0]["request_id"]
    web.daemon.post(f"/inbox/{request}", {"option_id": "once"}, Holdfast_Client=name)
    expect(page.locator(".settled")).to_contain_text(f"in {name}")
    with connect(
        f"ws://127.0.0.1:{web.daemon.port}/api/v1/stream",
        subprotocols=[Subprotocol("holdfast.v1")],
        additional_headers={"Authorization": f"Bearer {web.daemon.token}"},
    ) as opened:
        client = Client(opened)
        client.send(type="hello", client=name)
        client.send(type="focus", session=row["id"])
        expect(page.locator("[data-here]")).to_contain_text(name)
    message.fill("Again")
    message.press("Enter")
    expect(page.locator(".delivery.failed")).to_contain_text("<script>")
    harmless(page)
    page.goto(f"{web.daemon.url}/sessions/{gone['id']}")
    expect(page.locator("[data-banner=failed]")).to_contain_text(name)
    harmless(page)
