"""Values of credentials never come out of the veil, however a peer cuts them up; everything else does, unchanged."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.adapters.supervision.secrets import Secrets, Veil, hidden, hidden_json
from holdfast.domain.recorded import Source, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.transport import Heard
from tests.adapters.supervision.test_supervisor import ASKS
from tests.adapters.supervision.town import ME
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.supervision.town import Town

SECRET = "sk-ant-abc123xyz"
SESSION = StreamId("s")


def cut(text: str, places: list[int]) -> list[str]:
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(bounds)]


words = st.text(alphabet="sk-antbc123xyz ", max_size=30)
cuts = st.lists(st.integers(0, 200), max_size=12)


@given(words, words, cuts)
def test_bytes_in_any_slices(before: str, after: str, places: list[int]) -> None:
    said = before + SECRET + after
    veil = Veil(Secrets([SECRET]))
    out = b"".join(veil.hide(piece.encode()) for piece in cut(said, places)) + veil.last_bytes()

    assert out.decode() == said.replace(SECRET, "*" * len(SECRET))


@given(words, words, cuts)
def test_pieces_of_a_text_in_any_number_of_facts(before: str, after: str, places: list[int]) -> None:
    said = before + SECRET + after
    veil = Veil(Secrets([SECRET]))
    pieces = cut(said, places)
    heard = [
        Heard(SESSION, (e.TextAppended("t1.1", piece),), Source(bytes(8), number))
        for number, piece in enumerate(pieces, 1)
    ]
    out = [each for one in heard for each in veil.facts(one)] + veil.rest()

    assert [each.source for each in out] == [each.source for each in heard]
    texts = [fact.text for each in out for fact in each.facts if isinstance(fact, e.TextAppended)]
    assert [len(text) for text in texts] == [len(piece) for piece in pieces]
    assert "".join(texts) == said.replace(SECRET, "*" * len(SECRET))


def test_what_may_be_the_beginning_of_a_value_is_held_until_it_is_known() -> None:
    veil = Veil(Secrets([SECRET]))
    begins = Heard(SESSION, (e.TextAppended("t1.1", "my key is sk-"),))
    aside = Heard(SESSION, (e.InfoChanged("title"),))
    tool = Heard(SESSION, (e.ToolCalled("t1/c", "c"),))

    assert veil.facts(begins) == []
    assert veil.facts(aside) == []
    assert veil.holds
    assert veil.facts(tool) == [begins, aside, tool]
    assert not veil.holds


def test_one_session_does_not_wait_for_another() -> None:
    veil = Veil(Secrets([SECRET]))
    other = Heard(StreamId("other"), (e.TextAppended("t1.1", "hello."),))

    assert veil.facts(Heard(SESSION, (e.TextAppended("t1.1", "sk-"),))) == []
    assert veil.facts(other) == [other]


@given(words, cuts)
def test_what_is_learned_later_is_hidden_from_then_on(before: str, places: list[int]) -> None:
    secrets = Secrets()
    veil = Veil(secrets)
    assert veil.hide(SECRET.encode()) == SECRET.encode()
    secrets.learn(SECRET)
    pieces = cut(before + SECRET, places)
    heard = [Heard(SESSION, (e.TextAppended("t1.1", piece),)) for piece in pieces]

    out = b"".join(veil.hide(piece.encode()) for piece in pieces) + veil.last_bytes()
    said = [
        fact.text
        for one in heard
        for each in veil.facts(one)
        for fact in each.facts
        if isinstance(fact, e.TextAppended)
    ]
    said += [fact.text for each in veil.rest() for fact in each.facts if isinstance(fact, e.TextAppended)]
    assert out.decode() == "".join(said) == (before + SECRET).replace(SECRET, "*" * len(SECRET))


def test_short_values_hide_nothing_and_the_forms_of_json_are_known() -> None:
    assert hidden("the end", Secrets(["end"])) == "the end"
    tricky = 'a"b\\c/d\u00e9fgh'
    for form in (json.dumps([tricky]), json.dumps([tricky], ensure_ascii=False)):
        shown = bytes(hidden_json(Raw(form.encode()), Secrets([tricky]))).decode()
        assert "fgh" not in shown
        assert json.loads(shown)


@pytest.mark.slow
async def test_no_key_of_an_agent_gets_into_the_log(town: Town, tmp_path: Path) -> None:
    agent = Scripted(
        tmp_path / "agent",
        prompts=[
            [
                {"say": "it is sk-ant-"},
                {"say": "abc123xyz, really"},
                {"tool": {"toolCallId": "c1", "title": f"echo {SECRET}", "rawInput": {"key": SECRET}}},
                {"notify": "_x", "params": {"k": SECRET}},
                {"raw": f"garbage {SECRET}\n"},
            ]
        ],
    )
    town.secrets = Secrets([SECRET])

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, f"my key is {SECRET}")
        await daemon.saw(session, e.TurnEnded)

        assert daemon.text(session) == f"it is {'*' * len(SECRET)}, really"
        assert agent.prompts() == [f"my key is {'*' * len(SECRET)}"]
    for file in town.home.glob("log.db*"):
        assert b"abc123xyz" not in file.read_bytes()


@pytest.mark.slow
async def test_no_key_gets_into_the_log_with_the_reason_of_a_refusal(town: Town, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent", prompts=[ASKS])
    town.secrets = Secrets([SECRET])

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "touch x")
        (asked,) = await daemon.saw(session, e.PermissionRequested)
        await daemon.keeping.answer(asked.request_id, "reject", f"not with {SECRET}", cause=None, actor=ME)
        (decided,) = await daemon.saw(session, e.PermissionAnswered)

    assert decided.reason == f"not with {'*' * len(SECRET)}"
