"""What comes in while a screen goes: in the real application, against a source that the test plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import anyio
import anyio.lowlevel
import pytest

from holdfast.frontends.tui.app import HoldfastApp
from holdfast.frontends.tui.opened import OpenedScreen
from holdfast.frontends.tui.session.view import SessionView
from tests.frontends.tui.session.stage import AT, SESSION, PlayedSource, message, row

if TYPE_CHECKING:
    from holdfast.frontends.tui.source import Source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Textual is of asyncio."""
    return "asyncio"


async def test_changes_that_come_while_a_session_is_left_do_not_end_the_program() -> None:
    listed = row(
        transport="acp", target="demo", attention="none", pending=0, pinned=False, muted_until=None, preview="",
        created_at=AT, updated_at=AT, ended=None,
    )  # fmt: skip
    source = PlayedSource(message(1), session=listed)
    app = HoldfastApp(lambda: cast("Source", source))
    async with app.run_test() as pilot:
        with anyio.fail_after(30):
            await app.sessions.viewed.wait()
            app.open(SESSION)
            while not (isinstance(app.screen, OpenedScreen) and app.screen.query("SessionBar")):
                await pilot.pause(0.01)
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
