"""The tray as a whole: what is known becomes icon and menu, what a person clicks becomes a command."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, cast
from uuid import uuid4

import anyio
from anyio import to_thread

from holdfast.domain.errors import HoldfastError
from holdfast.domain.timestamps import to_text
from holdfast.frontends.tray.known import Known, now
from holdfast.frontends.tray.menu import menu
from holdfast.frontends.tray.offered import Offered
from holdfast.frontends.tray.opening import Opener
from holdfast.frontends.tray.picture import picture
from holdfast.frontends.tray.state import most_urgent
from holdfast.frontends.tray.teller import Teller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.preferences import Preferences
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.client.stream import Stream
    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tray.freedesktop.autostart import Autostart
    from holdfast.frontends.tray.port import Desktop, Key

_Section = Literal["tray", "notifications"]

PAUSE_S: Final = 0.1
"""Between two pictures: nobody sees more, and panels redraw everything each time."""


class Tray:
    """The tray while it is on a desktop. It is told of clicks, and returns from `run` when it is to leave.

    Attributes:
        leaving: How it was left: whether the daemon is to end, too. None while it stays.
    """

    def __init__(
        self,
        control: DaemonControl,
        preferences: Preferences,
        autostart: Autostart,
        say: Callable[[str], None],
        *,
        started: Callable[[], Awaitable[None]],
    ) -> None:
        """Begin with nothing known.

        Args:
            control: The daemon as a process.
            preferences: What the person has chosen.
            autostart: The entry that starts the tray at login.
            say: Tells the person what went wrong, in one line.
            started: Starts the daemon, and remembers that it was the tray that did.
        """
        self.leaving: bool | None = None
        self._control = control
        self._preferences = preferences
        self._autostart = autostart
        self._say = say
        self._start = started
        self._known = Known(control, preferences, autostart, say)
        self._left = anyio.Event()
        self._offered = Offered()
        self._tasks: TaskGroup | None = None

    async def run(self, stream: Stream, desktop: Desktop) -> None:
        """Show on `desktop` what `stream` brings, until the person leaves."""
        self._stream, self._desktop = stream, desktop
        self._teller = Teller(stream, desktop, self._known.choices, now, self._known.change)
        async with anyio.create_task_group() as tasks:
            self._opener = Opener(self._control, tasks, self._say)
            self._tasks = tasks
            tasks.start_soon(self._known.watch, stream)
            tasks.start_soon(self._look, stream, tasks)
            tasks.start_soon(self._draw)
            tasks.start_soon(self._heed_signals)
            await self._left.wait()
            tasks.cancel_scope.cancel()

    async def _look(self, stream: Stream, tasks: TaskGroup) -> None:
        roster = await stream.view("roster")
        tasks.start_soon(self._known.follow_rows, roster)
        inbox = await stream.view("inbox")
        tasks.start_soon(self._known.follow_waiting, inbox)
        await self._teller.run(roster, inbox)

    # What is shown

    async def _draw(self) -> None:
        while True:
            self._show()
            await self._known.changed()
            await anyio.sleep(PAUSE_S)

    def _show(self) -> None:
        state = self._known.state(self._teller.kinds)
        keep_running = bool(state.chosen.tray.keep_running)
        self._desktop.paint(picture(state.rows, state.contact, keep_running=keep_running))
        entries = menu(state)
        self._offered.take(entries, time.monotonic())
        self._desktop.offer(entries)

    # What a person does

    def opened(self) -> None:
        """The icon was clicked: open what is most urgent."""
        if self._tasks is None:
            return  # not begun yet
        state = self._known.state(self._teller.kinds)
        row = most_urgent(state)
        asked = next((each for each, _ in state.waiting if row is not None and each.session_id == row.id), None)
        self._do(
            self._open,
            None if row is None else row.id,
            None if asked is None else asked.request_id,
            self._chosen_place(),
        )

    def looked_at(self) -> None:
        """The menu is about to be shown: what is in it depends on the time and on a file."""
        if self._tasks is not None:
            self._show()

    def clicked(self, session_id: StreamId) -> None:
        """A notification was clicked: open what it tells of."""
        self._do(self._open, session_id, self._teller.item_of(session_id), self._chosen_place())

    def answered(self, request_id: str, option_id: str) -> None:
        """A question was answered."""
        self._do(self._answer, request_id, option_id)

    def chosen(self, key: Key) -> None:
        """A line of the menu was clicked."""
        match key:
            case ("open", session, item, place):
                self._do(self._open, session, item, place)
            case ("web",):
                self._do(self._open, None, None, "web")
            case ("tui",):
                self._do(self._open, None, None, "tui")
            case ("answer", request, option):
                if self._offered.meant(key, time.monotonic()):
                    self._do(self._answer, request, option)
            case ("start",):
                self._do(self._start)
            case ("close", "keep" | "end" as answer):
                self._do(self._close_as, answer == "keep")
            case ("close",):
                self.close()
            case ("quit",):
                self.leave(stop=True)
            case _:
                self._change(key)

    def _change(self, key: Key) -> None:
        match key:
            case ("mute", session, seconds):
                until = None if seconds == "0" else to_text(now() + int(seconds) * 1_000_000)
                self._do(self._mute, session, {"until": until})
            case ("unmute", session):
                self._do(self._mute, session, {"muted": False})
            case ("mute", seconds):
                until_all = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=int(seconds))
                self._do(self._choose, "notifications", "muted_until", until_all)
            case ("unmute",):
                self._do(self._choose, "notifications", "muted_until", None)
            case ("set", name):
                value = not getattr(self._known.choices().notifications, name)
                self._do(self._choose, "notifications", name, value)
            case ("keep",):
                self._do(self._choose, "tray", "keep_running", not self._known.choices().tray.keep_running)
            case ("autostart",):
                self._do(self._begin_at_login, not self._autostart.enabled)
            case _:
                pass

    def close(self) -> None:
        """Take the icon away; the daemon stays where that was chosen."""
        self.leave(stop=not self._known.choices().tray.keep_running)

    def leave(self, *, stop: bool) -> None:
        """Take the icon away; with `stop` the daemon ends as well, if it was the tray that started it."""
        if self.leaving is None:
            self.leaving = stop
        self._left.set()

    def _chosen_place(self) -> str:
        return self._known.choices().tray.open

    def _do(self, what: Callable[..., Awaitable[None]], *args: object) -> None:
        if self._tasks is not None:
            self._tasks.start_soon(self._carefully, what, args)

    async def _carefully(self, what: Callable[..., Awaitable[None]], args: tuple[object, ...]) -> None:
        try:
            await what(*args)
        except HoldfastError as error:
            self._say(str(error))
        finally:
            self._known.change()

    async def _open(self, session_id: str | None, item_id: str | None, place: str) -> None:
        running = await to_thread.run_sync(self._control.running)
        if running is None:
            await self._start()
        if place == "tui" or (running is not None and not running.web):
            await self._opener.terminal(self._known.choices().tray.terminal, session_id)
        else:
            await self._opener.page(session_id, item_id)

    async def _answer(self, request_id: str, option_id: str) -> None:
        body = cast("Json", {"request_id": request_id, "option_id": option_id, "reason": None})
        await self._stream.command("answer", None, body, client_id=uuid4().hex)

    async def _mute(self, session_id: str, body: Json) -> None:
        await self._stream.command("mute", session_id, body, client_id=uuid4().hex)

    async def _choose(self, section: str, name: str, value: object) -> None:
        change = partial(self._preferences.change, cast("_Section", section), name, value)
        await to_thread.run_sync(change)

    async def _begin_at_login(self, wanted: bool) -> None:
        await to_thread.run_sync(self._autostart.enable if wanted else self._autostart.disable)

    async def _close_as(self, keep: bool) -> None:
        await self._choose("tray", "keep_running", keep)
        self.close()

    async def _heed_signals(self) -> None:
        """A desktop that is left, and Ctrl-C, close the tray as its menu does."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            async for _ in signals:
                self.close()
