"""The defaults of the transport port: what a protocol gets for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain.errors import UsageError
from holdfast.domain.recorded import Recorded, StreamId
from holdfast.domain.session.session import Session
from holdfast.domain.transport import ConnectError, Failure, Heard, Joining, Peer, Speech, Transport, Wish, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SESSION = StreamId("s")
PEER = Peer(transport="x", target="x://y")
JOINING = Joining(Session(SESSION), "link", PEER, "key")


class Mute(Speech):
    """A protocol that has nothing but what every one must have."""

    def attach(self, joining: Joining) -> Sequence[Write]:
        return ()

    def receive(self, data: bytes) -> Iterable[Heard]:
        return ()

    def committed(self, session_id: StreamId, recorded: Recorded) -> Sequence[Write]:
        return ()


class Nobody(Transport):
    name = "nobody"

    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Speech:
        return Mute()


def test_a_protocol_says_only_what_it_has() -> None:
    speech = Mute()

    assert [*speech.begin("k"), *speech.restore(JOINING), *speech.detach(SESSION), *speech.gone()] == []
    assert speech.takes_prompt(SESSION)
    assert speech.greeted
    assert speech.offset == 0
    with pytest.raises(ConnectError, match="no mode 'plan'"):
        speech.wish(SESSION, "k", Wish("mode", "plan"))


@pytest.mark.parametrize(("kind", "lacks"), [(Speech, "attach, committed, receive"), (Transport, "speech")])
def test_what_it_must_have_is_asked_for_before_anything_is_connected(kind: type[object], lacks: str) -> None:
    with pytest.raises(TypeError, match=lacks):
        kind()


async def test_a_transport_without_addresses_and_programs_says_so() -> None:
    transport = Nobody()

    assert transport.agents() == ()
    assert transport.not_before(PEER, [1]) == 0
    with pytest.raises(UsageError, match="peers of nobody have no address"):
        transport.peer("x://y", None)
    with pytest.raises(ConnectError, match="x://y is nothing to connect to"):
        await transport.dial(PEER, heartbeat_s=0, limit_bytes=1)
    with pytest.raises(UsageError):
        transport.program(("a",), None, None)
    with pytest.raises(UsageError):
        transport.agent("a", None)


def test_a_refusal_carries_its_reason() -> None:
    failure = Failure("unauthorized", "sign in")

    assert ConnectError(failure).failure is failure
    assert str(ConnectError(failure)) == "sign in"
