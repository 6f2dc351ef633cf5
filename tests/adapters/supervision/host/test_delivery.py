"""Did the agent get it?"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, get_args

import pytest

from holdfast.adapters.supervision.host.delivery import Facts, Outcome, Place, judge, place
from holdfast.adapters.supervision.host.folder import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

HostState = Literal["alive", "ended", "dead"]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (Facts("alive", agent_alive=True, place=None, seen=False), "send"),
        (Facts("alive", agent_alive=True, place="queued", seen=False), "wait"),
        (Facts("alive", agent_alive=True, place="unread", seen=False), "wait"),
        (Facts("alive", agent_alive=True, place="read", seen=False), "wait"),
        (Facts("alive", agent_alive=True, place="read", seen=True), "wait"),
        (Facts("alive", agent_alive=False, place=None, seen=False), "not_delivered"),
        (Facts("alive", agent_alive=False, place="queued", seen=False), "not_delivered"),
        (Facts("alive", agent_alive=False, place="unread", seen=False), "not_delivered"),
        (Facts("alive", agent_alive=False, place="read", seen=False), "unknown"),
        (Facts("alive", agent_alive=False, place="read", seen=True), "interrupted"),
        (Facts("ended", agent_alive=False, place=None, seen=False), "not_delivered"),
        (Facts("ended", agent_alive=False, place="queued", seen=False), "not_delivered"),
        (Facts("ended", agent_alive=False, place="unread", seen=False), "not_delivered"),
        (Facts("ended", agent_alive=False, place="read", seen=False), "unknown"),
        (Facts("ended", agent_alive=False, place="read", seen=True), "interrupted"),
        (Facts("dead", agent_alive=False, place=None, seen=False), "unknown"),
        (Facts("dead", agent_alive=False, place=None, seen=True), "interrupted"),
        (Facts("dead", agent_alive=False, place="queued", seen=False), "unknown"),
        (Facts("dead", agent_alive=False, place="read", seen=True), "interrupted"),
    ],
)
def test_what_is_known_decides_what_became_of_it(facts: Facts, outcome: Outcome) -> None:
    assert judge(facts) == outcome


def every_case() -> Iterator[Facts]:
    places: tuple[Place | None, ...] = (*get_args(Place), None)
    for host, alive, where, seen in itertools.product(get_args(HostState), (True, False), places, (True, False)):
        yield Facts(host, agent_alive=alive, place=where, seen=seen)


def test_only_what_was_surely_not_read_may_be_sent_again() -> None:
    again = [facts for facts in every_case() if judge(facts) in {"send", "not_delivered"}]

    assert again
    assert all(facts.place != "read" and not facts.seen and facts.host != "dead" for facts in again)


def test_nothing_is_waited_for_that_will_not_come() -> None:
    assert all(facts.agent_alive and facts.host != "dead" for facts in every_case() if judge(facts) == "wait")


@pytest.mark.parametrize(
    ("span", "where"),
    [
        (None, None),
        ((0, 60), "read"),
        ((50, 61), "read"),
        ((60, 100), "unread"),
        ((90, 120), "unread"),
        ((100, 120), "queued"),
        ((120, 130), "queued"),
        ((0, 0), "read"),
    ],
    ids=["never", "whole", "one byte is left", "from the first", "half in the pipe", "none in it", "last", "settled"],
)
def test_a_span_of_the_input_tells_how_far_it_came(span: tuple[int, int] | None, where: Place | None) -> None:
    status = Status(
        version=1, incarnation="0" * 16, epoch=1, head=0, acked=0, full=False,
        queued=30, piped=100, unread=40, exit=None, keys={"key": span},
    )  # fmt: skip

    assert place(status, "key") == where
