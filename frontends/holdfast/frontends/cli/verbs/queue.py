"""`queue`: what waits to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import json

from holdfast.domain.errors import ConflictError
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, json_option, new_cause, session_argument, text, words
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span, note

if TYPE_CHECKING:
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.client.sessions import DaemonSessions, Prompt

_SHORTEST = 4


@click.command("queue")
@session_argument
@click.argument("action", required=False, type=click.Choice(["edit", "drop", "clear", "resume"]))
@click.argument("prompt", required=False, type=text)
@click.argument("content", required=False, type=text, metavar="[TEXT|-]")
@json_option
@click.pass_obj
def queue(
    app: App, *, session: str, action: str | None, prompt: str | None, content: str | None, as_json: bool
) -> None:
    """Show what waits to be sent to a session, or change it.

    \b
    queue ID                    what waits
    queue ID edit PROMPT TEXT   says something else instead
    queue ID drop PROMPT        takes one back
    queue ID clear              takes all back
    queue ID resume             goes on after a turn was cut off
    """  # noqa: D301 # click wants the very character
    wanted = {"edit": 2, "drop": 1}.get(action or "", 0)
    if sum(each is not None for each in (prompt, content)) != wanted:
        msg = (
            f"`queue ID {action} {'PROMPT TEXT' if wanted == 2 else 'PROMPT'}` takes just that"
            if wanted
            else (f"`queue ID{f' {action}' if action else ''}` takes nothing more")
        )
        raise click.UsageError(msg)
    said = None if content is None else words(content)
    daemon = app.daemon()
    waiting = _done(daemon, daemon.resolve(session), action, prompt or "", said or "")
    if as_json:
        app.terminal.json(json.encode(waiting))
    elif waiting:
        columns = [
            Column("PROMPT", [Span(each.prompt_id, "dim") for each in waiting]),
            Column("STATE", [Span(each.state) for each in waiting]),
            Column("TEXT", [Span(one_line(each.text)) for each in waiting], least=20),
        ]
        terminal = app.terminal
        terminal.lines(table(columns, terminal.width, "…" if terminal.unicode else "..."))
    else:
        note("Nothing waits to be sent.")


def _done(daemon: DaemonSessions, session_id: StreamId, action: str | None, prompt: str, said: str) -> list[Prompt]:
    match action:
        case "edit":
            return daemon.edit(session_id, _named(daemon, session_id, prompt), said, client_id=new_cause())
        case "drop":
            return daemon.drop(session_id, _named(daemon, session_id, prompt), client_id=new_cause())
        case "clear":
            return daemon.clear(session_id, client_id=new_cause())
        case "resume":
            return daemon.resume(session_id, client_id=new_cause())
        case _:
            return daemon.queue(session_id)


def _named(daemon: DaemonSessions, session_id: StreamId, name: str) -> str:
    """Return the prompt that an id, or the beginning of one, names; what fits none is left to the daemon to refuse."""
    ids = [each.prompt_id for each in daemon.queue(session_id)]
    return beginning(name, ids)


def beginning(name: str, ids: list[str]) -> str:
    """Return the one of `ids` that is `name`, or that alone begins with it; `name` where none does.

    Raises:
        ConflictError: Several begin so.
    """
    if name in ids or len(name) < _SHORTEST:
        return name
    found = [each for each in ids if each.startswith(name)]
    if len(found) > 1:
        msg = f"{name!r} fits {len(found)} of them ({', '.join(found[:5])}): give more of the id"
        raise ConflictError(msg)
    return found[0] if found else name
