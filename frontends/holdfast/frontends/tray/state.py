"""What the tray knows at one moment: enough to draw icon and menu from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from holdfast.domain.preferences import Chosen
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.roster import Row, status

if TYPE_CHECKING:
    from collections.abc import Iterable

Contact = Literal["connected", "connecting", "disconnected", "denied", "down"]


class State(Struct, frozen=True):
    """One moment.

    Attributes:
        rows: The sessions that something is the matter with, the most pressing first.
        waiting: What waits for a person, the oldest first, with the kind of tool where it is known.
        page: Whether the daemon serves one.
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


_ORDER = ("needs_you", "failed", "working", "reconnecting", "unread")


def matters(row: Row) -> bool:
    """Return whether a session is more than there: a store may hold ten thousand that are not."""
    return status(row) in _ORDER


def ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return rows that matter as every frontend orders them: the most pressing first, then the latest."""
    latest = sorted(rows, key=lambda row: row.updated_at, reverse=True)
    return tuple(sorted(latest, key=lambda row: _ORDER.index(status(row))))


def most_urgent(state: State) -> Row | None:
    """Return the session that a click on the icon opens: what needs the person longest, else the most pressing.

    None where all is quiet: page and terminal know themselves what was open last.
    """
    listed = {row.id: row for row in state.rows}
    for request, _ in state.waiting:
        if request.session_id in listed:
            return listed[request.session_id]
    return state.rows[0] if state.rows else None
