"""Two processes want one store: the second is refused, and should it get in all the same, the first one stops."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from holdfast.adapters.storage.opening import open_store
from holdfast.domain.errors import StoreBusyError
from tests.chaos.invariants import check
from tests.chaos.mutants import mutated
from tests.chaos.writer import STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.chaos.conftest import Place
    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote
    from tests.chaos.words import Words

    Ordeal = Callable[[Zygote, Place, int], list[str]]


def test_a_second_writer_is_refused(zygote: Zygote, places: Iterator[Place]) -> None:
    place = next(places)
    run = zygote.start("writer", *place.options)
    run.listen_to_acks(20)

    with pytest.raises(StoreBusyError, match=str(run.pid)):
        open_store(replace(place.settings, wait_s=0))

    assert run.kill().status == -9


def test_a_writer_whose_store_was_taken_over_writes_nothing_more(zygote: Zygote, places: Iterator[Place]) -> None:
    place = next(places)
    run = zygote.start("writer", *place.options)
    run.listen_to_acks(20)

    with mutated("no-lock"), open_store(place.settings, checkpoints=place.home / "checkpoints"):
        words = run.wait()

    assert words.status == STOPPED
    assert words.stopped is not None
    assert words.stopped.startswith("StoreFencedError")
    assert check(place.settings, place.home, [words], views=False).violations == []


def refused_while_it_sleeps(zygote: Zygote, place: Place, rounds: int) -> list[str]:
    """Stop a writer so many times, try to take its place meanwhile, and let it go on; return what does not hold."""
    run = zygote.start("writer", *place.options, "--sessions", "1")
    run.listen_to_acks(1)
    violations: list[str] = []
    for number in range(rounds):
        os.kill(run.pid, signal.SIGSTOP)
        try:
            open_store(replace(place.settings, wait_s=0)).close()
            violations.append(f"round {number}: the second one was let in")
        except StoreBusyError:
            pass
        finally:
            os.kill(run.pid, signal.SIGCONT)
        run.listen_to_acks(1)
    return violations + check(place.settings, place.home, [run.kill()], views=False).violations


def fenced_while_it_sleeps(zygote: Zygote, place: Place, rounds: int) -> list[str]:
    """Take the place of a writer that sleeps, on a disk where locks mean nothing; return what does not hold."""
    violations: list[str] = []
    said: list[Words] = []
    checkpoints = place.home / "checkpoints"
    for number in range(rounds):
        run = zygote.start("writer", *place.options, "--sessions", "1", "--seed", str(number))
        run.listen_to_acks(1)
        os.kill(run.pid, signal.SIGSTOP)
        try:
            with mutated("no-lock"), open_store(replace(place.settings, wait_s=0), checkpoints=checkpoints) as second:
                head = second.head()
                os.kill(run.pid, signal.SIGCONT)
                words = run.wait()
                if second.head() != head:
                    violations.append(f"round {number}: {second.head() - head} stale events")
        except StoreBusyError:  # it went to sleep in the middle of a transaction
            said.append(run.kill())
            continue
        if not (words.stopped or "").startswith("StoreFencedError"):
            violations.append(f"round {number}: it was not told: {words.stopped}")
        said.append(words)
    return violations + check(place.settings, place.home, said, views=False).violations


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ordeal", "rounds"),
    [
        (refused_while_it_sleeps, 3),
        (fenced_while_it_sleeps, 3),
        pytest.param(refused_while_it_sleeps, 1_000, marks=pytest.mark.chaos),
        pytest.param(fenced_while_it_sleeps, 100, marks=pytest.mark.chaos),  # each with a process of its own
    ],
)
def test_a_writer_that_sleeps_never_writes_beside_another(
    ordeal: Ordeal, rounds: int, zygote: Zygote, places: Iterator[Place], figures: Figures
) -> None:
    violations = ordeal(zygote, next(places), rounds)

    figures("R13", ordeal.__name__.replace("_", " "), tried=rounds, violations=len(violations))
    assert violations == []
