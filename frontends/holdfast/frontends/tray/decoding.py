"""Events as the stream brings them, and as the domain has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from holdfast.domain.recorded import Actor, EventId, Recorded, StreamId
from holdfast.domain.session.facts import BY_TAG
from holdfast.domain.timestamps import from_text

if TYPE_CHECKING:
    from holdfast.frontends.client.views import Json


def decoded(event: Json) -> Recorded | None:
    """Return an event of a session as the log has it; None for one that means nothing here."""
    try:
        found = msgspec.convert(event, _Event)
        registration = BY_TAG.get(found.type)
        if found.session_id is None or found.data is None or registration is None:
            return None
        fact = msgspec.json.decode(msgspec.json.encode(found.data), type=registration.fact)
        return Recorded(
            StreamId(found.session_id),
            found.version,
            EventId(b""),
            from_text(found.recorded_at),
            fact,
            found.cause,
            found.actor,
            None if found.occurred_at is None else from_text(found.occurred_at),
            position=found.position,
        )
    except (msgspec.MsgspecError, ValueError):
        return None  # of a later version: the page shows it raw


class _Event(Struct):
    position: int
    version: int
    type: str
    recorded_at: str
    actor: Actor
    session_id: str | None = None
    cause: str | None = None
    occurred_at: str | None = None
    data: dict[str, object] | None = None
