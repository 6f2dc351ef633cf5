"""The benchmark itself still runs, whatever it measures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.benchmarks.report import Baseline, Goal, Row
from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def bench(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", "--smoke", "--folder", str(tmp_path), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path / "home"), capture_output=True, text=True, check=False
    )


def rows_of(figures: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for figure in figures:
        yield from figure["rows"]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.chromium
@pytest.mark.timeout(600)
def test_a_run_too_small_to_mean_anything_prints_and_writes_every_row(tmp_path: Path) -> None:
    ran = bench(tmp_path, "--json", str(tmp_path / "deep" / "bench.json"))

    assert ran.returncode == 0, ran.stderr
    written = msgspec.json.decode((tmp_path / "deep" / "bench.json").read_bytes())
    assert [figure["figure"] for figure in written["figures"]] == [
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P6",
        "P6",
        "P8",
        "P7",
        "P9",
        "R9",
        "R8",
        "R11",
        "R10",
        "page",
        "page-live",
        "tui",
        "search",
        "search-pg",
        "+",
    ]
    rows = list(rows_of(written["figures"]))
    assert len(rows) == 6 + 8 + 3 + 1 + 1 + 1 + 3 + 4 + 1 + 4 + 6 + 2 + 2 + 2 + 4 + 10 + 9 + 24 + 24 + 6
    # Clocks of processes tick every hundredth of a second, and so short a run may lie between; no frame need be late.
    assert [row for row in rows if row["value"] <= 0 and row["unit"] not in {"cores", "frames"}] == []
    assert all(row["what"] in ran.stdout for row in rows)
    assert all((row["goal"] is None) == (row["verdict"] == "") for row in rows)


@pytest.mark.slow
def test_only_the_figures_that_are_named_are_measured(tmp_path: Path) -> None:
    ran = bench(tmp_path, "P5", "--json", str(tmp_path / "bench.json"))

    assert ran.returncode == 0, ran.stderr
    (figure,) = msgspec.json.decode((tmp_path / "bench.json").read_bytes())["figures"]
    assert figure["figure"] == "P5"


@pytest.mark.slow
def test_a_figure_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    ran = bench(tmp_path, "p99")

    assert ran.returncode == 2
    assert "p99" in ran.stderr


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Goal("at least", 10, "value"), "pass"),
        (Goal("at least", 11, "value"), "short"),
        (Goal("at most", 10, "value"), "pass"),
        (Goal("at most", 9, "value"), "short"),
        (Goal("at least", 2, "ratio"), "pass"),
        (Goal("at least", 3, "ratio"), "short"),
        (None, ""),
    ],
)
def test_a_row_says_whether_its_goal_was_reached(goal: Goal | None, verdict: str) -> None:
    row = Row("work", "events/s", 10, goal, Baseline("other", 5), 2)

    assert row.verdict == verdict
