from __future__ import annotations

import pytest

from holdfast.domain.content import of_text
from holdfast.domain.session import events as e
from holdfast.domain.session.state import RECENT, Pending, Prompt, Reader, SessionState, Turn
from tests.domain.scene import ALLOW, CREATED, DENY, HELLO, asks, given, replay, then

QUEUED = e.PromptQueued("p1", HELLO)
SENT = (QUEUED, e.PromptSent("p1", HELLO), e.TurnStarted("t1", "p1"))
MESSAGE = e.MessageReceived("i1", HELLO)


@pytest.mark.parametrize(
    "fact",
    [
        e.ThoughtAppended("i1", "hm"),
        e.ToolUpdated("i1", "call"),
        e.ToolUpdated("i1", "call", status="completed"),
        e.ToolAbandoned("i1", "interrupted"),
        e.UsageReported("context"),
        e.MessageSent("i1", HELLO),
        e.PlanChanged("i1", HELLO),
        e.SessionNotified("tray", "r1"),
        e.InfoChanged(model="large"),
        e.HistoryGap("away"),
        e.RawReceived("i1", "novelty", HELLO),
        e.Unknown("from-tomorrow", 1, "{}"),
        e.CancelRequested("t1"),
        e.TurnEnded("t1", "end_turn"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_is_only_shown_leaves_the_state_as_it_is(fact: e.Fact) -> None:
    assert given(fact).state == given().state


class TestNames:
    def test_a_title_from_the_start_is_a_persons(self) -> None:
        session = replay(e.SessionCreated("acp", "owner", title="Mine"), e.InfoChanged("Theirs"))

        assert session.state.title == "Mine"

    def test_the_peer_names_what_nobody_named(self) -> None:
        assert given(e.InfoChanged("One"), e.InfoChanged("Two")).state.title == "Two"

    def test_a_persons_name_stays_until_it_is_taken_away(self) -> None:
        named = given(e.SessionRenamed("Mine"), e.InfoChanged("Theirs"))

        assert named.state.title == "Mine"
        assert then(named, e.SessionRenamed(""), e.InfoChanged("Theirs")).state.title == "Theirs"

    def test_configuration_adds_up(self) -> None:
        state = given(e.SessionConfigured({"a": "1", "b": "1"}), e.SessionConfigured({"b": "2"})).state

        assert state.options == {"a": "1", "b": "2"}

    def test_marks_are_remembered(self) -> None:
        state = given(e.SessionPinned(pinned=True), e.SessionMuted(muted=True, until=7), e.ModeChanged("plan")).state

        assert (state.pinned, state.muted, state.muted_until, state.mode) == (True, True, 7, "plan")


class TestAttachment:
    def test_the_peers_name_of_the_session_stays_when_it_is_not_repeated(self) -> None:
        state = given(e.AttachRequested("l1"), e.Attached("l1", "remote-7"), e.Attached("l2")).state

        assert (state.attachment, state.link_id, state.remote_id) == ("attached", "l2", "remote-7")

    def test_attaching_forgets_why_it_was_detached(self) -> None:
        lost = given(e.Attached("l1"), e.Detached("l1", "lost", "reset by peer"))
        assert (lost.state.detached_because, lost.state.detach_error) == ("lost", "reset by peer")

        back = then(lost, e.Attached("l1"))

        assert (back.state.detached_because, back.state.detach_error) == (None, None)
        assert back.state.ever_attached

    @pytest.mark.parametrize(("error", "told"), [("no such program", "no such program"), (None, "failed")])
    def test_a_failed_attachment_is_a_failure_to_be_seen(self, error: str | None, told: str) -> None:
        state = given(e.AttachRequested("l1"), e.Detached("l1", "failed", error)).state

        assert (state.failure, state.unread()) == (told, 1)

    def test_so_is_a_session_that_its_peer_does_not_know_any_more(self) -> None:
        assert given(e.Attached("l1"), e.Detached("l1", "gone", "no such session")).state.unread() == 1

    def test_ending_detaches(self) -> None:
        assert given(e.Attached("l1"), e.SessionEnded("user")).state.attachment == "detached"
        assert given(e.SessionEnded("user")).state.attachment == "never"


class TestQueue:
    def test_prompts_wait_in_the_order_they_came(self) -> None:
        state = given(QUEUED, e.PromptQueued("p2", HELLO)).state

        assert state.queued == (Prompt("p1", HELLO), Prompt("p2", HELLO))

    def test_editing_keeps_the_place(self) -> None:
        other = of_text("other")

        state = given(QUEUED, e.PromptQueued("p2", HELLO), e.PromptEdited("p1", other)).state

        assert state.queued == (Prompt("p1", other), Prompt("p2", HELLO))

    def test_a_prompt_that_was_sent_is_there_until_its_turn_closes(self) -> None:
        sent = given(*SENT, e.PromptQueued("p2", HELLO))
        assert [prompt.state for prompt in sent.state.queue] == ["sent", "queued"]
        accepted = then(sent, e.PromptAccepted("p1"))
        assert [prompt.state for prompt in accepted.state.queue] == ["accepted", "queued"]

        done = then(accepted, e.TurnEnded("t1", "end_turn"))

        assert done.state.queue == (Prompt("p2", HELLO),)

    @pytest.mark.parametrize("gone", [e.PromptWithdrawn("p1"), e.PromptFailed("p1", "session-ended")])
    def test_a_prompt_that_is_taken_back_is_no_failure(self, gone: e.Fact) -> None:
        state = given(QUEUED, gone).state

        assert (state.queue, state.failure, state.units) == ((), None, 0)

    @pytest.mark.parametrize(("detail", "told"), [("the pipe broke", "the pipe broke"), (None, "not_delivered")])
    def test_a_prompt_that_fails_is_a_failure(self, detail: str | None, told: str) -> None:
        state = given(QUEUED, e.PromptFailed("p1", "not_delivered", detail)).state

        assert (state.queue, state.failure, state.unread()) == ((), told, 1)

    @pytest.mark.parametrize("closing", [e.TurnInterrupted("t1", "crash"), e.TurnUnknown("t1", "crash")])
    def test_a_turn_that_breaks_off_holds_the_queue_and_is_a_failure(self, closing: e.Fact) -> None:
        state = given(*SENT, e.PromptQueued("p2", HELLO), closing).state

        assert state.held
        assert (state.turn, state.failure, state.queue) == (None, "crash", (Prompt("p2", HELLO),))

    def test_a_prompt_that_never_arrived_holds_what_was_to_follow_it(self) -> None:
        state = given(*SENT, e.PromptQueued("p2", HELLO), e.PromptFailed("p1", "not_delivered")).state
        assert state.held
        assert not given(*SENT, e.PromptFailed("p1", "refused")).state.held

    def test_another_prompt_or_a_person_lets_the_queue_go_on(self) -> None:
        held = given(*SENT, e.TurnInterrupted("t1", "crash"))

        assert not then(held, e.QueueResumed()).state.held
        assert not then(held, e.PromptQueued("p2", HELLO)).state.held


class TestTurns:
    def test_an_open_turn_may_be_asked_to_stop(self) -> None:
        assert given(e.TurnStarted("t1"), e.CancelRequested("t1")).state.turn == Turn("t1", cancelling=True)

    def test_only_the_open_turn_closes(self) -> None:
        assert given(e.TurnStarted("t1"), e.TurnEnded("t0", "end_turn")).state.turn == Turn("t1")

    def test_a_new_turn_leaves_an_earlier_failure_behind(self) -> None:
        assert given(e.Detached("l1", "failed"), e.TurnStarted("t1")).state.failure is None


class TestTools:
    @pytest.mark.parametrize(
        "begun",
        [
            e.ToolCalled("i1", "call"),
            e.ToolCalled("i1", "call", status="pending"),
            e.ToolUpdated("i1", "call", status="in_progress"),
        ],
    )
    def test_a_use_is_open_from_its_beginning(self, begun: e.Fact) -> None:
        assert given(begun).state.tools == ("i1",)
        assert given(begun, begun).state.tools == ("i1",)

    @pytest.mark.parametrize(
        "over",
        [
            e.ToolUpdated("i1", "call", status="completed"),
            e.ToolUpdated("i1", "call", status="failed"),
            e.ToolCalled("i1", "call", status="completed"),
            e.ToolAbandoned("i1", "cancelled"),
        ],
    )
    def test_until_it_is_over(self, over: e.Fact) -> None:
        used = given(e.ToolCalled("i0", "other"), e.ToolCalled("i1", "call"))

        assert then(used, over).state.tools == ("i0",)
        assert then(used, over, e.ToolUpdated("i1", "call", title="ls")).state.tools == ("i0",)

    def test_the_end_of_the_session_is_the_end_of_all(self) -> None:
        assert given(e.ToolCalled("i1", "call"), e.SessionEnded("user")).state.tools == ()


class TestPermissions:
    def test_a_question_waits_with_what_an_answer_needs(self) -> None:
        assert given(asks()).state.pending == (Pending("r1", "t1", (ALLOW, DENY), "hash-of-ls"),)

    @pytest.mark.parametrize(
        "settled", [e.PermissionAnswered("r1", "allow", "hash-of-ls"), e.PermissionExpired("r1", "gone")]
    )
    def test_a_settled_question_is_remembered_as_such(self, settled: e.Fact) -> None:
        state = given(asks(), asks("r2"), settled).state

        assert [pending.request_id for pending in state.pending] == ["r2"]
        assert state.settled == ("r1",)

    def test_only_the_latest_are_remembered(self) -> None:
        state = given(*(e.PermissionExpired(f"r{number}", "gone") for number in range(RECENT + 1))).state

        assert len(state.settled) == RECENT
        assert state.settled[0] == "r1"


class TestUnread:
    @pytest.mark.parametrize(
        ("facts", "unread"),
        [
            ((e.TurnStarted("t1"), *[e.TextAppended("i1", "word ")] * 9), 1),
            ((e.TurnStarted("t1"), e.TextAppended("i1", " \n")), 0),
            ((e.TurnStarted("t1"), e.TextAppended("i1", "aside", "side")), 0),
            ((e.TurnStarted("t1"), e.TextAppended("i1", "a"), e.TextAppended("i2", "b")), 1),
            (
                (
                    *(e.TurnStarted("t1"), e.TextAppended("i1", "a"), e.TurnEnded("t1", "end_turn")),
                    *(e.TurnStarted("t2"), e.TextAppended("i2", "b")),
                ),
                2,
            ),
            ((MESSAGE, MESSAGE), 2),
            ((asks(), asks("r2")), 2),
            ((e.MessageSent("i1", HELLO),), 0),
            ((e.TurnStarted("t1"), e.ToolCalled("i1", "call"), e.ThoughtAppended("i2", "hm")), 0),
            ((e.TurnStarted("t1"), e.TextAppended("i1", "See:"), MESSAGE, MESSAGE), 1),
            ((e.TurnStarted("t1"), MESSAGE, e.TextAppended("i1", "That is it.")), 1),
        ],
        ids=[
            "a turn",
            "blanks",
            "a side chain",
            "two messages",
            "two turns",
            "chat",
            "questions",
            "own words",
            "chatter",
            "words and images",
            "images and words",
        ],
    )
    def test_it_counts_what_a_person_would_read(self, facts: tuple[e.Fact, ...], unread: int) -> None:
        assert given(*facts).state.unread() == unread

    @pytest.mark.parametrize(
        "broken",
        [
            (e.TurnInterrupted("t1", "crash"),),
            (e.TurnUnknown("t1", "no answer"),),
            (e.TurnInterrupted("t1", "reset by peer"), e.Detached("l1", "lost", "reset by peer")),
            (e.TurnInterrupted("t1", "crash"), e.Detached("l1", "failed", "crash")),
            (e.TurnInterrupted("t1", "reset"), e.Detached("l1", "lost"), e.Detached("l1", "failed", "gave up")),
            (e.TurnUnknown("t1", "watchdog"), e.Detached("l1", "failed", "watchdog")),
            (e.PromptFailed("p1", "not_delivered"), e.TurnEnded("t1", "x"), e.Detached("l1", "failed", "crash")),
            (e.PromptFailed("p1", "refused"), e.TurnEnded("t1", "error")),
            (e.TurnInterrupted("t1", "crash"), e.Detached("l1", "gone", "no such session")),
        ],
        ids=["interrupted", "unknown", "lost", "failed", "gave-up", "watchdog", "not-delivered", "refused", "gone"],
    )
    def test_a_turn_that_broke_off_counts_its_words_once_and_its_failure_once(self, broken: tuple[e.Fact, ...]) -> None:
        spoken = given(e.Attached("l1"), *SENT, e.TextAppended("i1", "Let me"))

        assert then(spoken, *broken).state.unread() == 2
        assert then(given(e.Attached("l1"), *SENT), *broken).state.unread() == 1

    def test_a_failure_that_comes_after_the_first_was_seen_counts_again(self) -> None:
        seen = given(*SENT, e.TurnInterrupted("t1", "reset"), e.ReadUpTo("owner", 5))
        assert seen.state.unread() == 0

        failed = then(seen, e.Detached("l1", "failed", "gave up"))

        assert (failed.state.unread(), failed.state.failure) == (1, "gave up")

    def test_each_prompt_that_is_not_sent_any_more_is_a_failure_of_its_own(self) -> None:
        waiting = given(QUEUED, e.PromptQueued("p2", HELLO))
        gone = (e.PromptFailed("p1", "refused", content=HELLO), e.PromptFailed("p2", "refused", content=HELLO))

        assert then(waiting, *gone, e.Detached("l1", "failed", "gone")).state.unread() == 2

    def test_reading_counts_up_to_the_version(self) -> None:
        state = given(MESSAGE, MESSAGE, MESSAGE, e.ReadUpTo("owner", 3)).state

        assert state.unread() == 1
        assert state.unread("guest") == 3
        assert state.reader() == Reader("owner", 3, 2)

    def test_reading_less_than_before_unreads_nothing(self) -> None:
        state = given(MESSAGE, MESSAGE, e.ReadUpTo("owner", 3), e.ReadUpTo("owner", 1)).state

        assert state.reader() == Reader("owner", 3, 2)

    def test_whoever_reads_ahead_has_read_what_there_was(self) -> None:
        state = given(MESSAGE, e.ReadUpTo("owner", 9_000), MESSAGE).state

        assert state.unread() == 1
        assert state.reader().version == 3

    def test_a_reminder_counts_as_one_until_something_new_comes(self) -> None:
        marked = given(MESSAGE, e.ReadUpTo("owner", 2), e.MarkedUnread("owner"))

        assert marked.state.unread() == 1
        assert then(marked, MESSAGE).state.unread() == 1
        assert then(marked, e.ReadUpTo("owner", 4)).state.unread() == 0

    def test_units_older_than_those_remembered_are_read_together(self) -> None:
        many = given(*[MESSAGE] * (RECENT + 10))

        assert many.state.unread() == RECENT + 10
        assert then(many, e.ReadUpTo("owner", 5)).state.unread() == RECENT + 10
        assert then(many, e.ReadUpTo("owner", 12)).state.unread() == RECENT - 1

    def test_a_failure_is_over_once_its_owner_saw_it(self) -> None:
        failed = given(e.Detached("l1", "failed", "crash"), MESSAGE)

        assert then(failed, e.ReadUpTo("owner", 1)).state.failure == "crash"
        assert then(failed, e.ReadUpTo("guest", 3)).state.failure == "crash"
        assert then(failed, e.ReadUpTo("owner", 2)).state.failure is None


class TestTheEnd:
    def test_the_first_end_counts(self) -> None:
        assert given(e.SessionEnded(""), e.SessionEnded("again")).state.ended == ""

    def test_nothing_is_open_afterwards(self) -> None:
        state = given(*SENT, asks(), e.SessionEnded("user")).state

        assert (state.turn, state.queue, state.pending) == (None, (), ())

    def test_erasing_leaves_what_a_rebuild_finds(self) -> None:
        full = given(
            *SENT, asks(), e.SessionRenamed("Mine"), e.SessionConfigured({"a": "1"}), MESSAGE, e.SessionErased()
        )
        gone = replay(*[e.Unknown("gone", 1, None)] * (full.version - 1), e.SessionErased())

        assert full.state == gone.state == SessionState(created=True, ended="erased", erased=True)


def test_a_session_belongs_to_whom_it_was_made_for() -> None:
    assert replay(CREATED).state.owner == "owner"
    assert replay(e.SessionCreated("acp", "alice"), MESSAGE).state.unread("alice") == 1
