"""Times as the log keeps them, microseconds since the epoch in UTC, and as people and JSON see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def to_text(at: int) -> str:
    """Return `at` as ISO 8601 with milliseconds and `Z`.

    Total: a time before the year 1 or after 9999 gives the first or the last that can be written. No number in the log
    may keep a row from being shown.
    """
    seconds, microseconds = divmod(min(max(at, _FIRST), _LAST), 1_000_000)
    return f"{_second(seconds)}.{microseconds // 1000:03d}Z"


@lru_cache(1_024)
def _second(at: int) -> str:
    """What happens at the same time has the same second: rows and events by the thousand."""
    return (_EPOCH + timedelta(seconds=at)).isoformat(timespec="seconds")[:-6]


def from_text(text: str) -> int:
    """Return the time that ISO 8601 `text` names; without a zone it is taken as UTC.

    Raises:
        ValueError: It is not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND
