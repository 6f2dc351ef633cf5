"""What the page promises about sessions, one promise a test: in order, once, in the right place, and told."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from holdfast.domain.daemon import Listen
from tests.frontends.web.test_sessions import entry, said, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

expect.set_options(timeout=45_000)


def journal(path: Path, at: str) -> int:
    """How often something happened to an agent."""
    return path.read_text().count(f'"at": "{at}"')


def test_twenty_messages_before_an_agent_is_ready_arrive_in_order_each_once_one_at_a_time(
    web: Web, tmp_path: Path
) -> None:
    ready, log = tmp_path / "ready", tmp_path / "journal"
    script = {"new": [{"wait": str(ready)}], "prompts": [[{"say": "re: {prompt}"}]], "journal": str(log)}
    row = web.begin(script, wait_s=0, title="Not ready")
    other = web.begin({"prompts": [[{"say": "other: {prompt}"}]]}, title="Beside")
    page = web.open(f"/sessions/{row['id']}")
    expect(entry(page, row["id"], "reconnecting")).to_be_visible()

    page.evaluate(
        """async ([id, other]) => {
             const { send } = await import('/static/lib/commands.js');
             const sent = Array.from({length: 20}, (_, n) => send(id, `message ${n}`, `client-${n}`)); // at once
             await Promise.all([...sent, send(other, 'for the other', 'client-other')]);
           }""",
        [row["id"], other["id"]],
    )
    expect(page.locator(".queue")).to_contain_text("Queued (20)")
    assert '"session/prompt"' not in log.read_text()
    ready.touch()

    expect(page.locator(".item.assistant .md").last).to_have_text("re: message 19")
    expected = [text for n in range(20) for text in (f"message {n}", f"re: message {n}")]
    items = web.daemon.get(f"/sessions/{row['id']}/transcript?limit=1000").json()["items"]
    assert [item["text"] for item in items if item["kind"] == "message"] == expected
    steps = re.findall(r'"at": "(turn)"|"method": "(session/prompt)"', log.read_text())
    assert steps == [("", "session/prompt"), ("turn", "")] * 20, "never two at a time"
    entry(page, other["id"]).click()
    expect(page.locator(".item.assistant .md")).to_have_text(["other: for the other"])


def test_words_and_tools_of_one_turn_stand_in_their_order_with_their_own_results(web: Web, tmp_path: Path) -> None:
    def call(name: str, **more: Any) -> dict[str, Any]:
        return {"toolCallId": name, "title": f"Tool {name}", "kind": "read", **more}

    def text(words: str) -> list[dict[str, Any]]:
        return [{"type": "content", "content": {"type": "text", "text": words}}]

    go = tmp_path / "go"
    steps: list[dict[str, Any]] = [
        {"say": "First, ", "message": "m1"},
        {"tool": call("one", status="in_progress", rawInput={"path": "1"})},
        {"tool": call("two", status="in_progress", rawInput={"path": "2"})},
        {"wait": str(go)},
        {"tool_update": {"toolCallId": "two", "status": "failed", "content": text("result of two")}},
        {"tool_update": {"toolCallId": "one", "status": "completed", "content": text("result of one")}},
        {"say": "then this.", "message": "m2"},
    ]
    row = web.begin({"prompts": [steps]}, title="Blocks")
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    expect(page.locator(".tool")).to_have_count(2)
    go.touch()
    expect(page.locator(".item.assistant .md")).to_have_text(["First,", "then this."])

    shown = page.locator("[role=log] .item").evaluate_all(
        "all => all.map(each => [each.className.split(' ').slice(0, 3).join(' ').trim(), each.dataset.item])"
    )
    assert [kind for kind, _ in shown] == [
        "item message user", "item message assistant", "item tool_call", "item tool_call", "item message assistant",
    ]  # fmt: skip
    one, two = page.locator(".tool").filter(has_text="Tool one"), page.locator(".tool").filter(has_text="Tool two")
    one.locator("button.fold").click()
    expect(one.locator("pre").last).to_have_text("result of one")
    expect(two.locator("pre").last).to_have_text("result of two")
    expect(two.get_by_role("img", name="failed")).to_be_visible()
    expect(one.get_by_role("img", name="done")).to_be_visible()


def test_a_session_in_the_background_is_counted_told_and_never_mixed_up(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    ask = {"ask": "call_2", "tool": {"title": "Delete the branch"}, "allow": [{"say": " and gone"}]}
    front = web.begin({"prompts": [[{"say": "from the front"}]], "journal": str(tmp_path / "1")}, title="Front")
    back = web.begin(
        {"prompts": [[{"say": "from the back"}, {"wait": str(go)}, ask]], "journal": str(tmp_path / "2")}, title="Back"
    )
    page = web.open(f"/sessions/{front['id']}")
    write(page, "Hello")
    expect(page.locator(".item.assistant .md")).to_have_text("from the front")
    before = (tmp_path / "1").read_text()

    web.send(back["id"], "Hello")
    expect(entry(page, back["id"], "working")).to_be_visible()
    expect(entry(page, back["id"]).locator(".badge")).to_have_text("1")
    go.touch()
    expect(page.locator(".toast").filter(has_text="Back needs you: Delete the branch")).to_be_visible()
    expect(entry(page, back["id"], "needs_you").locator(".badge")).to_have_text("2")
    assert "back" not in said(page)
    assert len(web.daemon.get("/inbox").json()["items"]) == 1

    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".head .id")).to_have_text(back["id"][:8])
    expect(page.locator(".item.assistant .md")).to_have_text("from the back")
    expect(entry(page, back["id"]).locator(".badge")).to_have_count(0)
    page.get_by_role("button", name="Allow once").click()
    expect(page.locator(".item.assistant .md")).to_have_text(["from the back", "and gone"])
    expect(entry(page, back["id"], "idle")).to_be_visible()
    assert [each["data"]["stop_reason"] for each in web.events(back["id"], "turn-ended")] == ["end_turn"]
    assert "".join(each["data"]["text"] for each in web.events(back["id"], "text-appended")) == "from the back and gone"
    assert (tmp_path / "1").read_text() == before, "switching says nothing to an agent"
    for log in "12":
        assert (journal(tmp_path / log, "started"), journal(tmp_path / log, "eof")) == (1, 0)


def test_an_answer_that_comes_too_late_is_told_and_the_card_is_gone(web: Web) -> None:
    row = web.begin({"prompts": [[{"ask": "1", "tool": {"title": "Write a file"}, "deny": [{"say": "as you wish"}]}]]})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    card = page.locator("[data-request]")
    expect(card).to_be_visible()
    request = str(card.get_attribute("data-request"))

    def elsewhere_first(route: Any) -> None:
        web.daemon.post(f"/inbox/{request}", {"option_id": "reject"}, Holdfast_Client="the-tray")
        route.continue_()

    page.route("**/api/v1/inbox/*", elsewhere_first)
    card.get_by_role("button", name="Allow once").click()

    expect(page.locator(".toast.failed")).to_contain_text("answered")
    expect(card).to_have_count(0)
    expect(page.locator(".settled")).to_contain_text("in the-tray")
    expect(page.locator("[role=log]")).to_contain_text("as you wish")
    (answered,) = web.events(row["id"], "permission-answered")
    assert answered["data"]["option_id"] == "reject"


def test_garbage_of_an_agent_and_words_of_the_future_end_nothing(web: Web) -> None:
    steps: list[dict[str, Any]] = [
        {"say": "before "},
        {"raw": "this is no JSON\n"},
        {"send": [1, 2, 3]},
        {"update": {"sessionUpdate": "of_the_future", "what": "ever"}},
        {"say": "after", "message": "2"},
    ]
    row = web.begin({"prompts": [steps]}, title="Odd")
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")

    expect(page.locator(".item.assistant .md")).to_have_text(["before", "after"])
    expect(page.locator("details.raw").filter(has_text="of_the_future")).to_be_visible()
    expect(entry(page, row["id"], "idle")).to_be_visible()


def test_a_message_that_cannot_be_carried_is_refused_and_stays(web: Web) -> None:
    row = web.begin({})
    page = web.open(f"/sessions/{row['id']}")
    message = page.get_by_label("Message", exact=True)
    message.fill("look at this")
    message.evaluate(
        """field => {
             const clipboardData = new DataTransfer();
             clipboardData.setData('text/plain', 'x'.repeat(16_000_000));
             field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
           }"""
    )

    expect(page.locator(".toast.failed")).to_contain_text("more than one message can carry")
    expect(message).to_have_value("look at this")
    assert web.events(row["id"], "prompt-queued") == []


def test_after_a_restart_sessions_unread_and_the_last_one_looked_at_are_there(web: Web) -> None:
    script = {"prompts": [[{"say": "an answer"}]]}
    last, unread = (web.begin(script, title=title) for title in ("Looked at", "Unseen"))
    page = web.open(f"/sessions/{last['id']}")
    write(page, "Hello")
    expect(page.locator(".item.assistant .md")).to_have_text("an answer")
    web.send(unread["id"], "Hello")
    expect(entry(page, unread["id"], "unread")).to_be_visible()
    expect(entry(page, last["id"], "idle")).to_be_visible()
    away = web.daemon.post("/sessions", {"target": "acp+ws://127.0.0.1:9/nobody", "title": "Out of reach"}).json()
    expect(entry(page, away["id"], "reconnecting")).to_be_visible()
    port = web.daemon.port

    web.daemon.stop()
    expect(page.locator("[data-banner=daemon]")).to_be_visible()
    web.daemon.start(Listen(port=port))
    expect(page.locator("[data-banner=daemon]")).to_have_count(0)
    again = web.window(page.context)
    again.goto(web.daemon.url)

    again.wait_for_url(f"**/sessions/{last['id']}")
    for window in (page, again):
        expect(window.locator(".item.assistant .md")).to_have_text("an answer")
        expect(entry(window, unread["id"], "unread").locator(".badge")).to_have_text("1")
        expect(entry(window, away["id"], "reconnecting")).to_be_visible()
        expect(window.locator("nav [data-session]")).to_have_count(3)
    for row in (last, unread):
        assert web.daemon.get(f"/sessions/{row['id']}").json()["connection"]["state"] == "connected"


def test_the_last_session_that_ends_leaves_the_start_page(web: Web) -> None:
    row = web.begin({}, title="The only one")
    page = web.open(f"/sessions/{row['id']}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("More").click()
    page.get_by_role("button", name="End session").click()

    expect(page.locator(".welcome h1")).to_be_visible()
    expect(page.locator("nav [data-session]")).to_have_count(0)
    page.goto(f"{web.daemon.url}/sessions/{row['id']}")
    expect(page.locator(".over")).to_contain_text("Its history stays")
    expect(page.get_by_label("Message", exact=True)).to_have_count(0)


def test_no_credential_is_in_a_log_or_in_the_store(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "hello"}]]})
    link = web.link()
    page = web.window(web.context())
    page.goto(link)
    page.goto(f"{web.daemon.url}/sessions/{row['id']}")
    write(page, "Hello")
    expect(page.locator(".item.assistant .md")).to_have_text("hello")
    (cookie,) = page.context.cookies()
    secrets = [web.daemon.token, link.rpartition("=")[2], str(cookie.get("value"))]
    web.daemon.stop()

    with closing(sqlite3.connect(web.daemon.home / "log.db")) as log:
        dumped = "\n".join(log.iterdump())
    kept = dumped + "".join(file.read_text() for file in (web.daemon.home / "logs").iterdir())
    assert row["id"] in kept
    assert [secret for secret in secrets if secret in kept] == []


def test_what_came_below_the_screen_stays_unread_until_it_is_seen(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    many = [{"say": f"paragraph {n}. " * 20, "message": f"m{n}"} for n in range(40)]
    row = web.begin({"prompts": [many, [{"wait": str(go)}, {"say": "the newest", "message": "n"}]]}, title="Long")
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    expect(page.locator("[role=log]").get_by_text("paragraph 39.").first).to_be_in_viewport()
    expect(entry(page, row["id"], "idle")).to_be_visible()
    page.locator("[role=log]").press("Home")
    expect(page.get_by_text("paragraph 0.").first).to_be_in_viewport()

    web.send(row["id"], "More")
    go.touch()
    expect(entry(page, row["id"], "unread").locator(".badge")).to_have_text("1")
    page.get_by_role("button", name="To the end").click()
    expect(page.locator("[role=log]").get_by_text("the newest")).to_be_in_viewport()
    expect(entry(page, row["id"]).locator(".badge")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("m")

    expect(entry(page, row["id"], "unread")).to_be_visible()
    web.events(row["id"])  # whatever that led to is in the log by now
    page.goto(f"{web.daemon.url}/inbox")
    expect(entry(page, row["id"], "unread")).to_be_visible()


def test_every_item_can_be_copied_linked_to_and_looked_into(web: Web) -> None:
    steps: list[dict[str, Any]] = [
        {"think": "hm"},
        {"say": "said"},
        {"plan": [["a", "pending"]]},
        {"tool": {"toolCallId": "t", "title": "Run", "status": "completed"}},
        {"update": {"sessionUpdate": "of_the_future"}},
        {"ask": "q", "tool": {"title": "Ask"}, "allow": []},
    ]
    row = web.begin({"prompts": [steps]}, title="All kinds")
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    page.get_by_role("button", name="Allow once").click()
    expect(page.locator(".settled")).to_be_visible()
    expect(entry(page, row["id"], "idle")).to_be_visible()

    items = page.locator("[role=log] article.item")
    assert items.count() == 8
    for at in range(items.count()):
        item = items.nth(at)
        item.hover()
        expect(item.get_by_role("button", name="Link")).to_be_visible()
        item.get_by_role("button", name="Inspect").click()
        expect(page.locator(".raw-panel")).to_be_visible()
        expect(page.locator(".raw-panel")).to_contain_text(str(item.get_attribute("data-item")))
        page.keyboard.press("Escape")
        expect(page.locator(".raw-panel")).to_have_count(0)
