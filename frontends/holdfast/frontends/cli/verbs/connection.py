"""`cancel`, `end` and `reconnect`: what is asked of a session's agent beside prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import App, answered, json_option, new_cause, quoted, session_argument
from holdfast.frontends.cli.terminal import complain, note

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.client.sessions import DaemonSessions

    Ask = Callable[[DaemonSessions, StreamId, str], Row]

READY_WITHIN_S = 5.0
"""How long a verb that connects a session waits for that."""


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
    row = _asked(app, session, _reconnected, _CONNECTION, as_json=as_json)
    app.terminal.flush()
    if failed(row):
        complain(row.connection.error or "it could not be connected")
        ctx.exit(FAILED)
    say_how_it_stands(row)


_STOPPING = "{title} was asked to stop"
_ENDED = "{title} has ended"
_CONNECTION = "{title}: {row.connection.state}"


def _reconnected(daemon: DaemonSessions, name: StreamId, cause: str) -> Row:
    daemon.reconnect(name, client_id=cause)
    return daemon.opened(name, READY_WITHIN_S)


def failed(row: Row) -> bool:
    """Tell whether a session could not be connected, and will not be by itself."""
    return row.connection.state in ("failed", "gave_up")


def say_how_it_stands(row: Row) -> None:
    """Tell on standard error where a session that was to be connected is not yet, and how to see it."""
    if row.connection.state not in ("connecting", "reconnecting"):
        return
    why = f" ({one_line(row.connection.error)})" if row.connection.error else ""
    note(f"holdfast: it is still {row.connection.state}{why}, and goes on by itself: `holdfast ls` tells how it stands")
