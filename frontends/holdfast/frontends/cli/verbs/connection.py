"""`cancel`, `mode`, `end` and `reconnect`: what is asked of a session's agent beside prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import App, answered, json_option, new_cause, quoted, session_argument, text
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span, complain

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.client.sessions import DaemonSessions

    Ask = Callable[[DaemonSessions, StreamId, str], Row]


def _asked(app: App, session: str, ask: Ask, said: str, *, as_json: bool) -> Row:
    """Ask something of a session, and answer with what `said` makes of its row."""
    daemon = app.daemon()
    row = ask(daemon, daemon.resolve(session), new_cause())
    answered(app, row, said.format(title=quoted(row), row=row), as_json=as_json)
    return row


@click.command("cancel")
@session_argument
@json_option
@click.pass_obj
def cancel(app: App, *, session: str, as_json: bool) -> None:
    """Ask the agent to stop what it does. What it has said stays, and so does the queue."""
    _asked(app, session, lambda to, name, cause: to.cancel(name, client_id=cause), _STOPPING, as_json=as_json)


@click.command("mode")
@session_argument
@click.argument("mode", type=text, required=False)
@json_option
@click.pass_obj
def mode(app: App, *, session: str, mode: str | None, as_json: bool) -> None:
    """Change the agent's mode; without MODE, list its modes."""
    if mode is None:
        daemon = app.daemon()
        _list_modes(app, daemon.offers(daemon.resolve(session)), as_json=as_json)
        return
    wanted = mode
    _asked(app, session, lambda to, name, cause: to.mode(name, wanted, client_id=cause), _MODE, as_json=as_json)


@click.command("end")
@session_argument
@json_option
@click.pass_obj
def end(app: App, *, session: str, as_json: bool) -> None:
    """End a session for good. Its agent goes, its history stays."""
    _asked(app, session, lambda to, name, cause: to.end(name, client_id=cause), _ENDED, as_json=as_json)


@click.command("reconnect")
@session_argument
@json_option
@click.pass_obj
@click.pass_context
def reconnect(ctx: click.Context, app: App, *, session: str, as_json: bool) -> None:
    """Connect a session to its agent now, whatever was tried before."""
    row = _asked(
        app, session, lambda to, name, cause: to.reconnect(name, client_id=cause), _CONNECTION, as_json=as_json
    )
    if row.connection.state in ("failed", "gave_up"):
        app.terminal.flush()
        complain(row.connection.error or "it could not be connected")
        ctx.exit(FAILED)


_STOPPING = "{title} was asked to stop"
_MODE = "{title} is in mode {row.mode}"
_ENDED = "{title} has ended"
_CONNECTION = "{title}: {row.connection.state}"


def _list_modes(app: App, offers: Offers, *, as_json: bool) -> None:
    terminal = app.terminal
    if as_json:
        from msgspec.json import encode  # few verbs need it

        terminal.json(encode({"mode": offers.mode, "modes": offers.modes}))
        return
    if not offers.modes:
        terminal.line("its agent offers no modes" + (f"; it is in {offers.mode}" if offers.mode else ""))
        return
    here, there = ("●", " ") if terminal.unicode else ("*", " ")
    columns = [
        Column("", [Span(here if each.id == offers.mode else there, "green") for each in offers.modes]),
        Column("MODE", [Span(each.id, "bold") for each in offers.modes]),
        Column("", [Span(each.description or each.name) for each in offers.modes], least=20),
    ]
    terminal.lines(table(columns, terminal.width, "…" if terminal.unicode else "..."))
