"""A store as a source, without a daemon: read and never written, through the same folds."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import islice
from time import time
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from anyio import CapacityLimiter, Event, sleep_forever, to_thread
from msgspec import json, to_builtins

from holdfast.domain import wire
from holdfast.domain.errors import StoreReadOnlyError
from holdfast.domain.recorded import StreamId
from holdfast.domain.search.query import parse
from holdfast.frontends.client.following import Delivery
from holdfast.frontends.client.views import Json, View, ViewName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from holdfast.domain.answers import LogEvent, Page
    from holdfast.domain.exported import Export
    from holdfast.domain.ports import Library, Reading
    from holdfast.domain.projections.roster import Row
    from holdfast.frontends.tui.source import SourceState

T = TypeVar("T")

_FRAME = 64
_decode = json.Decoder(dict[str, object]).decode


class Stored:
    """A log that nobody writes to as far as we are concerned; what it says is as of when it was opened."""

    read_only = True
    state: SourceState = "stored"
    attempt = 0
    error = None
    retry_at = None

    def __init__(self, library: Library, label: str) -> None:
        """Know the store; it is opened when something is asked."""
        self.label = label
        self.as_of = time()
        self._library = library
        self._reading: Reading | None = None
        self._stack = ExitStack()
        self._one_at_a_time = CapacityLimiter(1)

    async def run(self) -> None:
        """Hold the store open until cancelled."""
        await self._asked(lambda _: None)
        try:
            await sleep_forever()
        finally:
            self._stack.close()

    async def start(self) -> None:
        """Refuse."""
        raise _refusal("start")

    async def turned(self) -> None:
        """Wait for ever: nothing turns."""
        await Event().wait()

    async def resolve(self, name: str) -> str:
        """Return the session that a name means."""
        return await self._asked(lambda reading: reading.resolve(name))

    async def view(
        self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False
    ) -> View:
        """Return a view as it is."""
        view = View(name, session, limit=limit, ended=ended)
        view.take_snapshot(await self._asked(partial(_snapshot, view)))
        return view

    async def leave(self, view: View) -> None:
        """Look away."""

    async def page(self, session: str, *, before: str | None = None, limit: int = 50) -> Json:
        """Return a piece of a transcript."""
        return _page(await self._asked(lambda reading: reading.page(StreamId(session), before=before, limit=limit)))

    async def around(self, session: str, item: str, *, each_side: int = 25) -> Json:
        """Return one item with those before and after it."""
        return _page(await self._asked(lambda reading: reading.around(StreamId(session), item, each_side=each_side)))

    async def last_turn(self, session: str) -> Json:
        """Return the items since the person spoke last."""
        return _page(await self._asked(lambda reading: reading.last_turn(StreamId(session))))

    async def attachment(self, session: str, name: str) -> bytes:
        """Return what an item refers to by this name."""
        return await self._asked(lambda reading: b"".join(reading.attachment(StreamId(session), name).pieces))

    async def search(self, query: str, *, limit: int = 50) -> list[Json]:
        """Return what fits."""
        wanted = parse(query)
        return [wire.hit(hit) for hit in await self._asked(lambda reading: reading.search(wanted, limit=limit))]

    async def events(
        self, session: str | None = None, *, after: int | None = None, types: Sequence[str] | None = None
    ) -> AsyncGenerator[Delivery]:
        """Yield what is in the log."""
        of = None if session is None else StreamId(session)
        found = await self._asked(
            lambda reading: iter(reading.events(since=after or 0, session_id=of, types=types or ()))
        )
        while events := await self._asked(lambda _: _some(found)):
            yield Delivery(events, str(events[-1]["position"]))
        yield Delivery([], "", caught_up=True)

    async def queue(self, session: str) -> list[Json]:
        """Return nothing: what waits is sent by a daemon, and known to it."""
        del session
        return []

    async def files(self, session: str, query: str) -> list[str]:
        """Return nothing: there is nobody to mention them to."""
        del session, query
        return []

    async def agents(self) -> list[Json]:
        """Return the agents that are known."""
        return [cast("Json", to_builtins(agent)) for agent in await self._asked(lambda _: self._library.agents())]

    async def command(
        self, verb: str, session: str | None = None, body: Json | None = None, *, client_id: str | None = None
    ) -> object:
        """Refuse."""
        del session, body, client_id
        raise _refusal(verb)

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Refuse."""
        del method, body
        raise _refusal(path)

    async def export(self, session: str, kind: Literal["md", "html", "jsonl"]) -> bytes:
        """Return the session as a file."""
        return await self._asked(lambda reading: _whole(reading.export(StreamId(session), kind)))

    async def focus(self, session: str | None, seen: int | None = None) -> None:
        """Note nothing: looking at an old log reads nothing."""

    async def _asked(self, ask: Callable[[Reading], T]) -> T:
        def answer() -> T:
            if self._reading is None:
                self._reading = self._stack.enter_context(self._library.reading())
            return ask(self._reading)

        return await to_thread.run_sync(answer, limiter=self._one_at_a_time)


def _snapshot(view: View, reading: Reading) -> Json:
    """Return the snapshot that a daemon would send."""
    match view.name:
        case "roster":
            rows = reading.rows(ended=view.ended)
            return {"items": [_row(row) for row in rows], "position": max((row.position for row in rows), default=0)}
        case "inbox":
            items = [_plain({"id": each.request_id, "position": 0, **wire.request(each)}) for each in reading.inbox()]
            return {"items": items, "position": 0}
        case _:
            return _page(reading.page(StreamId(str(view.session)), limit=view.limit or 50))


def _page(page: Page) -> Json:
    return _plain(wire.page(page))


def _row(row: Row) -> Json:
    return {**cast("Json", to_builtins(row)), "focused": []}


def _plain(shape: Json) -> Json:
    return _decode(wire.encode(shape))


def _some(events: Iterator[LogEvent]) -> list[Json]:
    return [_decode(wire.event(event)) for event in islice(events, _FRAME)]


def _refusal(what: str) -> StoreReadOnlyError:
    return StoreReadOnlyError(f"{what}: this is a store that is only read, without a daemon")


def _whole(export: Export) -> bytes:
    return b"".join(piece for _, pieces in export.files for piece in pieces)
