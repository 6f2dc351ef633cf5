"""What those who show the log live need from it: stretches of events, and views with the position they were read at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Raw, Struct

from holdfast.domain.answers import LogEvent
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.offers import Offers
from holdfast.domain.recorded import StreamId

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from holdfast.domain.answers import Page
    from holdfast.domain.projections.items import Item


class Stretch(Struct, frozen=True):
    """Events in order of position.

    Attributes:
        end: Everything up to here was looked at; 0 for nothing.
        at_end: Whether the log ended there when it was read.
    """

    events: list[LogEvent]
    end: int
    at_end: bool


class Listed(Struct, frozen=True, gc=False):
    """One row of the roster as it is stored.

    Attributes:
        position: Position of the event that changed it last.
        row: The row as JSON, its position included.
    """

    id: StreamId
    position: int
    ended: bool
    row: Raw


class Roster(Struct, frozen=True):
    """Rows in the order of every list, and the end of the log in the same transaction."""

    rows: list[Listed]
    position: int


class Waiting(Struct, frozen=True):
    """One request that waits for a person, and the position of the event that asked."""

    request: Request
    position: int


class Inbox(Struct, frozen=True):
    """What waits for a person, the oldest first, and the end of the log in the same transaction."""

    waiting: list[Waiting]
    position: int


class Offered(Struct, frozen=True):
    """What a session's peer offers, and the end of the log in the same transaction."""

    offers: Offers
    position: int


class Bell(Protocol):
    """What a follower waits on when it has read everything."""

    def arm(self) -> None:
        """Begin to listen: what is committed from here on makes `wait` return."""
        ...

    async def wait(self) -> None:
        """Return when something may have been committed since `arm`."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class Tail(Protocol):
    """One open log to follow. Every answer is one snapshot of it; nothing blocks the event loop."""

    def cursor(self, position: int) -> str:
        """Return the opaque cursor after `position`."""
        ...

    async def position_of(self, cursor: str | int) -> int:
        """Return the position a cursor stands for.

        Raises:
            CursorError: It is another log's, beyond the end, or none at all.
        """
        ...

    async def head(self) -> int:
        """Return the position of the last event."""
        ...

    async def stretch(
        self, after: int, *, session_id: StreamId | None = None, types: Sequence[str] = (), limit: int = 1_000
    ) -> Stretch:
        """Return at most `limit` events with positions above `after`."""
        ...

    async def roster(self, among: Collection[StreamId] | None = None) -> Roster:
        """Return the rows of these sessions, or of all, ended ones included; those that were erased have none."""
        ...

    async def inbox(self) -> Inbox:
        """Return what waits for a person."""
        ...

    async def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        """Return a piece of a transcript and the position it is of.

        Raises:
            NotFoundError: There is no such session.
            UsageError: The cursor is not one of this transcript.
        """
        ...

    async def offers(self, session_id: StreamId) -> Offered:
        """Return what a session's peer offers.

        Raises:
            NotFoundError: There is no such session.
        """
        ...

    async def items(self, session_id: StreamId, item_ids: Collection[str]) -> list[Item]:
        """Return those of these items that the transcript has."""
        ...

    async def version_at(self, session_id: StreamId, position: int) -> int:
        """Return the version of the last event of a session at or before a position; 0 where there is none."""
        ...

    def bell(self) -> Bell:
        """Return what rings when something is committed; armed and waited on by one task."""
        ...
