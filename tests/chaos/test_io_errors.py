"""R4: the disk fails, from one call on for good. The writer stops acknowledging and leaves; its successor is whole."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.chaos.invariants import check, otherwise_told
from tests.chaos.processes import traced
from tests.chaos.writer import STOPPED

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.chaos.conftest import Filled, Place
    from tests.chaos.figures import Figures
    from tests.chaos.processes import Zygote
    from tests.chaos.words import Words

pytestmark = [pytest.mark.strace, pytest.mark.slow]

CALLS = ("pwrite64", "fdatasync", "pread64")

_LINE = re.compile(r"^\d+ +(?P<at>[\d.]+) (?P<call>\w+)\((?P<rest>.*)")
_ACK = re.compile(r"ack \S+ \d+ (\d+) ")
_HEAD = b"HFhead1\n"
_POSITION = slice(48, 56)
"""Where a slot of the head file keeps its position."""


@dataclass
class Course:
    """What a trace tells of one writer.

    Attributes:
        failed_at: When a call first failed, as far as SQLite tells of it; None if none did. A failed sync of the
            folder, which happens while a store is opened, is not told.
        ended_at: When the process was gone.
        safe: The last position that was committed before that.
        acknowledged: The last position that was ever acknowledged.
    """

    failed_at: float | None = None
    ended_at: float = 0.0
    safe: int = 0
    acknowledged: int = 0

    @classmethod
    def read(cls, trace: Path) -> Course:
        """Read what `strace -ttt -xx` wrote."""
        course = cls()
        for line in trace.read_text().splitlines():
            found = _LINE.match(line)
            if found is None:
                if "+++" in line:
                    course.ended_at = float(line.split()[1])
                continue
            if "(INJECTED)" in found["rest"]:
                course.failed_at = course.failed_at or float(found["at"])
                continue
            data = _bytes(found["rest"])
            if found["call"] == "pwrite64" and data.startswith(_HEAD) and course.failed_at is None:
                course.safe = max(course.safe, int.from_bytes(data[_POSITION], "big"))
            if found["call"] == "write":
                if data == b"ready\n":
                    course.failed_at = None
                positions = [int(position) for position in _ACK.findall(data.decode("ascii", "replace"))]
                course.acknowledged = max(course.acknowledged, *positions, 0)
        return course


def _bytes(arguments: str) -> bytes:
    quoted = re.search(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
    return bytes.fromhex(quoted[1].replace("\\x", "")) if quoted else b""


def fail(
    zygote: Zygote, filled: Filled, folder: Path, call: str, number: int, *options: str
) -> tuple[Course, list[str]]:
    """Let every call from the one with this number on fail in each thread; return what does not hold."""
    place = filled.place.copied(folder / f"{call}-{number}")
    trace = folder / "trace"
    program = ["writer", *place.options, "--events", str(100 + 14 * number), "--sessions", "4", "--persist", *options]
    words = traced(
        zygote,
        program,
        *("-ttt", "-xx", "-s", "4096", "--trace=pwrite64,fdatasync,pread64,write"),
        f"--inject={call}:error=EIO:when={number}+",
        output=trace,
    )
    course = Course.read(trace)
    violations: list[str] = []
    if course.failed_at is not None:
        if course.acknowledged > course.safe:
            violations.append(
                f"{course.acknowledged} was acknowledged, {course.safe} was safe when a call first failed"
            )
        if words.status <= 0:
            violations.append(f"the process ended with status {words.status}")
    found = check(place.settings, place.home, [filled.words, words])
    violations += found.violations
    shutil.rmtree(place.home)
    return course, [f"{call} {number}: {violation}" for violation in violations]


@pytest.mark.parametrize(
    "numbers",
    [pytest.param((1, 2, 4, 8, 16, 40), id="slice"), *(
        pytest.param(tuple(range(start, start + 25)), id=f"from-{start}", marks=pytest.mark.chaos)
        for start in range(1, 200, 25)
    )],
)  # fmt: skip
@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_acknowledged_after_the_disk_failed(
    call: str, numbers: tuple[int, ...], *, zygote: Zygote, filled: Filled, tmp_path: Path, figures: Figures
) -> None:
    violations: list[str] = []
    exit_s = 0.0
    failed = 0
    for number in numbers:
        course, found = fail(zygote, filled, tmp_path, call, number)
        violations += found
        if course.failed_at is not None:
            failed += 1
            exit_s = max(exit_s, course.ended_at - course.failed_at)

    figures("R4", f"EIO on {call} from call k on", tried=failed, violations=len(violations), exit_s=round(exit_s, 3))
    assert violations == []
    assert failed


@contextmanager
def failing(
    zygote: Zygote, filled: Filled, folder: Path, call: str, number: int, *deed: str
) -> Generator[tuple[Place, Words, bool]]:
    """Do a deed, with its options, to a copy of the store while calls fail from this one on; tell whether one did."""
    place = filled.place.copied(folder / f"{call}-{number}")
    trace = folder / "trace"
    words = traced(
        zygote,
        ["deed", deed[0], *place.options, *deed[1:]],
        *(f"--trace={call}", f"--inject={call}:error=EIO:when={number}+"),
        output=trace,
    )
    yield place, words, "(INJECTED)" in trace.read_text()
    shutil.rmtree(place.home)


def fail_attaching(
    zygote: Zygote, filled: Filled, folder: Path, call: str, number: int, *options: str
) -> tuple[bool, list[str]]:
    """Append pictures while every call from this number on fails; return whether one did, and what does not hold."""
    with failing(zygote, filled, folder, call, number, "attach", *options) as (place, words, failed):
        violations = check(place.settings, place.home, [filled.words, words]).violations
    if failed and words.status < 0:
        violations.append(f"the process ended with status {words.status}")
    return failed, [f"attaching, {call} {number}: {violation}" for violation in violations]


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_an_event_whose_picture_the_disk_refuses_is_not_acknowledged(
    call: str, *, zygote: Zygote, filled: Filled, tmp_path: Path, figures: Figures
) -> None:
    tried = [fail_attaching(zygote, filled, tmp_path, call, number) for number in range(1, 9)]

    violations = [violation for _, found in tried for violation in found]
    failed = sum(failed for failed, _ in tried)
    figures("R4", f"EIO on {call} while pictures are attached", tried=failed, violations=len(violations))
    assert violations == []
    assert failed > 2


def test_errors_of_the_disk_catch_pictures_that_are_kept_later(zygote: Zygote, filled: Filled, tmp_path: Path) -> None:
    assert any(
        fail_attaching(zygote, filled, tmp_path, "fsync", number, "--mutant", "attachment-later")[1]
        for number in range(1, 9)
    )


def fail_compacting(
    zygote: Zygote, filled: Filled, folder: Path, call: str, number: int, *options: str
) -> tuple[bool, list[str]]:
    """Compact while every call from this number on fails; return whether one did, and what does not hold."""
    with failing(zygote, filled, folder, call, number, "compact", *options) as (place, words, failed):
        violations = check(place.settings, place.home, [filled.words]).violations
        violations = violations or otherwise_told(place.settings, filled.told)
    if failed and words.done:
        violations.append("it was said to be done")
    if words.status != (0 if words.done else STOPPED):
        violations.append(f"the process ended with status {words.status}: {words.stopped}")
    return failed, [f"compact, {call} {number}: {violation}" for violation in violations]


@pytest.mark.parametrize(
    "numbers",
    [pytest.param((1, 5, 12, 60, 140), id="slice"), *(
        pytest.param(tuple(range(start, start + 50)), id=f"from-{start}", marks=pytest.mark.chaos)
        for start in range(1, 200, 50)
    )],
)  # fmt: skip
@pytest.mark.parametrize("call", CALLS)
def test_a_compaction_on_a_disk_that_fails_leaves_what_was_told(
    call: str, numbers: tuple[int, ...], *, zygote: Zygote, filled: Filled, tmp_path: Path, figures: Figures
) -> None:
    violations: list[str] = []
    tried = 0
    for number in numbers:
        failed, found = fail_compacting(zygote, filled, tmp_path, call, number)
        violations += found
        tried += failed
        if not failed:
            break  # there are no more such calls

    figures("R4", f"EIO on {call} from call k on, compacting", tried=tried, violations=len(violations))
    assert violations == []


def test_errors_of_the_disk_catch_a_compaction_that_takes_before_it_puts(
    zygote: Zygote, filled: Filled, tmp_path: Path
) -> None:
    mutant = ("--mutant", "digests-first")

    assert any(fail_compacting(zygote, filled, tmp_path, "fdatasync", number, *mutant)[1] for number in range(2, 8))


def test_errors_of_the_disk_catch_a_store_that_goes_on(zygote: Zygote, filled: Filled, tmp_path: Path) -> None:
    # Some of these calls belong to the views, whose commits the defect leaves alone.
    assert any(
        fail(zygote, filled, tmp_path, "fdatasync", number, "--mutant", "error-ignored")[1]
        for number in range(5, 20, 2)
    )
