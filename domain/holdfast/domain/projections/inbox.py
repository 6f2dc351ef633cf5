"""Everything that waits for a person, over all sessions. A pure fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct

from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.events import Option
from holdfast.domain.session.facts import Fact

if TYPE_CHECKING:
    from holdfast.domain.recorded import Recorded


class Request(Struct, frozen=True):
    """A permission that waits for an answer. Times in microseconds since the epoch."""

    request_id: str
    session_id: StreamId
    turn_id: str | None
    title: str
    input: Raw
    options: tuple[Option, ...]
    requested_at: int


class Arrived(Struct, frozen=True):
    """A request waits from now on."""

    request: Request


class Settled(Struct, frozen=True):
    """A request does not wait any more."""

    request_id: str


_TELLING: Final = frozenset[type[Fact]]({e.PermissionRequested, e.PermissionAnswered, e.PermissionExpired})


def project(recorded: Recorded) -> Arrived | Settled | None:
    """Return what `recorded` changes in the inbox; nothing, for most events.

    A session that ends or loses its turn says so for each of its requests, so nothing else has to be looked at.
    """
    if type(recorded.event) not in _TELLING:
        return None
    match recorded.event:
        case e.PermissionRequested() as asked:
            return Arrived(
                Request(
                    asked.request_id,
                    recorded.originator_id,
                    asked.turn_id,
                    asked.title,
                    asked.input.copy(),
                    asked.options,
                    recorded.at,
                )
            )
        case e.PermissionAnswered(request_id=request_id) | e.PermissionExpired(request_id=request_id):
            return Settled(request_id)
        case _:
            return None
