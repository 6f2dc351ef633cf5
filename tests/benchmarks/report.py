"""What was measured, beside its goal and its baseline: a table for people, JSON for programs. Judges, never fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Unit = Literal["events/s", "MB/s", "ms", "bytes", "cores", "frames"]


class Goal(Struct, frozen=True):
    """What should be reached: by the value itself, or by its ratio to the baseline."""

    relation: Literal["at least", "at most"]
    limit: float
    of: Literal["value", "ratio"]

    def met(self, value: float, ratio: float | None) -> bool:
        """Whether a measurement reaches it."""
        measured = value if self.of == "value" else ratio
        assert measured is not None
        return measured >= self.limit if self.relation == "at least" else measured <= self.limit


class Baseline(Struct, frozen=True):
    """What did the same work in the same run."""

    name: str
    value: float


class Row(Struct, frozen=True):
    """One measured figure.

    Attributes:
        ratio: The value by the baseline, as the median over the rounds in which both were measured side by side.
        samples: The value in each round.
    """

    what: str
    unit: Unit
    value: float
    goal: Goal | None = None
    baseline: Baseline | None = None
    ratio: float | None = None
    samples: tuple[float, ...] = ()

    @property
    def verdict(self) -> Literal["pass", "short", ""]:
        """Whether the goal was reached; empty where there is none."""
        if self.goal is None:
            return ""
        return "pass" if self.goal.met(self.value, self.ratio) else "short"


class Figure(Struct, frozen=True):
    """The rows of one kind of work; `missing` says why there are none."""

    name: str
    work: str
    rows: tuple[Row, ...]
    missing: str | None = None


def lines(figure: Figure) -> Iterator[str]:
    """Yield the table of one figure, with a blank line after it."""
    yield f"{figure.name}  {figure.work}"
    if figure.missing is not None:
        yield f"  not measured: {figure.missing}"
    else:
        yield from _aligned([_HEAD, *(_cells(row) for row in figure.rows)])
    yield ""


def as_json(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """Return the figures as builtins, each row with its verdict."""
    return [
        {
            "figure": figure.name,
            "work": figure.work,
            "missing": figure.missing,
            "rows": [{name: getattr(row, name) for name in (*row.__struct_fields__, "verdict")} for row in figure.rows],
        }
        for figure in figures
    ]


def shown(value: float, unit: Unit) -> str:
    """Return a value as people read it."""
    if unit == "events/s":
        return f"{value:,.0f}/s"
    if unit == "cores":
        return f"{value:.2f} {unit}"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:,.1f} {unit}"


_HEAD = ("", "goal", "measured", "baseline", "ratio", "")


def _cells(row: Row) -> tuple[str, ...]:
    baseline = "" if row.baseline is None else f"{row.baseline.name} {shown(row.baseline.value, row.unit)}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} ×"
    return (row.what, _goal(row), shown(row.value, row.unit), baseline, ratio, row.verdict)


def _goal(row: Row) -> str:
    goal = row.goal
    if goal is None:
        return ""
    sign = "≥" if goal.relation == "at least" else "≤"
    if goal.of == "value":
        return f"{sign} {shown(goal.limit, row.unit)}"
    assert row.baseline is not None
    return f"{sign} {goal.limit:g} × {row.baseline.name}"


def _aligned(table: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for what, *cells in table:
        numbers = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield f"  {what:<{widths[0]}}  {'  '.join(numbers)}".rstrip()
