from __future__ import annotations

import pytest

from holdfast.domain.session import events as e
from holdfast.domain.session.lifecycle import Attention, Lifecycle, attention, lifecycle
from holdfast.domain.session.state import SessionState
from tests.domain.scene import HELLO, asks, given, replay

ATTACHED = e.Attached("l1")
LOST = e.Detached("l1", "lost")
MESSAGE = e.MessageReceived("i1", HELLO)
IN_TURN = e.TurnStarted("t1")
OVER = e.TurnEnded("t1", "end_turn")
ENDED = e.SessionEnded("user")


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ((), "created"),
        ((e.AttachRequested("l1"),), "created"),
        ((ATTACHED,), "connected"),
        ((ATTACHED, LOST), "connected"),
        ((MESSAGE,), "unread"),
        ((ATTACHED, MESSAGE), "unread"),
        ((ATTACHED, e.MarkedUnread("owner")), "unread"),
        ((MESSAGE, e.ReadUpTo("owner", 2)), "created"),
        ((ATTACHED, MESSAGE, e.ReadUpTo("guest", 3)), "unread"),
        ((IN_TURN,), "streaming"),
        ((ATTACHED, MESSAGE, IN_TURN), "streaming"),
        ((IN_TURN, e.TextAppended("i1", "Hi"), OVER), "unread"),
        ((IN_TURN, OVER), "created"),
        ((ATTACHED, MESSAGE, IN_TURN, ENDED), "ended"),
        ((ENDED, MESSAGE), "ended"),
        ((e.SessionErased(),), "ended"),
    ],
)
def test_the_strongest_that_holds_is_shown(facts: tuple[e.Fact, ...], shown: Lifecycle) -> None:
    assert lifecycle(given(*facts).state) == shown


def test_a_session_that_does_not_exist_yet_is_defined_too() -> None:
    assert lifecycle(SessionState()) == "created"
    assert attention(SessionState()) == "none"


def test_it_is_the_owners_unread_that_is_shown() -> None:
    session = replay(e.SessionCreated("acp", "alice"), MESSAGE, e.ReadUpTo("alice", 2))

    assert lifecycle(session.state) == "created"


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((), "none"),
        ((MESSAGE,), "unread"),
        ((MESSAGE, e.ReadUpTo("owner", 2)), "none"),
        ((e.Detached("l1", "failed"),), "failed"),
        ((e.Detached("l1", "failed"), e.ReadUpTo("owner", 2)), "none"),
        ((IN_TURN, e.TurnInterrupted("t1", "crash"), MESSAGE), "failed"),
        ((e.Detached("l1", "failed"), asks()), "needs_you"),
        ((asks(), e.ReadUpTo("owner", 2)), "needs_you"),
        ((asks(), e.PermissionExpired("r1", "gone")), "unread"),
    ],
)
def test_the_most_urgent_is_wanted(facts: tuple[e.Fact, ...], wanted: Attention) -> None:
    assert attention(given(*facts).state) == wanted
