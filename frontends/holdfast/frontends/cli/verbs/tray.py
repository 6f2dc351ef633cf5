"""`tray`: the icon on the desktop."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click
from msgspec import json

from holdfast.domain.errors import DesktopError
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import json_option, start_option
from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from holdfast.frontends.cli.params import App


@click.command("tray")
@start_option
@click.option("--autostart/--no-autostart", default=None, help="Start the tray at login, or not any more; then end.")
@json_option
@click.pass_obj
def tray(app: App, *, start: bool, autostart: bool | None, as_json: bool) -> None:
    """Show an icon, a menu and notifications on your desktop.

    It stays until you close it there; Ctrl-C does the same.
    """
    if autostart is not None:
        from holdfast.frontends.tray.freedesktop.autostart import Autostart  # only asked here

        entry = Autostart(os.environ)
        done = entry.enable() if autostart else entry.disable()
        if as_json:
            app.terminal.json(json.encode({"done": done}))
        for line in [] if as_json else done:
            app.terminal.line(one_line(line))
        return
    try:
        from holdfast.frontends.tray.main import run  # brings D-Bus and an event loop
    except ModuleNotFoundError as error:
        msg = f"there is no tray for this platform yet ({error.name} is not installed here)"
        raise DesktopError(msg) from error

    if sys.stderr.isatty():
        note("The icon goes to your panel. Close it there, or with Ctrl-C.")
    run(app.control, app.doors.preferences(), lambda line: note(f"holdfast: {one_line(line)}"), start=start)
