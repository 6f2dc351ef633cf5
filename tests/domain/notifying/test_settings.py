"""Quiet hours: what may be written, and what the clock on the wall says to them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from holdfast.domain.notifying.settings import QuietHours, quiet_hours


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-07:00", QuietHours(1320, 420)),
        (" 12:30 - 13:15 ", QuietHours(750, 795)),
        ("00:00–23:59", QuietHours(0, 1439)),
        ("", None),
        ("  ", None),
    ],
)
def test_hours_are_read(text: str, hours: QuietHours | None) -> None:
    assert quiet_hours(text) == hours


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:00", "22:60-07:00", "07:00-07:00", "at night", "-"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        quiet_hours(text)


@pytest.mark.parametrize(
    ("wall", "quiet"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_hours_over_midnight(wall: str, quiet: bool) -> None:
    assert QuietHours(1320, 420).holds(time.fromisoformat(wall)) is quiet


@pytest.mark.parametrize(
    ("utc", "quiet"),
    [
        # Berlin leaves 2026-03-29 02:00 out, and has 2026-10-25 02:00 twice.
        ("2026-03-29T00:59", False),
        ("2026-03-29T01:00", False),  # 03:00
        ("2026-10-25T00:15", True),  # 02:15, the first time
        ("2026-10-25T01:15", True),  # 02:15, the second time
        ("2026-10-25T02:00", False),  # 03:00
        ("2026-07-01T00:30", True),
        ("2026-01-01T01:30", True),
    ],
)
def test_hours_go_by_the_wall_also_where_clocks_are_changed(utc: str, quiet: bool) -> None:
    wall = datetime.fromisoformat(utc).replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin")).time()

    assert QuietHours(120, 180).holds(wall) is quiet
