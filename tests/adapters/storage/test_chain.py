from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.storage import chain

EVENT: dict[str, Any] = {
    "position": 41,
    "stream": "5f0c8d7e-1b1e-4a53-9a3c-52f4bb7a1c11",
    "version": 7,
    "event_id": bytes(range(16)),
    "type": "text-appended",
    "schema": 1,
    "recorded_at": 1_700_000_000_123_456,
    "occurred_at": None,
    "cause": None,
    "actor": 0,
    "device": None,
    "source": None,
    "source_offset": None,
    "digest": bytes(range(32)),
}

OTHER: dict[str, Any] = {
    "position": 42,
    "stream": "another",
    "version": 8,
    "event_id": bytes(16),
    "type": "thought-appended",
    "schema": 2,
    "recorded_at": 0,
    "occurred_at": 0,
    "cause": "",
    "actor": 1,
    "device": "",
    "source": b"",
    "source_offset": 0,
    "digest": bytes(32),
}


@pytest.mark.parametrize("field", EVENT)
def test_every_header_field_changes_the_hash(field: str) -> None:
    assert chain.link(chain.GENESIS, **EVENT) != chain.link(chain.GENESIS, **{**EVENT, field: OTHER[field]})


def test_the_hash_before_changes_the_hash() -> None:
    assert chain.link(chain.GENESIS, **EVENT) != chain.link(bytes([1]) + bytes(31), **EVENT)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"stream": "ab", "type": "c"}, {"stream": "a", "type": "bc"}),
        ({"type": "ab", "cause": "c"}, {"type": "a", "cause": "bc"}),
        ({"cause": "ab", "device": "c"}, {"cause": "a", "device": "bc"}),
        ({"cause": "a"}, {"device": "a"}),
        ({"source": b"ab", "stream": "c"}, {"source": b"a", "stream": "bc"}),
    ],
)
def test_text_cannot_move_from_one_field_into_the_next(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert chain.link(chain.GENESIS, **{**EVENT, **left}) != chain.link(chain.GENESIS, **{**EVENT, **right})


@given(salt=st.binary(max_size=100), data=st.binary(max_size=300))
def test_the_payload_digest_is_a_plain_hmac(salt: bytes, data: bytes) -> None:
    assert chain.payload_digest(salt, data) == hmac.new(salt, data, hashlib.sha256).digest()


def test_the_layout_is_the_documented_one() -> None:
    """Built by hand from `docs/reference/integrity.md`, so that the page and the code cannot part."""
    digest = bytes(range(32))
    expected = hashlib.sha256(
        bytes([0b00000])
        + chain.GENESIS
        + digest
        + struct.pack(">qq", 3, 2)
        + bytes(range(16))
        + struct.pack(">iqqhq", 1, 1_000, -5, 2, 99)
        + struct.pack(">IIIII", 8, 2, 4, 1, 5)
        + b"12345678"
        + b"s1"
        + b"text"
        + b"c"
        + "dévi".encode()
    ).digest()

    assert expected == chain.link(
        chain.GENESIS,
        position=3,
        stream="s1",
        version=2,
        event_id=bytes(range(16)),
        type="text",
        schema=1,
        recorded_at=1_000,
        occurred_at=-5,
        cause="c",
        actor=2,
        device="dévi",
        source=b"12345678",
        source_offset=99,
        digest=digest,
    )


def test_a_known_event_keeps_its_hash_for_ever() -> None:
    assert (
        chain.link(chain.GENESIS, **EVENT).hex() == "58bb813037afde1dcc5f1840c2f4317824ec5f41777d5301ed9fa8c846dc00fa"
    )


def test_the_log_hash_depends_on_order_and_can_be_continued() -> None:
    first, second, third = (bytes([byte]) * 32 for byte in (1, 2, 3))
    whole = chain.extend(chain.GENESIS, [first, second, third])

    assert whole == chain.extend(chain.extend(chain.GENESIS, [first]), [second, third])
    assert whole != chain.extend(chain.GENESIS, [second, first, third])
