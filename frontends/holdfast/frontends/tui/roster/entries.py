"""Rows as the roster shows them: what the daemon sends, and the order and groups of every list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import convert

from holdfast.domain.projections.roster import Row, StatusWord, status
from holdfast.domain.timestamps import from_text
from holdfast.frontends.wording import peer

if TYPE_CHECKING:
    from holdfast.frontends.client.views import Json

_RANK: Final[dict[StatusWord, int]] = {
    "needs_you": 0,
    "failed": 1,
    "working": 2,
    "reconnecting": 3,
    "unread": 4,
    "idle": 5,
    "hibernated": 5,
    "ended": 6,
}
_GROUPS: Final = ("Needs you", "Failed", "Working", "Reconnecting", "Unread", "Idle", "Ended")


class Entry(Row, frozen=True, gc=False):
    """A row, and which frontends look at the session now."""

    focused: tuple[str, ...] = ()

    @property
    def word(self) -> StatusWord:
        """How the session is."""
        return status(self)

    @property
    def name(self) -> str:
        """What a person would call it."""
        return self.title.strip() or f"{self.agent or 'session'} {self.id[:8]}"

    @property
    def peer(self) -> str:
        """With whom it is."""
        return peer(self.agent, self.target, self.transport)

    def muted(self, now: float) -> bool:
        """Whether it is muted at a time, seconds since the epoch."""
        return self.muted_until is not None and from_text(self.muted_until) > now * 1e6


def entry(item: Json) -> Entry:
    """Return a row of the stream."""
    return convert(item, Entry)


def place(each: Entry) -> tuple[object, ...]:
    """Return what to sort by for the order of every list: pinned ones, the most pressing, the latest.

    Sessions at work stay where they are, though each of them is the latest again and again.
    """
    at = from_text(each.created_at if each.word == "working" else each.updated_at)
    return (not each.pinned, _RANK[each.word], -at, each.id)


def group_of(each: Entry) -> str:
    """Return the heading that an entry stands under."""
    return "Pinned" if each.pinned else _GROUPS[_RANK[each.word]]
