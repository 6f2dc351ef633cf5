from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.search.hits import CLOSE, OPEN, fits, snippet
from holdfast.domain.search.query import parse
from holdfast.domain.search.text import PASSAGE, passages
from holdfast.domain.search.words import words


@pytest.mark.parametrize(
    ("query", "fitting"),
    [
        ("quick fox", True),
        ('"quick brown"', True),
        ('"brown quick"', False),
        ('"fox jumps"', True),
        ("jum*", True),
        ('"brown fo"*', True),
        ("quick -fox", False),
        ('quick -"fox quick"', True),
        ("in:abcd", True),
    ],
)
def test_words_fit_a_query_or_not(query: str, fitting: bool) -> None:
    assert fits(parse(query), words("The quick brown fox jumps")) is fitting


@pytest.mark.parametrize(
    ("query", "text", "shown"),
    [
        ("fox", "The quick  brown\n\tfox jumps.", "The quick brown ⟦fox⟧ jumps."),
        ('"quick brown"', "The quick, brown fox", "The ⟦quick, brown⟧ fox"),
        ("creme", "(Crème brûlée)", "(⟦Crème⟧ brûlée)"),
        ("世界", "你好世界!", "你好⟦世界⟧!"),
        ("fox", "a ⟦fox⟧", "a [⟦fox⟧]"),
        ("agent:x", "Just the beginning", "Just the beginning"),
        ("agent:x", "?!", ""),
    ],
)
def test_a_snippet_shows_the_hit_in_its_context(query: str, text: str, shown: str) -> None:
    assert snippet(parse(query), text) == shown


def test_a_snippet_of_a_long_text_shows_where_most_hits_stand_together() -> None:
    text = f"fox {'word ' * 300}quick brown fox {'word ' * 300}"
    shown = snippet(parse("fox quick brown"), text)

    assert "⟦quick⟧ ⟦brown⟧ ⟦fox⟧" in shown
    assert shown.startswith("…word")
    assert shown.endswith("word…")
    assert len(shown) < 300


def test_a_passage_shows_its_own_hit() -> None:
    text = f"needle one {'word ' * PASSAGE}needle two"

    assert len(passages(text)) == 2
    assert "⟦needle⟧ one" in snippet(parse("needle"), text, 0)
    assert "⟦needle⟧ two" in snippet(parse("needle"), text, 1)


@given(
    text=st.text(alphabet="ab \n⟦⟧世é-", max_size=400),
    query=st.sampled_from(["a", '"a b"', "ab*", "世", "e", "in:abcd", "a b"]),
)
def test_a_snippet_is_bounded_and_its_marks_pair_up(text: str, query: str) -> None:
    shown = snippet(parse(query), text)

    marks = [sign for sign in shown if sign in (OPEN, CLOSE)]
    assert marks == [OPEN, CLOSE] * (len(marks) // 2)
    assert len(shown) < 500
    assert "\n" not in shown
    if any(fits(parse(query), each) for each in passages(text)) and not query.startswith("in:"):
        assert marks


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "-" * 100_000 + " fox " + "-" * 100_000, "fox" + "x" * 10_000 + " fox"]
)
def test_a_text_without_gaps_stays_bounded(text: str) -> None:
    assert len(snippet(parse("fox"), text)) < 500
    assert len(snippet(parse("agent:x"), text)) < 500
