"""R3: the power fails. A writer's calls are replayed into thousands of disks that may have been left, each opened."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.chaos.conftest import Place
from tests.chaos.invariants import check
from tests.chaos.power import STRACE, Disk, Step, read_trace
from tests.chaos.processes import traced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.conftest import Filled
    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote

pytestmark = [pytest.mark.strace, pytest.mark.slow]

WHOLE_CHECKS = 50
"""One image in so many is opened as a store, with views and chain; the others by SQLite alone."""


class Outage:
    """A traced writer, and the disks that it may have left."""

    def __init__(
        self, zygote: Zygote, filled: Filled, folder: Path, events: int, *options: str, every: int = WHOLE_CHECKS
    ) -> None:
        self._every = every
        self._place = filled.place
        self._before = filled.words
        running = filled.place.copied(folder / "running")
        program = ["writer", *running.options, "--events", str(events), "--sessions", "6", *options]
        words = traced(zygote, program, *STRACE, output=folder / "trace")
        assert words.status == 0, words.stopped
        self.steps = list(read_trace(folder / "trace", running.home))
        assert {step.kind for step in self.steps} >= {"write", "sync", "ack"}

    def images(self, images: int, random: Random) -> Iterator[list[str]]:
        """Let the power fail at as many moments; yield what does not hold of each disk that is left."""
        disk = Disk(self._place.home)
        said = {ack.position: ack.event_id for ack in self._before.acks}
        moments = sorted(random.choices(range(len(self.steps)), k=images))
        done = 0
        for number, moment in enumerate(moments):
            for step in self.steps[done : moment + 1]:
                disk.take(step)
                if step.kind == "ack":
                    said[step.offset] = step.data.decode()
            done = moment + 1
            with _memory() as folder:
                disk.fail(Path(folder), random)
                violations = lost(Path(folder), said)
                if number % self._every == 0 and not violations:
                    place = Place(Path(folder))
                    violations = check(place.settings, place.home, [self._before]).violations
            yield [f"after call {moment}: {violation}" for violation in violations]


def lost(folder: Path, said: dict[int, str]) -> list[str]:
    """Return which of the acknowledged events a disk does not hold."""
    try:
        connection = sqlite3.connect(folder / "log.db")
        try:
            found = dict(connection.execute("SELECT position, lower(hex(event_id)) FROM events").fetchall())
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return [f"the database cannot be read: {error}"]
    return [f"position {position} was acknowledged" for position, event in said.items() if found.get(position) != event]


def _memory() -> tempfile.TemporaryDirectory[str]:
    fast = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="holdfast-", dir=fast if fast.is_dir() else None)


@pytest.mark.parametrize(
    ("seed", "events", "images"),
    [
        pytest.param(0, 120, 400, id="slice"),
        *(pytest.param(seed, 1500, 2_500, marks=pytest.mark.chaos) for seed in range(1, 9)),
    ],
)
def test_no_power_loss_costs_an_acknowledged_event(
    seed: int, events: int, images: int, *, zygote: Zygote, filled: Filled, tmp_path: Path, figures: Figures
) -> None:
    outage = Outage(zygote, filled, tmp_path, events, "--seed", str(seed))

    violations = [violation for found in outage.images(images, Random(seed)) for violation in found]

    figures("R3", "power loss, images of the disk", tried=images, violations=len(violations), calls=len(outage.steps))
    assert violations == []


def test_power_loss_catches_commits_that_are_not_synced(zygote: Zygote, filled: Filled, tmp_path: Path) -> None:
    outage = Outage(zygote, filled, tmp_path, 100, "--mutant", "synchronous-normal")

    assert any(outage.images(300, Random(0)))


def test_power_loss_catches_attachments_that_are_not_synced(zygote: Zygote, filled: Filled, tmp_path: Path) -> None:
    outage = Outage(zygote, filled, tmp_path, 200, "--mutant", "attachment-unsynced", every=1)

    assert any(outage.images(60, Random(0)))


def test_a_sector_that_was_not_synced_may_be_missing(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.take(Step("write", "file", 0, b"a" * 512))
    disk.take(Step("sync", "file"))
    disk.take(Step("write", "file", 256, b"b" * 512))
    seen: set[bytes] = set()
    for seed in range(60):
        disk.fail(tmp_path / str(seed), Random(seed))
        seen.add((tmp_path / str(seed) / "file").read_bytes())
        shutil.rmtree(tmp_path / str(seed))

    assert seen == {
        b"a" * 512,
        b"a" * 256 + b"b" * 256,
        b"a" * 256 + b"b" * 512,
        b"a" * 512 + b"b" * 256,
    }
