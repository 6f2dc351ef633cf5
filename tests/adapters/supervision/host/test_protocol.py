"""The wire between daemon and host."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.supervision.host.protocol import BODY_LIMIT, Decoder, WireError, encode

MESSAGES = st.lists(
    st.tuples(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4), st.binary()), max_size=5
)


@given(messages=MESSAGES, cuts=st.lists(st.integers(1, 64), min_size=1))
def test_any_slicing_gives_the_same_messages(messages: list[tuple[dict[str, object], bytes]], cuts: list[int]) -> None:
    wire = b"".join(encode(header, body) for header, body in messages)
    decoder, got, at, turn = Decoder(), list[tuple[dict[str, object], bytes]](), 0, 0

    while at < len(wire):
        size = cuts[turn % len(cuts)]
        got += decoder.feed(wire[at : at + size])
        at, turn = at + size, turn + 1

    assert got == messages


@given(garbage=st.binary(max_size=200))
def test_garbage_is_a_wire_error_or_nothing(garbage: bytes) -> None:
    with suppress(WireError):
        list(Decoder().feed(garbage))


@pytest.mark.parametrize(
    "wire",
    [
        b"\xff\xff\xff\xff\0\0\0\0",
        b"\0\0\0\2\xff\xff\xff\xff",
        b"\0\0\0\1\0\0\0\0[",
        b"\0\0\0\2\0\0\0\0[]",
        (100_000).to_bytes(4, "big") + bytes(4) + b"[" * 100_000,
    ],
    ids=["a long header", "a long body", "no JSON", "no object", "deep JSON"],
)
def test_what_is_no_message_is_refused_at_once(wire: bytes) -> None:
    with pytest.raises(WireError):
        list(Decoder().feed(wire))


def test_what_the_other_end_would_not_take_is_not_sent() -> None:
    with pytest.raises(WireError, match="over the limit"):
        encode({"verb": "write"}, bytes(BODY_LIMIT + 1))
    with pytest.raises(WireError, match="over the limit"):
        encode({"key": "x" * (1 << 20)})


def test_the_bytes_of_version_1_are_frozen() -> None:
    written = encode({"id": 1, "verb": "write", "key": "k"}, b"data\n")

    assert written == bytes.fromhex("00000021 00000005") + b'{"id":1,"verb":"write","key":"k"}data\n'
