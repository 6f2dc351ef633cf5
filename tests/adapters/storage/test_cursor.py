from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.storage.cursor import decode_cursor, encode_cursor
from holdfast.domain.errors import CursorError

STORE = "0123456789abcdef" * 2


@given(st.integers(0, 2**62))
def test_a_cursor_comes_back_as_its_position(position: int) -> None:
    assert decode_cursor(encode_cursor(STORE, position), STORE, 2**62) == position


def test_a_bare_position_means_this_store() -> None:
    assert decode_cursor("7", STORE, 9) == decode_cursor(7, STORE, 9) == 7


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "-1", "1.5", "٣", f"{'f' * 32}.1", f"{STORE}.", f"{STORE}.10", "10", "9" * 400, ".1", f"{STORE}.0x1"],
)
def test_anything_else_asks_to_begin_again(cursor: str) -> None:
    with pytest.raises(CursorError):
        decode_cursor(cursor, STORE, 9)


@given(st.text())
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(CursorError):
        assert 0 <= decode_cursor(text, STORE, 100) <= 100
