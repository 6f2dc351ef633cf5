from __future__ import annotations

import pytest
from msgspec import Raw

from holdfast.domain.content import NOTHING, of_text
from holdfast.domain.projections.items import Append, Clear, Item, Put, apply
from holdfast.domain.projections.transcript import project, touched
from holdfast.domain.recorded import Actor
from holdfast.domain.session import events as e
from tests.domain.scene import ALLOW, DENY, HELLO, START, asks, recorded

IMAGE = Raw(b'[{"type":"text","text":"see"},{"type":"image","data":"AA=="}]')
LS = Raw(b'{"command":"ls"}')
PHONE = Actor("human", "phone")


def told(*facts: e.Fact, actor: Actor = PHONE) -> list[Item]:
    """The transcript that these facts make."""
    items: dict[str, Item] = {}
    for version, fact in enumerate(facts, 1):
        for change in project(items, recorded(fact, version, actor=actor)):
            apply(items, change)
    return [item.settled() for item in items.values()]


def only(*facts: e.Fact) -> Item:
    (item,) = told(*facts)
    return item


class TestText:
    def test_the_first_piece_makes_the_item_and_the_next_ones_are_added(self) -> None:
        items: dict[str, Item] = {}
        first = recorded(e.TextAppended("i1", "Hel"), 4)
        (put,) = project(items, first)
        apply(items, put)

        assert put == Put(Item("i1", "message", 4, 4, first.at, role="assistant", text="Hel", length=3))
        assert project(items, recorded(e.TextAppended("i1", "lo"), 9)) == (Append("i1", 3, "lo", 9),)

    def test_an_empty_first_piece_makes_nothing(self) -> None:
        assert told(e.TextAppended("i1", "")) == []
        assert only(e.TextAppended("i1", ""), e.TextAppended("i1", "Hi")).text == "Hi"

    def test_thoughts_are_told_apart(self) -> None:
        item = only(e.ThoughtAppended("i1", "hm", "side"))

        assert (item.kind, item.role, item.text, item.thread) == ("thought", "assistant", "hm", "side")


class TestTools:
    def test_what_there_is_to_show_is_the_output_until_there_is_one(self) -> None:
        shown = Raw(b'[{"type":"content"}]')
        before = only(e.ToolCalled("i1", "call", content=shown))
        after = only(e.ToolCalled("i1", "call", content=shown), e.ToolUpdated("i1", "call", output=LS))

        assert (before.content, before.output) == (shown, shown)
        assert (after.content, after.output) == (shown, LS)

    def test_content_grows_by_what_was_added(self) -> None:
        item = only(
            e.ToolCalled("i1", "call", content=Raw('["ä```"]'.encode())),
            e.ToolUpdated("i1", "call", status="completed", grown=e.Splice(3, 5, "ß€")),
        )

        assert bytes(item.output).decode() == '["äß€```"]'
        assert item.status == "completed"

    def test_growth_of_what_is_not_there_changes_nothing(self) -> None:
        assert not only(e.ToolUpdated("i1", "call", grown=e.Splice(4, 5, "x"))).content

    def test_an_update_changes_what_it_names_and_keeps_the_rest(self) -> None:
        item = only(
            e.ToolCalled("i1", "call", "List", "execute", "in_progress", LS, thread="side"),
            e.ToolUpdated("i1", "call", status="completed", output=Raw(b'"a.py"')),
        )

        assert (item.kind, item.title, item.tool, item.status) == ("tool_call", "List", "execute", "completed")
        assert (item.input, item.output, item.thread) == (LS, Raw(b'"a.py"'), "side")
        assert (item.ordinal, item.position, item.at) == (1, 2, START)

    def test_a_tool_may_be_announced_late_or_never(self) -> None:
        assert only(e.ToolUpdated("i1", "call")).title == "call"
        assert only(e.ToolUpdated("i1", "call")).status == "pending"
        late = only(e.ToolUpdated("i1", "call", status="failed"), e.ToolCalled("i1", "call", "List", input=LS))
        assert (late.title, late.status, late.input) == ("List", "failed", LS)

    def test_one_that_nobody_ends_has_failed_and_says_why(self) -> None:
        item = only(e.ToolCalled("i1", "call", "List", input=LS), e.ToolAbandoned("i1", "interrupted"))

        assert (item.title, item.status, item.reason, item.input) == ("List", "failed", "interrupted", LS)
        assert told(e.ToolAbandoned("i1", "interrupted")) == []

    def test_what_the_peer_says_of_it_counts_before_and_after(self) -> None:
        done = e.ToolUpdated("i1", "call", status="completed")

        assert only(done, e.ToolAbandoned("i1", "cancelled")).status == "completed"
        late = only(e.ToolCalled("i1", "call"), e.ToolAbandoned("i1", "cancelled"), done)
        assert (late.status, late.reason) == ("completed", None)


