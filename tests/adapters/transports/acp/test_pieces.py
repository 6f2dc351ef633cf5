"""A piece of text that is read in one step means what it means when it is read like everything else."""

from __future__ import annotations

from typing import cast

import pytest

from holdfast.adapters.transports.acp.protocol import connection, requests
from holdfast.adapters.transports.acp.protocol.connection import Connection, Spoke
from holdfast.adapters.transports.acp.protocol.framing import Lines
from holdfast.adapters.transports.acp.protocol.link import Delivery, Link
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.domain.recorded import Source
from holdfast.domain.session import events as e
from tests.adapters.transports.acp.scene import CWD, INCARNATION, REMOTE, line

_WHERE = f'"jsonrpc":"2.0","method":"session/update","params":{{"sessionId":"{REMOTE}","update":'


def said(rest: str, kind: str = "agent_message_chunk", more: str = "") -> str:
    return f'{{{_WHERE}{{"sessionUpdate":"{kind}",{rest}}}}}{more}}}'


TEXT = '"content":{"type":"text","text":"hello"}'
PLAIN = [
    said(TEXT),
    said(TEXT, "agent_thought_chunk"),
    said('"content":{"type":"text","text":""}'),
    said('"content":{"type":"text","text":"grüße 🐦 \\n \\" [[{{"}'),
    said(TEXT + ',"messageId":"m1"'),
    said(TEXT + ',"messageId":null'),
    said('"content":{"type":"text","text":"hi","annotations":{"a":[1]}},"_meta":{"x":1}'),
]
ODD = [
    said(TEXT, "user_message_chunk"),
    said(TEXT, more=',"id":1'),
    said(TEXT, more=',"id":null'),
    said(TEXT, more=',"result":{}'),
    said(TEXT, more=',"error":null'),
    said('"content":{"type":"text","text":"half \\ud83d"}'),
    said('"content":{"type":"text","text":"whole \\ud83d\\udc26"}'),
    said('"content":{"type":"image","data":"","mimeType":"image/png"}'),
    said('"content":{"type":"text"}'),
    said('"content":null'),
    said(TEXT + ',"messageId":7'),
    said(TEXT + ',"deep":' + "[" * 200 + "]" * 200),
    said(TEXT).replace(REMOTE, "nobody"),
    said(TEXT)[:-1],
    f"[{said(TEXT)},{said(TEXT)}]",
    said(TEXT).replace("session/update", "session/other"),
]


def slowly(data: bytes) -> None:
    """Read nothing in one step."""
    del data


def heard(*received: bytes) -> list[tuple[object, ...]]:
    """What follows, the way in which it was read left out."""
    made = Connection(INCARNATION, Lines())
    link, conversation = Link(made), Conversation(made, "link")
    link.open(conversation, "k1", requests.new(CWD))
    link.receive(line({"id": "k1", "result": {"sessionId": REMOTE}}))
    return [_plain(conversation, delivery) for data in received for delivery in link.receive(data)]


def _plain(conversation: Conversation, delivery: Delivery) -> tuple[object, ...]:
    told = delivery.observation
    source = told.source
    return delivery.conversation is conversation, source, delivery.facts, delivery.writes


@pytest.mark.parametrize("message", [*PLAIN, *ODD])
def test_it_means_the_same(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = message.encode() + b"\n"
    in_one_step = heard(data, data)
    monkeypatch.setattr(connection, "piece", slowly)

    assert in_one_step == heard(data, data)


def test_pieces_of_one_text_that_come_together_are_one_and_end_with_the_last() -> None:
    pieces = [said(f'"content":{{"type":"text","text":"{word}"}}').encode() + b"\n" for word in ("one ", "", "two")]
    other = said(TEXT + ',"messageId":"m"').encode() + b"\n"

    (alone, _), (together, after) = heard(pieces[0], other), heard(b"".join(pieces) + other)

    (first,), (whole,) = _facts(alone), _facts(together)
    assert isinstance(first, e.TextAppended)
    assert whole == e.TextAppended(first.item_id, "one two")
    begun = alone[1]
    assert isinstance(begun, Source)
    assert together[1] == Source(INCARNATION, begun.offset + len(pieces[1]) + len(pieces[2]))
    assert _facts(after) != _facts(together), "a message with another id is another"


def _facts(told: tuple[object, ...]) -> tuple[object, ...]:
    assert isinstance(told[2], tuple)
    return cast("tuple[object, ...]", told[2])


def test_bytes_that_are_no_text_mean_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = said('"content":{"type":"text","text":"?"}').encode().replace(b"?", b"\xff\xc3") + b"\n"
    in_one_step = heard(data)
    monkeypatch.setattr(connection, "piece", slowly)

    assert in_one_step == heard(data)


@pytest.mark.parametrize(("message", "plain"), [*((each, True) for each in PLAIN), *((each, False) for each in ODD)])
def test_only_what_is_certain_is_read_in_one_step(message: str, plain: bool) -> None:
    told = Connection(INCARNATION, Lines()).receive(message.encode() + b"\n")

    assert isinstance(told[0], Spoke) == (plain or "nobody" in message)
