from __future__ import annotations

import pytest

from holdfast.domain.content import of_text
from holdfast.domain.errors import (
    ConflictError,
    NotFoundError,
    OptionError,
    PermissionExpiredError,
    PromptError,
    SessionEndedError,
    SessionErasedError,
)
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session
from tests.domain.scene import HELLO, NAME, asks, given, then, when

NOWHERE = Session(NAME)
QUEUED = e.PromptQueued("p1", HELLO)
SENT = (QUEUED, e.PromptSent("p1", HELLO), e.TurnStarted("t1", "p1"))
IN_TURN = e.TurnStarted("t1")
ENDED = e.SessionEnded("user")
BYE = of_text("bye")

EVERY_COMMAND: list[c.Command] = [
    c.Configure({"model": "large"}),
    c.Rename("Shop"),
    c.Pin(),
    c.Mute(),
    c.Notify("tray", "r1"),
    c.End(),
    c.Erase(),
    c.QueuePrompt("p1", HELLO),
    c.EditPrompt("p1", HELLO),
    c.WithdrawPrompt("p1"),
    c.ResumeQueue(),
    c.StartTurn("t1"),
    c.Cancel(),
    c.Answer("r1", "allow"),
    c.MarkRead(),
    c.MarkUnread(),
    c.Observe((e.HistoryGap("away"),)),
]


def test_creating_says_all_that_is_known_and_whose_it_is() -> None:
    command = c.Create("acp", "opencode acp", "opencode", "/srv/shop", "Shop", "claude", "large")

    assert when(NOWHERE, command) == (
        e.SessionCreated("acp", "owner", "opencode acp", "opencode", "/srv/shop", "Shop", "claude", "large"),
    )


def test_a_session_is_created_once() -> None:
    with pytest.raises(ConflictError, match="exists already"):
        when(given(), c.Create("acp"))


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda command: type(command).__name__)
def test_nothing_else_may_be_asked_of_a_session_that_was_not_created(command: c.Command) -> None:
    with pytest.raises(NotFoundError):
        when(NOWHERE, command)


