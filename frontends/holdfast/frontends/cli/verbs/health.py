"""`doctor`: whether everything is as it should be."""

from __future__ import annotations

import click

from holdfast.domain import wire
from holdfast.domain.answers import Check
from holdfast.domain.errors import SettingsError, StoreError
from holdfast.frontends.cli.cells import pad
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import App, json_option
from holdfast.frontends.cli.terminal import Span


@click.command("doctor")
@json_option
@click.pass_obj
@click.pass_context
def doctor(ctx: click.Context, app: App, *, as_json: bool) -> None:
    """Check the store, its folder and its files."""
    try:
        with app.reading() as reading:
            checks = reading.checks()
    except (SettingsError, StoreError) as error:
        # What keeps a store from being opened is the very thing a person asks the doctor about.
        what = "configuration" if isinstance(error, SettingsError) else "store"
        _print(app, [Check(what, ok=False, detail=str(error))], as_json=as_json)
        app.terminal.flush()
        raise
    _print(app, checks, as_json=as_json)
    if not all(check.ok for check in checks):
        ctx.exit(FAILED)


def _print(app: App, checks: list[Check], *, as_json: bool) -> None:
    terminal = app.terminal
    if as_json:
        terminal.json(wire.encode(checks))
        return
    size = max((len(one_line(check.check)) for check in checks), default=0)
    for check in checks:
        shape, word, style = ("✓", "ok", "green") if check.ok else ("✗", "bad", "red")
        sign = f"{shape} {word:<3}" if terminal.unicode else f"{word:<3}"
        terminal.line(Span(sign, style), f"  {pad(one_line(check.check), size)}  {one_line(check.detail)}")
