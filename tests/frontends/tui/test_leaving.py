"""What comes in while a screen goes, and who goes while one comes: the real application, and a source that plays."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio
import anyio.lowlevel
import pytest

from holdfast.domain.errors import NotRunningError
from holdfast.frontends.tui.app import HoldfastApp
from holdfast.frontends.tui.dialogs import OneLine, OneOf, Sure
from holdfast.frontends.tui.opened import OpenedScreen
from holdfast.frontends.tui.roster.listing import RosterList
from holdfast.frontends.tui.session.view import SessionView
from tests.frontends.tui.session.stage import AT, SESSION, PlayedSource, message, question, row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from textual.pilot import Pilot

    from holdfast.frontends.client.views import Json, View, ViewName
    from holdfast.frontends.tui.source import Source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Textual is of asyncio."""
    return "asyncio"


STEPS = 3
"""Turns of the event loop after which nothing of a screen is missing any more; what it asks for may be."""


def listed(**more: object) -> Json:
    return row(
        transport="acp", target="demo", attention="none", pending=0, pinned=False, muted_until=None, preview="",
        created_at=AT, updated_at=AT, ended=None, **more,
    )  # fmt: skip


class Daemon(PlayedSource):
    """Knows frames as well, and two lists of sessions: with those that ended, and without."""

    def __init__(self, *items: Json) -> None:
        super().__init__(*items, session=listed())
        self.all = self._known("roster", [listed()])
        self.put(self.inbox, question())

    async def view(
        self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False
    ) -> View:
        return self.all if ended else await super().view(name, session, limit=limit)

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        return {"items": []} if "/frames" in path else await super().ask(method, path, body)


@asynccontextmanager
async def running(source: PlayedSource) -> AsyncGenerator[tuple[HoldfastApp, Pilot[int]]]:
    app = HoldfastApp(lambda: cast("Source", source))
    async with app.run_test() as pilot:
        with anyio.fail_after(60):
            await app.sessions.viewed.wait()
            while not app.sessions.known:
                await pilot.pause(0.01)
            yield app, pilot


async def opened(app: HoldfastApp, pilot: Pilot[int]) -> SessionView:
    app.open(SESSION)
    while not (isinstance(app.screen, OpenedScreen) and app.screen.query("SessionBar")):
        await pilot.pause(0.01)
    return app.screen.query_one(SessionView)


OPENS: dict[str, Callable[[HoldfastApp], object]] = {
    "session": lambda app: app.open(SESSION),
    "inbox": lambda app: app.action_go("inbox"),
    "search": lambda app: app.action_go("search"),
    "new": lambda app: app.action_go("new"),
    "inspect": lambda app: app.action_go("inspect"),
    "replay": lambda app: app.action_go("replay"),
    "help": lambda app: app.action_help(),
    "switcher": lambda app: app.action_switch(),
    "peek": lambda app: app.screen.query_one(RosterList).action_peek(),
    "sure": lambda app: app.push_screen(Sure("End it?", "It goes.", "ends it")),
    "line": lambda app: app.push_screen(OneLine("Rename")),
    "menu": lambda app: app.push_screen(OneOf("Mute for", [("15", "15 minutes")])),
}


@pytest.mark.parametrize("screen", OPENS)
async def test_who_leaves_the_program_while_a_screen_opens_leaves_it_as_ever(screen: str) -> None:
    for steps in range(STEPS):
        async with running(Daemon(message(1))) as (app, _):
            OPENS[screen](app)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            app.action_detach()

        assert (app.return_value, app.return_code, app.refusal) == (0, 0, None), f"after {steps} steps"


@pytest.mark.parametrize("screen", OPENS)
async def test_who_leaves_a_screen_while_it_opens_is_back_where_they_were(screen: str) -> None:
    for steps in range(STEPS):
        async with running(Daemon(message(1))) as (app, pilot):
            OPENS[screen](app)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            if len(app.screen_stack) > 1:
                app.pop_screen()
            await pilot.pause()
            await opened(app, pilot)

            assert app.refusal is None, f"after {steps} steps"


class Collapsing(Daemon):
    """Cannot let go without an error."""

    async def run(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            msg = "it was gone already"
            raise NotRunningError(msg)


async def test_what_goes_wrong_while_one_leaves_is_not_why_one_left() -> None:
    async with running(Collapsing()) as (app, _):
        app.action_detach()

    assert (app.return_value, app.return_code, app.refusal) == (0, 0, None)


async def test_a_session_goes_on_while_the_list_is_changed_to_one_with_those_that_ended() -> None:
    source = Daemon(message(1))
    async with running(source) as (app, pilot):
        view = await opened(app, pilot)
        app.action_go("ended")
        while app.sessions.roster is not source.all:
            await pilot.pause(0.01)
        source.put(source.all, listed(lifecycle="streaming") | {"position": 99})
        while view.row["lifecycle"] != "streaming":
            await pilot.pause(0.01)


async def test_changes_that_come_while_a_session_is_left_do_not_end_the_program() -> None:
    source = PlayedSource(message(1), session=listed())
    app = HoldfastApp(lambda: cast("Source", source))
    async with app.run_test() as pilot:
        with anyio.fail_after(30):
            await app.sessions.viewed.wait()
            await opened(app, pilot)
            left = app.screen
            view = left.query_one(SessionView)
            app.pop_screen()
            while left.children:
                source.change_row(unread=1)
                app.sessions._tell()  # pyright: ignore[reportPrivateUsage]  # at each moment, not ten times a second
                view.following.tell()
                await anyio.lowlevel.checkpoint()

        assert app.refusal is None
        assert not isinstance(app.screen, OpenedScreen)
