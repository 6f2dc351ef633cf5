"""R15: whatever happens to a store in whatever order, it is the list of what was acknowledged."""

from __future__ import annotations

import os
import time
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

HISTORIES = 10_000
AT_ONCE = 25
WORKERS = 4
BUDGET_S = float(os.environ.get("HOLDFAST_CHAOS_S", "240"))
"""Seconds that each worker goes on; the table tells how many histories that were."""


def run(examples: int, steps: int, *, mutant: bool = False) -> int:
    """Run the machine; return how many histories were lived through."""
    lived = 0

    class Counting(LogMachine):
        def __init__(self) -> None:
            nonlocal lived
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
        phases=(Phase.generate,) if mutant else (Phase.generate, Phase.shrink),
    )
    run_state_machine_as_test(Counting, settings=profile)
    return lived


def test_the_log_is_the_list_of_what_was_acknowledged(figures: Figures) -> None:
    figures("R15", "histories of 30 steps against a model", tried=run(60, 30), violations=0)


@pytest.mark.chaos
@pytest.mark.parametrize("worker", range(WORKERS))
def test_the_log_is_the_list_of_what_was_acknowledged_in_long_histories(worker: int, figures: Figures) -> None:
    deadline = time.monotonic() + BUDGET_S
    lived = 0
    while lived < HISTORIES // WORKERS and time.monotonic() < deadline:
        lived += run(AT_ONCE, 100)

    figures("R15", f"histories of 100 steps against a model (of {HISTORIES:,})", tried=lived, violations=0)


@pytest.mark.parametrize("mutant", ["duplicates-again", "lossy-fan-out"])
def test_the_model_catches(mutant: str) -> None:
    with mutated(mutant), pytest.raises((AssertionError, VersionConflictError)):
        run(150, 30, mutant=True)
