"""The reference says what the code does, and what it says was found out by more than one way."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

from docs.generate import REFERENCE, generated, json_type
from docs.statechart import CHARTS, explore, transitions
from holdfast.domain.session import events
from holdfast.domain.session.evolve import evolve
from holdfast.domain.session.facts import BY_CLASS, BY_TAG
from holdfast.domain.session.state import SessionState
from tests.domain.histories import facts_of, history, unfold

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [path for path in sorted(REFERENCE.glob("*.md")) if "<!-- begin " in path.read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_what_the_code_says_now(page: Path) -> None:
    assert page.read_text() == generated(page.read_text()), "it is stale: run `make docs` and commit what it wrote"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_stale_page_is_noticed(page: Path) -> None:
    text = page.read_text()
    planted = text.replace(" |\n\n<!-- end", " |\n| planted |\n\n<!-- end", 1)

    assert planted != text
    assert generated(planted) == text


def test_a_marker_that_nothing_writes_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        generated("<!-- begin nowhere: x -->\n<!-- end nowhere -->")


def test_a_type_that_nobody_explained_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="say what <class 'bytes'> looks like"):
        json_type(bytes)


def test_every_fact_and_every_field_has_its_words() -> None:
    shared = events.__doc__ or ""
    for registration in BY_TAG.values():
        told = registration.fact.__doc__ or ""
        assert told.strip()
        for field in fields(registration.fact):
            assert f"    {field.name}: " in told or f"    {field.name}: " in shared, (registration.tag, field.name)


@pytest.mark.slow
@pytest.mark.parametrize("chart", CHARTS)
def test_random_histories_find_no_way_that_is_not_on_the_chart(chart: str) -> None:
    shown = CHARTS[chart]
    charted = transitions(explore(), shown)

    for seed in range(300):
        facts = facts_of(unfold(history(seed)))
        states = [SessionState()]
        for version, fact in enumerate(facts, 1):
            states.append(evolve(states[-1], fact, version))
        for fact, (before, after) in zip(facts[1:], pairwise(states[1:]), strict=True):
            if shown(before) != shown(after):
                assert BY_CLASS[type(fact)].tag in charted[shown(before), shown(after)]
