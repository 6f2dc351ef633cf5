from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.surrogates import without_halves

HALVES = st.text(
    st.characters(categories=["Cs", "L", "So", "Cc"], include_characters='\\"u') | st.just("\N{GRINNING FACE}")
)


@given(HALVES)
def test_what_is_left_can_be_written_as_utf_8_and_only_halves_are_gone(text: str) -> None:
    whole = json.loads(without_halves(json.dumps(text).encode()))

    assert whole == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize("kept", [b'"\\\\ud83d"', b'"\\ud83d\\ude00"', b'"\\n\\u0000"', b""])
def test_what_only_looks_like_a_half_stays(kept: bytes) -> None:
    assert without_halves(kept) == kept
