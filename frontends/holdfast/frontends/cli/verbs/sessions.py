"""`rename`, `read`, `unread`, `mute`, `pin` and `rm`: small changes to one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.domain import wire
from holdfast.domain.recorded import Actor
from holdfast.domain.session import commands
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import (
    DEVICE,
    App,
    answered,
    duration,
    json_option,
    new_cause,
    quoted,
    session_argument,
    text,
)
from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.session.commands import Personal

_PERSON = Actor("human", DEVICE)


@click.command("rename")
@session_argument
@click.argument("title", type=text)
@json_option
@click.pass_obj
def rename(app: App, *, session: str, title: str, as_json: bool) -> None:
    """Give a session another title."""
    if not title.strip():
        msg = "a title needs at least one character that can be seen"
        raise click.UsageError(msg)
    row = _change(app, session, commands.Rename(title))
    answered(app, row, f"{row.id} is now called {quoted(row)}", as_json=as_json)


@click.command("read")
@session_argument
@json_option
@click.pass_obj
def read(app: App, *, session: str, as_json: bool) -> None:
    """Mark a session as read."""
    row = _change(app, session, commands.MarkRead())
    answered(app, row, f"{quoted(row)} is read", as_json=as_json)


@click.command("unread")
@session_argument
@json_option
@click.pass_obj
def unread(app: App, *, session: str, as_json: bool) -> None:
    """Mark a session as unread."""
    row = _change(app, session, commands.MarkUnread())
    answered(app, row, f"{quoted(row)} is unread", as_json=as_json)


@click.command("mute")
@session_argument
@click.option("--for", "span", type=duration, metavar="DURATION", help="How long, such as 30m, 2h or 1d.")
@click.option("--off", is_flag=True, help="Notify again.")
@json_option
@click.pass_obj
def mute(app: App, *, session: str, span: int | None, off: bool, as_json: bool) -> None:
    """Silence a session's notifications, for a while or for good."""
    if off and span is not None:
        msg = "--for and --off contradict each other"
        raise click.UsageError(msg)
    now = wording.now()
    until = None if span is None else now + span
    row = _change(app, session, commands.Mute(muted=not off, until=until))
    answered(app, row, f"{quoted(row)} is {wording.muted(row, now) or 'not muted'}", as_json=as_json)


@click.command("pin")
@session_argument
@click.option("--off", is_flag=True, help="Unpin it.")
@json_option
@click.pass_obj
def pin(app: App, *, session: str, off: bool, as_json: bool) -> None:
    """Pin a session to the top."""
    row = _change(app, session, commands.Pin(pinned=not off))
    answered(app, row, f"{quoted(row)} is {'pinned' if row.pinned else 'not pinned'}", as_json=as_json)


@click.command("rm")
@session_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
@click.pass_context
def rm(ctx: click.Context, app: App, *, session: str, yes: bool, as_json: bool) -> None:
    """Erase the content of a session for good. The log still verifies."""
    if not yes:
        if not app.terminal.can_ask:
            msg = "erasing cannot be undone, and nobody is here to ask; add --yes"
            raise click.UsageError(msg)
        with app.reading() as reading:  # whoever thinks about it must not keep others from writing
            row = reading.row(reading.resolve(session))
        if not app.terminal.ask(f"Erase the content of {quoted(row)} ({row.id}) for good?"):
            note("Nothing was erased.")
            ctx.exit(FAILED)
        session = row.id
    with app.writing() as workspace:
        session_id = workspace.resolve(session)
        remains = workspace.erase(session_id, actor=_PERSON)
    if remains is not None:
        note(f"Traces may remain: {remains}.")
    if as_json:
        app.terminal.json(wire.encode({"id": session_id, "erased": True}))
    else:
        app.terminal.line(f"{session_id} is erased")


def _change(app: App, session: str, command: Personal) -> Row:
    with app.writing() as workspace:
        session_id = workspace.resolve(session)
        return workspace.change(session_id, command, cause=new_cause(), actor=_PERSON)
