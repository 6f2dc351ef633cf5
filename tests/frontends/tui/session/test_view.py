"""One session as a person meets it: keys in, screen out, against a source that the test plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from textual.events import MouseDown, MouseMove, MouseScrollDown, MouseUp, Paste

from holdfast.domain.errors import ConflictError
from tests.frontends.tui.session.stage import AT, SESSION, Played, PlayedSource, message, playing, question, row

if TYPE_CHECKING:
    from pathlib import Path

    from textual.widget import Widget

    from holdfast.frontends.client.views import Json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Textual is of asyncio."""
    return "asyncio"


async def test_it_opens_at_the_end_with_the_composer_ready() -> None:
    source = PlayedSource(*(message(n) for n in range(1, 60)))
    async with playing(source) as played:
        screen = await played.shows("words 59")
        assert "words 1\n" not in screen
        await played.press(*"hi")

        assert played.app.session.composer.text == "hi"


async def test_a_message_is_sent_once_and_what_is_typed_meanwhile_stays() -> None:
    source = PlayedSource()
    source.hold = anyio.Event()
    async with playing(source) as played:
        await played.press(*"one", "enter")
        await played.until(lambda: bool(source.commands))
        await played.press("enter", *"two")
        source.hold.set()
        await played.until(lambda: played.app.session.composer.text == "two")

    assert [(verb, body) for verb, body, _ in source.commands] == [("prompts", {"content": "one"})]


async def test_lines_are_broken_with_ctrl_j_and_shift_enter() -> None:
    source = PlayedSource()
    async with playing(source) as played:
        await played.press("a", "ctrl+j", "b", "shift+enter", "c", "enter")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][1] == {"content": "a\nb\nc"}


async def test_what_was_refused_is_said_and_kept_under_its_name() -> None:
    source = PlayedSource()
    source.refusal = ConflictError("not now")
    async with playing(source) as played:
        await played.press(*"one", "enter")
        await played.until(lambda: played.app.said == ["not now"])
        assert played.app.session.composer.text == "one"
        source.refusal = None
        await played.press("enter")
        await played.until(lambda: played.app.session.composer.text == "")

    (_, _, first), (_, _, second) = source.commands
    assert first == second


async def test_nothing_is_sent_while_the_daemon_is_away_and_the_draft_stays(tmp_path: Path) -> None:
    source = PlayedSource(message(1))
    async with playing(source, drafts=tmp_path / "drafts") as played:
        await played.shows("words 1")
        source.turn("waiting")
        await played.shows("daemon unreachable")
        await played.press(*"later", "enter")
        await played.until(lambda: bool(played.app.said))
        assert "kept" in played.app.said[0]
        await played.shows("words 1")

    assert not source.commands
    async with playing(PlayedSource(), drafts=tmp_path / "drafts") as played:
        await played.until(lambda: played.app.session.composer.text == "later")


async def test_what_was_sent_before_comes_back_with_the_arrow() -> None:
    source = PlayedSource(message(1, "first", "user"), message(2), message(3, "second", "user"))
    async with playing(source) as played:
        await played.shows("second")
        await played.press("up")
        await played.until(lambda: played.app.session.composer.text == "second")
        await played.press("up")
        assert played.app.session.composer.text == "first"
        await played.press("down", "down")
        assert played.app.session.composer.text == ""


async def test_a_paste_of_a_megabyte_is_kept_beside_the_text_and_sent_with_it() -> None:
    source = PlayedSource()
    pasted = "a line of it\n" * 80_000
    async with playing(source) as played:
        await played.press(*"look")
        played.app.session.composer.post_message(Paste(pasted))
        await played.shows("Pasted text, 1,040,000 bytes, 80,001 lines")
        await played.press("enter")
        await played.until(lambda: bool(source.commands))
        await played.hides("Pasted text")

    assert source.commands[0][1]["content"] == [{"type": "text", "text": pasted}, {"type": "text", "text": "look"}]


async def test_commands_of_the_agent_are_offered_and_completed() -> None:
    source = PlayedSource()
    source.offers = {"commands": [{"name": "compact", "description": "Make it short"}, {"name": "review"}], "modes": []}
    async with playing(source) as played:
        await played.press("/")
        await played.shows("Make it short")
        await played.press("c", "tab")
        await played.until(lambda: played.app.session.composer.text == "/compact ")
        await played.hides("Make it short")


