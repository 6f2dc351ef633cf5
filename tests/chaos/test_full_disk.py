"""R5: no space is left. The store says so, goes on reading, and goes on writing once there is space again."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.chaos.processes import Zygote

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.figures import Figures
    from tests.chaos.words import Words

MEGABYTE = 1 << 20


def _may_mount() -> bool:
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return False
    tried = [unshare, "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _may_mount(), reason="only root may mount a small disk for itself"),
]


def fill(folder: Path, size: int, spare: int, *options: str) -> Words:
    """Fill a disk of some bytes that only the one process sees, and that is gone with it."""
    folder.mkdir()
    mount = 'mount -t tmpfs -o size="$1",mode=700 none "$2" && shift 2 && exec "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", mount, "sh", str(size), str(folder)]
    with Zygote(prefix) as zygote:
        return zygote.start("full-disk", "--home", folder, "--spare", str(spare), *options).wait()


@pytest.mark.parametrize("turn", [pytest.param(0, id="slice"), *(
    pytest.param(turn, marks=pytest.mark.chaos) for turn in range(1, 6)
)])  # fmt: skip
@pytest.mark.parametrize("megabytes", [4, 12], ids=["no-room-for-a-ballast", "ballast"])
def test_a_full_disk_costs_nothing_and_is_forgotten_when_there_is_space(
    megabytes: int, turn: int, tmp_path: Path, figures: Figures
) -> None:
    words = fill(tmp_path / "disk", megabytes * MEGABYTE, megabytes * MEGABYTE // 2, "--seed", str(turn))

    figures(
        "R5", f"a full disk of {megabytes} MB",
        tried=1, violations=len(words.violations), recovered_s=round(words.recovered_s or 0, 4), events=words.full,
    )  # fmt: skip
    assert words.violations == []
    assert words.done
    assert words.full
    assert words.read >= words.full
    assert words.recovered_s is not None


@pytest.mark.parametrize("turn", [pytest.param(0, id="slice"), *(
    pytest.param(turn, marks=pytest.mark.chaos) for turn in range(1, 6)
)])  # fmt: skip
@pytest.mark.parametrize("megabytes", [4, 12], ids=["no-room-for-a-ballast", "ballast"])
def test_compacting_on_a_full_disk_changes_nothing_or_all_of_a_message(
    megabytes: int, turn: int, tmp_path: Path, figures: Figures
) -> None:
    """It is told that there is no room, and the same command does the rest when there is."""
    size = megabytes * MEGABYTE
    words = fill(tmp_path / "disk", size, size // 2, "--compact", "--seed", str(turn))

    figures("R5", f"compacting on a full disk of {megabytes} MB", tried=1, violations=len(words.violations))
    assert words.violations == []
    assert words.done
    assert words.troubles
    assert words.recovered_s is not None


@pytest.mark.parametrize("mutant", ["full-stops", "positions-move-early"])
def test_a_full_disk_catches(mutant: str, tmp_path: Path) -> None:
    assert fill(tmp_path / "disk", 4 * MEGABYTE, 2 * MEGABYTE, "--mutant", mutant).violations
