"""Shapes, words and times, as every list of the TUI says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.domain.timestamps import from_text
from holdfast.frontends.wording import span

if TYPE_CHECKING:
    from holdfast.domain.projections.roster import StatusWord

SHAPES: Final[dict[StatusWord, tuple[str, str, str]]] = {
    "needs_you": ("●", "needs you", "needs"),
    "failed": ("✗", "failed", "failed"),
    "working": ("◐", "working", "working"),
    "reconnecting": ("↻", "reconnecting", "needs"),
    "unread": ("✓", "unread", "done"),
    "idle": ("∙", "idle", "faint"),
    "hibernated": ("◌", "hibernated", "faint"),
    "ended": ("◌", "ended", "faint"),
}
"""Shape, word and style of a status; the word always stands somewhere beside the shape."""

TURNING: Final = "◐◓◑◒"


def age(at: str, now: float) -> str:
    """Return how long ago it was: `now`, `12s`, `5m`, `3h`, `2d`, `6w`, `1y`."""
    seconds = max(0, int(now - from_text(at) / 1e6))
    return span(seconds) if seconds >= 10 else "now"


def seconds_until(at: str, now: float) -> int:
    """Return the seconds until a time, never below 0."""
    return max(0, round(from_text(at) / 1e6 - now))


def title(waiting: int) -> str:
    """Return the title of the window."""
    return f"{waiting} need{'s' if waiting == 1 else ''} you · Holdfast" if waiting else "Holdfast"


def file_name(name: str, session: str, kind: str) -> str:
    """Return what a session's file is called: letters and digits of its name, and the beginning of its id."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    words = "-".join(filter(None, kept.split("-")))[:40].rstrip("-")
    return f"{words or 'session'}-{session[:8]}.{kind}"
