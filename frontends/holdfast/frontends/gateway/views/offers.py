"""What the peer of one session offers a person to choose from, while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain import wire
from holdfast.domain.projections.offers import TYPES
from holdfast.frontends.gateway.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.recorded import StreamId
    from holdfast.domain.tail import Tail


class OffersView(View):
    """One item: everything that there is to choose from. It changes seldom, and is read again when it does."""

    name = "offers"

    def __init__(self, session_id: StreamId, tail: Tail) -> None:
        """Show one session of the log behind `tail`."""
        super().__init__()
        self.session_id = session_id
        self._session = session_id
        self._tail = tail

    async def read(self, limit: int, *, ended: bool) -> tuple[int, bytes]:
        """Read what is offered."""
        del limit, ended
        found = await self._tail.offers(self._session)
        return found.position, wire.encode({"items": [_shape(found.offers, found.position)], "before": None})[1:]

    async def follow(self, events: Sequence[LogEvent], end: int) -> None:
        """Send it anew where something about it changed."""
        if any(event.type == "session-erased" for event in events):
            self.patches.broken = "erased"
        elif any(event.type in TYPES for event in events):
            found = await self._tail.offers(self._session)
            self.patches.add(end, [wire.encode({"op": "put", "item": _shape(found.offers, end)})])


def _shape(offers: Offers, position: int) -> wire.Shape:
    return {
        "id": "offers",
        "position": position,
        "mode": offers.mode,
        "modes": offers.modes,
        "options": offers.options,
        "commands": offers.commands,
    }
