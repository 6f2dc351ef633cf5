"""The application: what holds from the first screen to the last, whatever is on it."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from threading import Timer
from time import time
from typing import TYPE_CHECKING, ClassVar, Final, cast

from anyio import create_task_group, sleep, to_thread
from textual import work
from textual.app import App
from textual.binding import Binding

from holdfast.domain.errors import DaemonLostError, HoldfastError, NotRunningError
from holdfast.frontends.tui.cells import harmless
from holdfast.frontends.tui.driver import TerminalDriver, driver_for
from holdfast.frontends.tui.files import write_new
from holdfast.frontends.tui.presence import of_what_goes
from holdfast.frontends.tui.roster.screen import RosterScreen
from holdfast.frontends.tui.sessions import Sessions
from holdfast.frontends.tui.theme import DARK, LIGHT, PLAIN
from holdfast.frontends.tui.words import file_name, title

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from rich.console import RenderableType
    from textual.screen import Screen

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.roster.entries import Entry
    from holdfast.frontends.tui.source import Source

_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S: Final = 3.0
_AGAIN_S: Final = 0.2


class HoldfastApp(App[int]):
    """Shows one source. What it returns is the exit code.

    Attributes:
        source: What is shown; there is none before the first screen is up.
        sessions: All of its sessions.
        refusal: Why it could not go on, where it could not.
        drafts: The folder in which what was typed and not sent is kept; None for nowhere.
    """

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Holdfast"
    CSS = """
    Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
    Input:focus { background: $row-cursor; }
    Screen.-high RosterList { margin-top: 1; }
    InboxScreen.-high Choices, Inspector.-high Choices { margin-top: 1; }
    Toast { background: $panel; border-left: outer $primary; }
    Toast.-warning, Toast.-error { border-left: outer $warning; }
    """
    BINDINGS: ClassVar = [
        Binding("ctrl+q", "detach", "Leave", priority=True),
        Binding("ctrl+k", "switch", "Go to", priority=True),
        Binding("question_mark", "help", "Keys"),
        *(Binding(f"alt+{number}", f"jump({number})", "Jump", priority=True, show=False) for number in range(1, 10)),
    ]

    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012 - Textual declares it so

    def __init__(
        self,
        make: Callable[[], Source],
        *,
        session: str | None = None,
        at: int | None = None,
        drafts: Path | None = None,
        unicode: bool = True,
        colours: int = 1 << 24,
        light: bool = False,
    ) -> None:
        """Show what `make` returns; it is called when the first screen is up.

        Args:
            make: Makes the source.
            session: The session to open first, by any of its names.
            at: Where to begin to play it, microseconds since the epoch; None to open it as it is now.
            drafts: Where to keep what was typed and not sent.
            unicode: Whether the terminal shows more than ASCII.
            colours: How many it shows; 16 are taken as they are set in the terminal.
            light: Whether its background is light.
        """
        super().__init__(driver_class=driver_for(unicode=unicode))
        self.source: Source | None = None
        self.sessions = Sessions()
        self.refusal: Exception | None = None
        self.drafts = drafts
        self._make = make
        self._first = session
        self._at = at
        self._title = ""
        self._held = self._missed = False
        for theme in (DARK, LIGHT, PLAIN):
            self.register_theme(theme)
        self.theme = (PLAIN if colours <= 16 else LIGHT if light else DARK).name

    def get_default_screen(self) -> Screen[None]:
        """Begin with the list of sessions."""
        return RosterScreen(self.sessions)

    def on_mount(self) -> None:
        """Show the roster, empty as yet, and only then look for what is in it."""
        loop = asyncio.get_running_loop()
        for number in _ENDS:
            signal.signal(number, partial(self._told_to_end, loop))
        self.sessions.listen(self._entitle)
        self.call_after_refresh(self._begin)

    @property
    def _background_screens(self) -> list[Screen[object]]:
        """What can be seen behind the screen: nothing, unless that lets it through.

        Textual counts the one below in any case, and draws all of a session anew whenever a line of the list changes
        that nobody can see.
        """
        behind = cast("list[Screen[object]]", super()._background_screens)  # pyright: ignore[reportUnknownMemberType] # half known
        return behind if self.screen.is_modal else []

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Draw a frame, and no other one before the terminal has come so far; what is not drawn now is drawn then."""
        self._missed |= self._held and renderable is not None
        super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType] # Textual's is half known
        driver = self._driver
        if not self._held and isinstance(driver, TerminalDriver) and driver.pace.behind:
            self._held = True
            self._begin_batch()
            driver.when_caught_up(self._catch_up)
            self.set_timer(_PATIENCE_S, self._catch_up)

    def _catch_up(self) -> None:
        driver = self._driver
        if not self._held or not self.is_running or not isinstance(driver, TerminalDriver):
            return
        if driver.pace.behind:
            self.set_timer(_PATIENCE_S, self._catch_up)
            return
        self._held = False
        self._end_batch()
        if self._missed:
            self._missed = False
            self.screen.refresh()
        self.screen.check_idle()

    def _begin(self) -> None:
        self._attend()

    def _told_to_end(self, loop: asyncio.AbstractEventLoop, number: int, frame: object) -> None:
        """Leave; at once where that hangs, as it may on a terminal that has gone or takes nothing.

        Not by the loop's own handlers: it may be the loop that waits for the terminal.
        """
        del frame
        code = 128 + number
        hanging = Timer(_PATIENCE_S, os._exit, (code,))
        hanging.daemon = True
        hanging.start()
        loop.call_soon_threadsafe(self.exit, code)

    @work
    async def _attend(self) -> None:
        try:
            self.source = source = self._make()
            roster = self.screen_stack[0]
            assert isinstance(roster, RosterScreen)
            roster.attend(source)
            async with create_task_group() as tasks:
                tasks.start_soon(source.run)
                if self._first is not None:
                    tasks.start_soon(self._open_first, self._first)
                await self.sessions.follow(source)
        except* HoldfastError as errors:
            self._refuse(errors)

    async def _open_first(self, name: str) -> None:
        source = self.source
        assert source is not None
        await self.sessions.viewed.wait()
        while True:
            try:
                session = await source.resolve(name)
            except (NotRunningError, DaemonLostError):
                await sleep(_AGAIN_S)  # the banner says so meanwhile
            else:
                self._show_first(source, session)
                return

    def _show_first(self, source: Source, session: str) -> None:
        if self._at is None:
            self.open(session)
            return
        from holdfast.frontends.tui.played import PlayedScreen  # after the first screen is up

        self.push_screen(PlayedScreen(source, self.sessions, session, at=self._at))

    def _refuse(self, errors: BaseExceptionGroup[HoldfastError]) -> None:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        assert isinstance(error, HoldfastError)
        if not self._exit:
            self.refusal = error
            self.exit(1)

    # What every screen can do

    def now(self) -> float:
        """Return the time, seconds since the epoch."""
        return time()

    def open(self, session: str, item: str | None = None) -> None:
        """Show a session, at an item of it; it takes the place of one that is shown."""
        from holdfast.frontends.tui.opened import OpenedScreen  # after the first screen is up

        if self.source is None or not self.sessions.viewed.is_set():
            return
        screen = OpenedScreen(self.source, self.sessions, session, item)
        if isinstance(self.screen, OpenedScreen):
            self.switch_screen(screen)  # pyright: ignore[reportUnknownMemberType] # Textual's is half known
        else:
            self.push_screen(screen)

    async def command(self, verb: str, entry: Entry, body: Json, *, said: str = "") -> object:
        """Have something done to a session, and say what became of it."""
        return await self.do(verb, entry.id, body, said=f"“{entry.name}”: {said}" if said else "")

    async def do(self, verb: str, session: str | None, body: Json, *, said: str = "") -> object:
        """Have something done; None where it was refused, which is said."""
        source = self.source
        if source is None or source.state not in ("live", "stored"):
            self.say("the daemon cannot be reached; nothing was done", bad=True)
            return None
        try:
            result = await source.command(verb, session, body)
        except HoldfastError as error:
            self.say(str(error), bad=True)
            return None
        if said:
            self.say(said)
        return result if result is not None else True

    async def erase(self, entry: Entry) -> None:
        """Have all that was said in a session erased, and say so."""
        assert self.source is not None
        try:
            answer = await self.source.ask("DELETE", f"/sessions/{entry.id}")
        except HoldfastError as error:
            self.say(str(error), bad=True)
        else:
            remains = answer.get("remains")
            self.say(f"“{entry.name}”: removed{f'; {remains}' if remains else ''}", bad=bool(remains))

    async def start_daemon(self) -> None:
        """Start the daemon where it has gone."""
        assert self.source is not None
        try:
            await self.source.start()
        except HoldfastError as error:
            self.say(str(error), bad=True)

    def say(self, text: str, *, bad: bool = False) -> None:
        """Tell the person something that passes."""
        self.notify(harmless(text), severity="warning" if bad else "information", timeout=6 if bad else 3, markup=False)

    async def write_out(self, entry: Entry, kind: Literal["md", "html", "jsonl"]) -> None:
        """Write a session to a file in this folder; never over one that is there."""
        assert self.source is not None
        try:
            content = await self.source.export(entry.id, kind)
            path = await to_thread.run_sync(write_new, Path.cwd() / file_name(entry.name, entry.id, kind), content)
        except HoldfastError as error:
            self.say(str(error), bad=True)
        except OSError as error:
            self.say(f"it cannot be written: {error.strerror}", bad=True)
        else:
            self.say(f"written to {path}")

    def action_detach(self) -> None:
        """Leave; every session goes on."""
        self.exit(0)

    def action_help(self) -> None:
        """Show all keys."""
        from holdfast.frontends.tui.help import Help

        self.push_screen(Help())

    def action_jump(self, number: int) -> None:
        """Open one of the first nine sessions."""
        ordered = self.sessions.ordered
        if number <= len(ordered) and not self.screen.is_modal:
            self.open(ordered[number - 1].id)

    @work
    async def action_switch(self) -> None:
        """Go to a session, or do something."""
        from holdfast.frontends.tui.commands import offer

        if not self.screen.is_modal:
            await offer(self)

    def action_go(self, where: str) -> None:
        """Show another screen, over the list of sessions."""
        from holdfast.frontends.tui import places

        if self.source is not None:
            places.go(self, self.source, where)

    def entitle(self, words: str) -> None:
        """Set the title of the terminal's window."""
        if words != self._title and isinstance(self._driver, TerminalDriver):
            self._title = words
            self._driver.entitle(words)

    def _entitle(self) -> None:
        self.entitle(title(self.sessions.waiting))

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave; the first reason counts."""
        if not self._exit:
            super().exit(result, return_code, message)  # pyright: ignore[reportUnknownMemberType] # half known

    def _handle_exception(self, error: Exception) -> None:
        """End at an error, but not at what is only missing in a screen that goes, and never once one has left.

        Who leaves while a screen opens is not to be told that it never came to be.
        """
        if of_what_goes(error, left=self._exit):
            return
        if self._exit:
            self._exception = self._exception or error  # for tests; the person has left
            return
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End without a traceback on the screen: it would show content, as it is."""
        self.refusal = self._exception
        self._close_messages_no_wait()