async def test_files_are_offered_and_sent_as_links() -> None:
    source = PlayedSource()
    source.folder = ["src/app.py", "README.md"]
    async with playing(source) as played:
        await played.press(*"see @app")
        await played.shows("src/app.py")
        await played.press("enter")
        await played.until(lambda: played.app.session.composer.text == "see @src/app.py ")
        await played.press("enter")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][1]["content"] == [
        {"type": "text", "text": "see @src/app.py"},
        {"type": "resource_link", "uri": "file:///work/src/app.py", "name": "src/app.py"},
    ]


async def test_a_mode_is_chosen_from_what_the_agent_offers() -> None:
    source = PlayedSource(session=row(mode="ask"))
    source.offers = {
        "mode": "ask",
        "modes": [{"id": "ask", "name": "Ask"}, {"id": "act", "name": "Act", "description": "asks no more"}],
        "options": [],
        "commands": [],
    }
    async with playing(source) as played:
        await played.shows("ask")
        await played.press("ctrl+o")
        await played.shows("asks no more")
        await played.press("down", "enter")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][:2] == ("mode", {"mode": "act"})


# Questions


async def test_typing_never_answers_and_the_card_never_takes_the_focus() -> None:
    source = PlayedSource(message(1))
    async with playing(source) as played:
        await played.shows("words 1")
        source.put(source.inbox, question())
        await played.shows("rm -rf build")
        await played.press(*"aAd")

        assert played.app.session.composer.text == "aAd"
    assert not source.commands


@pytest.mark.parametrize(("key", "option"), [("a", "once"), ("A", "always")])
async def test_a_key_answers_once_the_card_has_the_focus(key: str, option: str) -> None:
    source = PlayedSource(message(1))
    source.put(source.inbox, question())
    async with playing(source) as played:
        await played.shows("Tab to answer with keys")
        await played.press("tab")
        await played.shows("a allow once")
        await played.later()
        await played.press(key)
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][:2] == ("answer", {"request_id": "q1", "option_id": option})


async def test_every_option_that_an_agent_offers_can_be_chosen_and_says_what_it_means() -> None:
    options = [
        {"option_id": "auto", "kind": "allow_always", "name": "Yes, and accept edits"},
        {"option_id": "once", "kind": "allow_once", "name": "Allow once"},
        {"option_id": "here", "kind": "allow_always", "name": "Always in this folder"},
        {"option_id": "never", "kind": "reject_always", "name": "Never"},
    ]
    source = PlayedSource(message(1))
    source.put(source.inbox, question(options=options))
    async with playing(source) as played:
        await played.shows("Tab to answer with keys")
        await played.press("tab")
        screen = await played.shows("1 Always in this")
        assert "a allow once   A always: Yes, and accept edits   d deny   z later" in screen
        assert "2 Never" in screen
        await played.later()
        await played.press("2")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][:2] == ("answer", {"request_id": "q1", "option_id": "never"})


async def test_what_is_only_read_says_so_and_offers_no_key_that_does_nothing() -> None:
    source = PlayedSource(message(1), session=row(lifecycle="streaming", pending=1), read_only=True)
    source.put(source.inbox, question())
    async with playing(source) as played:
        screen = await played.shows("cannot be answered here: this is read-only")

        assert "rm -rf build" in screen
        assert not [key for key in ("Ctrl+C", "Ctrl+O", "Tab answer") if key in screen]


async def test_a_refusal_is_never_more_than_this_one() -> None:
    options = [{"option_id": "never", "kind": "reject_always", "name": "Never"}]
    source = PlayedSource(message(1))
    source.put(source.inbox, question(options=options))
    async with playing(source) as played:
        await played.shows("Tab to answer with keys")
        await played.press("tab")
        await played.shows("1 Never")
        await played.later()
        await played.press("d")
        await played.shows("Why not?")
        await played.press("enter")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][:2] == ("answer", {"request_id": "q1", "option_id": None})


async def test_a_key_in_the_first_moment_of_the_focus_does_nothing() -> None:
    source = PlayedSource(message(1))
    source.put(source.inbox, question())
    async with playing(source) as played:
        await played.shows("rm -rf build")
        card = played.app.session.card
        card.focus()
        await played.pilot.pause(0)
        card._since += 3600  # pyright: ignore[reportPrivateUsage]  # a focus that is always young
        await played.press("a", "A", "d")
        await played.pilot.pause()

        assert not source.commands
        assert "Why not" not in played.app.text()


