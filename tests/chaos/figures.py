"""The table at the end of a run under faults: what was tried, what it cost, and what did not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_KEY = "chaos"


class Figures(Protocol):
    """Adds to the line of a fault: counts are summed over all tests of it, `worst` keeps the greatest."""

    def __call__(self, fault: str, what: str, *, tried: int, violations: int, **worst: float) -> None: ...


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Report figures for the table at the end."""

    def report(fault: str, what: str, *, tried: int, violations: int, **worst: float) -> None:
        record_property(_KEY, [fault, what, tried, violations, worst])

    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table after a run that was all about faults."""
    if config.option.markexpr != "chaos":
        return
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    lines = table(value for report in reports for key, value in report.user_properties if key == _KEY)
    if lines:
        terminalreporter.write_sep("=", "faults")
        for line in lines:
            terminalreporter.write_line(line)


def table(reported: Iterable[Any]) -> list[str]:
    """Return one line a fault, in the order of their numbers."""
    sums: dict[tuple[str, str], tuple[int, int, dict[str, float]]] = {}
    for fault, what, tried, violations, worst in reported:
        before = sums.get((fault, what), (0, 0, {}))
        most = {name: max(number, before[2].get(name, number)) for name, number in worst.items()}
        sums[fault, what] = (before[0] + tried, before[1] + violations, before[2] | most)
    width = max((len(what) for _, what in sums), default=0)
    lines = [f"{'':4} {'fault':{width}} {'tried':>8} {'violations':>10}  worst"] if sums else []
    for (fault, what), (tried, violations, worst) in sorted(
        sums.items(), key=lambda entry: (int(entry[0][0][1:]), entry)
    ):
        measured = ", ".join(f"{name.replace('_', ' ')} {number:g}" for name, number in worst.items())
        lines.append(f"{fault:4} {what:{width}} {tried:8,} {violations:10,}  {measured}")
    return lines