class TestPrompts:
    def test_a_prompt_appears_when_it_is_sent_and_tells_how_far_it_got(self) -> None:
        sent = e.PromptSent("p1", HELLO)

        assert (only(sent).role, only(sent).text, only(sent).status) == ("user", "hello", "sent")
        assert only(sent, e.PromptAccepted("p1")).status == "accepted"
        assert only(sent, e.PromptFailed("p1", "refused")).status == "failed"

    def test_a_prompt_that_waits_is_not_shown_yet(self) -> None:
        assert told(e.PromptQueued("p1", HELLO), e.PromptEdited("p1", HELLO), e.PromptWithdrawn("p1")) == []
        assert told(e.PromptAccepted("p1")) == []

    @pytest.mark.parametrize(("detail", "text"), [("gone", "gone"), (None, "not_delivered")])
    def test_a_prompt_that_fails_before_it_was_sent_leaves_a_line(self, detail: str | None, text: str) -> None:
        item = only(e.PromptFailed("p1", "not_delivered", detail))

        assert (item.id, item.kind, item.status, item.text) == ("notice-1", "notice", "failed", text)

    def test_a_prompt_that_fails_while_it_waits_is_shown_with_its_words(self) -> None:
        item = only(e.PromptQueued("p1", HELLO), e.PromptFailed("p1", "refused", "gone", HELLO))

        assert (item.id, item.kind, item.role, item.text) == ("p1", "message", "user", "hello")
        assert (item.status, item.reason) == ("failed", "gone")


class TestMessages:
    def test_others_and_oneself_are_told_apart(self) -> None:
        sent, received = told(e.MessageSent("i1", HELLO, "me", "side"), e.MessageReceived("i2", HELLO, "bob"))

        assert (sent.role, sent.author, sent.thread) == ("user", "me", "side")
        assert (received.role, received.author, received.text) == ("assistant", "bob", "hello")

    def test_more_than_text_is_kept_beside_it(self) -> None:
        assert only(e.MessageReceived("i1", IMAGE)).content == IMAGE
        assert only(e.MessageReceived("i1", HELLO)).content is NOTHING

    def test_an_edit_changes_the_words_and_nothing_else(self) -> None:
        item = only(e.MessageReceived("i1", IMAGE, "bob"), e.MessageEdited("i1", of_text("no")))

        assert (item.text, item.length, item.author, item.ordinal, item.position) == ("no", 2, "bob", 1, 2)
        assert item.content is NOTHING

    def test_text_in_pieces_can_be_edited_too(self) -> None:
        item = only(e.TextAppended("i1", "a"), e.TextAppended("i1", "b"), e.MessageEdited("i1", of_text("no")))

        assert (item.text, item.length) == ("no", 2)

    def test_an_acknowledgement_says_how_far_it_got(self) -> None:
        assert only(e.MessageSent("i1", HELLO), e.MessageAcknowledged("i1", "displayed")).status == "displayed"

    @pytest.mark.parametrize("fact", [e.MessageEdited("i1", HELLO), e.MessageAcknowledged("i1", "stored")])
    def test_what_is_said_of_a_message_that_is_not_there_is_not_shown(self, fact: e.Fact) -> None:
        assert told(fact) == []


