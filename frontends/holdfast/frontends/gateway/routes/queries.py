"""What sessions look like: the roster, a row, a transcript in pages, and waiting for a session to get somewhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Final, Literal

import anyio
from msgspec import Meta, Raw, Struct, json
from msgspec.structs import replace

from holdfast.domain import wire
from holdfast.domain.attachments import media_type
from holdfast.domain.errors import CursorError, StoreClosedError, TimedOutError
from holdfast.domain.projections.offers import Offers
from holdfast.domain.projections.roster import Connection, Row
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.lifecycle import Lifecycle
from holdfast.domain.whole import whole_page
from holdfast.frontends.gateway import files
from holdfast.frontends.gateway.operations import (
    Call,
    Nothing,
    Operation,
    Operations,
    found,
    in_thread,
    listed,
    pieces_in_thread,
    streamed,
)
from holdfast.frontends.gateway.stream.overheard import Overheard, told

if TYPE_CHECKING:
    from starlette.responses import Response

    from holdfast.domain.answers import Page
    from holdfast.domain.tail import Listed
    from holdfast.frontends.gateway.house import House

WHOLE_BYTES: Final = 16 * 1024 * 1024
"""Bytes of attachments in one page; what does not fit is left as a reference."""

_ENDINGS: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "text/plain; charset=utf-8": ".txt",
}

Limit = Annotated[int, Meta(ge=1, le=1_000)]
Seconds = Annotated[float, Meta(ge=0, le=3_600)]


class Roster(Struct, frozen=True):
    """Which sessions.

    Attributes:
        state: Those in this state of their life; `all` for ended ones as well, which are left out otherwise.
        transport: Those of one transport.
        after: The cursor of an earlier answer.
    """

    state: Lifecycle | Literal["all"] | None = None
    transport: str | None = None
    limit: Limit | None = None
    after: str | None = None


class Name(Struct, frozen=True):
    """An id, four or more characters that one id alone begins with, or a title."""

    name: str


class Resolved(Struct, frozen=True):
    """The session that was meant."""

    id: str


class Attached(Struct, frozen=True, kw_only=True):
    """What stands in the place of attachments: themselves, as far as there is room for them, or references to them."""

    attachments: Literal["whole", "reference"] = "whole"


class Paging(Attached, frozen=True):
    """Which page: the newest, or the one before a cursor."""

    before: str | None = None
    limit: Limit = 50


class Around(Attached, frozen=True):
    """One item and how many on each side of it."""

    item: str
    each_side: Annotated[int, Meta(ge=0, le=100)] = 3


class Until(Struct, frozen=True):
    """What to wait for, and how many seconds at the most."""

    until: Literal["idle", "needs-you", "ended", "opened"]
    timeout: Seconds = 60


class Since(Struct, frozen=True):
    """The number of a frame; those after it are shown."""

    after: Annotated[int, Meta(ge=0)] = 0


class Frames(Struct, frozen=True):
    """Frames in order; they are kept in memory for a while, and are in no log."""

    items: list[Overheard]
    after: None = None


class Like(Struct, frozen=True):
    """A part of a path, and how many at the most."""

    q: Annotated[str, Meta(max_length=1_000)] = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Paths(Struct, frozen=True):
    """Paths relative to the session's folder."""

    items: list[str]
    after: None = None


