"""Quiet hours go by the clock on the wall of their zone, also on the days when it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from holdfast.domain.notifying.settings import NotificationSettings
from holdfast.domain.preferences import Chosen
from holdfast.frontends.tray.decoding import decoded
from holdfast.frontends.tray.teller import circumstances


@pytest.mark.parametrize(
    ("zone", "utc", "wall"),
    [
        ("Europe/Berlin", "2026-01-15T21:00", time(22)),
        ("Europe/Berlin", "2026-07-15T20:00", time(22)),
        ("Europe/Berlin", "2026-03-29T00:59", time(1, 59)),
        ("Europe/Berlin", "2026-03-29T01:00", time(3)),
        ("Europe/Berlin", "2026-10-25T00:30", time(2, 30)),
        ("Europe/Berlin", "2026-10-25T01:30", time(2, 30)),
        ("America/New_York", "2026-11-01T06:30", time(1, 30)),
        ("Asia/Kathmandu", "2026-07-15T20:00", time(1, 45)),
        ("Pacific/Kiritimati", "2026-07-15T20:00", time(10)),
        ("UTC", "2026-07-15T20:00", time(20)),
    ],
)
def test_the_wall_of_a_zone(zone: str, utc: str, wall: time) -> None:
    now = int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1_000_000)
    chosen = Chosen(notifications=NotificationSettings(time_zone=zone))

    assert circumstances(chosen, now, focused=False).wall == wall


def test_without_a_zone_it_is_the_wall_here() -> None:
    moment = datetime(2026, 7, 15, 20, tzinfo=UTC)
    here = moment.astimezone()

    wall = circumstances(Chosen(), int(moment.timestamp() * 1_000_000), focused=False).wall

    assert wall == here.time()


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "turn-ended"},
        {"position": 1, "version": 1, "type": "of-a-later-version", "recorded_at": "2026-07-15T20:00:00Z",
         "actor": {"kind": "peer"}, "session_id": "s1", "data": {}},
        {"position": 1, "version": 1, "type": "turn-ended", "recorded_at": "when?", "actor": {"kind": "peer"},
         "session_id": "s1", "data": {"turn_id": "t1", "stop_reason": "end_turn"}},
        {"position": 1, "version": 1, "type": "turn-ended", "recorded_at": "2026-07-15T20:00:00Z",
         "actor": {"kind": "peer"}, "session_id": "s1", "data": {"turn_id": 1}},
        {"position": 1, "version": 1, "type": "turn-ended", "recorded_at": "2026-07-15T20:00:00Z",
         "actor": {"kind": "peer"}, "session_id": "s1", "data": None},
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_understood_means_nothing(event: dict[str, object]) -> None:
    assert decoded(event) is None
