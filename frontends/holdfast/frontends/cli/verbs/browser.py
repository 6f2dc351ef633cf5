"""`web`: the way into the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import json

from holdfast.domain.errors import ConflictError
from holdfast.frontends.cli.params import json_option, start_option
from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from holdfast.frontends.cli.params import App


@click.command("web")
@start_option
@json_option
@click.pass_obj
def web(app: App, *, start: bool, as_json: bool) -> None:
    """Print a link that signs your browser in. It works once, within a minute."""
    daemon = app.daemon(start=start)
    running = app.control.running()
    if running is not None and not running.web:
        msg = f"the daemon at {running.url} serves no page: `holdfast down`, then `holdfast up` without --no-web"
        raise ConflictError(msg)
    link = daemon.sign_in_link()
    if as_json:
        app.terminal.json(json.encode(link))
        return
    app.terminal.line(link.url)
    note(f"Open it within {link.expires_in} s; it works once. Your browser stays signed in.")
