"""Facts about what nobody recorded, and about what no other fact describes."""

from __future__ import annotations

from msgspec import Raw

from holdfast.domain.session.facts import Fact, registered


@registered("history-gap")
class HistoryGap(Fact, frozen=True):
    """Something may have happened here that nobody recorded."""

    reason: str


@registered("raw-received")
class RawReceived(Fact, frozen=True):
    """Something of an unknown kind, verbatim.

    Attributes:
        label: The word by which it calls itself.
        body: All of it.
    """

    item_id: str
    label: str
    body: Raw
