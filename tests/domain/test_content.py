from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, json

from holdfast.domain.content import NOTHING, beyond_text, of_text, text_of

IMAGE = Raw(b'[{"type":"text","text":"see"},{"type":"image","mimeType":"image/png","data":"AA=="}]')
DEEP = Raw(b"[" * 200_000 + b"]" * 200_000)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert text_of(of_text(text)) == text
    assert beyond_text(of_text(text)) is NOTHING


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (NOTHING, ""),
        (Raw(b"[]"), ""),
        (Raw(b'[{"type":"text","text":"a"},{"type":"text","text":"b"}]'), "a\nb"),
        (IMAGE, "see\n[image]"),
        (Raw(b'[{"type":"resource_link","name":"a.py","uri":"file:///a.py"}]'), "[resource_link a.py file:///a.py]"),
        (Raw(b"[{}]"), "[]"),
        (Raw(b'"just a string"'), '"just a string"'),
        (Raw(b'[{"type":7}]'), '[{"type":7}]'),
        (Raw(b"[not JSON"), "[not JSON"),
        (Raw(b'[{"type":"text","text":"\xff"}]'), '[{"type":"text","text":"\ufffd"}]'),
    ],
)
def test_content_is_shown_as_text_and_never_disappears(content: Raw, text: str) -> None:
    assert text_of(content) == text


def test_absurdly_nested_content_is_shown_as_it_is() -> None:
    assert text_of(DEEP) == bytes(DEEP).decode()
    assert beyond_text(DEEP) is NOTHING


def test_what_is_more_than_text_is_kept_verbatim() -> None:
    assert beyond_text(IMAGE) == IMAGE


@pytest.mark.parametrize("content", [NOTHING, Raw(b"[]"), Raw(b'"just a string"'), Raw(b'[{"type":"text"}]')])
def test_nothing_is_kept_beside_the_text_where_the_text_says_it_all(content: Raw) -> None:
    assert beyond_text(content) is NOTHING


def test_an_address_that_spells_out_a_file_is_not_shown_nor_one_that_is_kept_elsewhere() -> None:
    spelled = {"type": "resource_link", "name": "a.png", "uri": "data:image/png;base64,AAAA"}
    kept = {"type": "image", "uri": {"$attachment": "0a" * 32, "size": 9, "encoding": "base64"}, "name": None}

    assert text_of(Raw(json.encode([spelled, kept]))) == "[resource_link a.png]\n[image]"
