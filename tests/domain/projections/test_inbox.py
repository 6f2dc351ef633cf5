from __future__ import annotations

import pytest

from holdfast.domain.projections.inbox import Arrived, Request, Settled, project
from holdfast.domain.session import events as e
from tests.domain.scene import ALLOW, DENY, HELLO, NAME, START, asks, recorded


def test_a_question_arrives_with_all_that_is_needed_to_answer_it() -> None:
    asked = asks()

    assert project(recorded(asked)) == Arrived(
        Request("r1", NAME, "t1", "List files", asked.input, (ALLOW, DENY), START)
    )


@pytest.mark.parametrize(
    "fact", [e.PermissionAnswered("r1", "allow", "hash-of-ls"), e.PermissionExpired("r1", "turn-closed")]
)
def test_a_settled_question_leaves(fact: e.Fact) -> None:
    assert project(recorded(fact)) == Settled("r1")


@pytest.mark.parametrize(
    "fact", [e.MessageReceived("i1", HELLO), e.TurnEnded("t1", "end_turn"), e.SessionEnded("user")]
)
def test_nothing_else_is_asked_of_anybody(fact: e.Fact) -> None:
    assert project(recorded(fact)) is None
