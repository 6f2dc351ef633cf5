"""What a peer offers to choose from, in one shape whoever offers it."""

from __future__ import annotations

import pytest
from msgspec import Raw, json

from holdfast.domain.projections.offers import LONGEST, Choice, Command, Offers, Setting, offered
from holdfast.domain.projections.roster import Offers as Places
from holdfast.domain.projections.roster import row
from holdfast.domain.session import events as e
from tests.domain.scene import given

MODES = e.ModesOffered(Raw(b'[{"id": "ask", "name": "Ask", "description": "Asks\\n first"}, {"id": "act"}]'))


def options(*entries: object) -> e.OptionsOffered:
    return e.OptionsOffered(Raw(json.encode(entries)))


def test_modes_in_the_older_form() -> None:
    found = offered([MODES], mode="ask", values={})

    assert found == Offers("ask", (Choice("ask", "Ask", "Asks first"), Choice("act", "act")))


def test_an_option_of_that_category_stands_in_for_modes() -> None:
    mode = {
        "id": "m",
        "name": "Mode",
        "category": "mode",
        "type": "select",
        "options": [{"value": "plan", "name": "Plan"}],
    }

    found = offered([MODES, options(mode)], mode="plan", values={"m": "plan"})

    assert found.modes == (Choice("plan", "Plan"),)
    assert found.options == (Setting("m", "Mode", "select", "", "mode", "plan", (Choice("plan", "Plan"),)),)


def test_options_of_every_kind_with_their_values() -> None:
    grouped = {"id": "model", "options": [{"group": "g", "name": "Fast", "options": [{"value": "s"}, {"value": "xs"}]}]}
    entries = [grouped, {"id": "quick", "type": "boolean"}, {"id": "free", "description": "Any text"}]

    found = offered([options(*entries)], mode=None, values={"quick": "true"})

    assert found.options == (
        Setting("model", "model", "select", choices=(Choice("s", "s", "", "Fast"), Choice("xs", "xs", "", "Fast"))),
        Setting("quick", "quick", "boolean", value="true"),
        Setting("free", "free", "other", "Any text"),
    )


def test_commands_lose_their_slash_and_long_descriptions_their_end() -> None:
    commands = [{"name": "/init", "description": "x" * 10_000}, {"name": "review", "input": {"hint": "branch"}}]

    found = offered([e.CommandsChanged(Raw(json.encode(commands)))], mode=None, values={})

    assert [each.name for each in found.commands] == ["init", "review"]
    assert len(found.commands[0].description) == LONGEST
    assert found.commands[1] == Command("review", "", "branch")


@pytest.mark.parametrize("nonsense", ['[7, null, {}, {"id": 4}, {"name": []}]', "{}", "null", "[" * 5_000, "7"])
def test_what_is_no_offer_is_left_out(nonsense: str) -> None:
    raw = Raw(nonsense.encode())

    found = offered([e.ModesOffered(raw), e.OptionsOffered(raw), e.CommandsChanged(raw)], mode="ask", values={})

    assert found == Offers("ask")


def test_the_row_says_where_the_latest_offers_stand() -> None:
    session = given(MODES, options({"id": "model"}), e.SessionConfigured({"model": "large"}), MODES)

    assert row(session).offers == Places(modes=5, options=3)
    assert row(session).options == {"model": "large"}


def test_nothing_is_offered_once_a_session_was_erased() -> None:
    session = given(MODES, e.SessionConfigured({"model": "large"}), e.SessionErased())

    assert (row(session).offers, row(session).options) == (Places(), {})
