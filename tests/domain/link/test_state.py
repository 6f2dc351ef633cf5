"""A link stands where its events left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.link import events as e
from holdfast.domain.link.state import LinkState, evolve
from holdfast.domain.session.codec import decode, encode
from holdfast.domain.session.events import HistoryGap

if TYPE_CHECKING:
    from holdfast.domain.session.facts import Fact

ASKED = e.ConnectionRequested("acp", "opencode acp")
OPENED = e.ConnectionOpened("opencode")
LOST = e.ConnectionLost("reset", "retryable")

every: st.SearchStrategy[Fact] = st.one_of(
    st.builds(e.ConnectionRequested, st.just("acp"), st.just("x"), st.integers(1, 9)),
    st.builds(e.ConnectionAuthenticated, st.just("token")),
    st.builds(e.ConnectionOpened, st.none(), st.booleans()),
    st.builds(e.ConnectionLost, st.just("reset"), st.sampled_from(["retryable", "terminal", "ended"])),
    st.builds(e.ConnectionRetryScheduled, st.integers(1, 9), st.integers(0, 10**16)),
    st.builds(e.ConnectionGaveUp, st.integers(1, 9), st.just("enough")),
    st.just(e.ConnectionHibernated()),
    st.builds(e.ConnectionClosed, st.just("done")),
    st.just(HistoryGap("not a link's")),
)


def after(*facts: Fact) -> LinkState:
    state = LinkState()
    for fact in facts:
        state = evolve(state, fact)
    return state


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ((), "offline"),
        ((ASKED,), "connecting"),
        ((ASKED, OPENED), "connected"),
        ((ASKED, OPENED, LOST), "reconnecting"),
        ((ASKED, OPENED, LOST, e.ConnectionRequested("acp", "opencode acp", 2)), "reconnecting"),
        ((ASKED, LOST, e.ConnectionGaveUp(5, "five attempts")), "gave_up"),
        ((ASKED, e.ConnectionLost("no such command", "terminal")), "failed"),
        ((ASKED, OPENED, e.ConnectionLost("it said goodbye", "ended")), "offline"),
        ((ASKED, OPENED, e.ConnectionHibernated()), "hibernated"),
        ((ASKED, OPENED, e.ConnectionClosed("asked to")), "offline"),
    ],
)
def test_each_fact_leaves_the_link_in_the_word_that_is_shown(facts: tuple[Fact, ...], standing: str) -> None:
    assert after(*facts).standing == standing


def test_a_scheduled_attempt_is_counted_until_the_link_is_ready_again() -> None:
    waiting = after(ASKED, OPENED, LOST, e.ConnectionRetryScheduled(3, 42))
    assert (waiting.attempt, waiting.due_at, waiting.error) == (3, 42, "reset")
    ready = evolve(waiting, OPENED)
    assert (ready.attempt, ready.due_at, ready.error) == (0, None, None)


@given(st.lists(every))
def test_a_link_always_stands_somewhere_and_counts_only_towards_a_next_attempt(facts: list[Fact]) -> None:
    state = after(*(decode(stored.tag, stored.schema, stored.data) for stored in map(encode, facts)))

    assert state == after(*facts), "the stored form says the same"
    if state.standing in {"connected", "offline", "failed", "hibernated"}:
        assert (state.attempt, state.due_at) == (0, None)
    if state.due_at is not None:
        assert state.standing == "reconnecting"
