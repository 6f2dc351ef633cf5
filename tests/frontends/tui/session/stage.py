"""A source that a test plays, and an application that shows one session of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio
from textual.app import App

from holdfast.frontends.client.following import Delivery
from holdfast.frontends.client.views import View
from holdfast.frontends.tui.session.view import SessionView
from holdfast.frontends.tui.theme import DARK, LIGHT, PLAIN

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

    from holdfast.domain.errors import HoldfastError
    from holdfast.frontends.client.views import Json, ViewName
    from holdfast.frontends.tui.source import Source, SourceState

SESSION = "s1"
AT = "2026-11-21T07:00:00.000Z"
OPTIONS = [
    {"option_id": "once", "kind": "allow_once", "name": "Allow once"},
    {"option_id": "always", "kind": "allow_always", "name": "Always allow"},
    {"option_id": "no", "kind": "reject_once", "name": "Reject"},
]


def row(**more: object) -> Json:
    connection = {"state": "connected", "attempt": 0, "next_retry_at": None, "error": None}
    return {
        "id": SESSION, "title": "Harbour", "agent": "demo", "cwd": "/work", "lifecycle": "connected", "unread": 0,
        "queued": 0, "mode": None, "connection": connection, "metadata": {"total_tokens": 0}, "position": 1, **more,
    }  # fmt: skip


def message(place: int, text: str = "", role: str = "assistant", **more: object) -> Json:
    return {
        "id": f"i{place}", "kind": "message", "role": role, "text": text or f"words {place}", "at": AT,
        "ordinal": place, "position": place, "status": "accepted", **more,
    }  # fmt: skip


def question(request: str = "q1", place: int = 50, **more: object) -> Json:
    return {
        "id": request, "request_id": request, "session_id": SESSION, "title": "Run it", "position": place,
        "input": {"command": "rm -rf build"}, "options": OPTIONS, "requested_at": AT, **more,
    }  # fmt: skip


class PlayedSource:
    """What a daemon would say, said by a test."""

    label = "played"
    error = None
    as_of = 0.0
    attempt = 0
    retry_at = None

    def __init__(self, *items: Json, session: Json | None = None, read_only: bool = False) -> None:
        self.read_only = read_only
        self.state: SourceState = "stored" if read_only else "live"
        self.commands: list[tuple[str, Json, str | None]] = []
        self.asked: list[tuple[str, str, Json | None]] = []
        self.focused: list[tuple[str | None, int | None]] = []
        self.pages: dict[str, Json] = {}
        self.told: list[Json] = []
        self.waiting: list[Json] = []
        self.folder: list[str] = []
        self.offers: Json = {}
        self.refusal: HoldfastError | None = None
        self.hold: anyio.Event | None = None
        self.roster = self._known("roster", [session or row()])
        self.inbox = self._known("inbox", [])
        self.transcript = self._known("transcript", list(items))
        self._turned = anyio.Event()
        self._news = anyio.Event()

    def _known(self, name: ViewName, items: list[Json], before: str | None = None) -> View:
        view = View(name)
        position = max((cast("int", each["position"]) for each in items), default=0)
        view.take_snapshot({"items": items, "position": position, "before": before})
        return view

    # what a test has it say

    def begin_at(self, before: str) -> None:
        """Have pages above what is shown."""
        self.transcript.before = before

    def put(self, view: View, *items: Json) -> None:
        ops = [{"op": "put", "item": each} for each in items]
        position = max(view.position, *(cast("int", each["position"]) for each in items))
        assert view.take_patch({"from": view.position, "position": position, "ops": ops})

    def append(self, item: str, text: str) -> None:
        view = self.transcript
        at, position = len(str(view.items[item]["text"])), view.position + 1
        op = {"op": "append", "id": item, "at": at, "text": text, "position": position}
        assert view.take_patch({"from": view.position, "position": position, "ops": [op]})

    def drop(self, view: View, item: str) -> None:
        position = view.position + 1
        assert view.take_patch({"from": view.position, "position": position, "ops": [{"op": "drop", "id": item}]})

    def change_row(self, **more: object) -> None:
        self.put(self.roster, self.roster.items[SESSION] | {"position": self.roster.position + 1} | more)

    def set_row(self, **fields: object) -> None:
        """Change what is of the moment, which no position tells."""
        op = {"op": "set", "id": SESSION, "fields": fields}
        view = self.roster
        assert view.take_patch({"from": view.position, "position": view.position, "ops": [op]})

    def turn(self, state: SourceState) -> None:
        self.state = state
        self._turned.set()
        self._turned = anyio.Event()

    # what the screens ask

    async def run(self) -> None:
        await anyio.sleep_forever()

    async def turned(self) -> None:
        await self._turned.wait()

    async def resolve(self, name: str) -> str:
        return name

    async def view(
        self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False
    ) -> View:
        return {"roster": self.roster, "inbox": self.inbox, "transcript": self.transcript}[name]

    async def leave(self, view: View) -> None: ...

    async def page(self, session: str, *, before: str | None = None, limit: int = 50) -> Json:
        if before is None:
            return {"session": row(lifecycle="ended"), "items": [], "position": 0, "before": None}
        return self.pages[before]

    async def around(self, session: str, item: str, *, each_side: int = 25) -> Json:
        raise NotImplementedError

    async def last_turn(self, session: str) -> Json:
        raise NotImplementedError

    async def attachment(self, session: str, name: str) -> bytes:
        self.asked.append(("GET", name, None))
        return b"kept beside the log"

    async def search(self, query: str, *, limit: int = 50) -> list[Json]:
        raise NotImplementedError

    async def events(
        self, session: str | None = None, *, after: int | None = None, types: Sequence[str] | None = None
    ) -> AsyncGenerator[Delivery]:
        yield Delivery(self.told, "1")
        yield Delivery([], "1", caught_up=True)
        await anyio.sleep_forever()

    async def queue(self, session: str) -> list[Json]:
        return self.waiting

    async def files(self, session: str, query: str) -> list[str]:
        return self.folder

    async def agents(self) -> list[Json]:
        return []

    async def command(
        self, verb: str, session: str | None = None, body: Json | None = None, *, client_id: str | None = None
    ) -> object:
        self.commands.append((verb, body or {}, client_id))
        if self.hold is not None:
            await self.hold.wait()
        if self.refusal is not None:
            raise self.refusal
        return {}

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        self.asked.append((method, path, body))
        return self.offers if path.endswith("/offers") else {"url": "http://localhost:7433"}

    async def focus(self, session: str | None, seen: int | None = None) -> None:
        self.focused.append((session, seen))


class Stage(App[None]):
    """Shows one session."""

    def __init__(self, source: Source, drafts: Path | None, item: str | None) -> None:
        super().__init__()
        for theme in (DARK, LIGHT, PLAIN):
            self.register_theme(theme)
        self.theme = DARK.name
        self.played = source
        self.said: list[str] = []
        self.left = 0
        self.inspected: list[Json] = []
        self._drafts = drafts
        self._item = item

    def on_mount(self) -> None:
        source = cast("PlayedSource", self.played)
        self.mount(
            SessionView(
                self.played, SESSION, roster=source.roster, inbox=source.inbox, drafts=self._drafts, item=self._item
            )
        )

    def on_session_view_said(self, message: SessionView.Said) -> None:
        self.said.append(message.text)

    def on_session_view_left(self) -> None:
        self.left += 1

    def on_session_view_inspect(self, message: SessionView.Inspect) -> None:
        self.inspected.append(message.item)

    @property
    def session(self) -> SessionView:
        return self.query_one(SessionView)

    def text(self) -> str:
        """Return what stands on the screen."""
        width, height = self.size
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  # Textual has no other way
        assert len(strips) <= height or width
        return "\n".join(strip.text.rstrip() for strip in strips)


class Played:
    """An application on its stage, and the hand that presses its keys."""

    def __init__(self, app: Stage, source: PlayedSource, pilot: Pilot[None]) -> None:
        self.app = app
        self.source = source
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def later(self) -> None:
        """Let the card's question and focus be of an hour ago: in its first moment a focus takes no key."""
        await self.pilot.pause()
        card = self.app.session.card
        assert card.has_focus
        card._since -= 3600  # pyright: ignore[reportPrivateUsage]  # a clock of our own would have to be in every screen
        card._asked -= 3600  # pyright: ignore[reportPrivateUsage]  # likewise

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once something is so."""
        with anyio.fail_after(30):
            while not holds():
                await self.pilot.pause(0.01)

    async def shows(self, text: str) -> str:
        """Return the screen once a text stands on it."""
        try:
            await self.until(lambda: text in self.app.text())
        except TimeoutError:
            raise AssertionError(f"{text!r} did not come:\n{self.app.text()}") from None
        return self.app.text()

    async def hides(self, text: str) -> str:
        """Return the screen once a text does not stand on it."""
        await self.until(lambda: text not in self.app.text())
        return self.app.text()


@asynccontextmanager
async def playing(
    source: PlayedSource, *, size: tuple[int, int] = (90, 30), drafts: Path | None = None, item: str | None = None
) -> AsyncGenerator[Played]:
    """Show a session until the context is left."""
    app = Stage(cast("Source", source), drafts, item)
    async with app.run_test(size=size) as pilot:
        yield Played(app, source, pilot)
