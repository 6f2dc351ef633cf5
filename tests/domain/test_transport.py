"""The defaults of the transport port: what a protocol gets for nothing."""

from __future__ import annotations

import pytest

from holdfast.domain.errors import UsageError
from holdfast.domain.recorded import EventId, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session
from holdfast.domain.transport import ConnectError, Failure, Joining, Peer, Speech, Transport, Wish

SESSION = StreamId("s")
PEER = Peer(transport="x", target="x://y")
JOINING = Joining(Session(SESSION), "link", PEER, "key")


def test_a_protocol_says_only_what_it_has() -> None:
    speech = Speech()

    assert [*speech.begin("k"), *speech.restore(JOINING), *speech.detach(SESSION), *speech.gone()] == []
    assert speech.takes_prompt(SESSION)
    assert speech.greeted
    assert speech.offset == 0
    with pytest.raises(ConnectError, match="no mode 'plan'"):
        speech.wish(SESSION, "k", Wish("mode", "plan"))


async def test_what_it_must_have_is_asked_for() -> None:
    speech, transport = Speech(), Transport()
    recorded = Recorded(SESSION, 1, EventId(bytes(16)), 0, e.SessionPinned(True))
    for missing in (
        lambda: speech.attach(JOINING),
        lambda: speech.receive(b""),
        lambda: speech.committed(SESSION, recorded),
        lambda: transport.peer("x://y", None),
        lambda: transport.speech(PEER, "link", bytes(8), 0, 1),
    ):
        with pytest.raises(NotImplementedError):
            missing()
    with pytest.raises(NotImplementedError):
        await transport.dial(PEER, heartbeat_s=0, limit_bytes=1)


def test_a_transport_without_programs_says_so() -> None:
    transport = Transport()

    assert transport.agents() == ()
    assert transport.not_before(PEER, [1]) == 0
    with pytest.raises(UsageError):
        transport.program(("a",), None, None)
    with pytest.raises(UsageError):
        transport.agent("a", None)


def test_a_refusal_carries_its_reason() -> None:
    failure = Failure("unauthorized", "sign in")

    assert ConnectError(failure).failure is failure
    assert str(ConnectError(failure)) == "sign in"
