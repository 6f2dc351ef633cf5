"""Small changes to one session: its name, its marks, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from holdfast.domain.errors import UsageError
from holdfast.domain.projections.roster import Row
from holdfast.domain.session import commands
from holdfast.domain.timestamps import from_text
from holdfast.frontends.gateway.operations import Body, Call, Operation, Operations, found, in_thread
from holdfast.frontends.gateway.routes.queries import answer_row

if TYPE_CHECKING:
    from holdfast.domain.session.commands import Command
    from holdfast.frontends.gateway.house import House


class Title(Body, frozen=True, kw_only=True):
    """The new title; it needs at least one character that can be seen."""

    title: Annotated[str, Meta(max_length=1_000, pattern=r"\S")]


class Read(Body, frozen=True, kw_only=True):
    """Up to which version it was seen; all of it without one."""

    version: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class Mute(Body, frozen=True, kw_only=True):
    """Until when, ISO 8601; null for good. `muted` false notifies again."""

    until: str | None = None
    muted: bool = True


class Pin(Body, frozen=True, kw_only=True):
    """Whether it stands above all others."""

    pinned: bool = True


class Notified(Body, frozen=True, kw_only=True):
    """The item that a person was told about."""

    item_id: Annotated[str, Meta(min_length=1, max_length=1_000)]


class Erasing(Struct, frozen=True):
    """`tell` asks for an answer with content: where traces of the session may remain."""

    tell: bool = False


class Erased(Struct, frozen=True):
    """Where traces may remain on the disk, in words; null for nowhere."""

    remains: str | None


class Marks:
    """Commands that need no connection."""

    def __init__(self, house: House) -> None:
        """Change the sessions of `house`."""
        self._house = house

    async def rename(self, call: Call, given: Title) -> Response:
        """Give it a title."""
        return await self._do(call, commands.Rename(given.title))

    async def read(self, call: Call, given: Read) -> Response:
        """Mark it as read."""
        return await self._do(call, commands.MarkRead(version=given.version))

    async def unread(self, call: Call, given: Body) -> Response:
        """Mark it as unread."""
        del given
        return await self._do(call, commands.MarkUnread())

    async def mute(self, call: Call, given: Mute) -> Response:
        """Silence it, or let it be heard again."""
        return await self._do(call, commands.Mute(given.muted, None if given.until is None else _time(given.until)))

    async def pin(self, call: Call, given: Pin) -> Response:
        """Pin it, or unpin it."""
        return await self._do(call, commands.Pin(given.pinned))

    async def notified(self, call: Call, given: Notified) -> Response:
        """Record that a person was told of an item."""
        return await self._do(call, commands.Notify(call.actor.device or "http", given.item_id))

    async def end(self, call: Call, given: Body) -> Response:
        """End it for good; its history stays."""
        del given
        return await self._do(call, commands.End())

    async def erase(self, call: Call, given: Erasing) -> Response:
        """Erase its content for good."""
        await in_thread(self._house.reading.row, call.session)
        remains = await self._house.keeping.erase(call.session, actor=call.actor)
        return found(Erased(remains)) if given.tell else Response(status_code=204)

    async def _do(self, call: Call, command: Command) -> Response:
        await self._house.keeping.execute(call.session, command, cause=call.cause, actor=call.actor)
        return await answer_row(self._house, call.session)


def operations(house: House) -> Operations:
    """Return what changes a session without its peer."""
    marks = Marks(house)
    session, statuses = "/sessions/{id}", (404, 409)
    return [
        Operation("POST", f"{session}/rename", "Give it a title.", marks.rename, Title, Row, statuses=statuses),
        Operation("POST", f"{session}/read", "Mark it as read.", marks.read, Read, Row, statuses=statuses),
        Operation("POST", f"{session}/unread", "Mark it as unread.", marks.unread, Body, Row, statuses=statuses),
        Operation("POST", f"{session}/mute", "Silence it, or not any more.", marks.mute, Mute, Row, statuses=statuses),
        Operation("POST", f"{session}/pin", "Pin it, or unpin it.", marks.pin, Pin, Row, statuses=statuses),
        Operation("POST", f"{session}/notified", "Say who was told.", marks.notified, Notified, Row, statuses=statuses),
        Operation("POST", f"{session}/end", "End it for good.", marks.end, Body, Row, statuses=statuses),
        Operation(
            "DELETE", session, "Erase its content.", marks.erase, Erasing, Erased, 204, statuses=(200, *statuses)
        ),
    ]


def _time(text: str) -> int:
    try:
        return from_text(text)
    except (ValueError, OverflowError) as error:
        msg = f"{text[:80]!r} is no time: write it as 2026-03-12T09:30:00Z"
        raise UsageError(msg) from error
