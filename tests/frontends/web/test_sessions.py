"""Sessions in the browser: begun, talked to, switched, queued, stopped and ended, with real agents behind them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page, Route

    from tests.frontends.web.conftest import Web

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

expect.set_options(timeout=45_000)

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MEGABYTE = "0123456789abcdef" * 65_536


def write(page: Page, text: str) -> None:
    """Write a message and send it, as a person does."""
    page.get_by_label("Message", exact=True).fill(text)
    expect(page.locator(".composer [type=submit]")).to_be_enabled()
    page.get_by_label("Message", exact=True).press("Enter")


def entry(page: Page, session: str, status: str | None = None) -> Locator:
    """Return the entry of a session in the list, with a status where one is named."""
    return page.locator(f"nav [data-session='{session}']" + (f"[data-status='{status}']" if status else ""))


def said(page: Page) -> str:
    """Return what the transcript shows."""
    return page.locator("[role=log]").inner_text()


def paste(page: Page, text: str) -> None:
    """Paste text where a message is written."""
    page.get_by_label("Message", exact=True).evaluate(
        """(field, text) => {
             const clipboardData = new DataTransfer();
             clipboardData.setData('text/plain', text);
             field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
           }""",
        text,
    )


def test_a_session_exists_once_something_was_said(web: Web) -> None:
    page = web.open()
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_label("demo").check()
    page.get_by_role("button", name="Begin").click()

    page.wait_for_url("**/new/*")
    assert web.daemon.get("/sessions?state=all").json()["items"] == []
    assert web.daemon.get("/status").json()["agents"] == 0, "nobody was called yet"
    page.reload()
    write(page, "Show me")

    page.wait_for_url("**/sessions/*")
    (row,) = web.daemon.get("/sessions").json()["items"]
    assert page.url.endswith(row["id"])
    expect(page.locator("[role=log] .item.user")).to_contain_text("Show me")
    expect(page.locator("[role=log] .item.assistant .said").first).to_be_visible()
    page.goto(web.daemon.url + "/new/abandoned")
    page.goto(web.daemon.url + "/inbox")
    assert len(web.daemon.get("/sessions?state=all").json()["items"]) == 1


def test_a_session_can_begin_with_a_megabyte(web: Web) -> None:
    page = web.open()
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_label("demo").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/new/*")

    paste(page, MEGABYTE)
    write(page, "Read this:")

    page.wait_for_url("**/sessions/*")
    (row,) = web.daemon.get("/sessions").json()["items"]
    expect(page.locator("[role=log] .item.assistant .said").first).to_be_visible()
    (sent,) = web.events(row["id"], "prompt-sent")
    assert [block["text"] for block in sent["data"]["content"]] == ["Read this:", MEGABYTE]


@pytest.mark.parametrize("begins", [True, False])
def test_what_was_changed_after_an_answer_was_lost_is_said_as_well(web: Web, *, begins: bool) -> None:
    page = web.open()
    if begins:
        page.get_by_role("button", name="New", exact=True).click()
        page.get_by_label("demo").check()
        page.get_by_role("button", name="Begin").click()
        page.wait_for_url("**/new/*")
    else:
        page.goto(f"{web.daemon.url}/sessions/{web.begin({'prompts': []})['id']}")
    heard: list[int] = []

    def lose(route: Route) -> None:
        heard.append(route.fetch().status)
        route.abort()

    page.route(re.compile(r"/api/v1/sessions(/[^/]*/prompts)?$"), lose, times=1)
    write(page, "First")
    expect(page.locator(".toast.failed")).to_contain_text("Whether it heard this is not known")
    assert heard in ([201], [202]), "it arrived, which the page does not know"
    write(page, "First, and second")

    expect(page.locator("[role=log] .item.user")).to_contain_text(["First", "First, and second"])
    assert len(web.daemon.get("/sessions?state=all").json()["items"]) == 1


def test_what_is_written_while_a_session_begins_goes_on_in_it(web: Web) -> None:
    page = web.open()
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_label("demo").check()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/new/*")

    def meanwhile(route: Route) -> None:
        page.get_by_label("Message", exact=True).press_sequentially(" and more")
        route.continue_()

    page.route(re.compile(r"/api/v1/sessions$"), meanwhile, times=1)
    write(page, "Hello")

    page.wait_for_url("**/sessions/*")
    expect(page.locator("[role=log] .item.user")).to_have_count(1)  # not the page of the address before
    expect(page.locator("[role=log] .item.user")).not_to_contain_text("and more")
    expect(page.get_by_label("Message", exact=True)).to_have_value(" and more")


def test_a_new_session_proposes_no_folder_that_failed_and_keeps_what_is_typed(web: Web) -> None:
    fine = web.begin({"prompts": []}, title="Fine")
    failed = web.daemon.post("/sessions", {"agent": "demo", "cwd": "/not/there", "wait_s": 30}).json()
    page = web.open()
    expect(entry(page, failed["id"], "failed")).to_be_visible()
    page.get_by_role("button", name="New", exact=True).click()
    folder = page.get_by_label("Folder")

    expect(folder).to_have_value(str(web.folder))
    folder.fill("/somewhere/else")
    web.daemon.post(f"/sessions/{fine['id']}/rename", {"title": "Better"})
    expect(entry(page, fine["id"])).to_contain_text("Better")
    expect(folder).to_have_value("/somewhere/else")


def test_an_answer_streams_in_order_and_ends(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    words = [{"say": "one **two** ", "times": 3}, {"wait": str(go)}, {"say": "three 👩‍🚀 "}, {"say": "`four`"}]
    row = web.begin({"prompts": [words]}, title="Streams")
    assert row["connection"]["state"] == "connected"
    page = web.open(f"/sessions/{row['id']}")

    write(page, "Go")
    expect(page.locator(".md.streaming")).to_have_text("one two one two one two")
    expect(entry(page, row["id"], "working")).to_be_visible()
    go.touch()

    expect(entry(page, row["id"], "idle")).to_be_visible()
    expect(page.locator(".md.streaming")).to_have_count(0)
    expect(page.locator(".item.assistant .md")).to_have_text("one two one two one two three 👩‍🚀 four")
    said = "".join(each["data"]["text"] for each in web.events(row["id"], "text-appended"))
    assert said == "one **two** " * 3 + "three 👩‍🚀 `four`"
    assert [each["data"]["stop_reason"] for each in web.events(row["id"], "turn-ended")] == ["end_turn"]


def test_a_paragraph_of_many_thousand_letters_is_whole_while_it_grows_and_afterwards(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    said = "".join(f"{number} of *them* all " for number in range(400))
    words = [
        {"say": "{n} of *them* all ", "times": 400},
        {"wait": str(go)},
        {"say": "and plain " * 300},
        {"say": "end"},
    ]
    row = web.begin({"prompts": [words]})
    page = web.open(f"/sessions/{row['id']}")
    whole = f"{said}{'and plain ' * 300}".replace("*", "")

    write(page, "Go")
    expect(page.locator(".md.streaming")).to_have_text(said.replace("*", "").strip())
    go.touch()

    expect(entry(page, row["id"], "idle")).to_be_visible()
    expect(page.locator(".md.streaming")).to_have_count(0)
    expect(page.locator(".item.assistant .md")).to_have_text(f"{whole}end")


def test_sessions_are_switched_without_a_word_to_their_agents(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = web.begin({"prompts": [[{"say": "from the first"}]], "journal": str(tmp_path / "1")}, title="First")
    second = web.begin(
        {
            "prompts": [[{"say": "from the second"}, {"wait": str(go)}, {"say": ", at last"}]],
            "journal": str(tmp_path / "2"),
        },
        title="Second",
    )
    third = web.daemon.post("/sessions", {"agent": "demo", "title": "Third", "wait_s": 30}).json()
    page = web.open(f"/sessions/{first['id']}")
    write(page, "Hello")
    expect(page.locator(".item.assistant")).to_contain_text("from the first")
    before = [(tmp_path / name).read_text() for name in "12"]

    web.send(second["id"], "Hello")
    expect(entry(page, second["id"]).locator(".badge")).to_have_text("1")
    assert "second" not in said(page)
    entry(page, second["id"]).click()
    expect(page.locator(".item.assistant")).to_have_text(re.compile("from the second"))
    expect(entry(page, second["id"]).locator(".badge")).to_have_count(0)
    entry(page, first["id"]).click()
    expect(page.locator(".head .id")).to_have_text(first["id"][:8])
    assert "second" not in said(page)
    entry(page, third["id"]).click()
    expect(page.locator(".head .facts")).to_contain_text(f"{third['id'][:8]}idledemo")
    entry(page, first["id"]).click()
    expect(page.locator(".item.assistant")).to_have_text(re.compile("from the first"))
    go.touch()

    expect(entry(page, second["id"]).locator(".badge")).to_have_count(0)  # the turn had been seen at its first text
    assert (tmp_path / "1").read_text() == before[0]
    for log in "12":
        journal = (tmp_path / log).read_text()
        assert (journal.count('"at": "started"'), journal.count('"at": "eof"')) == (1, 0)
    entry(page, second["id"]).click()
    expect(page.locator(".item.assistant .md")).to_have_text("from the second, at last")
    expect(entry(page, second["id"], "idle")).to_be_visible()
    assert [each["data"]["stop_reason"] for each in web.events(second["id"], "turn-ended")] == ["end_turn"]
    rows = web.daemon.get("/sessions").json()["items"]
    assert [each["connection"]["state"] for each in rows] == ["connected"] * 3


def test_typing_can_never_approve(web: Web) -> None:
    row = web.begin({"prompts": [[{"ask": "1", "tool": {"title": "Delete it"}, "allow": [{"say": "deleted"}]}]]})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    card = page.locator("[data-request]")
    expect(card).to_be_visible()

    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type("aAdz")
    expect(page.get_by_label("Message", exact=True)).to_have_value("aAdz")
    card.evaluate(
        """card => {
             card.focus();
             for (const key of 'aA') card.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
           }"""
    )
    assert web.events(row["id"], "permission-answered") == []

    page.wait_for_function("since => performance.now() - since > 400", arg=page.evaluate("performance.now()"))
    card.press("a")
    expect(page.locator("[role=log]")).to_contain_text("deleted")
    (answered,) = web.events(row["id"], "permission-answered")
    assert answered["actor"]["kind"] == "human"
    assert answered["actor"]["device"].startswith("web")


def test_an_approval_is_denied_with_a_reason_and_by_keys_alone(web: Web) -> None:
    row = web.begin({"prompts": [[{"ask": "1", "tool": {"title": "Delete it"}, "deny": [{"say": "not deleted"}]}]]})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    card = page.locator("[data-request]")
    expect(card).to_be_visible()

    page.keyboard.press("Tab")
    expect(card).to_be_focused()
    page.wait_for_function("since => performance.now() - since > 400", arg=page.evaluate("performance.now()"))
    page.keyboard.press("z")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.wait_for_function("since => performance.now() - since > 400", arg=page.evaluate("performance.now()"))
    page.keyboard.press("d")
    page.get_by_label("Why not").fill("it is mine")
    page.keyboard.press("Enter")

    expect(page.locator("[role=log]")).to_contain_text("not deleted")
    assert web.events(row["id"], "permission-answered")[0]["data"]["reason"] == "it is mine"


def test_a_tool_that_is_announced_and_asked_for_is_one_question_and_ends_as_it_was_answered(web: Web) -> None:
    call = {"toolCallId": "t", "title": "Write a file", "kind": "edit", "status": "pending"}
    allow = [{"tool_update": {"toolCallId": "t", "status": "completed"}}, {"say": "written"}]
    only = [{"optionId": "yes", "kind": "allow_once", "name": "Yes"}]
    ask = {"ask": "t", "tool": call, "allow": allow, "cancelled": [{"end": "cancelled"}], "options": only}
    row = web.begin({"prompts": [[{"tool": call}, ask, ask | {"ask": "u", "allow": []}]]})
    page = web.open(f"/sessions/{row['id']}")

    write(page, "Go")
    expect(page.locator("[data-request]")).to_have_count(1)
    expect(page.locator(".tool")).to_have_count(1)
    assert len(web.daemon.get("/inbox").json()["items"]) == 1
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("[role=log]")).to_contain_text("written")
    expect(page.locator(".tool").first.get_by_role("img", name="done")).to_be_visible()
    expect(page.locator("[data-request]")).to_have_count(1)
    page.get_by_role("button", name="Deny", exact=True).click()

    expect(page.locator("[data-request]")).to_have_count(0)
    expect(page.locator(".divider.cancelled")).to_be_visible()
    assert [each["data"]["option_id"] for each in web.events(row["id"], "permission-answered")] == ["yes", None]


def test_an_approval_answered_elsewhere_disappears_and_says_where(web: Web) -> None:
    script = {"prompts": [[{"ask": "call_2", "tool": {"title": "Write a file"}, "allow": [{"say": "written"}]}]]}
    one, other = (web.begin(script, title=title) for title in ("One", "Other"))
    page = web.open(f"/sessions/{one['id']}")
    phone = web.open("/inbox", width=360, height=740)
    for row in (one, other):
        web.send(row["id"], "Go")
    expect(phone.locator("[data-request]")).to_have_count(2)
    expect(page).to_have_title("2 need you · Holdfast")

    waiting = web.daemon.get("/inbox").json()["items"]
    request = next(each for each in waiting if each["session_id"] == one["id"])
    web.daemon.post(f"/inbox/{request['request_id']}", {"option_id": "once"}, Holdfast_Client="the-tray")

    expect(page.locator(".settled")).to_contain_text("in the-tray at ")
    expect(page.locator(".toast").filter(has_text="Answered in the-tray")).to_be_visible()
    expect(phone.locator("[data-request]")).to_have_count(1)
    expect(entry(page, other["id"], "needs_you")).to_be_visible()


def test_what_is_said_while_the_agent_works_waits_in_sight(web: Web, tmp_path: Path) -> None:
    go = tmp_path / "go"
    row = web.begin({"prompts": [[{"wait": str(go)}, {"say": "re: {prompt}"}], [{"say": "re: {prompt}"}]]})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "first")
    expect(entry(page, row["id"], "working")).to_be_visible()
    write(page, "second")
    write(page, "third")

    queue = page.locator(".queue")
    expect(queue).to_contain_text("Queued (2)")
    queue.locator("li", has_text="third").get_by_label("Take back").click()
    expect(queue).to_contain_text("Queued (1)")
    queue.get_by_role("button", name="Edit").click()
    queue.get_by_label("Queued message").fill("second, edited")
    queue.get_by_label("Queued message").press("Enter")
    expect(queue.locator(".words")).to_have_text("second, edited")
    go.touch()

    expect(page.locator(".item.assistant .md")).to_have_text(["re: first", "re: second, edited"])
    expect(queue).to_have_count(0)


def test_a_turn_is_stopped(web: Web, tmp_path: Path) -> None:
    tool = {"toolCallId": "t", "title": "Dig", "status": "in_progress"}
    row = web.begin({"prompts": [[{"tool": tool}, {"say": "I begin"}, {"wait": str(tmp_path / "never")}]]})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    expect(page.locator(".md.streaming")).to_have_text("I begin")

    page.get_by_role("button", name="Stop").click()

    expect(page.locator(".divider.cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.locator(".tool.failed")).to_contain_text("never told: its turn was stopped")


def test_an_ended_session_leaves_the_list_and_the_next_one_shows(web: Web) -> None:
    keep, end = (web.begin({}, title=title) for title in ("To keep", "To end"))
    page = web.open(f"/sessions/{end['id']}")
    other = web.open()
    assert web.daemon.get("/status").json()["agents"] == 2
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_label("More").click()
    page.get_by_role("button", name="End session").click()
    expect(entry(page, end["id"])).to_be_visible()
    assert web.events(end["id"], "session-ended") == []

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_label("More").click()
    page.get_by_role("button", name="End session").click()

    expect(entry(page, end["id"])).to_have_count(0)
    expect(entry(other, end["id"])).to_have_count(0)
    while web.daemon.get("/status").json()["agents"] != 1:  # its agent has a moment to go by itself
        page.wait_for_timeout(50)
    page.wait_for_url(f"**/sessions/{keep['id']}")
    page.get_by_role("button", name="Show ended sessions").click()
    expect(entry(page, end["id"], "ended")).to_be_visible()


def test_an_error_of_the_agent_is_told_and_the_next_message_goes_on(web: Web) -> None:
    fail = {"fail": {"code": -32603, "message": "the model is away", "data": {"stack": "at secret.js:1"}}}
    row = web.begin({"prompts": [[fail], [{"say": "here again"}]]})
    page = web.open(f"/sessions/{row['id']}")

    write(page, "Hello?")
    expect(page.locator("[role=log]")).to_contain_text("the model is away")
    assert "secret.js" not in said(page)
    expect(page.locator(".streaming")).to_have_count(0)
    page.get_by_label("Message", exact=True).fill("Again:")
    page.get_by_role("button", name="Write it again").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Again:\n\nHello?")
    page.get_by_label("Message", exact=True).press("Enter")

    expect(page.locator(".item.assistant .md")).to_have_text("here again")


@pytest.mark.parametrize("keep", [True, False])
def test_a_session_that_its_agent_no_longer_has_is_kept_as_a_copy_or_removed(web: Web, *, keep: bool) -> None:
    no_such = {"code": -32002, "message": "Resource not found: session"}
    row = web.begin({"load": {"fail": no_such}, "prompts": [[{"say": "one word"}, {"exit": 0}]]}, title="Forgotten")
    page = web.open(f"/sessions/{row['id']}")
    write(page, "hello")
    expect(page.locator(".divider.interrupted")).to_be_visible()
    write(page, "again")
    banner = page.locator("[data-banner=lost]")
    expect(banner).to_contain_text("Its agent no longer has this session")

    page.once("dialog", lambda dialog: dialog.accept())
    banner.get_by_role("button", name="Keep the copy" if keep else "Remove it").click()

    expect(entry(page, row["id"])).to_have_count(0)
    if keep:
        expect(page.locator(".over")).to_contain_text("Its history stays")
        expect(page.locator(".item.assistant .md")).to_have_text("one word")
    else:
        expect(page.locator(".welcome h1")).to_be_visible()
        assert web.daemon.get(f"/sessions/{row['id']}").status == 404


def test_two_windows_and_a_phone_show_the_same(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "all see this"}]]}, title="Shared")
    windows = [
        web.open(f"/sessions/{row['id']}"),
        web.open(f"/sessions/{row['id']}"),
        web.open(f"/sessions/{row['id']}", width=360),
    ]

    write(windows[2], "From the phone")

    for page in windows:
        expect(page.locator(".item.user .md")).to_have_text("From the phone")
        expect(page.locator(".item.assistant .md")).to_have_text("all see this")
    windows[0].context.close()
    write(windows[1], "Still here")
    expect(windows[2].locator(".item.user .md")).to_have_text(["From the phone", "Still here"])


def test_a_page_that_is_loaded_again_goes_on_with_the_same_conversation(web: Web, tmp_path: Path) -> None:
    go, journal = tmp_path / "go", tmp_path / "journal"
    script = {"prompts": [[{"say": "begun "}, {"wait": str(go)}, {"say": "and done"}], [{"say": "re: {prompt}"}]]}
    row = web.begin(script | {"journal": str(journal)})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Say it")
    expect(page.locator(".md.streaming")).to_have_text("begun")

    page.reload()
    expect(page.locator(".md.streaming")).to_have_text("begun")
    other = web.open(f"/sessions/{row['id']}")
    go.touch()
    for window in (page, other):
        expect(window.locator(".item.assistant .md")).to_have_text("begun and done")
    write(other, "Again")

    expect(page.locator(".item.assistant .md")).to_have_text(["begun and done", "re: Again"])
    expect(page.locator(".item.user .md")).to_have_text(["Say it", "Again"])
    for once in ('"started"', '"session/new"'):
        assert journal.read_text().count(once) == 1


def test_a_paste_of_a_megabyte_is_sent_whole(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "got it"}]]})
    page = web.open(f"/sessions/{row['id']}")
    text = MEGABYTE

    paste(page, text)
    expect(page.locator(".pieces")).to_contain_text("Pasted text, 1.0 MB")
    write(page, "Read this:")

    expect(page.locator(".item.assistant .md")).to_have_text("got it")
    (sent,) = web.events(row["id"], "prompt-sent")
    assert [block["text"] for block in sent["data"]["content"]] == ["Read this:", text]


def test_a_hit_of_a_search_opens_where_it_was_said(web: Web) -> None:
    many = [{"say": f"paragraph {n} about nothing. " * 8, "message": f"m{n}"} for n in range(120)]
    many[3]["say"] = "here the albatross is mentioned"
    row = web.begin({"prompts": [many]}, title="Birds")
    web.send(row["id"], "Tell me")
    page = web.open("/search")

    page.get_by_label("Search all sessions").fill("albatross")
    page.locator(".hits a").click()

    expect(page.locator(".item.marked")).to_contain_text("the albatross is mentioned")
    expect(page.locator(".item.marked")).to_be_in_viewport()
    page.get_by_role("button", name="To the end").click()
    expect(page.get_by_text("paragraph 119 about nothing.").first).to_be_in_viewport()


def _text(text: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": text}}


def test_replay_ends_where_the_session_is(web: Web) -> None:
    tool = {"toolCallId": "t", "title": "Run", "kind": "execute", "status": "in_progress", "rawInput": {"command": "x"}}
    steps: list[dict[str, Any]] = [
        {"think": "hm "},
        {"say": "one ", "times": 3},
        {"plan": [["a", "pending"]]},
        {"tool": tool},
        {"tool_update": {"toolCallId": "t", "content": [_text("a")]}},
        {"tool_update": {"toolCallId": "t", "status": "completed", "content": [_text("a\nb é 👩‍🚀")]}},
        {"update": {"sessionUpdate": "of_the_future"}},
        {"say": "two"},
        {"ask": "t2", "tool": {"title": "Ask"}},
    ]
    row = web.begin({"prompts": [steps, [{"fail": {"code": -32603, "message": "no"}}]]})
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Go")
    page.get_by_role("button", name="Allow once").click()
    expect(entry(page, row["id"], "idle")).to_be_visible()
    write(page, "More")
    expect(page.locator("[role=log]")).to_contain_text("failed: no")

    folded = page.evaluate(
        """async (id) => {
          const { take } = await import('/static/lib/fold.js');
          const { readEvents } = await import('/static/lib/events.js');
          const items = new Map();
          for (const event of await readEvents({session: id})) take(items, event);
          return [...items.values()];
        }""",
        row["id"],
    )
    stored = web.daemon.get(f"/sessions/{row['id']}/transcript?limit=1000").json()["items"]

    def plain(item: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in item.items() if value not in (None, "", []) and name != "ordinal"}

    assert [plain(item) for item in folded] == [plain(item) for item in stored]
    page.goto(f"{web.daemon.url}/replay/{row['id']}")
    expect(page.locator("[role=log]")).to_contain_text("two")
    page.get_by_label("Moment").press("Home")
    expect(page.locator("[role=log]")).not_to_contain_text("two")


def test_a_mode_stays_with_its_session(web: Web, tmp_path: Path) -> None:
    offered = [
        {"id": "default", "name": "Ask"},
        {"id": "plan", "name": "Plan", "description": "It changes nothing"},
    ]
    modes = {"currentModeId": "default", "availableModes": offered}
    script = {"result": {"modes": modes}, "prompts": [[{"say": "done"}]]}
    one = web.begin(script | {"journal": str(tmp_path / "one")}, title="One")
    other = web.begin(script | {"journal": str(tmp_path / "other")}, title="Other")
    page = web.open(f"/sessions/{one['id']}")
    mode = page.get_by_role("button", name=re.compile("^Mode: "))
    expect(mode).to_have_accessible_name("Mode: Ask")

    mode.click()
    expect(page.get_by_role("menuitemradio", name="Ask")).to_be_focused()
    expect(page.get_by_role("menu")).to_contain_text("changes nothing")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(mode).to_have_accessible_name("Mode: Plan")
    entry(page, other["id"]).click()
    expect(page.locator(".head h1")).to_contain_text("Other")
    expect(mode).to_have_accessible_name("Mode: Ask")
    entry(page, one["id"]).click()

    expect(mode).to_have_accessible_name("Mode: Plan")
    page.reload()
    expect(mode).to_have_accessible_name("Mode: Plan")
    expect(page.locator("nav .entries")).to_be_visible()
    fresh = web.begin(script)
    page.goto(f"{web.daemon.url}/sessions/{fresh['id']}")
    expect(mode).to_have_accessible_name("Mode: Ask")
    asked = [(tmp_path / name).read_text().count('"method": "session/set_mode"') for name in ("one", "other")]
    assert asked == [1, 0]


def test_a_peek_reads_nothing_and_escape_only_closes_it(web: Web) -> None:
    row = web.begin({"prompts": [[{"say": "the last words"}]]}, title="Peeked at")
    web.send(row["id"], "Say it")
    page = web.open("/inbox")
    expect(entry(page, row["id"]).locator(".badge")).to_have_text("1")

    page.keyboard.press("j")
    expect(entry(page, row["id"])).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_contain_text("the last words")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/inbox")
    expect(entry(page, row["id"]).locator(".badge")).to_have_text("1")


def test_commands_files_and_pictures_are_sent_as_what_they_are(web: Web, tmp_path: Path) -> None:
    commands = {
        "sessionUpdate": "available_commands_update",
        "availableCommands": [{"name": "review", "description": ""}],
    }
    tool = {"toolCallId": "1", "title": "Read", "status": "completed", "rawInput": {"path": "src/tide.py"}}
    script = {
        "capabilities": {"promptCapabilities": {"image": True}},
        "prompts": [[{"update": commands}, {"tool": tool}]],
    }
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "timber.py").touch()
    row = web.begin(script)
    page = web.open(f"/sessions/{row['id']}")
    write(page, "Read it")
    expect(page.locator(".tool")).to_be_visible()
    message = page.get_by_label("Message", exact=True)

    message.press_sequentially("/re")
    page.get_by_role("option", name="/review").wait_for()
    message.press("Tab")
    message.press_sequentially("@ti")
    expect(page.get_by_role("option")).to_have_text([re.compile("tide.py"), re.compile("timber.py")])
    message.press("Enter")
    message.evaluate(
        """(field, png) => {
             const clipboardData = new DataTransfer();
             const data = Uint8Array.from(atob(png), each => each.charCodeAt(0));
             clipboardData.items.add(new File([data], 'p.png', {type: 'image/png'}));
             field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}));
           }""",
        PNG,
    )
    expect(page.locator(".pieces")).to_contain_text("p.png")
    page.reload()
    expect(page.locator(".pieces")).to_contain_text("p.png")
    expect(message).to_have_value("/review @src/tide.py ")
    message.press("Enter")

    expect(page.locator(".item.user .pictures img")).to_be_visible()
    content = web.events(row["id"], "prompt-sent")[-1]["data"]["content"]
    assert [block["type"] for block in content] == ["text", "resource_link", "image"]
    assert content[0]["text"] == "/review @src/tide.py"
    assert content[1]["uri"].endswith("/src/tide.py")


def test_what_is_removed_leaves_every_window_and_the_browser(web: Web) -> None:
    row = web.begin({}, title="Secret plans")
    pages = [web.open(f"/sessions/{row['id']}"), web.open(f"/sessions/{row['id']}", width=360, height=740)]
    write(pages[0], "the treasure lies under the oak")
    for page in pages:
        page.locator("[role=log]").get_by_text("under the oak").first.wait_for()
        page.evaluate(COPIES, [row["id"], True])

    assert web.daemon.request("DELETE", f"/sessions/{row['id']}").status == 204

    for page in pages:
        expect(page.get_by_role("heading", name="There is no such session")).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("under the oak")
        page.evaluate(COPIES, [row["id"], False])


COPIES = """async ([id, there]) => {
  const { namesOfCopies } = await import('/static/lib/keep.js');
  const kept = async () => (await namesOfCopies()).includes(`transcript-${id}`);
  while ((await kept()) !== there) await new Promise(done => setTimeout(done, 50));
}"""
