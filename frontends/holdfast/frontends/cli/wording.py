"""States, times and ids in the few words that a person wants to read."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from holdfast.domain.projections.roster import FOREVER, StatusWord, status
from holdfast.domain.timestamps import from_text
from holdfast.frontends.wording import span

if TYPE_CHECKING:
    from holdfast.domain.projections.roster import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Shape, shape in ASCII, style. The word stands beside it, always.
_MARKS: dict[StatusWord, tuple[str, str, str]] = {
    "needs_you": ("●", "!", "bold yellow"),
    "failed": ("✗", "x", "red"),
    "working": ("◐", ">", "cyan"),
    "reconnecting": ("↻", "@", "yellow"),
    "unread": ("✓", "+", "green"),
    "idle": ("∙", ".", "dim"),
    "hibernated": ("◌", "o", "dim"),
    "ended": ("◌", "-", "dim"),
}


def mark(row: Row, *, unicode: bool) -> tuple[str, str, str]:
    """Return the shape, the word and the style of a session's status."""
    word = status(row)
    shape, plain, style = _MARKS[word]
    return shape if unicode else plain, word.replace("_", "-"), style


def now() -> int:
    """Return the time in microseconds since the epoch."""
    return time.time_ns() // 1000


def age(at: int, seen_at: int) -> str:
    """Return how long before `seen_at` it was, as `12s`, `5m`, `3h`, `2d`, `6w` or `1y`."""
    return span(max(0, (seen_at - at) // 1_000_000))


def age_of(text: str, seen_at: int) -> str:
    """Return the age of a time in a row."""
    return age(from_text(text), seen_at)


def local(at: int) -> tuple[str, str]:
    """Return the date and the time of day where the person is; in UTC where that zone knows no such date."""
    moment = _EPOCH + timedelta(microseconds=at)
    try:
        here = moment.astimezone()
    except (OverflowError, ValueError, OSError):
        here = moment
    return f"{here:%Y-%m-%d}", f"{here:%H:%M}"


def local_of(text: str) -> str:
    """Return the local date and time of a time in a row."""
    return " ".join(local(from_text(text)))


def muted(row: Row, seen_at: int) -> str | None:
    """Return whether, and how long, the session is muted."""
    if row.muted_until is None:
        return None
    if row.muted_until == FOREVER:
        return "muted"
    return f"muted until {local_of(row.muted_until)}" if from_text(row.muted_until) > seen_at else None


def short_ids(ids: list[str]) -> list[str]:
    """Return the beginnings of `ids`, all of one length, at least 8 characters, that still tell them apart."""
    size = 8
    while size < max(map(len, ids), default=0) and len({each[:size] for each in ids}) < len(set(ids)):
        size += 1
    return [each[:size] for each in ids]


def seconds_until(text: str, seen_at: int) -> int:
    """Return how long it still is to a time in a row; negative once it is past."""
    return (from_text(text) - seen_at) // 1_000_000
