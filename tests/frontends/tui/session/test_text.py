from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.frontends.tui.session.text import Span, cells, clip, flow, hard, safe, source_line


def plain(lines: list[tuple[Span, ...]]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


def test_text_is_broken_at_blanks() -> None:
    assert plain(list(flow([Span("one two three four")], 9))) == ["one two", "three", "four"]


def test_a_word_in_two_styles_is_not_broken_between_them() -> None:
    assert plain(list(flow([Span("see "), Span("bo", "bold"), Span("ld")], 6))) == ["see", "bold"]


def test_a_word_that_fits_no_line_is_broken_where_a_line_is_full() -> None:
    assert plain(list(flow([Span("a " + "x" * 12)], 5))) == ["a xxx", "xxxxx", "xxxx"]


def test_wide_characters_count_twice() -> None:
    assert plain(list(flow([Span("日本語日本語")], 5))) == ["日本", "語日", "本語"]


def test_lines_after_the_first_begin_with_what_belongs_there() -> None:
    lines = flow([Span("one two")], 6, (Span("- "),), (Span("  "),))

    assert plain(list(lines)) == ["- one", "  two"]


def test_code_is_broken_anywhere_and_loses_nothing() -> None:
    assert plain(list(hard([Span("ab cd"), Span("ef")], 3))) == ["ab ", "cde", "f"]


@given(st.text(alphabet=st.sampled_from("ab 日é-"), max_size=60), st.integers(2, 20))
def test_no_line_is_wider_than_it_may_be_and_only_blanks_are_lost(text: str, width: int) -> None:
    lines = plain(list(flow([Span(text)], width)))

    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(max_size=40), st.integers(1, 20))
def test_what_is_clipped_fits(text: str, width: int) -> None:
    assert cells(clip(safe(text), width)) <= width


@pytest.mark.parametrize("sent", ["\x1b[31m", "\x9b31m", "\u202e", "\x07", "\u200b", "\ud800", "\x00"])
def test_nothing_that_a_terminal_obeys_or_a_reader_does_not_see_is_left(sent: str) -> None:
    for shown in (safe(f"a{sent}b"), source_line(f"a{sent}b")):
        assert sent not in shown
        assert shown.isprintable()
        assert shown.startswith("a")
        assert shown.endswith("b")


def test_a_line_of_a_megabyte_says_how_much_of_it_is_not_shown() -> None:
    shown = source_line("x" * 1_000_000)

    assert len(shown) < 30_000
    assert "980,000 more characters" in shown
