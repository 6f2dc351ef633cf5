from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.domain.errors import StoreDamagedError, UsageError
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import Encoded, decode, encode
from holdfast.domain.session.facts import BY_TAG, Fact
from tests.domain.histories import facts_of, history, unfold


def test_a_fact_is_stored_as_json_under_its_tag_without_what_goes_without_saying() -> None:
    assert encode(e.TextAppended("i1", "Hi")) == Encoded("text-appended", 1, b'{"id":"i1","text":"Hi"}')


def test_who_owns_a_session_is_always_written() -> None:
    assert encode(e.SessionCreated("acp", "owner")) == Encoded(
        "session-created", 2, b'{"transport":"acp","owner":"owner"}'
    )


@pytest.mark.slow
def test_every_fact_of_random_histories_comes_back_as_it_was() -> None:
    for fact in (fact for seed in range(100) for fact in facts_of(unfold(history(seed)))):
        stored = encode(fact)

        assert decode(stored.tag, stored.schema, stored.data) == fact
        assert decode(stored.tag, stored.schema, stored.data.decode()) == fact


@pytest.mark.slow
def test_random_histories_know_every_fact_there_is() -> None:
    chosen = {type(fact) for seed in range(100) for fact in facts_of(unfold(history(seed)))}

    of_sessions = {registration.fact for tag, registration in BY_TAG.items() if not tag.startswith("connection-")}
    assert chosen == {e.Unknown, *of_sessions} - {e.MessageCompacted, e.ToolCompacted}, (
        "nobody asks a session for those"
    )


def test_json_of_a_peer_stays_as_it_was_written() -> None:
    body = b'{"b": 1.0,  "a":1e5, "a":"\\u00fc"}'

    stored = encode(e.RawReceived("i1", "novelty", Raw(body)))
    fact = decode(stored.tag, stored.schema, stored.data)

    assert body in stored.data
    assert isinstance(fact, e.RawReceived)
    assert bytes(fact.body) == body


class TestWhatIsNotKnown:
    @pytest.mark.parametrize(("tag", "schema"), [("from-tomorrow", 1), ("text-appended", 2), ("session-created", 3)])
    @pytest.mark.parametrize("data", ['{"a":  1.50, "b":"\\u0041"}', "not even JSON", ""])
    def test_it_goes_back_byte_for_byte(self, tag: str, schema: int, data: str) -> None:
        fact = decode(tag, schema, data.encode())

        assert fact == decode(tag, schema, data) == e.Unknown(tag, schema, data)
        assert encode(fact) == Encoded(tag, schema, data.encode())

    @given(data=st.text(st.characters(exclude_categories=["Cs"])))
    def test_whatever_it_says(self, data: str) -> None:
        assert encode(decode("from-tomorrow", 7, data)).data == data.encode()

    @pytest.mark.parametrize(("tag", "schema"), [("text-appended", 1), ("session-created", 1), ("from-tomorrow", 1)])
    def test_what_was_erased_is_not_known_any_more(self, tag: str, schema: int) -> None:
        assert decode(tag, schema, None) == e.Unknown(tag, schema, None)


@pytest.mark.parametrize(
    ("tag", "schema", "data"),
    [
        ("text-appended", 1, b"{"),
        ("text-appended", 1, b"[]"),
        ("text-appended", 1, b'{"id":"i1"}'),
        ("text-appended", 1, b'{"id":"i1","text":7}'),
        ("text-appended", 1, b'{"id":"i1","text":"\xff"}'),
        ("prompt-queued", 1, b'{"prompt_id":"p1","content":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
        ("text-appended", 0, b'{"id":"i1","text":"Hi"}'),
        ("session-created", 1, b"{}"),
        ("session-created", 1, b"[]"),
        ("session-created", 2, b'{"transport":"acp"}'),
        ("from-tomorrow", 1, b"\xff"),
    ],
)
def test_a_payload_that_breaks_the_promise_of_its_tag_is_damage(tag: str, schema: int, data: bytes) -> None:
    with pytest.raises(StoreDamagedError, match=rf"{tag}.*schema {schema}"):
        decode(tag, schema, data)


class TestWhatCannotBeStored:
    @pytest.mark.parametrize("fact", [e.TextAppended("i1", "\ud800"), e.SessionRenamed("caf\udce9")])
    def test_half_a_character_is_refused(self, fact: Fact) -> None:
        with pytest.raises(UsageError, match="not valid Unicode"):
            encode(fact)

    def test_json_that_is_needed_must_be_there(self) -> None:
        with pytest.raises(UsageError, match="'prompt-queued' event needs JSON as its content"):
            encode(e.PromptQueued("p1", Raw()))

    def test_empty_json_that_may_be_missing_is_left_out(self) -> None:
        stored = encode(e.ToolCalled("i1", "call", input=Raw(b""), output=Raw(b"1")))

        assert msgspec.json.decode(stored.data) == {"item_id": "i1", "call_id": "call", "output": 1}

    def test_a_class_that_is_not_registered_is_a_mistake(self) -> None:
        class Unheard(Fact, frozen=True):
            pass

        with pytest.raises(KeyError):
            encode(Unheard())
