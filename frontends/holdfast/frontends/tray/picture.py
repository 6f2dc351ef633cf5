"""What the icon and its tooltip say of all sessions. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdfast.domain.projections.roster import Row, StatusWord, status
from holdfast.frontends.tray.port import Mark, Picture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.frontends.tray.state import Contact

WORDS: dict[Contact, str] = {
    "connected": "Connected to the daemon",
    "connecting": "Connecting to the daemon",
    "disconnected": "Disconnected from the daemon; trying again",
    "denied": "The daemon does not let this tray in",
    "down": "The daemon is not running",
}


def picture(rows: Iterable[Row], contact: Contact, *, keep_running: bool) -> Picture:
    """Return what to show; of a daemon that is away, what was known last only in words."""
    counts: Counter[StatusWord] = Counter(status(row) for row in rows)
    lines = (WORDS[contact], background(keep_running=keep_running))
    if contact == "down":
        return Picture("down", 0, "Holdfast: the daemon is not running", lines)
    if contact != "connected":
        return Picture("reconnecting", 0, f"Holdfast: {WORDS[contact].lower()}", lines)
    said = summary(counts)
    needy, working = counts["needs_you"], counts["working"]
    mark: Mark = "needs_you" if needy else "working" if working else "idle"
    return Picture(mark, needy, f"Holdfast: {said}", lines)


def summary(counts: Counter[StatusWord]) -> str:
    """Return in a few words how the sessions are, the most pressing first."""
    told: list[str] = []
    for word, one, many in _COUNTED:
        if number := counts[word]:
            told.append(f"{number} {one if number == 1 else many}")
    return ", ".join(told) or "all is quiet"


def background(*, keep_running: bool) -> str:
    """Return in words what becomes of the daemon when the tray is closed."""
    if keep_running:
        return "Background mode is on: the daemon keeps running"
    return "Background mode is off: the daemon ends with the tray that started it"


_COUNTED: tuple[tuple[StatusWord, str, str], ...] = (
    ("needs_you", "needs you", "need you"),
    ("failed", "failed", "failed"),
    ("working", "works", "work"),
    ("reconnecting", "is reconnecting", "are reconnecting"),
    ("unread", "has news", "have news"),
)
