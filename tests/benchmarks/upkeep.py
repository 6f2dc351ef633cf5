"""What has no goal of its own and is printed all the same: verifying, rebuilding, importing, opening, listing."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.workspace import Workspace
from holdfast.bootstrap.library import LocalLibrary
from tests.benchmarks.bare import scan_plainly
from tests.benchmarks.material import converse, new_session, talk, write_transcript
from tests.benchmarks.reading import fill_roster, opened
from tests.benchmarks.report import Figure, Goal, Row
from tests.benchmarks.rounds import milliseconds, per_second, side_by_side
from tests.frontends.daemon import Daemon
from tests.support.cli import environment, run_cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.scale import Scale

_FEW: Final = 3
"""Rounds of what takes seconds."""

_LISTED: Final = 100
_INSTANT: Final = Goal("at most", 150, "value")


def keeping(folder: Path, scale: Scale) -> Figure:
    """Measure all of it."""
    parts = (_whole_log, _opening, _importing, _listing)
    rows: list[Row] = []
    for number, part in enumerate(parts):
        place = folder / str(number)
        place.mkdir(mode=0o700)
        rows += part(place, scale)
    return Figure("+", "what else is measured", tuple(rows))


def _whole_log(folder: Path, scale: Scale) -> list[Row]:
    events = scale.events
    with opened(folder) as store:
        converse(store, new_session(), events)

        def verify_all() -> None:
            verdict = verify(store.readers, folder / "checkpoints")
            assert verdict.ok
            assert verdict.checked == events

        turns = {
            "verify": per_second(events, verify_all),
            "rebuild": per_second(events, Workspace(store).rebuild),
            "sqlite3": per_second(events, partial(scan_plainly, folder / "log.db")),
        }
        found = side_by_side(min(_FEW, scale.rounds), turns)
    return [
        found.row("verify", "events/s", "verify", baseline="sqlite3"),
        found.row("rebuild every view", "events/s", "rebuild", baseline="sqlite3"),
    ]


def _opening(folder: Path, scale: Scale) -> list[Row]:
    long, short = folder / "long", folder / "short"
    for place, events in ((long, scale.log), (short, 1)):
        place.mkdir()
        with opened(place) as store:
            talk(store, new_session(), events)
    turns = {"long": partial(_open_ms, long), "one event": partial(_open_ms, short)}
    found = side_by_side(scale.rounds, turns)
    return [found.row(f"open a log of {scale.log:,} events", "ms", "long", baseline="one event")]


def _open_ms(folder: Path) -> float:
    settings = StoreSettings.from_url(f"sqlite:///{folder}/log.db", home=folder)
    begin = perf_counter()
    store = open_store(settings, checkpoints=folder / "checkpoints")
    took = perf_counter() - begin
    store.close()
    return took * 1000


def _importing(folder: Path, scale: Scale) -> list[Row]:
    transcript = folder / "transcript.jsonl"
    megabytes = write_transcript(transcript, scale.transcript_bytes) / 1e6
    homes = (folder / f"home-{number}" for number in count())

    def import_all() -> None:
        """Into a new store, its views and its last checkpoint included."""
        library = LocalLibrary({"HOLDFAST_HOME": str(next(homes)), "HOME": str(folder)}, print)
        with library.writing() as workspace:
            report = workspace.import_([str(transcript)])
        assert not report.malformed

    def parse() -> None:
        with transcript.open("rb") as file:
            for line in file:
                msgspec.json.decode(line)

    turns = {"import": per_second(megabytes, import_all), "msgspec": per_second(megabytes, parse)}
    found = side_by_side(min(_FEW, scale.rounds), turns)
    return [found.row("import a transcript", "MB/s", "import", baseline="msgspec")]


def _listing(folder: Path, scale: Scale) -> list[Row]:
    """List as people do, interpreter and all: from a store, and from a daemon that has one like it."""
    kept = folder / "kept"
    for home in (folder, kept):
        home.mkdir(mode=0o700, exist_ok=True)
        with opened(home) as store:
            fill_roster(store, min(_LISTED, scale.roster))

    def list_all(home: Path) -> None:
        ran = run_cli("ls", home=home)
        assert ran.returncode == 0, ran.stderr

    def start() -> None:
        subprocess.run([sys.executable, "-c", "pass"], env=environment(folder), check=True)

    daemon = Daemon(kept)
    try:
        daemon.start()
        list_all(folder)
        turns = {
            "store": milliseconds(partial(list_all, folder)),
            "daemon": milliseconds(partial(list_all, kept)),
            "python": milliseconds(start),
        }
        found = side_by_side(scale.rounds, turns)
    finally:
        daemon.close()
    listed = f"holdfast ls, {_LISTED} sessions"
    return [
        found.row(listed, "ms", "store", baseline="python"),
        found.row(f"{listed}, by the daemon", "ms", "daemon", baseline="python", goal=_INSTANT),
    ]
