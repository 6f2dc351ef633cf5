"""What waits for a person, over all sessions, as rows, kept by the fold in `domain.projections.inbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import msgspec
from sqlalchemy import delete, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views.tables import upsert
from holdfast.domain.projections.inbox import Arrived, Request, Settled, project
from holdfast.domain.tail import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.domain.recorded import Recorded

NAME: Final = "inbox"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Request).decode


def fold(connection: Connection, events: Sequence[tuple[int, Recorded]]) -> None:
    """Bring the inbox up to date with `events`, each with the number of its stream."""
    arrived: dict[tuple[int, str], dict[str, object]] = {}
    settled: list[tuple[int, str]] = []
    for stream, recorded in events:
        change = project(recorded)
        if change is None:
            continue
        match change:
            case Arrived(request=request):
                arrived[stream, request.request_id] = {
                    "request_id": request.request_id,
                    "stream": stream,
                    "position": recorded.position,
                    "body": _encode(request).decode(),
                }
            case Settled(request_id=request_id):
                arrived.pop((stream, request_id), None)
                settled.append((stream, request_id))
            case _:
                assert_never(change)
    for stream, request_id in settled:
        chosen = (schema.inbox.c.stream == stream) & (schema.inbox.c.request_id == request_id)
        connection.execute(delete(schema.inbox).where(chosen))
    upsert(connection, schema.inbox, list(arrived.values()))


def waiting(connection: Connection, tail: Iterable[Recorded]) -> list[Request]:
    """Return what waits, the oldest first, after the stored rows and the events that are not folded yet."""
    return [each.request for each in placed(connection, tail)]


def placed(connection: Connection, tail: Iterable[Recorded]) -> list[Waiting]:
    """Return what waits, the oldest first, each with the position of the event that asked."""
    statement = select(schema.inbox.c.body, schema.inbox.c.position).order_by(schema.inbox.c.position)
    stored = [Waiting(_decode(body), position) for body, position in connection.execute(statement)]
    requests = {(each.request.session_id, each.request.request_id): each for each in stored}
    for recorded in tail:
        match project(recorded):
            case Arrived(request=request):
                requests[request.session_id, request.request_id] = Waiting(request, recorded.position or 0)
            case Settled(request_id=request_id):
                requests.pop((recorded.originator_id, request_id), None)
            case None:
                pass
    return list(requests.values())
