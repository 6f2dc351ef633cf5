"""`send` and `wait`: words to an agent, and what comes of them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import click
from msgspec import json

from holdfast.domain.errors import TimedOutError
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.exits import FAILED, REFUSED
from holdfast.frontends.cli.params import (
    App,
    answered,
    client_id_option,
    json_option,
    new_cause,
    quoted,
    seconds_option,
    session_argument,
    start_option,
    text,
    words,
)
from holdfast.frontends.cli.reply import Listener, Reply
from holdfast.frontends.cli.terminal import complain, note
from holdfast.frontends.cli.wording import mark
from holdfast.frontends.client.sessions import hopeless

if TYPE_CHECKING:
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.client.sessions import DaemonSessions, Moment, Prompt

_LONGEST_S = 20.0
"""How long a reply is listened for until somebody looks whether there can be one."""


@click.command("send")
@session_argument
@click.argument("prompt", type=text, metavar="TEXT|-")
@click.option("--wait", "waits", is_flag=True, help="Print the reply, and return when it is complete.")
@seconds_option("How long to wait for the reply, in seconds; for as long as it takes by default.")
@client_id_option
@start_option
@json_option
@click.pass_obj
@click.pass_context
def send(
    ctx: click.Context,
    app: App,
    *,
    session: str,
    prompt: str,
    waits: bool,
    timeout: float | None,
    client_id: str | None,
    start: bool,
    as_json: bool,
) -> None:
    """Say something to an agent, now or as soon as it is free.

    With --wait it ends with 4 as soon as the agent needs you, and with 1 where there will be no reply.
    """
    if timeout is not None and not waits:
        msg = "--timeout says how long to --wait; give both"
        raise click.UsageError(msg)
    said = words(prompt)
    daemon = app.daemon(start=start)
    session_id = daemon.resolve(session)
    # A command that was carried out before may have its reply already.
    since = daemon.row(session_id).position if client_id is None else 0
    asked = _waiting(daemon, session_id) if waits else []
    sent = daemon.prompt(session_id, said, client_id=client_id or new_cause())
    if not waits:
        if as_json:
            app.terminal.json(json.encode({"prompt_id": sent.prompt_id, "state": sent.state}))
        else:
            app.terminal.line(f"{sent.state}: {sent.prompt_id}")
        return
    if asked:  # since before: the prompt has to wait for that
        reply = Reply("needs_you", asked[0].title, request_id=asked[0].request_id)
    else:
        reply = _listen(app, daemon, session_id, sent, since=since, timeout=timeout, as_json=as_json)
    if as_json:
        state = _STATES.get(reply.outcome, "accepted")
        app.terminal.json(json.encode({"prompt_id": sent.prompt_id, "state": state, **_told(reply)}))
    app.terminal.flush()
    code = _explained(reply, session_id)
    if code:
        ctx.exit(code)


@click.command("wait")
@session_argument
@click.option("--until", type=click.Choice(["idle", "needs-you", "ended"]), required=True, help="What to wait for.")
@seconds_option("How long, in seconds; for as long as it takes by default.")
@json_option
@click.pass_obj
def wait(app: App, *, session: str, until: Moment, timeout: float | None, as_json: bool) -> None:
    """Wait until a session is idle, needs you, or has ended."""
    daemon = app.daemon()
    row = daemon.wait(daemon.resolve(session), until, timeout)
    _, word, _ = mark(row, unicode=app.terminal.unicode)
    answered(app, row, f"{quoted(row)}: {word}", as_json=as_json)


def _listen(
    app: App,
    daemon: DaemonSessions,
    session_id: StreamId,
    sent: Prompt,
    *,
    since: int,
    timeout: float | None,
    as_json: bool,
) -> Reply:
    """Print the reply as it comes, for people, and return it."""

    def say(piece: str) -> None:
        if not as_json:
            app.terminal.text(piece)
            app.terminal.flush()

    deadline = math.inf if timeout is None else time.monotonic() + timeout
    patience_s = 1.0
    listener = Listener(sent.prompt_id, say, lambda: {each.request_id for each in _waiting(daemon, session_id)}, since)
    try:
        while True:
            try:
                within_s = min(patience_s, deadline - time.monotonic())
                return listener.listen(daemon.follow(session_id, listener.position, max(0.0, within_s)))
            except TimedOutError:
                if time.monotonic() >= deadline:
                    raise
            # Nothing in the log tells of a connection that nobody tries to make any more.
            why = None if listener.reply.turn_id else hopeless(daemon.row(session_id))
            if why is not None:
                return Reply("failed", f"{why}; the prompt waits in the queue")
            patience_s = min(2 * patience_s, _LONGEST_S)
    finally:
        if listener.spoke and not as_json:
            app.terminal.line()


def _waiting(daemon: DaemonSessions, session_id: StreamId) -> list[Request]:
    return [each for each in daemon.inbox() if each.session_id == session_id]


_STATES = {"failed": "failed", "withdrawn": "failed", "unknown": "unknown", "needs_you": "sent"}


def _told(reply: Reply) -> dict[str, object]:
    return {
        "outcome": reply.outcome,
        "stop_reason": reply.stop_reason,
        "detail": reply.detail or None,
        "reply": reply.text,
        "turn_id": reply.turn_id,
        "request_id": reply.request_id,
    }


def _explained(reply: Reply, session_id: StreamId) -> int:
    """Say why a reply is none, or not whole; return the exit code."""
    detail = one_line(reply.detail)
    match reply.outcome:
        case "ended" if reply.stop_reason != "cancelled":
            if reply.stop_reason not in (None, "end_turn"):
                note(f"holdfast: the agent stopped: {one_line(reply.stop_reason or '')}")
            return 0
        case "needs_you":
            answers = " or ".join(f"`holdfast {verb} {reply.request_id}`" for verb in ("approve", "deny"))
            complain(f"it needs you: {detail}; answer with {answers}")
            return REFUSED
        case "ended":
            complain("the turn was cancelled")
        case "interrupted":
            complain(f"the turn was cut off: {detail}; send again, or see `holdfast show {session_id}`")
        case "unknown":
            complain(f"nobody can tell what became of it: {detail}; see `holdfast show {session_id}`")
        case "withdrawn":
            complain("the prompt was taken back before it was sent")
        case _:
            complain(f"there is no reply: {detail}")
    return FAILED
