"""R15: whatever happens to a store in whatever order, it is the list of what was acknowledged."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from holdfast.domain.errors import VersionConflictError
from tests.chaos.model import LogMachine
from tests.chaos.mutants import mutated

if TYPE_CHECKING:
    from tests.chaos.figures import Figures

pytestmark = pytest.mark.slow

WORKERS = 4
BUDGET_S = float(os.environ.get("HOLDFAST_CHAOS_S", "480"))
"""Seconds that the whole run may take on each worker; what did not fit is told."""


class Stop(Exception):  # noqa: N818 - it is no error
    """The time is up."""


def run(examples: int, steps: int, budget_s: float | None = None, *, mutant: bool = False) -> int:
    """Run the machine; return how many histories were lived through."""
    deadline = None if budget_s is None else time.monotonic() + budget_s
    lived = 0

    class Counting(LogMachine):
        def __init__(self) -> None:
            nonlocal lived
            if deadline is not None and time.monotonic() > deadline:
                raise Stop
            super().__init__()
            lived += 1

    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=mutant,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        phases=(Phase.generate, Phase.shrink) if not mutant else (Phase.generate,),
    )
    with suppress(Stop):
        run_state_machine_as_test(Counting, settings=profile)
    return lived


@pytest.mark.parametrize(
    ("examples", "steps", "budget_s"),
    [
        pytest.param(60, 30, None, id="slice"),
        *(
            pytest.param(10_000 // WORKERS, 100, BUDGET_S, marks=pytest.mark.chaos, id=f"worker-{number}")
            for number in range(WORKERS)
        ),
    ],
)
def test_the_log_is_the_list_of_what_was_acknowledged(
    examples: int, steps: int, budget_s: float | None, figures: Figures
) -> None:
    lived = run(examples, steps, budget_s)

    figures("R15", f"histories of {steps} steps against a model", tried=lived, violations=0)
    assert lived


@pytest.mark.parametrize("mutant", ["duplicates-again", "lossy-fan-out"])
def test_the_model_catches(mutant: str) -> None:
    with mutated(mutant), pytest.raises((AssertionError, VersionConflictError)):
        run(150, 30, mutant=True)
