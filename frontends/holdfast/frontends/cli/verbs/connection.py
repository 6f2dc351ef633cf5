"""`cancel`, `mode`, `end` and `reconnect`: what is asked of a session's agent beside prompts."""

from __future__ import annotations

import click

from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import App, answered, json_option, new_cause, quoted, session_argument, text
from holdfast.frontends.cli.terminal import complain


@click.command("cancel")
@session_argument
@json_option
@click.pass_obj
def cancel(app: App, *, session: str, as_json: bool) -> None:
    """Ask the agent to stop what it does. What it has said stays, and so does the queue."""
    daemon = app.daemon()
    row = daemon.cancel(daemon.resolve(session), client_id=new_cause())
    answered(app, row, f"{quoted(row)} was asked to stop", as_json=as_json)


@click.command("mode")
@session_argument
@click.argument("mode", type=text)
@json_option
@click.pass_obj
def mode(app: App, *, session: str, mode: str, as_json: bool) -> None:
    """Put the agent into another mode, one of its own."""
    daemon = app.daemon()
    row = daemon.mode(daemon.resolve(session), mode, client_id=new_cause())
    answered(app, row, f"{quoted(row)} is in mode {row.mode}", as_json=as_json)


@click.command("end")
@session_argument
@json_option
@click.pass_obj
def end(app: App, *, session: str, as_json: bool) -> None:
    """End a session for good. Its agent goes, its history stays."""
    daemon = app.daemon()
    row = daemon.end(daemon.resolve(session), client_id=new_cause())
    answered(app, row, f"{quoted(row)} has ended", as_json=as_json)


@click.command("reconnect")
@session_argument
@json_option
@click.pass_obj
@click.pass_context
def reconnect(ctx: click.Context, app: App, *, session: str, as_json: bool) -> None:
    """Connect a session to its agent now, whatever was tried before."""
    daemon = app.daemon()
    row = daemon.reconnect(daemon.resolve(session), client_id=new_cause())
    answered(app, row, f"{quoted(row)}: {row.connection.state}", as_json=as_json)
    if row.connection.state in ("failed", "gave_up"):
        app.terminal.flush()
        complain(row.connection.error or "it could not be connected")
        ctx.exit(FAILED)