async def test_a_refusal_takes_a_reason_also_an_empty_one_and_escape_goes_back() -> None:
    source = PlayedSource(message(1))
    source.put(source.inbox, question())
    async with playing(source) as played:
        await played.shows("rm -rf build")
        await played.press("tab")
        await played.later()
        await played.press("d", *"no", "escape")
        await played.shows("d deny")
        await played.press("d", *"bad idea", "enter")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][1] == {"request_id": "q1", "option_id": "no", "reason": "bad idea"}


async def test_later_is_not_a_refusal() -> None:
    source = PlayedSource(message(1))
    source.put(source.inbox, question())
    async with playing(source) as played:
        await played.shows("rm -rf build")
        await played.press("tab")
        await played.later()
        await played.press("z", "x")
        await played.until(lambda: played.app.session.composer.text == "x")
        await played.shows("rm -rf build")

    assert not source.commands


async def test_a_long_command_says_that_it_is_folded_and_can_be_read_whole() -> None:
    command = "\n".join(f"step {n}" for n in range(20))
    source = PlayedSource(message(1))
    source.put(source.inbox, question(input={"command": command}))
    async with playing(source, size=(90, 50)) as played:
        screen = await played.shows("12 more lines hidden")
        assert "step 12" not in screen
        await played.press("tab")
        await played.later()
        await played.press("f")
        await played.shows("step 19")


async def test_of_a_command_on_one_endless_line_the_very_end_can_be_read() -> None:
    source = PlayedSource(message(1))
    source.put(source.inbox, question(input={"command": f"echo {'a' * 30_000} && rm -rf /"}))
    async with playing(source) as played:
        await played.shows("more lines hidden")
        await played.press("tab")
        await played.later()
        await played.press("f", *["pagedown"] * 80)
        await played.shows("&& rm -rf /")


async def test_who_answered_elsewhere_is_said() -> None:
    asked: Json = {"id": "q1", "kind": "permission", "title": "Run it", "status": "pending", "options": [], "at": AT}
    source = PlayedSource(message(1), asked | {"ordinal": 2, "position": 2})
    source.put(source.inbox, question())
    async with playing(source) as played:
        await played.shows("rm -rf build")
        answered = asked | {"status": "answered", "decision": "cancelled", "decided_by": "web (Chrome)", "ordinal": 2}
        source.put(source.transcript, answered | {"position": 3})
        source.drop(source.inbox, "q1")
        await played.shows("Answered in web (Chrome): Denied")
        await played.hides("rm -rf build")


async def test_a_question_that_vanishes_gives_the_focus_back_and_takes_no_key_for_the_next_one() -> None:
    source = PlayedSource(message(1))
    source.put(source.inbox, question())
    source.put(source.inbox, question("q2", 60, title="Run another", requested_at="2026-11-21T08:00:00.000Z"))
    async with playing(source) as played:
        await played.shows("and 1 more")
        await played.press("tab")
        await played.later()
        source.drop(source.inbox, "q1")
        await played.shows("Run another")
        await played.until(lambda: played.app.session.composer.has_focus)

    assert not source.commands


# Reading


async def test_output_is_seen_only_at_its_end_in_a_window_with_the_focus() -> None:
    source = PlayedSource(*(message(n) for n in range(1, 60)))
    async with playing(source) as played:
        await played.until(lambda: source.focused[-1:] == [(SESSION, 59)])
        await played.press("pageup")
        await played.until(lambda: source.focused[-1:] == [(SESSION, 0)])
        source.put(source.transcript, message(60))
        await played.press("end")
        await played.until(lambda: source.focused[-1:] == [(SESSION, 60)])
        played.app.app_focus = False
        await played.until(lambda: source.focused[-1:] == [(None, 0)])


async def test_who_has_left_looks_at_nothing() -> None:
    source = PlayedSource(message(1))
    async with playing(source) as played:
        await played.until(lambda: source.focused[-1:] == [(SESSION, 1)])
        await played.app.session.remove()
        await played.until(lambda: source.focused[-1:] == [(None, 0)])


async def test_a_connection_that_is_lost_for_a_moment_is_shown() -> None:
    source = PlayedSource(message(1))
    async with playing(source) as played:
        await played.shows("words 1")
        source.set_row(connection={"state": "reconnecting", "attempt": 2, "next_retry_at": None, "error": "refused"})
        await played.shows("Reconnecting attempt 2  refused")
        source.set_row(connection={"state": "connected", "attempt": 0, "next_retry_at": None, "error": None})
        await played.hides("Reconnecting")


