"""R16: whatever a parser of outside input is given, it answers, or refuses in the way it says it does."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from msgspec import MsgspecError

from holdfast.bootstrap.daemon import process
from tests.frontends.daemon import Daemon
from tests.fuzz.spoiling import spoiled
from tests.fuzz.targets import TARGETS
from tests.fuzz.weakened import WEAKENED

if TYPE_CHECKING:
    from holdfast.domain.daemon import Listen
    from tests.chaos.figures import Figures
    from tests.fuzz.targets import Target

pytestmark = pytest.mark.slow

EXAMPLES = 150
"""Inputs for each parser in an ordinary run: always the same ones."""

FUZZ_S = float(os.environ.get("HOLDFAST_FUZZ_S", "0"))
"""Seconds for each parser; 0 for `EXAMPLES`, under `make chaos` for five minutes."""

LONG_S = 300.0
AT_ONCE = 500

ROOT = Path(__file__).parents[2]
LET_THROUGH = (
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    MsgspecError,
    RecursionError,
    ExceptionGroup,
)
"""What a check says of an input that should have been refused: it does not hold, or the parser fell over it."""


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


def test_every_parser_has_a_defect() -> None:
    assert WEAKENED.keys() == TARGETS.keys()


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the input that was let through
@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_that_lets_something_through_is_caught(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WEAKENED[name](monkeypatch.setattr)
    monkeypatch.setattr(Daemon, "command", partial(weakened_daemon, name))

    with pytest.raises(LET_THROUGH):
        fuzz(TARGETS[name], tmp_path, examples=10_000, shrink=False)  # it ends with the first that is let through


def weakened_daemon(name: str, listen: Listen, report: int) -> list[str]:
    """Return the argument list of a daemon with the same defect."""
    python, _, _, _, *arguments = process.command(listen, report=report)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.fuzz.weakened import main; main({name!r})"
    return [python, "-c", program, *arguments]
