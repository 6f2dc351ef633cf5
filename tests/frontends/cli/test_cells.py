from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.frontends.cli.cells import clip, pad, width, wrap

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=200)


@pytest.mark.parametrize(
    ("text", "cells"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("✔\ufe0f", 1), ("🚀", 2)]
)
def test_wide_characters_take_two_cells_and_marks_none(text: str, cells: int) -> None:
    assert width(text) == cells


@pytest.mark.parametrize(
    ("text", "limit", "clipped"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("a b c", 3, "a…"),
    ],
)
def test_what_does_not_fit_is_cut_with_a_mark(text: str, limit: int, clipped: str) -> None:
    assert clip(text, limit) == clipped


def test_padding_counts_cells() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("12", 4, right=True) == "  12"


def test_lines_break_at_spaces_and_go_on_at_their_indentation() -> None:
    assert wrap("  one two three four", 10) == ["  one two", "  three", "  four"]


def test_a_word_that_is_too_long_is_broken() -> None:
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_without_a_limit_lines_stay_as_they_are() -> None:
    assert wrap("a  b\n\tc", None) == ["a  b", "    c"]


@given(PRINTABLE, st.integers(8, 40))
def test_no_wrapped_line_is_too_wide_and_no_letter_is_lost(text: str, limit: int) -> None:
    lines = wrap(text, limit)

    assert all(width(line) <= limit for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(PRINTABLE, st.integers(1, 40))
def test_no_clipped_text_is_too_wide(text: str, limit: int) -> None:
    assert width(clip(text, limit)) <= limit