async def test_it_opens_where_the_person_left_off() -> None:
    source = PlayedSource(*(message(n) for n in range(1, 80)), session=row(unread=1))
    source.told = [{"type": "read-up-to", "position": 40, "recorded_at": AT, "data": {"version": 3}}]
    async with playing(source) as played:
        screen = await played.shows("New since you were here")

    assert screen.index("words 40") < screen.index("New since") < screen.index("words 41")
    assert "words 79" not in screen


async def test_pages_come_while_one_scrolls_and_home_loads_all() -> None:
    source = PlayedSource(*(message(n) for n in range(201, 260)))
    source.begin_at("201")
    source.pages["201"] = {"items": [message(n) for n in range(101, 201)], "before": "101"}
    source.pages["101"] = {"items": [message(n) for n in range(1, 101)], "before": None}
    async with playing(source) as played:
        await played.shows("words 259")
        await played.press("home")
        await played.until(lambda: "words 1" in [line.strip(" ▐") for line in played.app.text().split("\n")])


async def test_a_link_opens_at_its_item_however_far_up_that_is() -> None:
    source = PlayedSource(*(message(n) for n in range(201, 260)))
    source.begin_at("201")
    source.pages["201"] = {"items": [message(n) for n in range(101, 201)], "before": None}
    async with playing(source, item="i120") as played:
        await played.shows("words 120")


async def test_a_text_that_streams_in_is_followed_and_has_a_cursor() -> None:
    source = PlayedSource(message(1, "hello", "user"), message(2, "I "), session=row(lifecycle="streaming"))
    async with playing(source) as played:
        await played.shows("I█")
        for n in range(40):
            source.append("i2", f"say {n}\n\n")
        await played.shows("say 39")
        source.change_row(lifecycle="connected")
        await played.hides("█")


async def test_ctrl_c_stops_the_turn_and_only_that() -> None:
    source = PlayedSource(message(1, "hello", "user"), session=row(lifecycle="streaming"))
    async with playing(source) as played:
        await played.shows("working")
        await played.press("ctrl+c")
        await played.until(lambda: bool(source.commands))
        source.change_row(lifecycle="connected")
        source.refusal = ConflictError("no turn is open")
        await played.hides("working")
        await played.press("ctrl+c")
        await played.until(lambda: bool(played.app.said))

    assert played.app.said == ["nothing is running here; Ctrl+Q detaches"]


async def test_ctrl_c_stops_a_turn_of_which_the_list_does_not_know_yet() -> None:
    source = PlayedSource(message(1, "hello", "user"), message(2, "I begin"), session=row(lifecycle="connected"))
    async with playing(source) as played:
        await played.shows("I begin")
        await played.press("ctrl+c")
        await played.until(lambda: bool(source.commands))

    assert [verb for verb, _, _ in source.commands] == ["cancel"]


async def test_ctrl_c_while_the_daemon_is_away_says_that_nothing_can_be_stopped() -> None:
    source = PlayedSource(message(1, "hello", "user"), session=row(lifecycle="streaming"))
    async with playing(source) as played:
        await played.shows("working")
        source.turn("waiting")
        await played.press("ctrl+c")
        await played.until(lambda: bool(played.app.said))

    assert source.commands == []
    assert played.app.said == ["the daemon is away: nothing can be stopped now"]


async def test_items_are_gone_through_copied_inspected_and_linked() -> None:
    source = PlayedSource(message(1, "one", "user"), message(2, "two"), message(3, "three"))
    async with playing(source) as played:
        await played.shows("three")
        await played.press("shift+tab", "k", "c")
        await played.until(lambda: played.app.clipboard == "two")
        await played.press("l")
        await played.until(lambda: played.app.clipboard == f"http://localhost:7433/sessions/{SESSION}#i2")
        await played.press("left_square_bracket", "i")
        await played.until(lambda: bool(played.app.inspected))
        assert played.app.inspected[0]["id"] == "i1"
        await played.press("escape", "x")
        await played.until(lambda: played.app.session.composer.text == "x")


async def test_escape_leaves_and_ends_nothing() -> None:
    source = PlayedSource(message(1))
    async with playing(source) as played:
        await played.shows("words 1")
        await played.press("escape")
        await played.until(lambda: played.app.left == 1)

    assert not source.commands


