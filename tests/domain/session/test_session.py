from __future__ import annotations

import pytest

from holdfast.domain.errors import NotFoundError
from holdfast.domain.recorded import DAEMON, Actor, Source
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, handle, record
from tests.domain.scene import HELLO, NAME, START, asks, event_ids, given, recorded

PHONE = Actor("human", "phone")


def test_what_a_command_leads_to_follows_the_latest_event_in_envelopes_of_its_own() -> None:
    session = given(e.PromptQueued("p1", HELLO))
    source = Source(b"12345678", 99)

    sent, started = handle(session, c.StartTurn("t1"), Context(START, event_ids(), PHONE, "c1", START - 5, source))

    assert [sent.event, started.event] == [e.PromptSent("p1", HELLO), e.TurnStarted("t1", "p1")]
    assert [sent.originator_version, started.originator_version] == [3, 4]
    assert sent.event_id != started.event_id
    for event in (sent, started):
        assert event.originator_id == NAME
        assert (event.actor, event.cause, event.source) == (PHONE, "c1", source)
        assert (event.recorded_at, event.at) == (START, START - 5)
        assert event.position is None


def test_a_refused_command_makes_no_event() -> None:
    with pytest.raises(NotFoundError):
        handle(Session(NAME), c.End(), Context(START, event_ids()))


def test_facts_can_be_put_down_without_a_decision() -> None:
    (event,) = record(given(), [e.HistoryGap("away")], Context(START, event_ids(), DAEMON))

    assert (event.originator_version, event.actor, event.at) == (2, DAEMON, START)


def test_folding_goes_on_where_the_session_stands() -> None:
    more = [recorded(asks(), 2), recorded(e.PermissionExpired("r1", "gone"), 3)]

    session = fold(given(), more)

    assert session == given(asks(), e.PermissionExpired("r1", "gone"))
    assert session.version == 3
