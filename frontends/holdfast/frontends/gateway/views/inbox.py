"""Everything that waits for a person, while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.domain import wire
from holdfast.domain.projections.inbox import Arrived, Settled, project
from holdfast.frontends.gateway.views.transcript import decoded
from holdfast.frontends.gateway.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.tail import Tail

_TYPES: Final = frozenset({"permission-requested", "permission-answered", "permission-expired"})


class InboxView(View):
    """The requests of all sessions."""

    name = "inbox"

    def __init__(self, tail: Tail) -> None:
        """Show the log behind `tail`."""
        super().__init__()
        self._tail = tail

    async def read(self, limit: int, *, ended: bool) -> tuple[int, bytes]:
        """Read what waits; the oldest first, all of it."""
        del limit, ended
        inbox = await self._tail.inbox()
        items = [_shape(each.request, each.position) for each in inbox.waiting]
        return inbox.position, wire.encode({"items": items, "before": None})[1:]

    async def follow(self, events: Sequence[LogEvent], end: int) -> None:
        """Fold what was asked and answered."""
        ops: list[bytes] = []
        for event in events:
            if event.type not in _TYPES:
                continue
            position = event.recorded.position or 0
            match project(decoded(event)):
                case Arrived(request=request):
                    ops.append(wire.encode({"op": "put", "item": _shape(request, position)}))
                case Settled(request_id=request_id):
                    ops.append(wire.encode({"op": "drop", "id": request_id, "position": position}))
                case None:
                    pass
        self.patches.add(end, ops)


def _shape(request: Request, position: int) -> wire.Shape:
    return {"id": request.request_id, "position": position, **wire.request(request)}
