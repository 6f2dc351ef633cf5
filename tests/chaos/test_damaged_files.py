"""R6: files are torn, flipped and put back. Whatever is left, the log is never silently shorter."""

from __future__ import annotations

import shutil
from random import Random
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.verify import verify
from holdfast.domain.errors import HoldfastError
from tests.chaos.conftest import Place
from tests.chaos.invariants import lost, read_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote
    from tests.chaos.words import Words

pytestmark = pytest.mark.slow

FILES = ("log.db", "log.db-wal", "log.db-wal", "log.db-wal", "checkpoints/head")
"""What is damaged; the write-ahead log most often, since damage there is the most silent."""


def flip(content: bytearray, random: Random) -> None:
    """One bit is the other way round."""
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def flip_early(content: bytearray, random: Random) -> None:
    """One bit near the beginning, on which all that follows depends."""
    content[random.randrange(min(len(content), 8192))] ^= 1 << random.randrange(8)


def tear(content: bytearray, random: Random) -> None:
    """The end is missing."""
    del content[random.randrange(len(content)) :]


def blank(content: bytearray, random: Random) -> None:
    """One sector is empty."""
    start = random.randrange(len(content)) // 512 * 512
    content[start : start + 512] = bytes(len(content[start : start + 512]))


def repeat(content: bytearray, random: Random) -> None:
    """One sector was written where another belongs."""
    source, target = (random.randrange(len(content)) // 512 * 512 for _ in range(2))
    sector = content[source : source + 512]
    content[target : target + len(sector)] = sector


DAMAGES: tuple[Callable[[bytearray, Random], None], ...] = (flip, flip_early, tear, blank, repeat)


@pytest.fixture(scope="module")
def hurt(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Words]:
    """A store that was killed with commits in the database and later ones in the write-ahead log."""
    place = Place(tmp_path_factory.mktemp("hurt"))
    zygote.start("deed", "fill", *place.options).wait()
    run = zygote.start("writer", *place.options, "--sessions", "4")
    run.listen_to_acks(150)
    words = run.kill()
    assert (place.home / "log.db-wal").stat().st_size > 0
    return place, words


def silence(place: Place, words: Words, *, witnessed: bool = True) -> list[str]:
    """Return what is lost without a word: opening does not refuse it, and verifying finds nothing wrong."""
    checkpoints = place.home / "checkpoints"
    try:
        with open_store(place.settings, checkpoints=checkpoints if witnessed else None) as store:
            if store.regressed is not None or not verify(store.readers, checkpoints, place.settings.label).ok:
                return []
            with store.reading() as connection:
                return lost(read_log(connection), words.acks)
    except HoldfastError:
        return []
    except Exception as error:  # noqa: BLE001 - an error of the database itself tells nobody what to do
        return [f"not an error of ours: {error!r}"]


def damage(hurt: Place, folder: Path, random: Random) -> tuple[Place, str]:
    """Return a copy with one damage, and what was done to it."""
    place = hurt.copied(folder)
    name = random.choice(FILES)
    path = place.home / name
    content = bytearray(path.read_bytes())
    how = random.choice(DAMAGES)
    how(content, random)
    path.write_bytes(content)
    return place, f"{how.__name__} {name}"


@pytest.mark.parametrize(
    ("batch", "files"),
    [pytest.param(0, 60, id="slice"), *(pytest.param(n, 150, marks=pytest.mark.chaos) for n in range(1, 5))],
)
def test_a_damaged_file_never_makes_the_log_silently_shorter(
    batch: int, files: int, hurt: tuple[Place, Words], tmp_path: Path, figures: Figures
) -> None:
    random = Random(batch)
    place, words = hurt
    violations: list[str] = []
    for _ in range(files):
        copy, what = damage(place, tmp_path / "copy", random)
        violations += [f"{what}: {violation}" for violation in silence(copy, words)]
        shutil.rmtree(copy.home)

    figures("R6", "torn and flipped files", tried=files, violations=len(violations))
    assert violations == []


def test_without_a_witness_a_flipped_bit_shortens_the_log_silently(hurt: tuple[Place, Words], tmp_path: Path) -> None:
    place, words = hurt
    random = Random(1)
    found: list[str] = []
    for number in range(30):
        copy = place.copied(tmp_path / str(number))
        shutil.rmtree(copy.home / "checkpoints")
        path = copy.home / "log.db-wal"
        content = bytearray(path.read_bytes())
        flip_early(content, random)
        path.write_bytes(content)
        found += silence(copy, words, witnessed=False)
        if found:
            break

    assert found
