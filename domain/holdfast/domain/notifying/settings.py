"""What a person wants to be told of, how, and when not."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import time

Allow = Literal["looking", "anything", "nothing"]

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]\d|2[0-3]):([0-5]\d)")


class NotificationSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[notifications]` of the configuration.

    Attributes:
        enabled: Whether anything is told at all.
        sound: Whether the desktop may play a sound for it.
        preview: Whether questions, answers and messages are shown; without, only which session and what is the matter.
        quiet_hours: From when until when nothing is told, such as `22:00-07:00`; empty for never.
        time_zone: Whose clock the quiet hours go by, such as `Europe/Berlin`; empty for this machine's.
        allow: Which questions can be allowed in a notification or a menu: those of tools that only look, anything that
            is shown whole, or nothing.
        muted_until: Nothing is told before this time.
    """

    enabled: bool = True
    sound: bool = True
    preview: bool = True
    quiet_hours: str = ""
    time_zone: str = ""
    allow: Allow = "looking"
    muted_until: datetime | None = None


class QuietHours(Struct, frozen=True):
    """A stretch of every day by the clock on the wall, in minutes since midnight; it may go over midnight."""

    begin: int
    end: int

    def holds(self, wall: time) -> bool:
        """Return whether the clock shows a time within; the first minute is, the last one is not."""
        now = wall.hour * 60 + wall.minute
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


def quiet_hours(text: str) -> QuietHours | None:
    """Return the hours that `text` names, None for an empty one.

    Raises:
        ValueError: It names none.
    """
    if not text.strip():
        return None
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        msg = f"{text!r} are no quiet hours: write them as 22:00-07:00"
        raise ValueError(msg)
    begin, end = (int(found[at]) * 60 + int(found[at + 1]) for at in (1, 3))
    if begin == end:
        msg = f"the quiet hours {text!r} end when they begin: say `enabled = false` for no notifications at all"
        raise ValueError(msg)
    return QuietHours(begin, end)
