"""The way to the terminal: ASCII alone where it can show no more, and the title of its window."""

from __future__ import annotations

import os
import sys
from codecs import getincrementaldecoder
from selectors import EVENT_READ, SelectSelector
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from holdfast.domain.escaping import escaped
from holdfast.frontends.tui.pace import ASK, Pace
from holdfast.frontends.tui.plain import plain

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from textual.app import App

_KEEP_TITLE: Final = "\x1b[22;2t"
_RESTORE_TITLE: Final = "\x1b[23;2t"
_TITLE: Final = 120
"""Letters of a title at the most; some terminals cut longer ones in the middle of an escape."""

_LOOK_S: Final = 0.1
"""How often to look whether the screen was given back, and whether an escape that came was a key of its own."""

_ANSWERS_S: Final = 1.0
_TURN_S: Final = 0.01
_PIECE: Final = 1 << 16
_GONE: Final = 129
"""The exit code of a program whose terminal hung up."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, with what it lacks."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType] # half known
        self.pace = Pace(self._caught_up)
        self._listener: Callable[[], None] | None = None
        self._written = 0
        self._asks = False

    def when_caught_up(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the event loop whenever the terminal has answered."""
        self._listener = listener

    def _caught_up(self) -> None:
        if self._listener is not None:
            self._loop.call_soon_threadsafe(self._listener)

    def flush(self) -> None:
        """Ask, after a frame, whether the terminal has come so far; not once nobody reads the answer."""
        if self._asks:
            self.write(ASK)
            self.pace.sent(self._written)
        self._written = 0
        super().flush()

    def disable_input(self) -> None:
        """Take no more keys; an answer that is still on its way is waited for, or it would be typed into the shell."""
        self._asks = False
        until = monotonic() + _ANSWERS_S
        while self.pace.waiting and monotonic() < until:
            sleep(_TURN_S)
        super().disable_input()

    def start_application_mode(self) -> None:
        """Take the screen, and remember the title."""
        self._asks = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no types
        self.write(_KEEP_TITLE)
        if not os.environ.get("HOLDFAST_DEBUG"):
            self._loop.set_exception_handler(_unsaid)

    def stop_application_mode(self) -> None:
        """Give both back."""
        self.write(_RESTORE_TITLE)
        super().stop_application_mode()

    def write(self, data: str) -> None:
        """Write, as long as there is somebody to write to: a terminal that has gone takes the thread with it."""
        self._written += len(data)
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def close(self) -> None:
        """End the thread that writes."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().close()

    def run_input_thread(self) -> None:
        """Hand on what is typed, also where it is no UTF-8, until the screen is given back or the terminal goes.

        Textual's own ends the program at the first byte that is none: a key of a terminal with an older encoding.
        """
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with SelectSelector() as selector:
            selector.register(self.fileno, EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_LOOK_S):
                    try:
                        data = os.read(self.fileno, _PIECE)
                    except OSError:
                        data = b""
                    if not data:
                        self._app.call_later(self._app.exit, _GONE)
                        return
                    typed = self.pace.heard(decode(data))
                else:
                    typed = self.pace.rest()
                if typed:  # nothing would be the end of all input to the parser
                    for message in parser.feed(typed):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def entitle(self, title: str) -> None:
        """Set the title of the window. Nothing in it can end the sequence early."""
        self.write(f"\x1b]2;{escaped(title)[:_TITLE]}\x1b\\")


class PlainDriver(TerminalDriver):
    """For a terminal of which only ASCII is known: everything else becomes what comes closest, of the same width."""

    def write(self, data: str) -> None:
        """Write what every terminal can show."""
        super().write(data if data.isascii() else plain(data))


def _unsaid(loop: AbstractEventLoop, context: dict[str, object]) -> None:
    """Say nothing of a callback that failed: it would stand in the person's shell, unescaped, once the screen is gone.

    One of anyio's fails when something comes in at the moment in which nobody waits for it any more.
    """
    del loop, context


def driver_for(*, unicode: bool) -> type[TerminalDriver]:
    """Return the driver for a terminal."""
    if sys.platform != "darwin":
        # Textual reads Alt and a digit as what the Option key of a Mac types: a section sign for a six.
        sequences = cast("dict[str, object]", ANSI_SEQUENCES_KEYS)
        for digit in "123456789":
            sequences.pop(f"\x1b{digit}", None)
    return TerminalDriver if unicode else PlainDriver