class Queries:
    """Questions about sessions."""

    def __init__(self, house: House) -> None:
        """Ask `house`."""
        self._house = house

    async def sessions(self, call: Call, given: Roster) -> Response:
        """Return the roster in the order of every list.

        Rows go out as they are stored; only those are decoded of which more is known than the log says.
        """
        del call
        rows = (await self._house.tail.roster()).rows
        if given.state not in ("all", "ended"):
            rows = [row for row in rows if not row.ended]
        if given.transport is not None or given.state not in (None, "all"):
            rows = await in_thread(_fitting, rows, given)
        if given.after is not None:
            rows = rows[self._place(rows, given.after) :]
        more = given.limit is not None and len(rows) > given.limit
        rows = rows[: given.limit]
        after = f"{self._house.tail.cursor(0)}.{rows[-1].id}" if more else None
        connection = self._house.keeping.connection
        return listed([row.row if (live := connection(row.id)) is None else _live(row, live) for row in rows], after)

    def _place(self, rows: list[Listed], cursor: str) -> int:
        """Return where the list goes on: behind the last row of the earlier answer, wherever that is now."""
        own = f"{self._house.tail.cursor(0)}."
        last = cursor.removeprefix(own)
        if not cursor.startswith(own):
            msg = f"{cursor[:80]!r} is no cursor of this store's roster: begin again without one"
            raise CursorError(msg)
        place = next((place for place, row in enumerate(rows, 1) if row.id == last), None)
        if place is None:
            msg = "the roster does not hold the last row of that page any more: begin again without a cursor"
            raise CursorError(msg)
        return place

    async def resolve(self, call: Call, given: Name) -> Response:
        """Return the id of the session that a person's name for it means."""
        del call
        return found({"id": await in_thread(self._house.reading.resolve, given.name)})

    async def session(self, call: Call, given: Nothing) -> Response:
        """Return one row."""
        del given
        return await answer_row(self._house, call.session)

    async def transcript(self, call: Call, given: Paging) -> Response:
        """Return a page."""
        reading = self._house.reading
        page = await in_thread(lambda: reading.page(call.session, before=given.before, limit=given.limit))
        return await self._page(page, given)

    async def last_turn(self, call: Call, given: Attached) -> Response:
        """Return the items since the person spoke last."""
        return await self._page(await in_thread(self._house.reading.last_turn, call.session), given)

    async def around(self, call: Call, given: Around) -> Response:
        """Return an item with its neighbours."""
        reading = self._house.reading
        page = await in_thread(lambda: reading.around(call.session, given.item, each_side=given.each_side))
        return await self._page(page, given)

    async def attachment(self, call: Call, given: Nothing) -> Response:
        """Return what an event refers to, as what it is where that is a picture, and otherwise only to be kept."""
        del given
        name = call.path["name"]
        made = await in_thread(self._house.reading.attachment, call.session, name)
        first = await in_thread(lambda: next(made.pieces, b""))
        kind = media_type(first, text=made.text)
        shown = "inline" if kind.startswith("image/") else "attachment"
        headers = {
            "Content-Length": str(made.size),
            "Content-Disposition": f'{shown}; filename="{name[:16]}{_ENDINGS.get(kind, ".bin")}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",  # an erased session must be gone from a browser as well
        }
        return streamed(pieces_in_thread(first, made.pieces), kind, headers)

    async def offers(self, call: Call, given: Nothing) -> Response:
        """Return what its peer offers."""
        del given
        return found(await in_thread(self._house.reading.offers, call.session))

    async def wait(self, call: Call, given: Until) -> Response:
        """Return the row once the session is there."""
        house = self._house
        if given.until == "opened":
            await in_thread(house.reading.row, call.session)
            await house.keeping.opened(call.session, within_s=given.timeout)
            return await answer_row(house, call.session)
        bell = house.tail.bell()
        try:
            with anyio.move_on_after(given.timeout):
                while True:
                    bell.arm()  # before the row is read, so that a commit in between rings it
                    row = await in_thread(house.reading.row, call.session)
                    if _reached(row, given.until):
                        return found(live(house, row))
                    if not await house.rung(bell):
                        msg = "the daemon ends: ask again once it is back"
                        raise StoreClosedError(msg)
        finally:
            bell.close()
        msg = f"the session was not {given.until} within {_seconds(given.timeout)} s"
        raise TimedOutError(msg)

    async def files(self, call: Call, given: Like) -> Response:
        """Return files below its folder."""
        row = await in_thread(self._house.reading.row, call.session)
        return found(Paths([] if row.cwd is None else await in_thread(files.like, row.cwd, given.q, given.limit)))

    async def frames(self, call: Call, given: Since) -> Response:
        """Return what was said between the daemon and its peer."""
        await in_thread(self._house.reading.row, call.session)
        return found(Frames(told(self._house.keeping.frames(call.session, after=given.after))))

    async def _page(self, page: Page, given: Attached) -> Response:
        if given.attachments == "whole":
            page = await in_thread(self._whole, page)
        return found(wire.page(replace(page, session=live(self._house, page.session))))

    def _whole(self, page: Page) -> Page:
        reading = self._house.reading
        session = StreamId(page.session.id)
        return whole_page(page, lambda name: reading.attachment(session, name), WHOLE_BYTES)


