from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.timestamps import from_text, to_text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_123_456, "2023-11-14T22:13:20.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (10**30, "9999-12-31T23:59:59.999Z"),
        (-(10**30), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_written_in_utc_with_milliseconds(at: int, text: str) -> None:
    assert to_text(at) == text


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-02", 86_400_000_000),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_a_time_is_read_to_the_microsecond_and_is_in_utc_unless_it_says_otherwise(text: str, at: int) -> None:
    assert from_text(text) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-01", "2023-11-14T22:13:20+99:00", "1700000000"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_text(text)


@given(at=st.integers())
def test_every_number_can_be_shown_and_what_is_shown_can_be_read(at: int) -> None:
    text = to_text(at)

    assert to_text(from_text(text)) == text


@given(at=st.integers(-(10**15), 10**16))
def test_milliseconds_survive(at: int) -> None:
    assert from_text(to_text(at)) == at // 1000 * 1000
