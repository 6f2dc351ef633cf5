"""The application: what holds from the first screen to the last, whatever is on it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.driver import TerminalDriver, driver_for
from holdfast.frontends.tui.roster.screen import RosterScreen
from holdfast.frontends.tui.theme import DARK, LIGHT, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.frontends.tui.source import Source

_ENDS: Final = {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGHUP: 128 + signal.SIGHUP}


class HoldfastApp(App[int]):
    """Shows one source. What it returns is the exit code.

    Attributes:
        refusal: Why it could not go on, where it could not.
    """

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Holdfast"
    BINDINGS: ClassVar = [("ctrl+q", "detach", "Detach")]

    def __init__(
        self,
        make: Callable[[], Source],
        *,
        session: str | None = None,
        unicode: bool = True,
        colours: int = 1 << 24,
        light: bool = False,
    ) -> None:
        """Show what `make` returns; it is called when the first screen is up.

        Args:
            make: Makes the source.
            session: The session to open first, by any of its names.
            unicode: Whether the terminal shows more than ASCII.
            colours: How many it shows; 16 are taken as they are set in the terminal.
            light: Whether its background is light.
        """
        super().__init__(driver_class=driver_for(unicode=unicode))
        self.refusal: Exception | None = None
        self._make = make
        self._first = session
        for theme in (DARK, LIGHT, PLAIN):
            self.register_theme(theme)
        self.theme = (PLAIN if colours <= 16 else LIGHT if light else DARK).name

    def on_mount(self) -> None:
        """Show the roster, empty as yet, and only then look for what is in it."""
        loop = asyncio.get_running_loop()
        for number, code in _ENDS.items():
            loop.add_signal_handler(number, self.exit, code)
        self.push_screen(RosterScreen())
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self._attend())

    async def _attend(self) -> None:
        try:
            source = self._make()
            screen = self.screen
            assert isinstance(screen, RosterScreen)
            screen.attend(source)
            await source.run()
        except HoldfastError as error:
            self.refusal = error
            self.exit(1)

    def action_detach(self) -> None:
        """Leave; every session goes on."""
        self.exit(0)

    def entitle(self, title: str) -> None:
        """Set the title of the terminal's window."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.entitle(title)

    def _fatal_error(self) -> None:
        """End without a traceback on the screen: it would show content, as it is."""
        self.refusal = self._exception
        self._close_messages_no_wait()
