"""Shapes, words, numbers and times, as every list of the TUI says them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdfast.domain.timestamps import from_text

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
_SPANS: Final = ((31_557_600, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"))


def age(at: str, now: float) -> str:
    """Return how long ago it was: `now`, `12s`, `5m`, `3h`, `2d`, `6w`, `1y`."""
    seconds = max(0, int(now - from_text(at) / 1e6))
    found = next((f"{seconds // size}{unit}" for size, unit in _SPANS if seconds >= size), None)
    return found or ("now" if seconds < 10 else f"{seconds}s")


def seconds_until(at: str, now: float) -> int:
    """Return the seconds until a time, never below 0."""
    return max(0, round(from_text(at) / 1e6 - now))


def folder(path: str | None) -> str:
    """Return a folder as people say it: `~` for their own."""
    if not path:
        return ""
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and (path == home or path.startswith(f"{home}/")) else path


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 session`, `1,204 sessions`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def title(waiting: int) -> str:
    """Return the title of the window."""
    return f"{waiting} need{'s' if waiting == 1 else ''} you · Holdfast" if waiting else "Holdfast"


def file_name(name: str, session: str, kind: str) -> str:
    """Return what a session's file is called: letters and digits of its name, and the beginning of its id."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    words = "-".join(filter(None, kept.split("-")))[:40].rstrip("-")
    return f"{words or 'session'}-{session[:8]}.{kind}"
