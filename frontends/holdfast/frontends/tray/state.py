"""What the tray knows at one moment: enough to draw icon and menu from."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from holdfast.domain.preferences import Chosen
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.roster import Row, status

Contact = Literal["connected", "connecting", "disconnected", "denied", "down"]


class State(Struct, frozen=True):
    """One moment.

    Attributes:
        rows: All sessions, the most pressing first.
        waiting: What waits for a person, the oldest first, with the kind of tool where it is known.
        trouble: What the person has to put right, in one line: a setting that cannot be understood.
        now: Microseconds since the epoch.
    """

    contact: Contact = "connecting"
    rows: tuple[Row, ...] = ()
    waiting: tuple[tuple[Request, str | None], ...] = ()
    chosen: Chosen = Chosen()
    autostart: bool = False
    page: bool = True
    trouble: str | None = None
    now: int = 0


_ORDER = ("needs_you", "failed", "working", "reconnecting", "unread", "idle", "hibernated", "ended")


def ordered(rows: list[Row]) -> tuple[Row, ...]:
    """Return rows as every frontend orders them: the most pressing first, then the latest."""
    latest = sorted(rows, key=lambda row: row.updated_at, reverse=True)
    return tuple(sorted(latest, key=lambda row: _ORDER.index(status(row))))


def most_urgent(state: State) -> Row | None:
    """Return the session that a click on the icon opens: what needs the person longest, else the most pressing."""
    listed = {row.id: row for row in state.rows}
    for request, _ in state.waiting:
        if request.session_id in listed:
            return listed[request.session_id]
    return state.rows[0] if state.rows else None