@pytest.mark.parametrize(
    "command",
    [
        c.Configure({"model": "large"}),
        c.QueuePrompt("p1", HELLO),
        c.EditPrompt("p1", HELLO),
        c.WithdrawPrompt("p1"),
        c.ResumeQueue(),
        c.StartTurn("t1"),
        c.Cancel(),
        c.Answer("r1", "allow"),
        c.Rename("Shop"),
        c.Pin(),
        c.Mute(),
        c.MarkUnread(),
        c.End(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_ended_session_takes_no_command(command: c.Command) -> None:
    with pytest.raises(SessionEndedError, match="has ended"):
        when(given(ENDED), command)


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (c.Notify("tray", "r1"), e.SessionNotified("tray", "r1")),
        (c.Observe((e.HistoryGap("away"),)), e.HistoryGap("away")),
        (c.Erase(), e.SessionErased()),
    ],
)
def test_what_is_noted_by_itself_is_noted_after_the_end_as_well(command: c.Command, fact: e.Fact) -> None:
    assert when(given(ENDED), command) == (fact,)


def test_the_last_words_of_an_ended_session_can_be_read() -> None:
    session = given(e.TurnStarted("t1"), e.TextAppended("i1", "bye"), e.TurnEnded("t1", "end_turn"), ENDED)

    assert when(session, c.MarkRead()) == (e.ReadUpTo("owner", 5),)


@pytest.mark.parametrize(
    "command",
    [command for command in EVERY_COMMAND if not isinstance(command, c.Observe)],
    ids=lambda command: type(command).__name__,
)
def test_an_erased_session_takes_nothing(command: c.Command) -> None:
    with pytest.raises(SessionErasedError):
        when(given(ENDED, e.SessionErased()), command)


def test_what_a_peer_says_to_an_erased_session_is_left_out() -> None:
    assert when(given(ENDED, e.SessionErased()), c.Observe((e.TextAppended("i1", "still here"),))) == ()


def test_erasing_ends_first_and_closes_what_is_open() -> None:
    session = given(*SENT, asks(), e.PromptQueued("p2", HELLO))

    assert when(session, c.Erase()) == (
        e.PermissionExpired("r1", "session-ended"),
        e.TurnEnded("t1", "session-ended"),
        e.PromptFailed("p2", "session-ended", content=HELLO),
        e.SessionEnded("erased"),
        e.SessionErased(),
    )


def test_ending_leaves_no_question_no_turn_and_no_prompt_without_an_outcome() -> None:
    session = given(*SENT, asks(turn_id=None), e.PromptQueued("p2", HELLO))

    assert when(session, c.End("user", "enough")) == (
        e.PermissionExpired("r1", "session-ended"),
        e.TurnEnded("t1", "session-ended"),
        e.PromptFailed("p2", "session-ended", content=HELLO),
        e.SessionEnded("user", "enough"),
    )


class TestMarks:
    @pytest.mark.parametrize(
        ("given_facts", "command"),
        [
            ((e.SessionRenamed("Shop"),), c.Rename("Shop")),
            ((), c.Rename("")),
            ((e.InfoChanged("Theirs"),), c.Rename("")),
            ((e.SessionConfigured({"model": "large", "effort": "high"}),), c.Configure({"model": "large"})),
            ((), c.Configure({})),
            ((e.SessionPinned(pinned=True),), c.Pin()),
            ((), c.Pin(pinned=False)),
            ((), c.Mute(muted=False)),
            ((), c.Mute(muted=False, until=5)),
            ((e.SessionMuted(muted=True, until=5),), c.Mute(until=5)),
            ((), c.MarkRead()),
            ((e.MarkedUnread("owner"),), c.MarkUnread()),
            ((e.MessageReceived("i1", HELLO),), c.MarkUnread()),
        ],
    )
    def test_asking_for_what_is_already_so_changes_nothing(
        self, given_facts: tuple[e.Fact, ...], command: c.Command
    ) -> None:
        assert when(given(*given_facts), command) == ()

    def test_a_person_may_take_over_the_title_that_the_peer_gave(self) -> None:
        assert when(given(e.InfoChanged("Theirs")), c.Rename("Theirs")) == (e.SessionRenamed("Theirs"),)

    def test_a_person_may_leave_the_naming_to_the_peer_again(self) -> None:
        assert when(given(e.SessionRenamed("Mine")), c.Rename("")) == (e.SessionRenamed(""),)

    def test_muting_to_another_time_is_news(self) -> None:
        session = given(e.SessionMuted(muted=True, until=5))

        assert when(session, c.Mute()) == (e.SessionMuted(muted=True),)
        assert when(session, c.Mute(muted=False, until=9)) == (e.SessionMuted(muted=False),)

    def test_options_that_change_are_recorded_as_they_were_asked_for(self) -> None:
        session = given(e.SessionConfigured({"model": "large"}))

        assert when(session, c.Configure({"model": "small"})) == (e.SessionConfigured({"model": "small"}),)


class TestReading:
    def test_reading_without_a_version_goes_to_the_end(self) -> None:
        session = given(e.MessageReceived("i1", HELLO), e.HistoryGap("away"))

        assert when(session, c.MarkRead()) == (e.ReadUpTo("owner", 3),)

    def test_nobody_reads_beyond_the_end(self) -> None:
        assert when(given(e.MessageReceived("i1", HELLO)), c.MarkRead(version=99)) == (e.ReadUpTo("owner", 2),)

    def test_going_back_unreads_nothing(self) -> None:
        session = given(e.MessageReceived("i1", HELLO), e.ReadUpTo("owner", 2), e.MessageReceived("i2", HELLO))

        assert when(session, c.MarkRead(version=1)) == ()

    def test_reading_takes_the_reminder_away(self) -> None:
        assert when(given(e.MarkedUnread("owner")), c.MarkRead()) == (e.ReadUpTo("owner", 2),)

    def test_everybody_reads_alone(self) -> None:
        session = given(e.MessageReceived("i1", HELLO), e.ReadUpTo("guest", 2))

        assert when(session, c.MarkRead("guest")) == ()
        assert when(session, c.MarkRead("owner")) == (e.ReadUpTo("owner", 3),)
        assert when(session, c.MarkUnread("guest")) == (e.MarkedUnread("guest"),)

    def test_without_a_name_it_is_the_owner_who_reads(self) -> None:
        created = e.SessionCreated("acp", "alice")
        session = then(Session(NAME), created, e.MessageReceived("i1", HELLO))

        assert when(session, c.MarkRead()) == (e.ReadUpTo("alice", 2),)


class TestPrompts:
    def test_a_prompt_is_queued(self) -> None:
        assert when(given(), c.QueuePrompt("p1", HELLO)) == (QUEUED,)

    @pytest.mark.parametrize(
        "before",
        [
            (QUEUED,),
            SENT,
            (*SENT, e.TurnEnded("t1", "end_turn")),
            (QUEUED, e.PromptWithdrawn("p1")),
            (QUEUED, e.PromptFailed("p1", "not_delivered")),
        ],
        ids=["waits", "sent", "done", "withdrawn", "failed"],
    )
    def test_the_same_prompt_is_queued_once(self, before: tuple[e.Fact, ...]) -> None:
        with pytest.raises(PromptError, match="already there"):
            when(given(*before), c.QueuePrompt("p1", HELLO))

    def test_a_waiting_prompt_can_be_changed_and_taken_back(self) -> None:
        assert when(given(QUEUED), c.EditPrompt("p1", BYE)) == (e.PromptEdited("p1", BYE),)
        assert when(given(QUEUED), c.WithdrawPrompt("p1")) == (e.PromptWithdrawn("p1"),)

    @pytest.mark.parametrize("command", [c.EditPrompt("p1", BYE), c.WithdrawPrompt("p1")])
    def test_a_prompt_that_was_sent_can_not(self, command: c.Command) -> None:
        with pytest.raises(PromptError, match="already sent"):
            when(given(*SENT), command)
        with pytest.raises(PromptError, match="already sent"):
            when(given(*SENT, e.PromptAccepted("p1")), command)

    @pytest.mark.parametrize("command", [c.EditPrompt("p1", BYE), c.WithdrawPrompt("p1")])
    def test_a_prompt_that_is_not_there_can_not(self, command: c.Command) -> None:
        with pytest.raises(NotFoundError, match="no prompt p1"):
            when(given(), command)
        with pytest.raises(NotFoundError):
            when(given(QUEUED, e.PromptWithdrawn("p1")), command)


class TestTurns:
    def test_a_turn_starts_with_the_prompt_that_waits_longest_as_it_is_now(self) -> None:
        session = given(QUEUED, e.PromptQueued("p2", HELLO), e.PromptEdited("p1", BYE))

        assert when(session, c.StartTurn("t1")) == (e.PromptSent("p1", BYE), e.TurnStarted("t1", "p1"))

    def test_one_turn_at_a_time(self) -> None:
        with pytest.raises(PromptError, match="t1 is open"):
            when(given(*SENT, e.PromptQueued("p2", HELLO)), c.StartTurn("t2"))

    def test_a_turn_that_is_over_does_not_start_again(self) -> None:
        session = given(*SENT, e.TurnEnded("t1", "end_turn"), e.PromptQueued("p2", HELLO))

        with pytest.raises(PromptError, match="t1 is over"):
            when(session, c.StartTurn("t1"))

    def test_without_a_waiting_prompt_no_turn_starts(self) -> None:
        with pytest.raises(PromptError, match="no prompt may be sent"):
            when(given(), c.StartTurn("t1"))

    @pytest.mark.parametrize("broken", [e.TurnInterrupted("t1", "crash"), e.TurnUnknown("t1", "crash")])
    def test_after_a_turn_broke_off_the_queue_waits_for_a_person(self, broken: e.Fact) -> None:
        session = given(*SENT, e.PromptQueued("p2", HELLO), broken)

        with pytest.raises(PromptError, match="no prompt may be sent"):
            when(session, c.StartTurn("t2"))
        assert when(session, c.ResumeQueue()) == (e.QueueResumed(),)
        resumed = then(session, e.QueueResumed())
        assert when(resumed, c.StartTurn("t2")) == (e.PromptSent("p2", HELLO), e.TurnStarted("t2", "p2"))
        sent_more = then(session, e.PromptQueued("p3", HELLO))
        assert when(sent_more, c.StartTurn("t2")) == (e.PromptSent("p2", HELLO), e.TurnStarted("t2", "p2"))

    def test_resuming_a_queue_that_is_not_held_changes_nothing(self) -> None:
        assert when(given(QUEUED), c.ResumeQueue()) == ()

    def test_cancelling_asks_the_turn_to_stop_and_takes_its_questions_back(self) -> None:
        session = given(IN_TURN, asks())

        assert when(session, c.Cancel()) == (e.CancelRequested("t1"), e.PermissionExpired("r1", "cancelled"))

    def test_cancelling_twice_changes_nothing(self) -> None:
        assert when(given(IN_TURN, e.CancelRequested("t1")), c.Cancel()) == ()

    def test_there_must_be_a_turn_to_cancel(self) -> None:
        with pytest.raises(ConflictError, match="no turn is open"):
            when(given(), c.Cancel())


class TestAnswers:
    @pytest.mark.parametrize("option", ["allow", "deny", None])
    def test_an_answer_is_bound_to_what_was_asked(self, option: str | None) -> None:
        session = given(IN_TURN, asks())

        assert when(session, c.Answer("r1", option, "because", "hash-of-ls")) == (
            e.PermissionAnswered("r1", option, "hash-of-ls", "because"),
        )

    @pytest.mark.parametrize(
        "after",
        [
            (e.PermissionAnswered("r1", "allow", "hash-of-ls"),),
            (e.PermissionExpired("r1", "gone"),),
            (e.TurnEnded("t1", "cancelled"), e.PermissionExpired("r1", "turn-closed")),
        ],
        ids=["answered", "expired", "after its turn"],
    )
    def test_a_settled_question_takes_no_answer(self, after: tuple[e.Fact, ...]) -> None:
        with pytest.raises(PermissionExpiredError, match="somebody was faster, or its turn is over"):
            when(given(IN_TURN, asks(), *after), c.Answer("r1", "allow"))

    def test_an_unknown_question_takes_no_answer(self) -> None:
        with pytest.raises(PermissionExpiredError):
            when(given(IN_TURN, asks()), c.Answer("r2", "allow"))

    def test_an_answer_to_other_arguments_is_refused(self) -> None:
        with pytest.raises(PermissionExpiredError, match="other arguments"):
            when(given(IN_TURN, asks()), c.Answer("r1", "allow", arguments_hash="hash-of-rm"))

    def test_only_what_was_offered_may_be_chosen(self) -> None:
        with pytest.raises(OptionError, match="choose one of allow, deny"):
            when(given(IN_TURN, asks()), c.Answer("r1", "always"))


def test_facts_that_are_observed_together_are_judged_one_after_the_other() -> None:
    observed = (IN_TURN, IN_TURN, asks(), asks(), e.TurnEnded("t1", "end_turn"), e.TurnEnded("t1", "end_turn"), IN_TURN)

    assert when(given(), c.Observe(observed)) == (
        IN_TURN,
        asks(),
        e.PermissionExpired("r1", "turn-closed"),
        e.TurnEnded("t1", "end_turn"),
    )
