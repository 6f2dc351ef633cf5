"""Running the tray: a daemon to attach to, a desktop to be on, and what is left behind at the end."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from holdfast.domain.daemon import Listen
from holdfast.domain.errors import DesktopError, HoldfastError
from holdfast.frontends.client.stream import attached
from holdfast.frontends.tray.app import Tray
from holdfast.frontends.tray.freedesktop.autostart import Autostart
from holdfast.frontends.tray.freedesktop.bus import address_of
from holdfast.frontends.tray.freedesktop.desktop import entered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.preferences import Preferences

NAME: Final = "tray"
"""What stands in the log as the device."""

RETURN_S: Final = 60.0
"""How long a session bus that has gone is waited for; after that the desktop has ended."""

_AGAIN_S: Final = 1.0


def run(control: DaemonControl, preferences: Preferences, say: Callable[[str], None], *, start: bool) -> None:
    """Be in the tray until the person leaves.

    Args:
        control: The daemon as a process.
        preferences: What the person has chosen; read again whenever it matters.
        say: Tells the person something in one line.
        start: Whether to start a daemon where none runs.

    Raises:
        DesktopError: There is no D-Bus session, or it has gone and does not come back.
        OccupiedError: There is a tray for these sessions already.
        HoldfastError: The daemon cannot be started or is of another store, or the settings cannot be understood.
    """
    address_of(os.environ)
    preferences.read()
    control.running()
    # Everything that speaks D-Bus needs asyncio.
    anyio.run(_run, control, preferences, say, start, backend="asyncio")


async def _run(control: DaemonControl, preferences: Preferences, say: Callable[[str], None], start: bool) -> None:
    daemon = _OwnDaemon(control)
    tray: Tray | None = None
    refused: HoldfastError | None = None
    gone_at: float | None = None
    begun = False
    while tray is None or tray.leaving is None:
        made = Tray(control, preferences, Autostart(os.environ), say, started=daemon.start)
        try:
            async with entered(address_of(os.environ), preferences.home, made, say) as desktop:
                gone_at = None
                if start and not begun:
                    refused = await _refusal(daemon.start)
                if refused is None:
                    begun, tray = True, made
                    async with attached(control, NAME) as stream:
                        await made.run(stream, desktop)
        except DesktopError as error:
            if not begun:
                raise
            now = time.monotonic()
            if gone_at is None:
                say(f"{error}; waiting for it to come back")
                gone_at = now
            if now - gone_at >= RETURN_S:
                raise
            await anyio.sleep(_AGAIN_S)
        if refused is not None:
            raise refused
    if tray.leaving:
        await daemon.stop()


async def _refusal(what: Callable[[], Awaitable[None]]) -> HoldfastError | None:
    """Return why something cannot be done. Raised within the desktop it would come out wrapped in a group."""
    try:
        await what()
    except HoldfastError as error:
        return error
    return None


class _OwnDaemon:
    """The daemon, as far as this tray has started it."""

    def __init__(self, control: DaemonControl) -> None:
        self._control = control
        self._pid: int | None = None

    async def start(self) -> None:
        """Start one where none runs."""
        await to_thread.run_sync(self._begin)

    def _begin(self) -> None:
        if self._control.running(wait_s=10.0) is None:
            self._pid = self._control.start(Listen()).pid

    async def stop(self) -> None:
        """End it if it is ours and still the one that runs; its agents go on under their hosts."""
        await to_thread.run_sync(self._end)

    def _end(self) -> None:
        running = self._control.running()
        if running is not None and running.pid == self._pid:
            self._control.stop()
