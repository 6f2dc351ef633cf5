from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain.session import events as e
from holdfast.domain.session.admit import admit
from holdfast.domain.session.state import OPEN_TOOLS
from tests.domain.scene import HELLO, asks, given

if TYPE_CHECKING:
    from holdfast.domain.session.session import Session

QUEUED = e.PromptQueued("p1", HELLO)
SENT = (QUEUED, e.PromptSent("p1", HELLO), e.TurnStarted("t1", "p1"))
IN_TURN = e.TurnStarted("t1")
ENDED = e.SessionEnded("user")
OVER = e.TurnEnded("t1", "end_turn")
ATTACHED = e.Attached("l1")
TOOL = e.ToolCalled("i1", "call", "ls", status="in_progress")


def admitted(session: Session, fact: e.Fact) -> tuple[e.Fact, ...]:
    return tuple(admit(session.state, fact))


@pytest.mark.parametrize(
    "fact",
    [
        e.TextAppended("i1", "late, but said"),
        e.ThoughtAppended("i1", "hm"),
        e.ToolUpdated("i1", "call"),
        e.MessageReceived("i1", HELLO),
        e.UsageReported("session", input=3),
        e.HistoryGap("away"),
        e.Unknown("from-tomorrow", 3, "{}"),
        e.ReadUpTo("owner", 1),
        e.Detached("l1", "exited"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_a_peer_says_is_kept_even_after_the_end(fact: e.Fact) -> None:
    assert admitted(given(), fact) == (fact,)
    assert admitted(given(ENDED), fact) == (fact,)


@pytest.mark.parametrize(
    "fact",
    [
        e.SessionCreated("acp", "mallory"),
        e.SessionErased(),
        e.PermissionAnswered("r1", "allow", "hash-of-ls"),
        QUEUED,
        e.PromptEdited("p1", HELLO),
        e.PromptWithdrawn("p1"),
        e.PromptSent("p1", HELLO),
        e.QueueResumed(),
        e.CancelRequested("t1"),
        e.ToolAbandoned("i1", "cancelled"),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_what_only_a_command_leads_to_is_never_observed(fact: e.Fact) -> None:
    assert admitted(given(*SENT, asks()), fact) == ()


class TestTurns:
    def test_a_turn_starts_with_the_prompt_that_was_handed_over(self) -> None:
        session = given(QUEUED, e.PromptSent("p1", HELLO))

        assert admitted(session, e.TurnStarted("t1", "p1")) == (e.TurnStarted("t1", "p1"),)

    @pytest.mark.parametrize("prompt_id", ["p1", "p2"], ids=["waiting", "unknown"])
    def test_a_turn_does_not_take_along_a_prompt_that_was_never_handed_over(self, prompt_id: str) -> None:
        assert admitted(given(QUEUED), e.TurnStarted("t1", prompt_id)) == (IN_TURN,)

    def test_a_start_that_is_repeated_says_nothing_new(self) -> None:
        assert admitted(given(IN_TURN), IN_TURN) == ()
        assert admitted(given(IN_TURN, OVER), IN_TURN) == ()

    def test_a_turn_that_another_one_replaces_is_unknown(self) -> None:
        session = given(IN_TURN, asks())

        assert admitted(session, e.TurnStarted("t2")) == (
            e.PermissionExpired("r1", "turn-closed"),
            e.TurnUnknown("t1", "superseded"),
            e.TurnStarted("t2"),
        )

    def test_no_turn_starts_after_the_end(self) -> None:
        assert admitted(given(ENDED), IN_TURN) == ()

    @pytest.mark.parametrize("closing", [OVER, e.TurnInterrupted("t1", "crash"), e.TurnUnknown("t1", "crash")])
    def test_a_turn_closes_once_and_takes_every_question_along(self, closing: e.Fact) -> None:
        session = given(IN_TURN, asks(), asks("r2", None), asks("r3", "t9"))

        assert admitted(session, closing) == (
            e.PermissionExpired("r1", "turn-closed"),
            e.PermissionExpired("r2", "turn-closed"),
            e.PermissionExpired("r3", "turn-closed"),
            closing,
        )
        assert admitted(given(IN_TURN, OVER), closing) == ()
        assert admitted(given(), closing) == ()
        assert admitted(given(e.TurnStarted("t2")), closing) == ()


class TestPermissions:
    def test_a_question_is_asked_once(self) -> None:
        assert admitted(given(IN_TURN), asks()) == (asks(),)
        assert admitted(given(IN_TURN, asks()), asks()) == ()
        assert admitted(given(IN_TURN, asks(), e.PermissionExpired("r1", "gone")), asks()) == ()

    def test_a_question_outside_of_any_turn_waits(self) -> None:
        assert admitted(given(), asks(turn_id=None)) == (asks(turn_id=None),)

    def test_a_question_that_comes_after_its_turn_is_kept_and_waits_for_nobody(self) -> None:
        assert admitted(given(IN_TURN, OVER), asks()) == (asks(), e.PermissionExpired("r1", "turn-closed"))

    def test_a_question_of_a_turn_that_is_being_cancelled_waits_for_nobody(self) -> None:
        session = given(IN_TURN, e.CancelRequested("t1"))

        assert admitted(session, asks()) == (asks(), e.PermissionExpired("r1", "cancelled"))

    def test_nothing_is_asked_after_the_end(self) -> None:
        assert admitted(given(ENDED), asks()) == ()

    def test_only_a_question_that_waits_expires(self) -> None:
        gone = e.PermissionExpired("r1", "gone")

        assert admitted(given(IN_TURN, asks()), gone) == (gone,)
        assert admitted(given(IN_TURN), gone) == ()


class TestPrompts:
    def test_a_prompt_is_accepted_once_after_it_was_sent(self) -> None:
        accepted = e.PromptAccepted("p1")

        assert admitted(given(*SENT), accepted) == (accepted,)
        assert admitted(given(*SENT, accepted), accepted) == ()
        assert admitted(given(QUEUED), accepted) == ()
        assert admitted(given(), accepted) == ()

    def test_a_prompt_fails_once(self) -> None:
        failed = e.PromptFailed("p1", "not_delivered")

        assert admitted(given(*SENT), failed) == (failed,)
        assert admitted(given(*SENT, failed), failed) == ()


class TestAttachment:
    def test_an_ended_session_is_not_attached_any_more(self) -> None:
        assert admitted(given(), ATTACHED) == (ATTACHED,)
        assert admitted(given(ENDED), ATTACHED) == ()
        assert admitted(given(ENDED), e.AttachRequested("l1")) == ()

    def test_the_same_loss_is_told_once(self) -> None:
        lost = e.Detached("l1", "lost")

        assert admitted(given(ATTACHED), lost) == (lost,)
        assert admitted(given(ATTACHED, lost), lost) == ()

    def test_a_loss_that_turns_out_to_be_another_is_news(self) -> None:
        asleep = e.Detached("l1", "hibernated")

        assert admitted(given(ATTACHED, e.Detached("l1", "lost")), asleep) == (asleep,)

    def test_every_attempt_may_fail(self) -> None:
        failed = e.Detached("l1", "failed", "no such program")

        assert admitted(given(failed, e.AttachRequested("l1")), failed) == (failed,)

    def test_a_failure_for_another_reason_is_news(self) -> None:
        missing, silent = e.Detached("l1", "failed", "no such program"), e.Detached("l2", "failed", "it says nothing")

        assert admitted(given(ATTACHED, missing), silent) == (silent,)
        assert admitted(given(ATTACHED, missing, silent), silent) == ()

    def test_the_loss_of_an_earlier_link_is_no_news(self) -> None:
        assert admitted(given(ATTACHED, e.Attached("l2")), e.Detached("l1", "lost")) == ()


class TestTheEnd:
    def test_a_peer_may_end_the_session_and_closes_what_is_open(self) -> None:
        session = given(*SENT, e.PromptQueued("p2", HELLO), asks())

        assert admitted(session, e.SessionEnded("exited", "status 1")) == (
            e.PermissionExpired("r1", "session-ended"),
            e.TurnEnded("t1", "session-ended"),
            e.PromptFailed("p2", "session-ended", content=HELLO),
            e.SessionEnded("exited", "status 1"),
        )

    def test_a_session_ends_once(self) -> None:
        assert admitted(given(ENDED), e.SessionEnded("exited")) == ()


class TestTools:
    @pytest.mark.parametrize(
        ("closing", "reason"),
        [
            (OVER, "turn-ended"),
            (e.TurnEnded("t1", "cancelled"), "cancelled"),
            (e.TurnEnded("t1", "unrecorded"), "unrecorded"),
            (e.TurnInterrupted("t1", "crash"), "interrupted"),
            (e.TurnUnknown("t1", "no answer"), "unknown"),
        ],
    )
    def test_a_turn_takes_along_the_uses_of_tools_that_nobody_ended(self, closing: e.Fact, reason: str) -> None:
        working = given(IN_TURN, TOOL, e.ToolCalled("i2", "other"), e.ToolUpdated("i2", "other", status="completed"))

        assert tuple(admit(working.state, closing)) == (e.ToolAbandoned("i1", reason), closing)

    def test_a_denied_use_of_which_nothing_more_is_heard_ends_with_its_turn(self) -> None:
        denied = given(IN_TURN, TOOL, asks(), e.PermissionAnswered("r1", "deny", "hash-of-ls"))

        assert tuple(admit(denied.state, OVER)) == (e.ToolAbandoned("i1", "turn-ended"), OVER)

    def test_the_end_of_the_session_takes_them_along(self) -> None:
        assert tuple(admit(given(TOOL).state, ENDED)) == (e.ToolAbandoned("i1", "session-ended"), ENDED)

    def test_so_does_the_loss_of_the_agent_outside_of_a_turn(self) -> None:
        lost = e.Detached("l1", "exited")

        assert tuple(admit(given(ATTACHED, TOOL).state, lost)) == (e.ToolAbandoned("i1", "detached"), lost)
        assert tuple(admit(given(ATTACHED, IN_TURN, TOOL).state, lost)) == (lost,)

    def test_what_begins_after_the_end_is_over_at_once(self) -> None:
        assert tuple(admit(given(ENDED).state, TOOL)) == (TOOL, e.ToolAbandoned("i1", "session-ended"))

    def test_only_so_many_are_open_at_a_time(self) -> None:
        crowd = given(*(e.ToolCalled(f"i{number}", "call") for number in range(OPEN_TOOLS)))
        more = e.ToolCalled("more", "call")

        assert tuple(admit(crowd.state, more)) == (e.ToolAbandoned("i0", "crowded"), more)
        assert tuple(admit(crowd.state, e.ToolUpdated("i5", "call", status="in_progress"))) == (
            e.ToolUpdated("i5", "call", status="in_progress"),
        )
