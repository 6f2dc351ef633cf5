"""Who is told what: every rule as a row of a table, with time and focus given and nobody waiting for anything."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from msgspec import Raw
from msgspec.structs import replace

from holdfast.domain.content import of_text
from holdfast.domain.notifying.policy import Circumstances, Outcome, Show, Silent, Withdraw, decide
from holdfast.domain.notifying.settings import NotificationSettings
from holdfast.domain.notifying.standing import TYPES, Standing, begun
from holdfast.domain.projections.roster import row
from holdfast.domain.session import events as e
from tests.domain.scene import ALLOW, CREATED, DENY, HELLO, START, asks, given, recorded

if TYPE_CHECKING:
    from holdfast.domain.notifying.policy import Reason
    from holdfast.domain.session.facts import Fact

NOON = time(12)
MUTED = e.SessionMuted(muted=True, until=START + 100_000_000)
READ = e.ToolCalled("i1", "call", kind="read")
TURN = (e.TurnStarted("t1", "p1"), e.TextAppended("m1", "All "), e.TextAppended("m1", "is well."))
DONE = e.TurnEnded("t1", "end_turn")
ALWAYS = e.Option("always", "allow_always", "Always")


def told(
    *facts: Fact,
    settings: NotificationSettings | None = None,
    wall: time = NOON,
    focused: bool = False,
    late_s: int = 0,
    occurred_at: int | None = None,
    since: Standing | None = None,
) -> list[Outcome]:
    """What becomes of these events, each a second after the one before and seen `late_s` after it happened."""
    known = since or Standing()
    outcomes: list[Outcome] = []
    for version, fact in enumerate(facts, 1):
        event = recorded(fact, version, occurred_at=occurred_at)
        around = Circumstances(
            settings or NotificationSettings(), event.recorded_at + late_s * 1_000_000, wall, focused
        )
        known, outcome = decide(known, event, around)
        if outcome is not None:
            outcomes.append(outcome)
    return outcomes


def reading(request_id: str = "r1", path: str = "a.py") -> e.PermissionRequested:
    """A permission for a tool that only looks."""
    return replace(asks(request_id), title="Read a file", input=Raw(f'{{"path":"{path}"}}'.encode()), item_id="i1")


class Case(NamedTuple):
    happened: tuple[Fact, ...]
    kind: str
    summary: str
    body: str
    item_id: str


WORTH_IT = {
    "a question": Case((CREATED, asks()), "needs_you", "Needs you: opencode", 'List files\n{"command":"ls"}', "r1"),
    "the end of a turn with an answer": Case(
        (CREATED, *TURN, DONE), "finished", "Finished: opencode", "All is well.", "m1"
    ),
    "an interruption": Case(
        (CREATED, *TURN, e.TurnInterrupted("t1", "the agent ended")),
        "failed", "Failed: opencode", "the agent ended", "notice-5",
    ),
    "an unknown outcome": Case(
        (CREATED, e.TurnUnknown("t1", "nobody knows")), "failed", "Failed: opencode", "nobody knows", "notice-2"
    ),
    "a connection that was given up": Case(
        (CREATED, e.Detached("l1", "failed", "no such program")), "failed", "Failed: opencode", "no such program",
        "notice-2",
    ),
    "a prompt that did not arrive": Case(
        (CREATED, e.PromptFailed("p1", "refused", "too long")), "failed", "Failed: opencode", "too long", "p1"
    ),
    "a message": Case((CREATED, e.MessageReceived("x1", HELLO)), "message", "Message: opencode", "hello", "x1"),
    "the name that a person gave": Case(
        (CREATED, e.SessionRenamed("Shop"), e.InfoChanged(title="other"), asks()),
        "needs_you", "Needs you: Shop", 'List files\n{"command":"ls"}', "r1",
    ),
    "the first words, where nobody gave a name": Case(
        (CREATED, e.PromptQueued("p1", of_text("fix it")), asks()),
        "needs_you", "Needs you: fix it", 'List files\n{"command":"ls"}', "r1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WORTH_IT.values(), ids=WORTH_IT)
def test_people_are_told_of(case: Case) -> None:
    (outcome,) = told(*case.happened)

    assert isinstance(outcome, Show)
    assert (outcome.kind, outcome.summary, outcome.body) == (case.kind, case.summary, case.body)
    assert (outcome.item_id, outcome.news) == (case.item_id, case.item_id)


UNEVENTFUL: dict[str, tuple[Fact, ...]] = {
    "a session that begins": (CREATED, e.AttachRequested("l1"), e.Attached("l1")),
    "text, thoughts and tools": (CREATED, *TURN, e.ThoughtAppended("h1", "hm"), READ),
    "a turn without a word": (CREATED, e.TurnStarted("t1"), READ, DONE),
    "a turn with only blanks": (CREATED, e.TurnStarted("t1"), e.TextAppended("m1", " \n"), DONE),
    "a helper's words": (CREATED, e.TurnStarted("t1"), e.TextAppended("m1", "hi", thread="helper"), DONE),
    "a turn that the person stopped": (CREATED, *TURN, e.TurnEnded("t1", "cancelled")),
    "a turn that ended with its session": (CREATED, *TURN, e.TurnEnded("t1", "session-ended")),
    "a turn after which the next prompt goes out": (CREATED, e.PromptQueued("p2", HELLO), *TURN, DONE),
    "an answer that was read while it came": (CREATED, *TURN, e.ReadUpTo("owner", 4), DONE),
    "a prompt that the end of its session took along": (CREATED, e.PromptFailed("p1", "session-ended")),
    "a connection that is lost for a while": (CREATED, e.Detached("l1", "lost", "reset")),
    "an agent that sleeps": (CREATED, e.Detached("l1", "hibernated")),
    "the end of a session": (CREATED, e.SessionEnded("user")),
}


@pytest.mark.parametrize("happened", UNEVENTFUL.values(), ids=UNEVENTFUL)
def test_nobody_is_told_of(happened: tuple[Fact, ...]) -> None:
    assert told(*happened) == []


def test_the_last_of_the_queue_is_told_of() -> None:
    happened = (CREATED, e.PromptQueued("p2", HELLO), *TURN, DONE, e.PromptSent("p2", HELLO), *TURN, DONE)

    (outcome,) = told(*happened)

    assert isinstance(outcome, Show)
    assert outcome.kind == "finished"


def test_what_came_after_the_reading_is_told_of_though_the_turn_had_been_seen() -> None:
    (outcome,) = told(CREATED, *TURN, e.ReadUpTo("owner", 4), e.TextAppended("m2", "And more."), DONE)

    assert isinstance(outcome, Show)
    assert outcome.body == "And more."


QUIET = NotificationSettings(quiet_hours="22:00-07:00")
SILENT: dict[str, tuple[Reason, list[Outcome]]] = {
    "off": ("disabled", told(CREATED, asks(), settings=NotificationSettings(enabled=False))),
    "looked at": ("focused", told(CREATED, asks(), focused=True)),
    "muted": ("muted", told(CREATED, e.SessionMuted(muted=True), asks())),
    "muted for a time": ("muted", told(CREATED, MUTED, asks(), late_s=50)),
    "all muted for a time": (
        "muted",
        told(CREATED, asks(), settings=NotificationSettings(muted_until=datetime(2026, 1, 1, tzinfo=UTC))),
    ),
    "quiet hours begin": ("quiet", told(CREATED, asks(), settings=QUIET, wall=time(22))),
    "quiet hours before midnight": ("quiet", told(CREATED, asks(), settings=QUIET, wall=time(23, 59))),
    "quiet hours after midnight": ("quiet", told(CREATED, asks(), settings=QUIET, wall=time(0))),
    "quiet hours end": ("quiet", told(CREATED, asks(), settings=QUIET, wall=time(6, 59, 59))),
    "imported": ("imported", told(replace(CREATED, imported_from="claude"), *TURN, DONE)),
    "followed in an import": ("imported", told(CREATED, *TURN, DONE, occurred_at=START)),
    "caught up on": ("history", told(CREATED, asks(), late_s=61)),
    "told already": ("told", told(CREATED, e.SessionNotified("tray", "r1"), asks())),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "outcomes"), SILENT.values(), ids=SILENT)
def test_nobody_is_told_where_it_is(reason: Reason, outcomes: list[Outcome]) -> None:
    assert outcomes == [Silent(reason)]


SPOKEN: dict[str, list[Outcome]] = {
    "quiet hours are over": told(CREATED, asks(), settings=QUIET, wall=time(7)),
    "quiet hours are to come": told(CREATED, asks(), settings=QUIET, wall=time(21, 59)),
    "within the day": told(CREATED, asks(), settings=NotificationSettings(quiet_hours="13:00-14:00")),
    "a mute is over": told(CREATED, replace(MUTED, until=START), asks()),
    "a mute was taken back": told(CREATED, MUTED, e.SessionMuted(muted=False), asks()),
    "all were muted once": told(
        CREATED, asks(), settings=NotificationSettings(muted_until=datetime(2020, 1, 1, tzinfo=UTC))
    ),
    "it is a minute ago": told(CREATED, asks(), late_s=60),
    "something else was told": told(CREATED, e.SessionNotified("tray", "r0"), asks()),
}


@pytest.mark.parametrize("outcomes", SPOKEN.values(), ids=SPOKEN)
def test_people_are_told_where(outcomes: list[Outcome]) -> None:
    assert [type(each) for each in outcomes] == [Show]


TAKEN_BACK: dict[str, tuple[Fact, ...]] = {
    "a question, by an answer": (CREATED, asks(), e.PermissionAnswered("r1", "allow", "hash")),
    "a question, by its turn's end": (CREATED, asks(), e.PermissionExpired("r1", "turn-ended")),
    "a question, by reading": (CREATED, asks(), e.ReadUpTo("owner", 2)),
    "an answer, by reading": (CREATED, *TURN, DONE, e.ReadUpTo("owner", 5)),
    "an answer, by reading its last words": (CREATED, *TURN, DONE, e.ReadUpTo("owner", 4)),
    "an answer, by the next prompt": (CREATED, *TURN, DONE, e.TurnStarted("t2")),
    "a failure, by reading": (CREATED, e.TurnUnknown("t1", "?"), e.ReadUpTo("owner", 2)),
    "a failure, by the next turn": (CREATED, e.TurnUnknown("t1", "?"), e.TurnStarted("t2")),
    "a message, by reading": (CREATED, e.MessageReceived("x1", HELLO), e.ReadUpTo("owner", 2)),
    "all, by muting": (CREATED, asks(), MUTED),
    "all, by the end": (CREATED, asks(), e.SessionEnded("user")),
    "all, by erasing": (CREATED, asks(), e.SessionErased()),
}


@pytest.mark.parametrize("happened", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_taken_back_is(happened: tuple[Fact, ...]) -> None:
    shown, withdrawn = told(*happened)

    assert isinstance(shown, Show)
    assert isinstance(withdrawn, Withdraw)


STAYING: dict[str, tuple[Fact, ...]] = {
    "somebody else reads": (CREATED, asks(), e.ReadUpTo("guest", 2)),
    "what was before is read": (CREATED, asks(), e.ReadUpTo("owner", 1)),
    "only the beginning of an answer is read": (CREATED, *TURN, DONE, e.ReadUpTo("owner", 3)),
    "another question is answered": (CREATED, asks(), e.PermissionAnswered("r9", "allow", "hash")),
    "the agent goes on": (CREATED, asks(), e.TextAppended("m1", "meanwhile")),
}


@pytest.mark.parametrize("happened", STAYING.values(), ids=STAYING)
def test_it_stays_when(happened: tuple[Fact, ...]) -> None:
    (shown,) = told(*happened)

    assert isinstance(shown, Show)


def test_two_messages_of_one_session_are_one_notification() -> None:
    first, second = told(CREATED, e.MessageReceived("x1", HELLO), e.MessageReceived("x2", of_text("again")))

    assert isinstance(first, Show)
    assert isinstance(second, Show)
    assert first.session_id == second.session_id
    assert (second.summary, second.body, second.count) == ("Message (2): opencode", "again", 2)


def test_a_question_stays_in_front_of_what_comes_after_it() -> None:
    _, second = told(CREATED, asks(), e.MessageReceived("x1", HELLO))

    assert isinstance(second, Show)
    assert (second.kind, second.item_id, second.news) == ("needs_you", "r1", "x1")


def test_of_two_questions_neither_is_answered_blindly_and_the_other_remains() -> None:
    first, both, rest = told(
        CREATED, READ, reading(), reading("r2", "b.py"), e.PermissionAnswered("r2", "allow", "hash")
    )

    assert isinstance(first, Show)
    assert isinstance(both, Show)
    assert isinstance(rest, Show)
    assert [len(first.answers), len(both.answers), len(rest.answers)] == [2, 0, 2]
    assert (rest.item_id, rest.news, rest.sound) == ("r1", None, False)


def test_a_failure_is_told_once_until_it_was_seen() -> None:
    outcomes = told(CREATED, *TURN, e.TurnInterrupted("t1", "gone"), e.Detached("l1", "failed", "gone"))

    assert isinstance(outcomes[0], Show)
    assert outcomes[1:] == [Silent("repeated")]


def test_every_answer_of_a_long_session_is_told_once() -> None:
    outcomes = told(CREATED, *TURN, DONE, *TURN, DONE)

    assert [type(each) for each in outcomes] == [Show, Withdraw, Show]


class Asked(NamedTuple):
    request: e.PermissionRequested
    kind: str | None
    settings: NotificationSettings
    labels: list[str]


LOOKING = NotificationSettings()
ANSWERS = {
    "a tool that only looks": Asked(reading(), "read", LOOKING, ["Allow", "Deny"]),
    "a tool that does something": Asked(reading(), "execute", LOOKING, ["Deny"]),
    "a tool that sends something": Asked(reading(), "fetch", LOOKING, ["Deny"]),
    "a tool of no kind": Asked(reading(), None, LOOKING, ["Deny"]),
    "any tool, where that is wanted": Asked(
        reading(), "execute", NotificationSettings(allow="anything"), ["Allow", "Deny"]
    ),
    "never, where that is wanted": Asked(reading(), "read", NotificationSettings(allow="nothing"), ["Deny"]),
    "what is not shown": Asked(reading(), "read", NotificationSettings(preview=False), []),
    "what is too long to be shown": Asked(reading(path="a" * 300), "read", LOOKING, ["Deny"]),
    "what has too many lines": Asked(
        replace(reading(), title="\n".join("abcdefgh")), "read", LOOKING, ["Deny"]
    ),
    "what tells something else than it shows": Asked(
        replace(reading(), title="Read \u202eyp.a"), "read", NotificationSettings(allow="anything"), ["Deny"]
    ),
    "what lies elsewhere": Asked(
        replace(reading(), input=Raw(b'{"path":{"$attachment":"00ff","size":70000}}')), "read", LOOKING, ["Deny"]
    ),
    "what holds for longer": Asked(replace(reading(), options=(ALWAYS, DENY)), "read", LOOKING, ["Deny"]),
    "two ways to allow it once": Asked(
        replace(reading(), options=(ALLOW, e.Option("b", "allow_once"), DENY)), "read", LOOKING, ["Deny"]
    ),
    "no way to deny it": Asked(replace(reading(), options=(ALLOW,)), "read", LOOKING, ["Allow"]),
}  # fmt: skip


@pytest.mark.parametrize("asked", ANSWERS.values(), ids=ANSWERS)
def test_the_answers_offered_for(asked: Asked) -> None:
    (outcome,) = told(CREATED, replace(READ, kind=asked.kind), asked.request, settings=asked.settings)

    assert isinstance(outcome, Show)
    assert [each.label for each in outcome.answers] == asked.labels


def test_a_tool_is_of_the_kind_that_was_said_last() -> None:
    looks, acts = replace(READ, kind="read"), replace(READ, kind="execute")
    (first,) = told(CREATED, looks, e.ToolUpdated("i1", "call", kind="execute"), reading())
    (second,) = told(CREATED, acts, e.ToolUpdated("i1", "call", kind="read"), reading())
    (third,) = told(CREATED, looks, e.ToolUpdated("i1", "call", status="in_progress"), reading())

    assert [[each.label for each in show.answers] for show in (first, second, third) if isinstance(show, Show)] == [
        ["Deny"],
        ["Allow", "Deny"],
        ["Allow", "Deny"],
    ]


def test_without_a_preview_nothing_of_the_content_is_shown() -> None:
    happened = (CREATED, e.PromptQueued("p1", of_text("the secret plan")), asks())

    (outcome,) = told(*happened, settings=NotificationSettings(preview=False))

    assert isinstance(outcome, Show)
    assert (outcome.summary, outcome.body, outcome.answers) == ("Needs you: opencode", "", ())


def test_without_sound_the_notification_is_silent() -> None:
    (outcome,) = told(CREATED, asks(), settings=NotificationSettings(sound=False))

    assert isinstance(outcome, Show)
    assert not outcome.sound


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\u202e", "\\x1b[31mred\\u202e"),
        ("x" * 300, "x" * 240 + "…"),
        ("\n".join("abcdefgh"), "a\nb\nc\nd\ne\nf…"),
    ],
)
def test_what_an_agent_says_is_escaped_and_cut_visibly(text: str, shown: str) -> None:
    (outcome,) = told(CREATED, e.MessageReceived("x1", of_text(text)))

    assert isinstance(outcome, Show)
    assert outcome.body == shown


def test_a_session_that_was_there_before_is_known_by_its_row() -> None:
    session = given(e.PromptQueued("p1", HELLO), e.SessionRenamed("Shop"), *TURN)
    known = begun(row(session))

    outcomes = told(DONE, since=replace(known, read=0))

    assert isinstance(outcomes[0], Show)
    assert (outcomes[0].summary, outcomes[0].kind) == ("Finished: Shop", "finished")


def test_a_session_that_was_imported_is_known_by_its_row() -> None:
    session = given(e.SessionMuted(muted=True, until=START + 5_000_000))
    known = begun(row(session))

    assert told(asks(), since=known) == [Silent("muted")]
    assert told(asks(), since=replace(known, imported=True)) == [Silent("imported")]


def test_all_that_the_policy_looks_at_is_asked_of_the_log() -> None:
    told_of = {type(fact) for table in (UNEVENTFUL, TAKEN_BACK, STAYING) for facts in table.values() for fact in facts}
    from holdfast.domain.session.facts import BY_CLASS

    ignored = {e.AttachRequested, e.Attached, e.ThoughtAppended}
    assert {BY_CLASS[fact].tag for fact in told_of - ignored} <= set(TYPES)
