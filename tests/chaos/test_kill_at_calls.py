"""R2: a process is killed at every system call with which it changes a file, whatever it is doing."""

from __future__ import annotations

import gzip
import re
import shutil
from collections import Counter
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.attachments.files import FileAttachments, folder_of
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import open_store
from tests.chaos.conftest import Filled, Place
from tests.chaos.deeds import OWN
from tests.chaos.invariants import check, otherwise_told
from tests.chaos.load import name_of, picture
from tests.chaos.processes import every, traced
from tests.golden.make import FOLDER
from tests.support.first_index import with_first_index

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote
    from tests.chaos.words import Words

pytestmark = [pytest.mark.strace, pytest.mark.slow]

CALLS = (
    "pwrite64", "write", "fsync", "fdatasync", "ftruncate", "rename", "link", "mkdir", "unlink", "openat", "fallocate",
)  # fmt: skip
FILLED = ("append", "attach", "checkpoint", "catch-up", "rebuild", "erase", "compact", "export")
DEEDS = (*FILLED, "migrate", "upgrade")

SHARES = 4
"""Parts of one run over every call that workers do side by side; each counts the calls anew, which takes one run."""


class Cutting:
    """One deed, to be cut at a point of its own."""

    def __init__(self, zygote: Zygote, filled: Filled, deed: str, folder: Path, mutant: str | None = None) -> None:
        self._zygote = zygote
        self._filled = filled
        self._deed = deed
        self._folder = folder
        self._mutant = ["--mutant", mutant] if mutant else []
        self._number = 0

    def points(self) -> list[tuple[str, int]]:
        """Return every call of a whole run, by its name and number."""
        trace = self._folder / "trace"
        words, _ = self._run(f"--trace={','.join(CALLS)}", output=trace)
        assert words.done
        calls = Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
        return [(name, number) for name in CALLS for number in range(1, calls[name] + 1)]

    def cut(self, call: str, number: int) -> list[str]:
        """Kill the deed at one call; return what does not hold afterwards."""
        words, place = self._run(f"--trace={call}", f"--inject={call}:signal=KILL:when={number}")
        assert words.status in {-9, 0}, words
        before = [self._filled.words] if self._deed in FILLED else []
        violations = [
            f"{self._deed}, {call} {number}: {each}"
            for each in check(place.settings, place.home, [*before, words]).violations
        ]
        if self._deed == "erase" and not violations:
            violations += half_erased(place, words)
        if self._deed == "compact" and not violations:
            violations += otherwise_told(place.settings, self._filled.told)
        if self._deed == "export":
            violations += half_exported(place.home)
        shutil.rmtree(place.home)
        return violations

    def _run(self, *strace: str, output: Path | str = "/dev/null") -> tuple[Words, Place]:
        self._number += 1
        home = self._folder / f"{self._deed}-{self._number}"
        place = Place(home)
        if self._deed in FILLED:
            self._filled.place.copied(home)
        else:
            home.mkdir()
        if self._deed == "upgrade":
            (home / "log.db").write_bytes(first_log(self._folder))
        return traced(self._zygote, ["deed", self._deed, *place.options, *self._mutant], *strace, output=output), place


@cache
def first_log(folder: Path) -> bytes:
    """Return a store of the first schema."""
    path = folder / "first.db"
    path.write_bytes(gzip.decompress((FOLDER / "0001.db.gz").read_bytes()))
    with_first_index(path)
    return path.read_bytes()


def half_erased(place: Place, words: Words) -> list[str]:
    """Return what is left of a session that was to be erased: all of it or nothing, and nothing once it was said."""
    with open_store(place.settings, write=False) as store, store.reading() as connection:
        left = connection.exec_driver_sql(
            "SELECT count(data), count(*) FROM events JOIN keys USING (stream)"
            " WHERE id = ? AND type <> 'session-erased'",
            (name_of(0),),
        ).one()
    if left[0] not in {0, left[1]}:
        return [f"{left[0]} of {left[1]} payloads are left"]
    if words.erased and left[0]:
        return ["said to be erased, but it is there"]
    own = FileAttachments(folder_of(place.home / "log.db"))
    if words.erased and own.keeps(sha256(picture(OWN)).hexdigest()):
        return ["said to be erased, but a picture of it is there"]
    return []


def half_exported(home: Path) -> list[str]:
    """Return which exports are there and do not verify."""
    made = [home / "jsonl", home / "bundle"]
    return [f"{path.name} is there in part" for path in made if path.exists() and not verify_exported(path).ok]


def cut_all(cutting: Cutting, points: Iterable[tuple[str, int]]) -> tuple[int, list[str]]:
    found = [cutting.cut(call, number) for call, number in points]
    return len(found), [violation for each in found for violation in each]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_kill_at_any_ninth_call_leaves_all_or_nothing(
    deed: str, zygote: Zygote, filled: Filled, tmp_path: Path
) -> None:
    cutting = Cutting(zygote, filled, deed, tmp_path)

    tried, violations = cut_all(cutting, every(cutting.points(), 9))

    assert violations == []
    assert tried > 3


@pytest.mark.chaos
@pytest.mark.parametrize("share", range(SHARES), ids=lambda share: f"whole-{share + 1}-of-{SHARES}")
@pytest.mark.parametrize("deed", DEEDS)
def test_a_kill_at_any_call_leaves_all_or_nothing(
    deed: str, share: int, *, zygote: Zygote, filled: Filled, tmp_path: Path, figures: Figures
) -> None:
    cutting = Cutting(zygote, filled, deed, tmp_path)

    tried, violations = cut_all(cutting, cutting.points()[share::SHARES])

    figures("R2", f"kill at every call of: {deed}", tried=tried, violations=len(violations))
    assert violations == []
    assert tried > 3


@pytest.mark.parametrize(
    ("mutant", "deed", "nth"),
    [
        ("roster-later", "append", 3),
        ("attachment-later", "attach", 3),
        ("migration-in-pieces", "migrate", 5),
        ("digests-first", "compact", 2),
    ],
)
def test_kills_at_calls_catch(
    mutant: str, deed: str, nth: int, *, zygote: Zygote, filled: Filled, tmp_path: Path
) -> None:
    cutting = Cutting(zygote, filled, deed, tmp_path, mutant)

    assert any(cutting.cut(call, number) for call, number in every(cutting.points(), nth))
