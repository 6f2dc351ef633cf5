"""`token`: who else may speak to the daemon. Works with and without one; one that runs hears of it within a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import json

from holdfast.frontends.cli import wording
from holdfast.frontends.cli.cells import pad
from holdfast.frontends.cli.params import json_option, text
from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from holdfast.frontends.cli.params import App


@click.group("token", no_args_is_help=False)
def token() -> None:
    """Give out tokens for the daemon's API, and take them back."""


@token.command("new")
@click.option("--read-only", is_flag=True, help="It may look, and change nothing.")
@click.option("--name", type=text, metavar="N", help="What to call it; needed to revoke it.")
@json_option
@click.pass_obj
def new(app: App, *, read_only: bool, name: str | None, as_json: bool) -> None:
    """Make a token and print it, this once."""
    made, secret = app.control.tokens().new(name, read_only=read_only)
    if as_json:
        app.terminal.json(json.encode({"name": made.name, "read_only": made.read_only, "token": secret}))
        return
    app.terminal.line(secret)
    note(f"It is called {made.name}; `holdfast token revoke {made.name}` takes it back.")


@token.command("ls")
@json_option
@click.pass_obj
def ls(app: App, *, as_json: bool) -> None:
    """List the tokens that were given out."""
    given = app.control.tokens().named()
    if as_json:
        shapes = [{"name": each.name, "read_only": each.read_only, "created": each.created} for each in given]
        app.terminal.json(json.encode(shapes))
        return
    if not given:
        note("No token was given out beside the home's own.")
        return
    size = max(len(each.name) for each in given)
    for each in given:
        may = "reads" if each.read_only else "reads and writes"
        app.terminal.line(f"{pad(each.name, size)}  {pad(may, 16)}  {wording.local_of(each.created)}")


@token.command("rotate")
@json_option
@click.pass_obj
def rotate(app: App, *, as_json: bool) -> None:
    """Replace the home's own token. Browsers sign in anew; whoever came in with the old one is out."""
    app.control.tokens().rotate()
    if as_json:
        app.terminal.json(json.encode({"rotated": True}))
    else:
        app.terminal.line("the home has a new token; browsers have to sign in anew (`holdfast web`)")


@token.command("revoke")
@click.argument("name", type=text)
@json_option
@click.pass_obj
def revoke(app: App, *, name: str, as_json: bool) -> None:
    """Take a token back. What is attached by it is closed."""
    app.control.tokens().revoke(name)
    if as_json:
        app.terminal.json(json.encode({"revoked": name}))
    else:
        app.terminal.line(f"{name} opens nothing any more")
