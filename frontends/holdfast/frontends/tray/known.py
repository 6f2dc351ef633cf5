"""What the tray knows now, taken together from the stream, the daemon's process and the settings."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import msgspec
from anyio import to_thread

from holdfast.domain.errors import HoldfastError
from holdfast.domain.preferences import Chosen
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.roster import Row
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.events import Option
from holdfast.domain.timestamps import from_text
from holdfast.frontends.tray.state import Contact, State, matters, ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.preferences import Preferences
    from holdfast.frontends.client.stream import Stream
    from holdfast.frontends.client.views import Json, View
    from holdfast.frontends.tray.freedesktop.autostart import Autostart

T = TypeVar("T")


class Known:
    """Everything that icon and menu are drawn from."""

    def __init__(
        self, control: DaemonControl, preferences: Preferences, autostart: Autostart, say: Callable[[str], None]
    ) -> None:
        """Begin with nothing; `say` is told, once, what cannot be understood in the settings."""
        self._control = control
        self._preferences = preferences
        self._autostart = autostart
        self._say = say
        self._chosen = Chosen()
        self._trouble: str | None = None
        self._contact: Contact = "connecting"
        self._page = True
        self._counted = False
        self._told = ""
        self._rows: dict[str, Row] = {}
        self._waiting: dict[str, Request] = {}
        self._news = anyio.Event()

    async def watch(self, stream: Stream) -> None:
        """Know whether the daemon is there, for ever."""
        was_live = False
        while True:
            seen = stream.state
            try:
                running = await to_thread.run_sync(self._control.running)
            except HoldfastError as error:  # one that is not for us: of another store, say
                running = None
                self._tell(str(error))
            match seen:
                case "live":
                    self._contact, was_live = "connected", True
                    self._page = running is None or running.web
                case "denied":
                    self._contact = "denied"
                case _ if was_live or stream.attempt or seen == "waiting":
                    self._contact = "down" if running is None else "disconnected"
                case _:
                    self._contact = "connecting"
            self.change()
            while stream.state == seen:
                await stream.turned()

    async def follow_rows(self, view: View) -> None:
        """Know the sessions, for ever."""
        self._counted = True
        await self._follow(view, partial(_take, self._rows, _row))

    async def follow_waiting(self, view: View) -> None:
        """Know what waits, for ever."""
        await self._follow(view, partial(_take, self._waiting, _request))

    def choices(self) -> Chosen:
        """Return what was chosen, as it stands in the file now; what cannot be understood changes nothing."""
        try:
            self._chosen, self._trouble = self._preferences.read(), None
        except HoldfastError as error:
            self._tell(str(error))
            self._trouble = str(error)
        return self._chosen

    def state(self, kinds: Mapping[str, str | None]) -> State:
        """Return this moment.

        Args:
            kinds: The kinds of tools that questions are about, as far as they are known.
        """
        waiting = sorted(self._waiting.values(), key=lambda request: request.requested_at)
        return State(
            contact="connecting" if self._contact == "connected" and not self._counted else self._contact,
            rows=ordered(self._rows.values()),
            waiting=tuple((request, kinds.get(request.request_id)) for request in waiting),
            chosen=self.choices(),
            autostart=self._autostart.enabled,
            page=self._page,
            trouble=None if self._trouble is None else self._trouble.replace(f"{self._preferences.home}/", ""),
            now=now(),
        )

    def change(self) -> None:
        """Say that something is known anew."""
        self._news.set()

    async def changed(self) -> None:
        """Return when something has become known since this was asked last."""
        await self._news.wait()
        self._news = anyio.Event()

    def _tell(self, line: str) -> None:
        if line != self._told:
            self._told = line
            self._say(line)

    async def _follow(self, view: View, take: Callable[[View, frozenset[str]], None]) -> None:
        async for changed in view.changes():
            take(view, changed)
            self.change()


def now() -> int:
    """Return the time, in microseconds since the epoch."""
    return time.time_ns() // 1_000


class _Request(msgspec.Struct):
    request_id: str
    session_id: StreamId
    turn_id: str | None
    title: str
    options: tuple[Option, ...]
    requested_at: str
    input: object = None


def _request(item: Json) -> Request:
    found = msgspec.convert(item, _Request)
    asked = msgspec.Raw(msgspec.json.encode(found.input))
    return Request(
        found.request_id,
        found.session_id,
        found.turn_id,
        found.title,
        asked,
        found.options,
        from_text(found.requested_at),
    )


def _row(item: Json) -> Row | None:
    row = msgspec.convert(item, Row)
    return row if matters(row) else None


def _take(into: dict[str, T], read: Callable[[Json], T | None], view: View, changed: frozenset[str]) -> None:
    for name in changed:
        item = view.items.get(name)
        taken = None if item is None else read(item)
        if taken is None:
            into.pop(name, None)
        else:
            into[name] = taken
