from __future__ import annotations

import time

import pytest

from holdfast.frontends.cli import wording

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h")),
        *((86_400 * 3, "3d"), (86_400 * 20, "2w"), (86_400 * 800, "2y")),
    ],
)
def test_an_age_is_one_number_and_one_letter(seconds: int, said: str) -> None:
    assert wording.age(0, seconds * SECOND) == said


def test_ids_are_cut_to_what_tells_them_apart() -> None:
    assert wording.short_ids(["0199aaaa-1", "0299aaaa-1"]) == ["0199aaaa", "0299aaaa"]
    assert wording.short_ids(["0199aaaa-1", "0199aaaa-2", "abc"]) == ["0199aaaa-1", "0199aaaa-2", "abc"]
    assert wording.short_ids([]) == []


def test_people_see_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert wording.local(1_763_640_000 * SECOND) == ("2025-11-20", "21:00")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_beyond_every_zone_is_still_shown(year: int) -> None:
    at = (year - 1970) * 365 * 86_400 * SECOND

    day, clock = wording.local(at)

    assert len(clock) == 5
    assert day.count("-") == 2
