"""No order of commands and observations breaks a law, and each law is seen to catch what breaks it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from holdfast.domain.errors import HoldfastError
from holdfast.domain.session import codec
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.decide import decide
from holdfast.domain.session.evolve import evolve
from holdfast.domain.session.session import Context, Session, fold, handle
from tests.domain.histories import commands, facts_of, history, unfold
from tests.domain.laws import every_law_holds
from tests.domain.scene import NAME, START, dump, event_ids

if TYPE_CHECKING:
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import SessionState
    from tests.domain.histories import Decide, Evolve


@pytest.mark.slow
@given(asked=commands())
@settings(max_examples=400)
def test_no_order_of_commands_and_observations_breaks_a_law(asked: list[c.Command]) -> None:
    every_law_holds(unfold(asked))


@pytest.mark.slow
@given(asked=commands())
def test_the_stored_form_of_a_history_gives_the_same_session(asked: list[c.Command]) -> None:
    events = _handled(asked)
    stored = [(recorded, codec.encode(recorded.event)) for recorded in events]

    read = [replace(recorded, event=codec.decode(form.tag, form.schema, form.data)) for recorded, form in stored]

    assert dump(fold(Session(NAME), read)) == dump(fold(Session(NAME), events))
    assert [codec.encode(recorded.event) for recorded in read] == [form for _, form in stored]


@pytest.mark.slow
@given(asked=commands())
def test_deciding_twice_gives_the_same(asked: list[c.Command]) -> None:
    assert dump([step.facts for step in unfold(asked)]) == dump([step.facts for step in unfold(asked)])


@pytest.mark.slow
@given(asked=commands())
def test_what_is_handled_has_versions_without_gaps_and_ids_of_its_own(asked: list[c.Command]) -> None:
    events = _handled(asked)

    assert [recorded.originator_version for recorded in events] == list(range(1, len(events) + 1))
    assert len({recorded.event_id for recorded in events}) == len(events)
    assert dump([recorded.event for recorded in events]) == dump(facts_of(unfold(asked)))


def _handled(asked: list[c.Command]) -> list[Recorded]:
    session = Session(NAME)
    new_event_id = event_ids()
    handled: list[Recorded] = []
    for number, command in enumerate(asked):
        context = Context(START + number, new_event_id, cause=f"c{number}")
        with suppress(HoldfastError):  # a refusal changes nothing
            events = handle(session, command, context)
            session = fold(session, events)
            handled += events
    return handled


def _forgets_what_was_settled(state: SessionState, fact: Fact, version: int) -> SessionState:
    return replace(evolve(state, fact, version), settled=())


def _revives(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, ended=None) if isinstance(fact, e.Detached | e.SessionRenamed) else after


def _ends_twice(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, ended=None, erased=False) if isinstance(fact, e.SessionEnded) else after


def _keeps_one_prompt(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, queue=after.queue[-1:]) if isinstance(fact, e.PromptQueued) else after


def _empties_the_queue_with_the_turn(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, queue=()) if isinstance(fact, e.TurnEnded) else after


def _does_not_mark_what_was_sent(state: SessionState, fact: Fact, version: int) -> SessionState:
    return state if isinstance(fact, e.PromptSent) else evolve(state, fact, version)


def _ignores_edits(state: SessionState, fact: Fact, version: int) -> SessionState:
    return state if isinstance(fact, e.PromptEdited) else evolve(state, fact, version)


def _counts_every_piece_of_text(state: SessionState, fact: Fact, version: int) -> SessionState:
    return replace(evolve(state, fact, version), spoke=False)


def _counts_side_chains(state: SessionState, fact: Fact, version: int) -> SessionState:
    if isinstance(fact, e.TextAppended):
        fact = replace(fact, thread=None)
    return evolve(state, fact, version)


def _reads_everything(state: SessionState, fact: Fact, version: int) -> SessionState:
    if isinstance(fact, e.ReadUpTo):
        fact = replace(fact, version=version)
    return evolve(state, fact, version)


def _reads_for_everybody(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    if not isinstance(fact, e.ReadUpTo):
        return after
    return replace(after, readers=tuple(replace(reader, units=after.units) for reader in after.readers))


def _keeps_the_failure_after_it_was_seen(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, failure=state.failure) if isinstance(fact, e.ReadUpTo) else after


def _leaves_the_turn_open(state: SessionState, fact: Fact, version: int) -> SessionState:
    return state if isinstance(fact, e.TurnUnknown) else evolve(state, fact, version)


def _closes_any_turn(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, turn=None) if isinstance(fact, e.CancelRequested) else after


def _forgets_the_attachment(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, ever_attached=after.attachment == "attached")


def _keeps_answered_questions(state: SessionState, fact: Fact, version: int) -> SessionState:
    after = evolve(state, fact, version)
    return replace(after, pending=state.pending) if isinstance(fact, e.PermissionAnswered) else after


BROKEN_EVOLVE: list[Evolve] = [
    _forgets_what_was_settled,
    _revives,
    _ends_twice,
    _keeps_one_prompt,
    _empties_the_queue_with_the_turn,
    _does_not_mark_what_was_sent,
    _ignores_edits,
    _counts_every_piece_of_text,
    _counts_side_chains,
    _reads_everything,
    _reads_for_everybody,
    _keeps_the_failure_after_it_was_seen,
    _leaves_the_turn_open,
    _closes_any_turn,
    _forgets_the_attachment,
    _keeps_answered_questions,
]


def _records_whatever_a_peer_says(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    return command.facts if isinstance(command, c.Observe) else decide(state, command, version)


def _admits_facts_one_by_one_against_the_first_state(
    state: SessionState, command: c.Command, version: int
) -> tuple[Fact, ...]:
    if not isinstance(command, c.Observe):
        return decide(state, command, version)
    return tuple(each for fact in command.facts for each in decide(state, c.Observe((fact,)), version))


def _ends_without_closing(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    facts = decide(state, command, version)
    return facts[-1:] if isinstance(command, c.End) else facts


def _closes_a_turn_without_its_questions(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    facts = decide(state, command, version)
    return tuple(fact for fact in facts if fact != e.PermissionExpired(_request_of(fact), "turn-closed"))


def _closes_a_turn_without_its_tools(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    return tuple(fact for fact in decide(state, command, version) if not isinstance(fact, e.ToolAbandoned))


def _request_of(fact: Fact) -> str:
    return fact.request_id if isinstance(fact, e.PermissionExpired) else ""


def _answers_whatever_is_asked(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    if isinstance(command, c.Answer) and state.created and not state.erased:
        return (e.PermissionAnswered(command.request_id, command.option_id, "hash"),)
    return decide(state, command, version)


def _queues_the_same_prompt_again(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    return decide(replace(state, settled=()) if isinstance(command, c.QueuePrompt) else state, command, version)


def _starts_over(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    return decide(replace(state, turn=None) if isinstance(command, c.StartTurn) else state, command, version)


def _withdraws_what_was_sent(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    if isinstance(command, c.WithdrawPrompt) and state.prompt(command.prompt_id) is not None:
        return (e.PromptWithdrawn(command.prompt_id),)
    return decide(state, command, version)


def _erases_without_ending(state: SessionState, command: c.Command, version: int) -> tuple[Fact, ...]:
    if isinstance(command, c.Create) and state.created:
        return (e.SessionCreated(transport=command.transport, owner=command.owner),)
    return decide(replace(state, ended=None), command, version)


BROKEN_DECIDE: list[Decide] = [
    _records_whatever_a_peer_says,
    _admits_facts_one_by_one_against_the_first_state,
    _ends_without_closing,
    _closes_a_turn_without_its_questions,
    _closes_a_turn_without_its_tools,
    _answers_whatever_is_asked,
    _queues_the_same_prompt_again,
    _starts_over,
    _withdraws_what_was_sent,
    _erases_without_ending,
]


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN_EVOLVE, ids=lambda broken: broken.__name__.strip("_"))
def test_a_law_catches_an_evolve_that(broken: Evolve) -> None:
    assert any(_breaks_a_law(history(seed), evolve=broken) for seed in range(1000))


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN_DECIDE, ids=lambda broken: broken.__name__.strip("_"))
def test_a_law_catches_a_decide_that(broken: Decide) -> None:
    assert any(_breaks_a_law(history(seed), decide=broken) for seed in range(1000))


@pytest.mark.slow
def test_the_laws_do_not_catch_what_is_not_broken() -> None:
    assert not any(_breaks_a_law(history(seed)) for seed in range(300))


def _breaks_a_law(asked: list[c.Command], *, decide: Decide = decide, evolve: Evolve = evolve) -> bool:
    try:
        every_law_holds(unfold(asked, decide, evolve))
    except AssertionError:
        return True
    return False
