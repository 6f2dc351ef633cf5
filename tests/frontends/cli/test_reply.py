"""What an agent answers to one prompt, put together from what the log says."""

from __future__ import annotations

import pytest

from holdfast.domain.answers import LogEvent
from holdfast.domain.content import of_text
from holdfast.domain.session import events as e
from holdfast.frontends.cli.reply import Listener
from tests.frontends.client.test_shapes import recorded


def heard(*facts: e.Fact) -> str:
    said: list[str] = []
    events = [
        e.PromptQueued("p", of_text("go")),
        e.TurnStarted("t", "p"),
        *facts,
        e.TurnEnded("t", "end_turn"),
    ]
    logged = [LogEvent(recorded(at, fact), "session", "any", None) for at, fact in enumerate(events, 1)]
    reply = Listener("p", said.append, set).listen(logged)
    assert reply.text == "".join(said)
    return reply.text


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([("a", "one"), ("b", "two")], "one\n\ntwo"),
        ([("a", "one\n"), ("b", "two")], "one\n\ntwo"),
        ([("a", "one\n"), ("a", "\n"), ("b", "two")], "one\n\ntwo"),
        ([("a", "one\n\n\n"), ("b", "two")], "one\n\n\ntwo"),
        ([("a", "one "), ("a", "two")], "one two"),
    ],
)
def test_messages_are_one_empty_line_apart(pieces: list[tuple[str, str]], text: str) -> None:
    assert heard(*(e.TextAppended(item_id, piece) for item_id, piece in pieces)) == text
