"""R16: whatever a parser of outside input is given, it answers, or refuses in the way it says it does."""

from __future__ import annotations

import os
import time
from random import SystemRandom
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from holdfast.adapters.importers import lines
from holdfast.adapters.storage import exported
from holdfast.domain.exported import read_header
from tests.fuzz.spoiling import spoiled
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.figures import Figures
    from tests.fuzz.targets import Target

pytestmark = pytest.mark.slow

EXAMPLES = 150
"""Inputs for each parser in an ordinary run: always the same ones."""

FUZZ_S = float(os.environ.get("HOLDFAST_FUZZ_S", "0"))
"""Seconds for each parser; 0 for `EXAMPLES`, under `make chaos` for five minutes."""

LONG_S = 300.0
AT_ONCE = 500


def fuzz(target: Target, folder: Path, *, examples: int, number: int | None = None, shrink: bool = True) -> int:
    """Give spoiled input to a parser; return how many inputs that were.

    Args:
        target: The parser.
        folder: An empty folder.
        examples: How many inputs, at the most.
        number: Decides which ones; None for the same ones each time.
        shrink: Whether to look for the simplest input that fails.
    """
    tried = 0
    (folder / "seeds").mkdir()
    (folder / "own").mkdir()
    seeds = target.seeds(folder / "seeds")
    profile = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=number is None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
    )
    with target.prepare(folder / "own") as take:

        def attempt(data: bytes) -> None:
            nonlocal tried
            tried += 1
            take(data)

        for data in seeds:
            attempt(data)
        run = given(spoiled(seeds))(profile(attempt))
        (run if number is None else seed(number)(run))()
    return tried


def fuzz_for(target: Target, folder: Path, seconds: float) -> int:
    """Go on with other inputs each time until the time is over; return how many inputs that were."""
    until = time.monotonic() + seconds
    tried = rounds = 0
    while not rounds or time.monotonic() < until:
        rounds += 1
        place = folder / str(rounds)
        place.mkdir()
        tried += fuzz(target, place, examples=AT_ONCE, number=SystemRandom().getrandbits(64))
    return tried


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_comes_from_outside_is_uncaught(name: str, tmp_path: Path) -> None:
    if FUZZ_S:
        fuzz_for(TARGETS[name], tmp_path, FUZZ_S)
    else:
        fuzz(TARGETS[name], tmp_path, examples=EXAMPLES)


@pytest.mark.chaos
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_comes_from_outside_is_uncaught_for_long(name: str, tmp_path: Path, figures: Figures) -> None:
    tried = fuzz_for(TARGETS[name], tmp_path, FUZZ_S or LONG_S)

    figures("R16", f"spoiled inputs, {name}", tried=tried, violations=0)


def all_is_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_object(_value: object) -> bool:
        return True

    monkeypatch.setattr(lines, "is_object", is_object)


def no_check_of_salts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "_header", read_header)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the input that was let through
@pytest.mark.parametrize(
    ("name", "weaken"),
    [("claude", all_is_an_object), ("exported session", no_check_of_salts)],
    ids=["lines", "exports"],
)
def test_a_parser_that_lets_something_through_is_caught(
    name: str, weaken: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken(monkeypatch)

    with pytest.raises((AttributeError, TypeError, ValueError, ExceptionGroup)):
        fuzz(TARGETS[name], tmp_path, examples=1_000, shrink=False)
