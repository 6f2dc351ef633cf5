from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.search.words import LONGEST, places, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fix the login-race, please!", ["fix", "the", "login", "race", "please"]),
        ("src/auth_store.py:42", ["src", "auth", "store", "py", "42"]),
        ("Crème BRÛLÉE straße", ["creme", "brulee", "strasse"]),
        ("cre\u0300me", ["creme"]),
        ("你好 World", ["你", "好", "world"]),
        ("x你y", ["x", "你", "y"]),
        ("½ ﷺ İ ²", ["12", "صلىاللهعليهوسلم", "i", "2"]),
        ("🙂 --- _ \0 \ud800", []),
        ("a" * 100, ["a" * LONGEST]),
    ],
)
def test_a_text_falls_apart_into_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text())
def test_every_word_has_its_place_in_the_text(text: str) -> None:
    found = list(places(text))

    assert [place.word for place in found] == words(text)
    assert all(words(text[place.start : place.end]) == [place.word] for place in found)
    ends = [0, *(place.end for place in found)]
    assert all(end <= place.start < place.end for end, place in zip(ends, found, strict=False))


@given(st.text())
def test_a_word_holds_nothing_that_any_index_takes_for_more(text: str) -> None:
    assert all(word.isalnum() and len(word) <= LONGEST for word in words(text))


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x2FF)))
def test_case_makes_no_difference(text: str) -> None:
    assert words(text.lower()) == words(text) or len(text.lower()) != len(text)
