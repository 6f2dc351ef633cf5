"""`approve` and `deny`: answers to what waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import json

from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, json_option, new_cause, request_argument, text
from holdfast.frontends.cli.verbs.queue import beginning

if TYPE_CHECKING:
    from holdfast.domain.projections.inbox import Request
    from holdfast.frontends.client.sessions import Answered, DaemonSessions


@click.command("approve")
@request_argument
@click.option("--option", "option_id", type=text, metavar="ID", help="Which of its answers; the one that allows once.")
@json_option
@click.pass_obj
def approve(app: App, *, request: str, option_id: str | None, as_json: bool) -> None:
    """Allow what an agent asks for. `holdfast inbox` lists what waits.

    REQUEST is its id, or four or more characters that its id alone begins with.
    """
    daemon = app.daemon()
    request_id, waiting = _waiting(daemon, request)
    if option_id is None:
        option_id = "" if waiting is None else _allows_once(waiting)
    _answered(app, daemon.answer(request_id, option_id, None, client_id=new_cause()), waiting, as_json=as_json)


@click.command("deny")
@request_argument
@click.option("--reason", type=text, metavar="T", help="Why; it is kept with your answer.")
@json_option
@click.pass_obj
def deny(app: App, *, request: str, reason: str | None, as_json: bool) -> None:
    """Refuse what an agent asks for. `holdfast inbox` lists what waits.

    REQUEST is its id, or four or more characters that its id alone begins with.
    """
    daemon = app.daemon()
    request_id, waiting = _waiting(daemon, request)
    option_id = None
    if waiting is not None:
        option_id = next((each.option_id for each in waiting.options if each.kind == "reject_once"), None)
    _answered(app, daemon.answer(request_id, option_id, reason, client_id=new_cause()), waiting, as_json=as_json)


def _waiting(daemon: DaemonSessions, name: str) -> tuple[str, Request | None]:
    """Return the id that is meant, and what waits under it; whatever waits no more is for the daemon to say."""
    inbox = {each.request_id: each for each in daemon.inbox()}
    request_id = beginning(name, list(inbox))
    return request_id, inbox.get(request_id)


def _allows_once(waiting: Request) -> str:
    fitting = [each.option_id for each in waiting.options if each.kind == "allow_once"]
    if len(fitting) == 1:
        return fitting[0]
    offered = ", ".join(one_line(each.option_id) for each in waiting.options)
    msg = f"it offers {len(fitting) or 'no'} answers that allow it once: name one with --option ({offered})"
    raise click.UsageError(msg)


def _answered(app: App, done: Answered, waiting: Request | None, *, as_json: bool) -> None:
    if as_json:
        app.terminal.json(json.encode(done))
        return
    options = () if waiting is None else waiting.options
    chosen = next((each.name or each.option_id for each in options if each.option_id == done.option_id), done.option_id)
    title = done.request_id if waiting is None else waiting.title
    app.terminal.line(f"{one_line(title)}: {one_line(chosen or 'cancelled')}")
