"""The page of scenarios names tests that exist, and every test between frontends is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reference" / "scenarios.md"

_ROW = re.compile(r"^\| (?!what happens|---)(?P<words>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE)


def scenarios(page: str) -> dict[str, list[str]]:
    """Return the tests of each scenario."""
    return {row["words"]: re.findall(r"`([^`]+)`", row["tests"]) for row in _ROW.finditer(page)}


def functions(file: Path) -> set[str]:
    """Return the functions of a module."""
    if not file.is_file():
        return set()
    return {each.name for each in ast.parse(file.read_text()).body if isinstance(each, ast.FunctionDef)}


def missing(page: str) -> list[str]:
    """Return what a page names and nobody wrote, and the scenarios that nothing shows."""
    said = scenarios(page)
    named = {name for tests in said.values() for name in tests}
    gone = [name for name in sorted(named) if name.partition("::")[2] not in functions(TESTS / name.partition("::")[0])]
    return gone + [words for words, tests in said.items() if not tests]


def test_every_scenario_is_shown_by_tests_that_exist() -> None:
    assert len(scenarios(PAGE.read_text())) > 20
    assert missing(PAGE.read_text()) == []


def test_every_test_between_frontends_is_on_the_page() -> None:
    together = functions(TESTS / "frontends" / "test_together.py")

    assert {name for name in together if name.startswith("test_")} <= set(re.findall(r"::(\w+)", PAGE.read_text()))


@pytest.mark.parametrize(
    "row",
    [
        "| a | `frontends/test_together.py::test_that_nobody_wrote` |",
        "| a | `frontends/test_nowhere.py::test_a` |",
        "| a | by looking |",
    ],
)
def test_a_scenario_that_nothing_shows_is_found(row: str) -> None:
    assert missing(f"| what happens | shown by |\n| --- | --- |\n{row}\n") != []