async def test_what_waits_is_shown_changed_dropped_and_sent() -> None:
    source = PlayedSource(message(1), session=row(queued=2))
    source.waiting = [
        {"prompt_id": "p1", "text": "first wish", "state": "queued"},
        {"prompt_id": "p2", "text": "second wish", "state": "queued"},
    ]
    async with playing(source) as played:
        await played.shows("Queued (2)")
        await played.press("up", "enter")
        await played.until(lambda: played.app.session.composer.text == "second wish")
        await played.press(*"!", "enter")
        await played.until(lambda: played.app.session.composer.text == "")
        await played.press("up")
        await played.shows("d drop")
        await played.press("up", "d")
        await played.until(lambda: any(method == "DELETE" for method, _, _ in source.asked))
        await played.press("r")
        await played.until(lambda: played.app.session.composer.has_focus)

    done = [(method, path, (body or {}).get("content")) for method, path, body in source.asked if "queue" in path]
    queue = f"/sessions/{SESSION}/queue"
    assert done == [
        ("PATCH", f"{queue}/p2", "second wish!"), ("DELETE", f"{queue}/p1", None), ("POST", f"{queue}/resume", None),
    ]  # fmt: skip


async def test_a_store_that_is_only_read_has_no_composer() -> None:
    source = PlayedSource(*(message(n) for n in range(1, 60)), read_only=True)
    async with playing(source) as played:
        await played.shows("words 59")
        await played.until(lambda: played.app.session.transcript.has_focus)
        await played.press("up", "c")
        await played.until(lambda: played.app.clipboard.startswith("words"))

        assert not played.app.session.composer.display


@pytest.mark.parametrize("size", [(40, 10), (300, 80), (12, 4)])
async def test_every_size_shows_the_end(size: tuple[int, int]) -> None:
    source = PlayedSource(*(message(n) for n in range(1, 60)), session=row(lifecycle="streaming"))
    source.put(source.inbox, question())
    async with playing(source, size=size) as played:
        await played.until(lambda: "59" in played.app.text() or size[1] < 10)
        await played.pilot.resize_terminal(80, 24)
        await played.shows("words 59")


async def test_the_plan_of_now_stays_in_sight_and_opens() -> None:
    entries = [{"content": "look", "status": "completed"}, {"content": "fix it", "status": "in_progress"}]
    plan: Json = {"id": "p", "kind": "plan", "content": entries, "at": AT, "ordinal": 2, "position": 2}
    source = PlayedSource(message(1, "do", "user"), plan)
    async with playing(source) as played:
        await played.shows("Plan  1 of 2  fix it")
        await played.press("ctrl+t")
        await played.shows("✓ look")
        source.put(source.transcript, message(3, "next", "user"))
        await played.hides("✓ look")


async def test_context_tokens_and_cost_are_as_reported() -> None:
    usage = {"context_used": 50_000, "context_size": 200_000, "cost": "0.42 USD"}
    source = PlayedSource(message(1), session=row(metadata={"total_tokens": 1_234_567}, model="large"))
    source.told = [{"type": "usage-reported", "position": 1, "recorded_at": AT, "data": usage}]
    async with playing(source, size=(140, 30)) as played:
        screen = await played.shows("25% of 200k")

    assert "██░░░░░░" in screen
    assert "1.2M tokens" in screen
    assert "0.42 USD" in screen
    assert "large" in screen


async def test_a_connection_that_failed_says_why_and_is_tried_again() -> None:
    connection = {"state": "failed", "attempt": 3, "next_retry_at": None, "error": "no such \x1b[31mprogram"}
    source = PlayedSource(message(1), session=row(connection=connection))
    async with playing(source) as played:
        await played.shows("Not connected  no such \\x1b[31mprogram")
        await played.press("alt+r")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][0] == "reconnect"


async def test_the_mouse_unfolds_scrolls_and_goes_to_any_part() -> None:
    use: Json = {"id": "t", "kind": "tool_call", "title": "make", "status": "completed", "output": "built it", "at": AT}
    before, after = [message(n) for n in range(1, 50)], [message(n) for n in range(51, 55)]
    source = PlayedSource(*before, use | {"ordinal": 50, "position": 50}, *after)
    async with playing(source) as played:
        await played.shows("words 54")
        transcript = played.app.session.transcript
        await played.until(lambda: transcript.size.height == 27)  # with a free line above the composer
        line = next(y for y, text in enumerate(played.app.text().split("\n")) if "✓ make" in text)
        await played.pilot.click(offset=(6, line))
        await played.shows("│ built it")
        await played.pilot.click(transcript, offset=(transcript.size.width - 1, 0))
        await played.shows("words 1 ")
        transcript.post_message(wheel(transcript))
        await played.until(lambda: transcript.viewport.top == 3)


