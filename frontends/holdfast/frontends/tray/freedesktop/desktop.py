"""The whole desktop: icon, menu and notifications on one connection, each where there is somebody to show it."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import anyio

from holdfast.domain.errors import DesktopError, OccupiedError
from holdfast.frontends.tray.freedesktop.bus import Bus, CallError, connected
from holdfast.frontends.tray.freedesktop.item import MENU_PATH, PATH, Item
from holdfast.frontends.tray.freedesktop.menu import Menu
from holdfast.frontends.tray.freedesktop.notifications import Notifications

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from holdfast.domain.notifying.policy import Show
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.tray.port import Entry, Events, Picture

WATCHER: Final = "org.kde.StatusNotifierWatcher"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
WATCHER_PATH: Final = "/StatusNotifierWatcher"


class FreedesktopDesktop:
    """A desktop that is entered by `entered`."""

    def __init__(self, bus: Bus, events: Events, say: Callable[[str], None]) -> None:
        """Use a connection; `say` is told, once each, what the desktop does not have."""
        self._bus = bus
        self._said: set[str] = set()
        self._tell = say
        self._name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
        self._item = Item(events.opened)
        self._menu = Menu(events)
        self._notifications = Notifications(bus, events, self._say)
        self._watched = anyio.Event()

    async def begin(self) -> None:
        """Put everything where it can be found.

        Raises:
            CallError: The bus does not answer.
        """
        self._bus.export(PATH, self._item)
        self._bus.export(MENU_PATH, self._menu)
        await self._bus.claim(self._name)
        await self._bus.follow(WATCHER, self._watcher_changed)
        await self._notifications.begin()

    async def register(self) -> None:
        """Keep the icon registered with whoever watches, for ever: a panel that restarts knows nothing of it."""
        while True:
            self._watched = anyio.Event()
            try:
                await self._bus.call(WATCHER, WATCHER_PATH, WATCHER, "RegisterStatusNotifierItem", "s", [self._name])
            except CallError:
                self._say("no icon: this desktop has no tray for it now; notifications go on")
            else:
                await self._look_for_a_host()
            await self._watched.wait()

    async def _look_for_a_host(self) -> None:
        """Some desktops have a watcher and nobody who shows what it watches over."""
        wanted = [WATCHER, "IsStatusNotifierHostRegistered"]
        try:
            (found,) = await self._bus.call(WATCHER, WATCHER_PATH, PROPERTIES, "Get", "ss", wanted)
        except CallError:
            return  # it does not say
        if getattr(found, "value", True) is False:
            self._say("no icon: this desktop has no tray for it now; notifications go on")

    def paint(self, picture: Picture) -> None:
        """Have the icon show this."""
        self._item.paint(picture)

    def offer(self, menu: tuple[Entry, ...]) -> None:
        """Have the menu be this."""
        self._menu.offer(menu)

    async def notify(self, show: Show) -> bool:
        """Show the notification of a session, or change it."""
        return await self._notifications.notify(show)

    async def withdraw(self, session_id: StreamId) -> None:
        """Take it back."""
        await self._notifications.withdraw(session_id)

    async def withdraw_all(self) -> None:
        """Take all back."""
        await self._notifications.withdraw_all()

    def _watcher_changed(self, owner: str) -> None:
        if owner:
            self._watched.set()

    def _say(self, line: str) -> None:
        what, _, _ = line.partition(":")
        if what not in self._said:
            self._said.add(what)
            self._tell(line)


@asynccontextmanager
async def entered(
    address: str, home: str, events: Events, say: Callable[[str], None]
) -> AsyncGenerator[FreedesktopDesktop]:
    """Be on the desktop until the context is left, or its bus is gone.

    Args:
        address: Where its bus is.
        home: Names the sessions: there is one tray for them on a desktop.
        events: Is told what the person does.
        say: Is told what the desktop does not have.

    Raises:
        DesktopError: Its bus cannot be reached, or is gone.
        OccupiedError: There is a tray for this home already.
    """
    async with connected(address) as bus:
        desktop = FreedesktopDesktop(bus, events, say)
        name = f"org.holdfast.Tray.h{sha256(home.encode()).hexdigest()[:12]}"
        try:
            if not await bus.claim(name):
                msg = "a tray for these sessions is there already: look for its icon"
                raise OccupiedError(msg)
            await desktop.begin()
        except CallError as error:
            msg = f"the D-Bus session does not answer as it should ({error})"
            raise DesktopError(msg) from error
        lost = False

        async def watch() -> None:
            nonlocal lost
            await bus.until_lost()
            lost = True
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            tasks.start_soon(desktop.register)
            try:
                yield desktop
            finally:
                if not lost:
                    with anyio.move_on_after(2, shield=True):
                        await desktop.withdraw_all()
                tasks.cancel_scope.cancel()
        if lost:
            msg = "the D-Bus session of this desktop is gone"
            raise DesktopError(msg)
