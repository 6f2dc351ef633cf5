"""`demo`: what Holdfast is for, in a minute or two."""

from __future__ import annotations

import click
from msgspec import json

from holdfast.domain.errors import NotRunningError
from holdfast.frontends.cli.demo import Demo, stage
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import Amount, App, json_option, start_option
from holdfast.frontends.wording import count


@click.command("demo")
@click.option(
    "--speed",
    type=Amount(min=0, max=1000, min_open=True),
    default=1.0,
    metavar="N",
    help="N times as fast as a person reads along.",
)
@start_option
@json_option
@click.pass_obj
@click.pass_context
def demo(ctx: click.Context, app: App, *, speed: float, start: bool, as_json: bool) -> None:
    """See what survives when the daemon is killed in mid-sentence.

    An agent works, asks, and goes on while its daemon is killed and started again; then the log is compared with what
    the agent sent. It needs no agent of yours and touches nothing: its home is a folder that is gone afterwards.
    """
    if not start:
        msg = "the demo needs a daemon of its own, to kill it: leave out --no-start"
        raise NotRunningError(msg)
    with stage(app.doors) as (control, home):
        shown = Demo(app.doors, app.terminal, speed=speed, silent=as_json).perform(control, home)
    if as_json:
        app.terminal.json(json.encode(shown))
    else:
        app.terminal.line(f"verified: {count(shown.events, 'event')}, {shown.lost} lost, {shown.doubled} doubled")
    if not shown.ok:
        app.terminal.flush()
        ctx.exit(FAILED)