def wheel(over: Widget) -> MouseScrollDown:
    return MouseScrollDown(over, 5, 5, 0, 1, 0, shift=False, meta=False, ctrl=False)


async def marked(played: Played, text: str, *, to: str) -> None:
    """Drag the mouse from the beginning of one text to the end of another."""
    transcript = played.app.session.transcript

    def settled() -> bool:
        """Whether the screen shows what there is to be seen, and no layout is still to come."""
        drawn = played.app.text().split("\n")
        shown = [line.text.rstrip() for line, _ in transcript.viewport.shown()]
        roomy = transcript.size.height == 27  # with a free line above the composer
        return roomy and all(line in drawn[y + transcript.region.y] for y, line in enumerate(shown))

    await played.shows(text)
    await played.until(settled)
    lines = played.app.text().split("\n")
    ends = [next((line.index(each), y) for y, line in enumerate(lines) if each in line) for each in (text, to)]
    (x1, y1), (x2, y2) = ends
    for event, x, y in ((MouseDown, x1, y1), (MouseMove, x2 + len(to) - 1, y2), (MouseUp, x2 + len(to) - 1, y2)):
        at = y - transcript.region.y
        transcript.post_message(event(transcript, x, at, 0, 0, 1, shift=False, meta=False, ctrl=False))


async def test_words_marked_with_the_mouse_are_copied_and_nothing_is_stopped() -> None:
    said = message(2, "a first line\n\nand a second one")
    source = PlayedSource(message(1), said, session=row(lifecycle="streaming"))
    async with playing(source) as played:
        await marked(played, "first line", to="and a")
        await played.shows("Ctrl+C copy what is marked")
        assert played.app.session.composer.has_focus, "who marks words goes on where they write"
        await played.press("ctrl+c")
        await played.until(lambda: bool(played.app.clipboard))

        assert played.app.clipboard == "first line\n\nand a"
        assert source.commands == []
        await played.hides("copy what is marked")
        await played.press("ctrl+c")
        await played.until(lambda: bool(source.commands))

    assert source.commands[0][0] == "cancel"


async def test_what_is_marked_stays_marked_while_more_comes_and_escape_forgets_it() -> None:
    async with playing(source := PlayedSource(*(message(n) for n in range(1, 30)))) as played:
        await marked(played, "words 20", to="words 21")
        transcript = played.app.session.transcript
        await played.until(lambda: transcript.selection.text() == "words 20\n\nwords 21")
        source.put(source.transcript, *(message(n) for n in range(30, 90)))
        await played.shows("words 89")
        assert transcript.selection.text() == "words 20\n\nwords 21"

        await played.press("escape")
        await played.until(lambda: not transcript.selection.made)

        assert played.app.left == 0, "the first Esc only forgets what was marked"


async def test_what_is_drawn_around_output_is_not_copied_with_it() -> None:
    use: Json = {"id": "t", "kind": "tool_call", "title": "make", "status": "failed", "output": "one\ntwo", "at": AT}
    async with playing(PlayedSource(use | {"ordinal": 1, "position": 1})) as played:
        await marked(played, "│ one", to="two")
        await played.until(lambda: played.app.session.transcript.selection.text() == "one\ntwo")


async def test_a_picture_says_what_it_is_and_is_saved_by_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {"$attachment": "77" * 32, "size": 5_000_773, "encoding": "base64"}
    picture = {"type": "image", "mimeType": "image/png", "data": kept, "name": "../tide.png"}
    said = message(1, role="user", content=[{"type": "text", "text": "look at this"}, picture])
    async with playing(source := PlayedSource(said)) as played:
        await played.shows("image  ../tide.png  image/png  4.8 MiB  s save")
        await played.press("shift+tab", "s")
        await played.until(lambda: bool(played.app.said))
        await played.press("s")
        await played.until(lambda: len(played.app.said) == 2)

    assert ("GET", "77" * 32, None) in source.asked
    assert played.app.said[0] == f"Saved as {tmp_path}/tide.png"
    assert (tmp_path / "tide-1.png").read_bytes() == b"kept beside the log", "nothing is written over"
