"""From a terminal to the application and back: what is checked before the screen is taken, and what is said after."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from holdfast.domain.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.ports import Library
    from holdfast.frontends.tui.source import Source


class TerminalError(HoldfastError):
    """There is no terminal that a screen could be shown on."""


def run(
    make: Callable[[], Source], *, session: str | None, drafts: Path | None, unicode: bool, at: int | None = None
) -> int:
    """Show a source until the person leaves, and return the exit code.

    Raises:
        HoldfastError: What kept it from being shown.
    """
    from holdfast.frontends.tui.app import HoldfastApp  # slow, and useless without a terminal

    app = HoldfastApp(
        make,
        session=session,
        at=at,
        drafts=drafts,
        unicode=unicode,
        colours=colours(os.environ),
        light=is_light(os.environ),
    )
    code = app.run()
    if app.refusal is not None:
        raise app.refusal
    return app.return_code or 0 if code is None else code


def live(control: DaemonControl, *, start: bool) -> Source:
    """Return the daemon as a source."""
    from holdfast.frontends.tui.live import Live  # after the first screen is up

    return Live(control, start=start)


def stored(library: Library, label: str) -> Source:
    """Return a store as a source."""
    from holdfast.frontends.tui.stored import Stored  # after the first screen is up

    return Stored(library, label)


def check() -> None:
    """Look whether there is a terminal that a screen can be shown on.

    Raises:
        TerminalError: There is none.
    """
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        msg = "the screen needs a terminal: run `holdfast tui` in one, or `holdfast ls` here"
        raise TerminalError(msg)
    named = os.environ.get("TERM", "")
    if named in ("", "dumb", "unknown"):
        msg = f"the terminal cannot show a screen (TERM is {named or 'not set'}): try `holdfast ls`"
        raise TerminalError(msg)


def colours(environ: Mapping[str, str]) -> int:
    """Return how many colours the terminal shows, as far as its environment tells."""
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 1 << 24
    return 256 if environ.get("COLORTERM") or "256color" in environ.get("TERM", "") else 16


def is_light(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal's background is light: HOLDFAST_THEME says so, or COLORFGBG as terminals set it."""
    named = environ.get("HOLDFAST_THEME", "").lower()
    if named in ("light", "dark"):
        return named == "light"
    return environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