def live(house: House, row: Row) -> Row:
    """Return a row with how its session is connected now, where anybody knows."""
    connection = house.connection(row.id)
    return row if connection is None else replace(row, connection=connection)


async def answer_row(house: House, session_id: StreamId, status: int = 200) -> Response:
    """Return the answer that is one row."""
    return found(live(house, await in_thread(house.reading.row, session_id)), status)


def operations(house: House) -> Operations:
    """Return what can be asked about sessions."""
    queries = Queries(house)
    session = "/sessions/{id}"
    return [
        Operation("GET", "/sessions", "List sessions.", queries.sessions, Roster, "Rows", statuses=(410,)),
        Operation("GET", "/resolve", "Find a session by name.", queries.resolve, Name, Resolved, statuses=(404, 409)),
        Operation("GET", session, "Show a session's row.", queries.session, Nothing, Row, statuses=(404,)),
        Operation(
            "GET",
            f"{session}/transcript",
            "Show a page of it.",
            queries.transcript,
            Paging,
            "Page",
            statuses=(404, 410),
        ),
        Operation(
            "GET", f"{session}/last-turn", "Show its last turn.", queries.last_turn, Attached, "Page", statuses=(404,)
        ),
        Operation("GET", f"{session}/around", "Show an item of it.", queries.around, Around, "Page", statuses=(404,)),
        Operation(
            "GET", f"{session}/offers", "List its modes, options and commands.", queries.offers, Nothing, Offers,
            statuses=(404,),
        ),
        Operation(
            "GET", f"{session}/attachments/{{name}}", "Get an image, or another file that was part of it.",
            queries.attachment, Nothing, None, statuses=(404,), media_type="*/*",
        ),
        Operation(
            "GET", f"{session}/files", "Complete the path of a file.", queries.files, Like, Paths, statuses=(404,)
        ),
        Operation(
            "GET",
            f"{session}/frames",
            "Show the latest frames between the daemon and its peer.",
            queries.frames,
            Since,
            Frames,
            statuses=(404,),
        ),
        Operation("GET", f"{session}/wait", "Wait for it.", queries.wait, Until, Row, statuses=(404, 408, 503)),
    ]  # fmt: skip


_decoded = json.Decoder(Row).decode
_encoded = json.Encoder().encode


def _live(row: Listed, connection: Connection) -> Raw:
    if b'"connection":' + _encoded(connection) in bytes(row.row):
        return row.row  # the log says the same, as of nearly all that are connected
    return Raw(_encoded(replace(_decoded(row.row), connection=connection)))


def _fitting(rows: list[Listed], given: Roster) -> list[Listed]:
    return [row for row in rows if _fits(_decoded(row.row), given)]


def _fits(row: Row, given: Roster) -> bool:
    if given.transport not in (None, row.transport):
        return False
    return given.state in (None, "all", row.lifecycle)


def _reached(row: Row, until: str) -> bool:
    match until:
        case "idle":
            return row.lifecycle != "streaming" and not row.queued and not row.pending
        case "needs-you":
            return row.attention == "needs_you"
        case _:
            return row.lifecycle == "ended"


def _seconds(seconds: float) -> str:
    return str(math.ceil(seconds)) if seconds == math.ceil(seconds) else f"{seconds:g}"
