"""What is marked in a transcript, and what is copied of it."""

from __future__ import annotations

import pytest

from holdfast.frontends.tui.session.selecting import Selection
from holdfast.frontends.tui.session.text import slice_of
from tests.frontends.tui.session.test_viewport import message, viewport


@pytest.mark.parametrize(
    ("text", "begin", "end", "taken"),
    [
        ("plain", 1, 3, "la"),
        ("plain", 3, 99, "in"),
        ("漢字かな", 2, 4, "字"),
        ("漢字かな", 1, 5, "字か"),
        ("e\N{COMBINING ACUTE ACCENT}a", 0, 1, "e\N{COMBINING ACUTE ACCENT}"),
        ("", 0, 9, ""),
    ],
)
def test_cells_of_a_text_are_those_on_the_screen(text: str, begin: int, end: int, taken: str) -> None:
    assert slice_of(text, begin, end) == taken


def test_marked_backwards_is_the_same_as_forwards() -> None:
    shown, _ = viewport(*(message(n) for n in range(4)))
    shown.shown()
    there, back = Selection(shown), Selection(shown)
    there.begin(0, 2)
    there.reach(3, 6)
    back.begin(3, 6)
    back.reach(0, 2)

    assert there.text() == back.text() != ""
    assert [there.on_screen(y) for y in range(10)] == [back.on_screen(y) for y in range(10)]


def test_a_press_without_a_move_marks_nothing() -> None:
    shown, _ = viewport(message(1))
    shown.shown()
    selection = Selection(shown)
    selection.begin(3, 1)

    assert not selection.made
    assert selection.text() == ""
    assert selection.on_screen(1) is None
    assert not selection.clear()


def test_what_is_marked_may_go_away() -> None:
    shown, known = viewport(*(message(n) for n in range(4)))
    shown.shown()
    selection = Selection(shown)
    selection.begin(0, 2)
    selection.reach(4, 6)
    shown.take({}, list(known), None)
    shown.shown()

    assert selection.text() == ""
    assert selection.on_screen(2) is None


def test_nothing_is_marked_where_there_is_nothing() -> None:
    shown, _ = viewport()
    selection = Selection(shown)
    selection.begin(0, 0)

    assert not selection.reach(5, 5)
    assert not selection.made
