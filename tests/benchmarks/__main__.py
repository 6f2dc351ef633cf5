"""`python -m tests.benchmarks [FIGURE …]`: measure, print a table a figure, write JSON. Slow is never an error."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from tests.benchmarks import appending, housing, live, page, painting, reading, searching, talking, terminal, upkeep
from tests.benchmarks.report import as_json, lines
from tests.benchmarks.rounds import milliseconds
from tests.benchmarks.scale import FULL, QUICK, SMOKE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.report import Figure
    from tests.benchmarks.scale import Scale

FIGURES: Final[dict[str, Callable[[Path, Scale], Figure]]] = {
    "p1": appending.on_sqlite,
    "p2": talking.talking,
    "p3": reading.folding,
    "p4": reading.listing,
    "p5": reading.weighing,
    "p6": live.holding,
    "p6-sessions": housing.holding_sessions,
    "p8": housing.listing_by_socket,
    "p7": live.fanning_out,
    "p9": appending.on_postgres,
    "r9": housing.housing,
    "r8": live.stalling,
    "r11": talking.flooding,
    "r10": live.returning,
    "page": page.showing,
    "page-live": painting.painting,
    "tui": terminal.showing,
    "search": searching.on_sqlite,
    "search-pg": searching.on_postgres,
    "upkeep": upkeep.keeping,
}


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, everything by default."""
    parser = ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"some of {', '.join(FIGURES)}; all by default")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where to write what was measured")
    parser.add_argument("--folder", type=Path, help="where to make the stores: the disk decides how fast a commit is")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", dest="scale", action="store_const", const=QUICK, help="about a minute")
    length.add_argument("--smoke", dest="scale", action="store_const", const=SMOKE, help="too small to mean anything")
    options = parser.parse_args(arguments)
    names = [name.lower() for name in options.figures] or list(FIGURES)
    if unknown := [name for name in names if name not in FIGURES]:
        parser.error(f"there is no figure {unknown[0]}: choose from {', '.join(FIGURES)}")
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="hf-bench-", dir=options.folder) as folder:
        machine = describe(Path(folder))
        print(" · ".join(f"{name} {value}" for name, value in machine.items()), end="\n\n")
        for name in names:
            place = Path(folder, name)
            place.mkdir()
            figure = FIGURES[name](place, options.scale or FULL)
            print(*lines(figure), sep="\n", flush=True)
            found.append(figure)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.encode({"machine": machine, "figures": as_json(found)})
    options.json.write_bytes(msgspec.json.format(content) + b"\n")


def describe(folder: Path) -> dict[str, str]:
    """Return what a figure depends on and no ratio shows."""
    with tempfile.TemporaryFile(dir=folder) as file:

        def sync() -> None:
            os.pwrite(file.fileno(), bytes(4096), 0)
            os.fsync(file.fileno())

        syncs = [milliseconds(sync)() for _ in range(50)]
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "processors": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "fsync": f"{median(syncs):.2f} ms",
    }


if __name__ == "__main__":
    main(sys.argv[1:])
