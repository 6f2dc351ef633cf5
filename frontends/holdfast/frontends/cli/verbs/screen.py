"""`tui`: every session on one screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from holdfast.domain.errors import NotFoundError, NotRunningError
from holdfast.frontends.cli.params import moment, sessions, start_option, text

if TYPE_CHECKING:
    from holdfast.frontends.cli.params import App


@click.command("tui")
@click.argument("session", metavar="[ID]", required=False, type=text, shell_complete=sessions)
@start_option
@click.option("--at", type=moment, metavar="TIME", help="Play the session, from how it was then.")
@click.option("--log", type=text, metavar="PATH", help="A store, or its folder, to look at and never write.")
@click.pass_context
def tui(ctx: click.Context, *, session: str | None, start: bool, at: int | None, log: str | None) -> None:
    """Show every session on one screen, live.

    Leaving it ends nothing.
    """
    app: App = ctx.obj
    if at is not None and session is None:
        raise click.UsageError("--at is a moment of a session: say of which one")
    ctx.exit(show(app, session=session, start=start, at=at, log=log))


def show(
    app: App, *, session: str | None = None, start: bool = True, at: int | None = None, log: str | None = None
) -> int:
    """Open the screen and return the exit code once it is left."""
    from holdfast.frontends.tui import start as screen

    screen.check()
    drafts = None
    if log is not None:
        label, library = app.doors.log(log)
        make = partial(screen.stored, library, label)
    elif not start and app.control.running() is None:
        try:
            label, library = app.doors.log(None)
        except NotFoundError as error:
            msg = "no daemon runs, and there is no store to read: `holdfast up` starts one"
            raise NotRunningError(msg) from error
        make = partial(screen.stored, library, label)
    else:
        make = partial(screen.live, app.control, start=start)
        drafts = app.doors.home() / "drafts"
    return screen.run(make, session=session, at=at, drafts=drafts, unicode=app.terminal.unicode)
