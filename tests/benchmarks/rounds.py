"""Measuring side by side: the machine may be busy with something else, but then it is so for everyone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec import Struct

from tests.benchmarks.report import Baseline, Goal, Row

if TYPE_CHECKING:
    from tests.benchmarks.report import Unit

Measure = Callable[[], float]


class Measured(Struct, frozen=True):
    """The values of everyone who took part, by name and round."""

    values: Mapping[str, Sequence[float]]

    def value(self, name: str) -> float:
        """Return the median over the rounds."""
        return median(self.values[name])

    def ratio(self, name: str, to: str) -> float:
        """Return the median of the ratios within each round."""
        return median(value / base for value, base in zip(self.values[name], self.values[to], strict=True))

    def row(self, what: str, unit: Unit, name: str, *, baseline: str | None = None, goal: Goal | None = None) -> Row:
        """Return one line of a table."""
        return Row(
            what,
            unit,
            self.value(name),
            goal,
            None if baseline is None else Baseline(baseline, self.value(baseline)),
            None if baseline is None else self.ratio(name, baseline),
            tuple(self.values[name]),
        )


def side_by_side(rounds: int, measures: Mapping[str, Measure]) -> Measured:
    """Let everyone have a turn in each round, in an order that is reversed from round to round."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    names = list(measures)
    orders = cycle((names, names[::-1]))
    for order in islice(orders, rounds):
        for name in order:
            values[name].append(measures[name]())
    return Measured(values)


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    begin = perf_counter()
    work()
    return perf_counter() - begin


def per_second(count: float, work: Callable[[], object]) -> Measure:
    """Return a measure of how many things a second are done by work that does `count` of them."""
    return lambda: count / timed(work)


def milliseconds(work: Callable[[], object]) -> Measure:
    """Return a measure of how long `work` takes."""
    return lambda: timed(work) * 1000
