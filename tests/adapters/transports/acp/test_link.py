from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Raw

from holdfast.adapters.transports.acp.protocol import link as link_module
from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import Asked, Connection, Notified, TooLong
from holdfast.adapters.transports.acp.protocol.framing import Lines
from holdfast.adapters.transports.acp.protocol.link import Delivery, Link
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.domain.session import events as e
from tests.adapters.transports.acp.scene import CWD, INCARNATION, REMOTE, chunk, line, question, update

if TYPE_CHECKING:
    import pytest


class Pair:
    """One agent that has a session and is asked to fork it."""

    def __init__(self, limit_bytes: int = 1 << 20) -> None:
        self.connection = Connection(INCARNATION, Lines(limit_bytes=limit_bytes))
        self.link = Link(self.connection)
        self.one = Conversation(self.connection, "link")
        self.two = Conversation(self.connection, "link")
        self.link.open(self.one, "k1", requests.new(CWD))
        self.says({"id": "k1", "result": {"sessionId": REMOTE}})

    def says(self, *messages: dict[str, Any]) -> list[Delivery]:
        return self.link.receive(b"".join(map(line, messages)))

    def fork(self) -> None:
        self.link.open(self.two, "k2", requests.fork(REMOTE, CWD))


def texts(deliveries: list[Delivery]) -> list[tuple[Conversation | None, str]]:
    return [
        (delivery.conversation, fact.text)
        for delivery in deliveries
        for fact in delivery.facts
        if isinstance(fact, e.TextAppended)
    ]


def offsets(deliveries: list[Delivery]) -> list[int]:
    return [delivery.observation.source.offset for delivery in deliveries if delivery.facts]


def test_words_about_a_session_that_has_no_name_yet_wait_for_it() -> None:
    pair = Pair()
    pair.fork()

    early = pair.says(*(chunk(str(number), session_id="ses_2") for number in range(26)))
    assert early == []
    told = pair.says({"id": "k2", "result": {"sessionId": "ses_2"}})

    assert texts(told) == [(pair.two, str(number)) for number in range(26)]
    assert told[-1].facts == (e.Attached("link", "ses_2"),)
    assert pair.two.phase == "idle"


def test_what_comes_behind_waits_too_so_that_order_is_kept() -> None:
    pair = Pair()
    pair.fork()
    before = pair.says(chunk("before"))
    waiting = pair.says(chunk("new", session_id="ses_2"), chunk("behind"), question(1))

    told = pair.says({"id": "k2", "result": {"sessionId": "ses_2"}})

    assert texts(before) == [(pair.one, "before")]
    assert waiting == []
    assert texts(told) == [(pair.two, "new"), (pair.one, "behind")]
    assert offsets(told) == sorted(offsets(told))
    assert isinstance(told[2].observation, Asked)


def test_a_refusal_does_not_wait_since_the_agent_may() -> None:
    pair = Pair()
    pair.fork()
    pair.says(chunk("new", session_id="ses_2"))

    (told,) = pair.says({"id": 9, "method": "fs/read_text_file", "params": {"sessionId": REMOTE}})

    assert b"-32601" in told.writes[0].data


def test_after_a_refused_fork_its_words_belong_to_nobody_we_know() -> None:
    pair = Pair()
    pair.fork()
    pair.says(chunk("new", session_id="ses_2"))

    told = pair.says({"id": "k2", "error": {"code": -32601, "message": "no"}})

    assert [type(fact) for delivery in told for fact in delivery.facts] == [e.RawReceived]
    assert told[0].conversation is pair.one
    assert pair.two.phase == "unbound"


def test_the_only_session_keeps_what_is_said_of_others() -> None:
    pair = Pair()

    (told,) = pair.says(chunk("from a child", session_id="ses_9"))

    (fact,) = told.facts
    assert isinstance(fact, e.RawReceived)
    assert fact.label == "session/update of another session"
    assert b"from a child" in bytes(fact.body)


def test_of_two_sessions_none_keeps_it_and_it_is_still_seen() -> None:
    pair = Pair()
    pair.fork()
    pair.says({"id": "k2", "result": {"sessionId": "ses_2"}})

    (told,) = pair.says(chunk("whose?", session_id="ses_9"))

    assert told == Delivery(None, told.observation)
    assert isinstance(told.observation, Notified)


def test_a_question_about_an_unknown_session_is_refused() -> None:
    pair = Pair()

    (told,) = pair.says(question(4, session_id="ses_9"))

    assert b"-32002" in told.writes[0].data
    assert told.facts == ()


def test_each_session_hears_its_own() -> None:
    pair = Pair()
    pair.fork()
    pair.says({"id": "k2", "result": {"sessionId": "ses_2"}})

    told = pair.says(chunk("a"), chunk("b", session_id="ses_2"), question(1, session_id="ses_2"), chunk("c"))
    back = pair.says({"method": "$/cancel_request", "params": {"requestId": 1}})

    assert texts(told) == [(pair.one, "a"), (pair.two, "b"), (pair.one, "c")]
    assert [(each.conversation, type(each.facts[0])) for each in back] == [(pair.two, e.PermissionExpired)]


def test_words_of_the_link_are_nobodys() -> None:
    pair = Pair()
    pair.connection.request("k0", "initialize", Raw(b"{}"))

    told = pair.says({"method": "_auth/status_update", "params": {}}, {"id": "k0", "result": {"protocolVersion": 1}})

    assert [(delivery.conversation, delivery.facts) for delivery in told] == [(None, ()), (None, ())]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "HELD_LIMIT", 10_000)
    pair = Pair()
    pair.fork()

    told = pair.says(*(chunk("x" * 100, session_id="ses_2") for _ in range(50)))

    assert 0 < len(told) <= 50
    assert pair.link.held_bytes <= 10_000


def test_a_line_over_the_limit_comes_after_all_that_waited() -> None:
    pair = Pair(limit_bytes=2000)
    pair.fork()
    pair.says(chunk("new", session_id="ses_2"))

    told = pair.link.receive(b"x" * 3000)

    assert [type(delivery.observation) for delivery in told] == [Notified, TooLong]


def test_when_the_agent_is_gone_its_sessions_are_nowhere() -> None:
    pair = Pair()
    pair.fork()
    pair.says(chunk("new", session_id="ses_2"))

    rest = pair.link.gone()

    assert len(rest) == 1
    assert pair.one.phase == "unbound"


def test_a_session_that_was_dropped_hears_nothing() -> None:
    pair = Pair()
    pair.link.drop(pair.one)

    (told,) = pair.says(update("agent_message_chunk", content={"type": "text", "text": "x"}))

    assert told.conversation is None
