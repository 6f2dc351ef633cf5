from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.frontends.cli.escaping import ascii_json, block, escaped, json_for_terminal, one_line
from tests.frontends.cli.hostile import HOSTILE, harm_in

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("größer 日本 🚀 ✔️", "größer 日本 🚀 ✔️"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\x9b\x7f\x00", "\\x9b\\x7f\\x00"),
        ("\u202eevil", "\\u202eevil"),
        ("\U000e0041", "\\U000e0041"),
        ("caf\udce9.jsonl", "caf\\xe9.jsonl"),
        ("\ud800", "\\ud800"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_on_one_line_breaks_become_spaces() -> None:
    assert one_line("first\r\n\tsecond  third\n") == "first second  third "


def test_a_block_keeps_its_lines_and_tabs() -> None:
    assert block("a\r\n\tb\rc\x1b") == "a\n\tb\\rc\\x1b"


@given(ANY_TEXT)
def test_nothing_harmful_is_left_of_any_text(text: str) -> None:
    for shown in (escaped(text), one_line(text)):
        assert not harm_in(shown, styled=False)
        assert "\n" not in shown
    assert not harm_in(block(text), styled=False)


@given(ANY_TEXT)
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert escaped(one_line(text)) == one_line(text)


@pytest.mark.parametrize("evil", HOSTILE)
def test_json_for_a_terminal_means_the_same_and_obeys_nothing(evil: str) -> None:
    text = json.dumps({evil: [evil]}, ensure_ascii=False, indent=1)

    shown = json_for_terminal(text)

    assert json.loads(shown) == {evil: [evil]}
    assert not harm_in(shown, styled=False)
    assert json.loads(ascii_json(shown)) == {evil: [evil]}
    assert ascii_json(shown).isascii()
