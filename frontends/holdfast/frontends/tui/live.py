"""A daemon as a source: its stream for what changes, its HTTP API for what is asked for once."""

from __future__ import annotations

from functools import partial
from time import time
from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import quote, urlencode
from uuid import uuid4

from anyio import create_task_group, to_thread
from msgspec import json

from holdfast.domain.daemon import Listen
from holdfast.domain.errors import NotRunningError
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.stream import Stream, find

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from holdfast.domain.daemon import DaemonControl
    from holdfast.frontends.client.following import Delivery
    from holdfast.frontends.client.views import Json, View, ViewName
    from holdfast.frontends.tui.source import SourceState

DEVICE: Final = "tui"
"""What this frontend calls itself; it stands in the log beside what was asked for with it."""

_LARGE: Final = 900_000
"""Characters beyond which a command does not fit a frame of the stream for sure, and goes over HTTP."""

_decode = json.Decoder(dict[str, object]).decode
_encode = json.Encoder().encode


class Live:
    """The daemon of a home."""

    read_only = False

    def __init__(self, control: DaemonControl, *, start: bool) -> None:
        """Know the daemon; nothing is asked yet.

        Args:
            control: The daemon as a process.
            start: Whether to start it where none runs.
        """
        self.label = "daemon"
        self.as_of = time()
        self._control = control
        self._start = start
        self._stream = Stream(partial(find, control), DEVICE)

    @property
    def state(self) -> SourceState:
        """Whether the daemon is heard."""
        return self._stream.state

    @property
    def attempt(self) -> int:
        """Attempts since it was last heard."""
        return self._stream.attempt

    @property
    def error(self) -> str | None:
        """Why it is not."""
        return self._stream.error

    @property
    def retry_at(self) -> float | None:
        """When the next attempt is due."""
        return self._stream.retry_at

    async def run(self) -> None:
        """Start the daemon where that is wanted, and stay attached to it."""
        if self._start:
            await self.start()
        async with create_task_group() as tasks:
            tasks.start_soon(self._stream.run)
            was_live = False
            while True:
                await self._stream.turned()
                if was_live:
                    self.as_of = self._stream.heard_at
                was_live = self.state == "live"

    async def start(self) -> None:
        """Start the daemon where there is none."""
        await to_thread.run_sync(self._control.start, Listen())

    async def turned(self) -> None:
        """Return when `state` has changed."""
        await self._stream.turned()

    async def resolve(self, name: str) -> str:
        """Return the session that a name means."""
        return str((await self._get("/resolve", name=name))["id"])

    async def view(
        self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False
    ) -> View:
        """Look at a view, and return it once it is known."""
        return await self._stream.view(name, session, limit=limit, ended=ended)

    async def leave(self, view: View) -> None:
        """Look away."""
        await self._stream.leave(view)

    async def page(self, session: str, *, before: str | None = None, limit: int = 50) -> Json:
        """Return a piece of a transcript."""
        return await self._get(f"{_of(session)}/transcript", before=before, limit=limit, attachments="reference")

    async def around(self, session: str, item: str, *, each_side: int = 25) -> Json:
        """Return one item with those before and after it."""
        return await self._get(f"{_of(session)}/around", item=item, each_side=each_side, attachments="reference")

    async def last_turn(self, session: str) -> Json:
        """Return the items since the person spoke last."""
        return await self._get(f"{_of(session)}/last-turn", attachments="reference")

    async def attachment(self, session: str, name: str) -> bytes:
        """Return what an item refers to by this name."""
        return await self._done(lambda exchange: exchange.get(f"{_of(session)}/attachments/{quote(name, safe='')}"))

    async def search(self, query: str, *, limit: int = 50) -> list[Json]:
        """Return what fits."""
        return _items(await self._get("/search", q=query, limit=limit))

    def events(
        self, session: str | None = None, *, after: int | None = None, types: Sequence[str] | None = None
    ) -> AsyncGenerator[Delivery]:
        """Yield what is in the log, and go on as it comes."""
        return self._stream.events(after, session=session, types=types)

    async def queue(self, session: str) -> list[Json]:
        """Return what waits to be sent."""
        return _items(await self._get(f"{_of(session)}/queue"))

    async def files(self, session: str, query: str) -> list[str]:
        """Return files in the session's folder that fit."""
        return cast("list[str]", (await self._get(f"{_of(session)}/files", q=query))["items"])

    async def agents(self) -> list[Json]:
        """Return the agents that are known."""
        return _items(await self._get("/agents"))

    async def command(
        self, verb: str, session: str | None = None, body: Json | None = None, *, client_id: str | None = None
    ) -> object:
        """Have something done. What is too long for a frame goes over HTTP under the same client id."""
        client_id = client_id or uuid4().hex
        if session is not None and body is not None and len(_encode(body)) > _LARGE:
            return await self.ask("POST", f"{_of(session)}/{verb}", {**body, "client_id": client_id})
        return await self._stream.command(verb, session, body, client_id=client_id)

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make a request to the HTTP API."""
        if method == "GET":
            answer = await self._done(lambda exchange: exchange.get(path))
        else:
            answer = await self._done(lambda exchange: exchange.send(method, path, body))
        return _decode(answer) if answer else {}

    async def export(self, session: str, kind: Literal["md", "html", "jsonl"]) -> bytes:
        """Return the session as a file."""
        place = f"{_of(session)}/export?format={kind}"
        return await self._done(lambda exchange: exchange.get(place, timeout_s=None))

    async def focus(self, session: str | None, seen: int | None = None) -> None:
        """Say what the person looks at."""
        await self._stream.focus(session, seen=seen)

    async def _get(self, path: str, **query: str | int | None) -> Json:
        given = {name: value for name, value in query.items() if value is not None}
        return await self.ask("GET", f"{path}?{urlencode(given)}" if given else path)

    async def _done(self, ask: Callable[[Exchange], bytes]) -> bytes:
        def asked() -> bytes:
            running = self._control.running()
            if running is None:
                msg = "the daemon is not there"
                raise NotRunningError(msg)
            return ask(Exchange(self._control, running, DEVICE, _silent, patience_s=0))

        return await to_thread.run_sync(asked, abandon_on_cancel=True)


def _of(session: str) -> str:
    return f"/sessions/{quote(session, safe='')}"


def _items(answer: Json) -> list[Json]:
    return cast("list[Json]", answer["items"])


def _silent(message: str) -> None:
    """Say nothing: the banner does."""
    del message
