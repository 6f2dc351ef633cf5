"""An answer in the menu counts once it has been there for a moment, by a clock that the test has."""

from __future__ import annotations

from holdfast.frontends.tray.offered import SURPRISE_S, Offered
from holdfast.frontends.tray.port import Entry

ALLOW = ("answer", "r1", "allow")
OTHER = ("answer", "r2", "allow")
CAME = 100.0


def menu(*keys: tuple[str, ...]) -> tuple[Entry, ...]:
    """One session with these answers below it, as the menu has them."""
    return (Entry(("session", "s1"), "Shop", children=tuple(Entry(key, "Allow", acts=True) for key in keys)),)


def test_a_click_that_comes_with_the_answer_is_not_meant_for_it() -> None:
    offered = Offered()
    offered.take(menu(ALLOW), CAME)

    assert not offered.meant(ALLOW, CAME)
    assert not offered.meant(ALLOW, CAME + SURPRISE_S - 0.01)


def test_a_click_after_a_moment_is() -> None:
    offered = Offered()
    offered.take(menu(ALLOW), CAME)

    assert offered.meant(ALLOW, CAME + SURPRISE_S + 0.01)


def test_a_menu_that_is_drawn_again_does_not_begin_the_moment_anew() -> None:
    offered = Offered()
    offered.take(menu(ALLOW), CAME)
    offered.take(menu(OTHER, ALLOW), CAME + SURPRISE_S)

    assert offered.meant(ALLOW, CAME + SURPRISE_S + 0.01)
    assert not offered.meant(OTHER, CAME + SURPRISE_S + 0.01)


def test_an_answer_that_was_gone_for_a_while_has_just_come() -> None:
    offered = Offered()
    offered.take(menu(ALLOW), CAME)
    offered.take(menu(), CAME + 1)
    assert not offered.meant(ALLOW, CAME + 2)

    offered.take(menu(ALLOW), CAME + 3)
    assert not offered.meant(ALLOW, CAME + 3.1)


def test_what_never_was_offered_is_never_meant() -> None:
    assert not Offered().meant(ALLOW, CAME)
