from __future__ import annotations

import re

import pytest

from holdfast.domain.link import events as link_events
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import BY_CLASS, BY_TAG, Fact, registered


def test_a_tag_is_taken_once() -> None:
    with pytest.raises(ValueError, match="'text-appended' is taken by TextAppended"):

        @registered("text-appended")
        class Another(Fact, frozen=True):  # pyright: ignore[reportUnusedClass]  # registering it is what fails
            pass


def test_every_fact_is_registered_under_a_short_tag_of_its_own() -> None:
    known = [*vars(e).values(), *vars(link_events).values()]
    named = {fact for fact in known if isinstance(fact, type) and issubclass(fact, Fact)}

    assert named - {Fact, e.Unknown} == set(BY_CLASS)
    assert {registration.fact for registration in BY_TAG.values()} == set(BY_CLASS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", tag) for tag in BY_TAG)


def test_a_tag_says_what_its_class_says() -> None:
    """Nothing reads a class by its name; whoever reads the log with SQL finds the code by it."""
    for tag, registration in BY_TAG.items():
        assert "".join(part.capitalize() for part in tag.split("-")) == registration.fact.__name__


def test_fields_with_json_are_known() -> None:
    assert BY_TAG["tool-called"].may_hold_json == ("input", "output", "content", "locations")
    assert BY_TAG["permission-requested"].needs_json == ("input",)
    assert BY_TAG["text-appended"].needs_json == BY_TAG["text-appended"].may_hold_json == ()
