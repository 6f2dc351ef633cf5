"""R1: the writer is killed at random moments under load, over and over, and its successor finds everything."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.domain.session import events as e
from tests.chaos.invariants import check
from tests.chaos.long_log import build_long_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.conftest import Place
    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote
    from tests.chaos.words import Words

KILLS_A_STORE = 10
BATCHES = 20


def kill_at_random(
    zygote: Zygote, place: Place, random: Random, kills: int = KILLS_A_STORE, mutant: str | None = None
) -> tuple[list[str], float]:
    """Kill writers of one store one after the other; return what does not hold, and the slowest opening."""
    words: list[Words] = []
    violations: list[str] = []
    ready_s = 0.0
    for turn in range(kills):
        options = [*place.options, "--seed", str(turn), "--sessions", str(random.choice((1, 8, 30)))]
        run = zygote.start("writer", *options, *(["--mutant", mutant] if mutant else []))
        run.listen_until(time.monotonic() + random.uniform(0.01, 0.25))
        words.append(run.kill())
        findings = check(place.settings, place.home, words)
        violations += findings.violations
        ready_s = max(ready_s, findings.ready_s)
        assert words[-1].status == -9, words[-1].stopped
        if violations:
            break
    return violations, ready_s


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "stores"),
    [
        pytest.param(0, 5, id="slice-1"),
        pytest.param(-1, 5, id="slice-2"),
        *(pytest.param(n, 10, marks=pytest.mark.chaos) for n in range(1, BATCHES + 1)),
    ],
)
def test_no_kill_at_a_random_moment_costs_an_acknowledged_event(
    batch: int, stores: int, zygote: Zygote, places: Iterator[Place], figures: Figures
) -> None:
    random = Random(batch)
    found = [kill_at_random(zygote, next(places), random) for _ in range(stores)]

    violations = [violation for each, _ in found for violation in each]
    figures(
        "R1", "kill -9 at random moments under load",
        tried=stores * KILLS_A_STORE, violations=len(violations), ready_s=round(max(ready for _, ready in found), 3),
    )  # fmt: skip
    assert violations == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ["ack-before-commit", "lossy-fan-out"])
def test_kills_at_random_moments_catch(mutant: str, zygote: Zygote, places: Iterator[Place]) -> None:
    random = Random(mutant)

    assert any(kill_at_random(zygote, next(places), random, 6, mutant)[0] for _ in range(5))


@pytest.mark.chaos
def test_a_log_of_a_million_events_is_ready_again_at_once(
    zygote: Zygote, places: Iterator[Place], figures: Figures
) -> None:
    place = next(places)
    events = build_long_log(place.settings, place.home, 1_000_000)
    slowest = 0.0
    words: list[Words] = []

    for _ in range(20):
        started = time.monotonic()
        run = zygote.start("writer", *place.options, "--after", str(events))
        run.listen_for(lambda words: words.ready)
        slowest = max(slowest, time.monotonic() - started)
        run.listen_to_acks(100)
        words.append(run.kill())

    violations = check(place.settings, place.home, words).violations
    figures("R1", "ready again at 1,000,000 events", tried=20, violations=len(violations), ready_s=round(slowest, 3))
    assert violations == []


@pytest.mark.slow
def test_the_turn_that_was_open_is_closed_exactly_once(zygote: Zygote, places: Iterator[Place]) -> None:
    place = next(places)
    for seed in range(4):
        run = zygote.start("writer", *place.options, "--seed", str(seed), "--sessions", "4")
        run.listen_to_acks(60)
        run.kill()
    zygote.start("writer", *place.options, "--events", "200", "--sessions", "4").wait()

    started: dict[str, int] = {}
    with open_store(place.settings, write=False) as store:
        for recorded in store.log():
            match recorded.event:
                case e.TurnStarted(turn_id=turn):
                    started[turn] = 0
                case e.TurnEnded(turn_id=turn) | e.TurnInterrupted(turn_id=turn) | e.TurnUnknown(turn_id=turn):
                    started[turn] += 1
                case _:
                    pass
    assert len(started) > 20
    assert list(started.values()).count(0) <= 4  # those that are open now
    assert set(started.values()) <= {0, 1}
