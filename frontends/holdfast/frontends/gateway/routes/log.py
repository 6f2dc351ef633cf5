"""The log itself: its events as they come, what is found in it, and what leaves it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Annotated

import anyio
from anyio import to_thread
from msgspec import Meta, Struct, json

from holdfast.domain import wire
from holdfast.domain.errors import HoldfastError, StoreClosedError
from holdfast.domain.exported import Export, Format
from holdfast.domain.recorded import StreamId
from holdfast.domain.search.query import parse
from holdfast.frontends.gateway.operations import (
    HEARTBEAT_S,
    ND_JSON,
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
from holdfast.frontends.gateway.problems import describe
from holdfast.frontends.gateway.progress import answered
from holdfast.frontends.gateway.routes.queries import Limit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from starlette.responses import Response

    from holdfast.frontends.gateway.house import House

_TYPES: dict[Format, str] = {
    "jsonl": ND_JSON,
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "bundle": "application/x-tar",
}


class Events(Struct, frozen=True):
    """Which events: behind a cursor or position, of one session, of some types; with `follow` those to come as well."""

    after: str = "0"
    session: str | None = None
    type: tuple[str, ...] = ()
    follow: bool = False


class Search(Struct, frozen=True):
    """What to look for."""

    q: Annotated[str, Meta(max_length=2_000)]
    limit: Limit = 20


class Exporting(Struct, frozen=True):
    """In which format; without `redact` the format decides whether secrets are taken out.

    Attributes:
        steps: Answer in lines of JSON instead, which tell files from each other and what was left out at the end.
    """

    format: Format
    redact: bool | None = None
    steps: bool = False


class ExportStep(Struct, frozen=True, omit_defaults=True):
    """One line of an export that is answered in steps: a file begins, goes on, or all is done.

    Attributes:
        file: The name of the file that begins; empty for the only one.
        text: More of it.
        data: More of it, where that is no text: in base64.
        removed: At the end: how many secrets of each kind were left out.
        looked: Whether any were looked for.
        left_out: How many images are not in it, since nobody can look for secrets in them.
    """

    file: str | None = None
    text: str | None = None
    data: bytes | None = None
    removed: dict[str, int] | None = None
    looked: bool = False
    left_out: int = 0


class Log:
    """Questions to the log."""

    def __init__(self, house: House) -> None:
        """Ask `house`."""
        self._house = house

    async def events(self, call: Call, given: Events) -> Response:
        """Return events as lines; with `follow` it never ends by itself."""
        del call
        after = await self._house.tail.position_of(given.after)
        session = None if given.session is None else StreamId(given.session)
        if session is not None:
            await in_thread(self._house.reading.row, session)
        return streamed(self._lines(after, session, given))

    async def _lines(self, after: int, session: StreamId | None, given: Events) -> AsyncGenerator[bytes]:
        house = self._house
        bell = house.tail.bell()
        said = anyio.current_time()
        try:
            while True:
                bell.arm()  # before the log is read, so that a commit in between rings it
                piece = await house.tail.stretch(after, session_id=session, types=given.type)
                if piece.events:
                    yield b"".join(wire.event(each) + b"\n" for each in piece.events)
                    said = anyio.current_time()
                after = piece.end
                if not piece.at_end:
                    continue
                if not given.follow:
                    return
                with anyio.move_on_at(said + HEARTBEAT_S) as quiet:
                    if not await house.rung(bell):
                        return
                if quiet.cancelled_caught:
                    yield b"\n"  # or nobody would notice that the other side is gone
                    said = anyio.current_time()
        except StoreClosedError:
            return  # the daemon ends
        finally:
            bell.close()

    async def search(self, call: Call, given: Search) -> Response:
        """Return what fits, the best first."""
        del call
        query = parse(given.q)
        hits = await in_thread(lambda: self._house.reading.search(query, limit=given.limit))
        return listed([wire.hit(each) for each in hits])

    async def verify(self, call: Call, given: Nothing) -> Response:
        """Check the whole log."""
        del given
        return await answered(call, self._house.reading.verify)

    async def digests(self, call: Call, given: Nothing) -> Response:
        """Return a digest of every view as the log gives it."""
        del call, given
        return found(await in_thread(self._house.reading.digests))

    async def export(self, call: Call, given: Exporting) -> Response:
        """Return a session in a format that leaves the program."""
        await in_thread(self._house.reading.row, call.session)
        made = await in_thread(lambda: self._house.reading.export(call.session, given.format, redact=given.redact))
        if given.steps:
            lines = _steps(made)
            return streamed(pieces_in_thread(await to_thread.run_sync(next, lines, None), lines))
        pieces = _tar(made) if given.format == "bundle" else _single(made)
        # The beginning is made before the answer begins: most refusals come there, and can still be told as such.
        first = await to_thread.run_sync(next, pieces, None)
        suffix = "tar" if given.format == "bundle" else given.format
        headers = {"Content-Disposition": f'attachment; filename="{call.session[:8]}.{suffix}"'}
        return streamed(pieces_in_thread(first, pieces), _TYPES[given.format], headers)


def _steps(made: Export) -> Iterator[bytes]:
    """Yield what came of each piece of work, as all answers in lines do; what goes wrong is the last line."""
    try:
        for name, pieces in made.files:
            yield _line(ExportStep(file=name))
            for piece in pieces:
                yield _line(_piece(piece))
        removed = made.removed
        yield _line(ExportStep(removed=removed.kinds, looked=removed.looked, left_out=removed.left_out))
    except HoldfastError as error:
        yield json.encode({"problem": describe(error)}) + b"\n"


def _piece(piece: bytes) -> ExportStep:
    try:
        return ExportStep(text=piece.decode())
    except UnicodeDecodeError:
        return ExportStep(data=piece)


def _line(step: ExportStep) -> bytes:
    return json.encode({"result": step}) + b"\n"


def _single(made: Export) -> Iterator[bytes]:
    for _, pieces in made.files:
        yield from pieces


def _tar(made: Export) -> Iterator[bytes]:
    """Yield an archive of several files; each is held in memory for its length, which comes first in an archive."""
    import tarfile  # noqa: PLC0415 - a megabyte, for who exports bundles

    for name, pieces in made.files:
        content = b"".join(pieces)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o600
        packed = BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(entry, BytesIO(content))
            length = archive.offset
        yield packed.getvalue()[:length]
    yield bytes(2 * tarfile.BLOCKSIZE)


def operations(house: House) -> Operations:
    """Return what the log can be asked."""
    log = Log(house)
    return [
        Operation(
            "GET", "/events", "Read the log.", log.events, Events, None, statuses=(404, 410), media_type=ND_JSON
        ),
        Operation("GET", "/search", "Search all sessions.", log.search, Search, "Hits", statuses=(404,)),
        Operation("GET", "/verify", "Verify the log.", log.verify, Nothing, "Verification"),
        Operation("POST", "/verify", "Verify the log.", log.verify, Nothing, "Verification", changes=False),
        Operation("GET", "/digests", "Tell the digests of the views.", log.digests, Nothing, dict[str, str]),
        Operation(
            "GET", "/sessions/{id}/export", "Export a session.", log.export, Exporting, None, statuses=(404,),
            media_type="*/*",
        ),
    ]  # fmt: skip