class TestPermissions:
    def test_a_question_shows_exactly_what_is_asked(self) -> None:
        item = only(asks())

        assert (item.kind, item.title, item.input, item.options) == ("permission", "List files", LS, (ALLOW, DENY))
        assert (item.status, item.turn_id) == ("pending", "t1")

    @pytest.mark.parametrize(("option", "decision"), [("deny", "deny"), (None, "cancelled")])
    def test_an_answer_shows_who_decided_what(self, option: str | None, decision: str) -> None:
        item = only(asks(), e.PermissionAnswered("r1", option, "hash-of-ls", "too risky"))

        assert (item.status, item.decision, item.decided_by, item.reason) == (
            "answered",
            decision,
            "phone",
            "too risky",
        )
        assert item.decided_at == START + 1_000_000

    def test_without_a_device_it_shows_what_kind_of_actor_decided(self) -> None:
        (item,) = told(asks(), e.PermissionAnswered("r1", "allow", "hash-of-ls"), actor=Actor("policy"))

        assert item.decided_by == "policy"

    def test_an_expired_question_says_why(self) -> None:
        item = only(asks(), e.PermissionExpired("r1", "turn-closed"))

        assert (item.status, item.reason) == ("expired", "turn-closed")

    @pytest.mark.parametrize("fact", [e.PermissionExpired("r1", "gone"), e.PermissionAnswered("r1", "allow", "hash")])
    def test_the_outcome_of_a_question_that_is_not_there_is_not_shown(self, fact: e.Fact) -> None:
        assert told(fact) == []


class TestEverythingElse:
    def test_a_plan_is_one_item_that_is_replaced(self) -> None:
        item = only(e.PlanChanged("plan", Raw(b"[1]")), e.PlanChanged("plan", Raw(b"[2]")))

        assert (item.kind, item.content, item.ordinal) == ("plan", Raw(b"[2]"), 1)

    def test_a_notice_says_what_it_is(self) -> None:
        item = only(e.NoticeAdded("i1", "summary", "So far", "side"))

        assert (item.kind, item.role, item.status, item.text) == ("notice", "system", "summary", "So far")

    def test_what_nobody_knows_is_shown_raw(self) -> None:
        seen, later, gone = (
            only(e.RawReceived("i1", "novelty", LS)),
            only(e.Unknown("from-tomorrow", 2, '{"a":1}')),
            told(e.Unknown("text-appended", 1, None)),
        )

        assert (seen.kind, seen.title, seen.content) == ("raw", "novelty", LS)
        assert (later.id, later.kind, later.title, later.text) == ("raw-1", "raw", "from-tomorrow", '{"a":1}')
        assert gone == []

    @pytest.mark.parametrize(
        ("fact", "status", "text"),
        [
            (e.TurnInterrupted("t1", "crash"), "interrupted", "crash"),
            (e.TurnUnknown("t1", "crash"), "unknown", "crash"),
            (e.TurnEnded("t1", "refusal"), "refusal", ""),
            (e.Attached("l1", resumed=True), "resumed", ""),
            (e.Detached("l1", "failed", "no such program"), "failed", "no such program"),
            (e.Detached("l1", "failed"), "failed", ""),
            (e.Detached("l1", "gone", "no such session"), "failed", "no such session"),
            (e.HistoryGap("away"), "gap", "away"),
            (e.SessionEnded("user"), "ended", "user"),
            (e.SessionEnded("exited", "status 1"), "ended", "status 1"),
        ],
    )
    def test_what_happened_to_the_conversation_itself_is_a_line(self, fact: e.Fact, status: str, text: str) -> None:
        item = only(fact)

        assert (item.id, item.kind, item.role, item.status, item.text) == ("notice-1", "notice", "system", status, text)

    @pytest.mark.parametrize(
        "fact",
        [
            e.TurnStarted("t1"),
            e.TurnEnded("t1", "end_turn"),
            e.TurnEnded("t1", "session-ended"),
            e.Attached("l1"),
            e.Detached("l1", "lost"),
            e.UsageReported("context"),
            e.ReadUpTo("owner", 1),
        ],
    )
    def test_the_usual_course_of_things_needs_no_line(self, fact: e.Fact) -> None:
        assert told(fact) == []

    def test_erasing_clears_everything(self) -> None:
        assert project({}, recorded(e.SessionErased())) == (Clear(),)
        assert told(asks(), e.TextAppended("i1", "Hi"), e.SessionErased()) == []


@pytest.mark.parametrize(
    ("fact", "item_id"),
    [
        (e.TextAppended("i1", "Hi"), "i1"),
        (e.PromptFailed("p1", "refused"), "p1"),
        (asks(), "r1"),
        (e.ToolAbandoned("i1", "cancelled"), "i1"),
        (e.HistoryGap("away"), None),
    ],
)
def test_a_fact_touches_one_item_at_most(fact: e.Fact, item_id: str | None) -> None:
    assert touched(fact) == item_id
