"""`new`: a session with an agent."""

from __future__ import annotations

import os

import click

from holdfast.domain.keeping import Order
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import (
    App,
    agent_option,
    answered,
    client_id_option,
    json_option,
    new_cause,
    start_option,
    text,
    words,
)
from holdfast.frontends.cli.terminal import complain
from holdfast.frontends.cli.verbs.connection import READY_WITHIN_S, failed, say_how_it_stands

_COMMAND = "holdfast.command"


class _New(click.Command):
    """Keeps what follows `--` apart: it is the command of an agent, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND [ARG]...]"]


@click.command("new", cls=_New)
@click.argument("said", nargs=-1, type=text, metavar="[TARGET] [PROMPT]")
@agent_option
@click.option("--cwd", type=text, metavar="DIR", help="The folder it works in; this one by default.")
@click.option("--title", type=text, default="", metavar="T", help="What you call the session.")
@client_id_option
@start_option
@json_option
@click.pass_obj
@click.pass_context
def new(
    ctx: click.Context,
    app: App,
    *,
    said: tuple[str, ...],
    agent: str | None,
    cwd: str | None,
    title: str,
    client_id: str | None,
    start: bool,
    as_json: bool,
) -> None:
    """Begin a session with an agent, and print its id.

    TARGET is an address such as acp+ws://host/path, or a name from the configuration. COMMAND is any agent that speaks
    ACP on its standard input and output. PROMPT is what you say first; - takes it from standard input.
    """
    order, prompt = _ordered(ctx.meta.get(_COMMAND), agent, said, cwd, title)
    if app.control.running() is None:
        app.library.check_order(order)  # a daemon would say the same, but need not be started to say it
    daemon = app.daemon(start=start)
    row = daemon.create(order, text=prompt, wait_s=READY_WITHIN_S, client_id=client_id or new_cause())
    answered(app, row, row.id, as_json=as_json)
    app.terminal.flush()
    if failed(row):
        why = row.connection.error or "the agent could not be started"
        complain(f"{why}; the session stays, `holdfast reconnect {row.id}` tries again")
        ctx.exit(FAILED)
    say_how_it_stands(row)


def _ordered(
    command: list[str] | None, agent: str | None, said: tuple[str, ...], cwd: str | None, title: str
) -> tuple[Order, str | None]:
    """Return whom to talk to, and what to say first."""
    if command is not None and not command:
        msg = "nothing follows --: name the command of an agent"
        raise click.UsageError(msg)
    if command is not None and agent is not None:
        msg = "--agent and -- COMMAND contradict each other"
        raise click.UsageError(msg)
    target = None
    if command is None and agent is None:
        if not said:
            msg = "with whom? Give --agent NAME (`holdfast agents` lists them), a TARGET, or -- COMMAND"
            raise click.UsageError(msg)
        target, *rest = said
    else:
        rest = list(said)
    if len(rest) > 1:
        msg = "the prompt is one argument: put it in quotes"
        raise click.UsageError(msg)
    argv = None if command is None else tuple(map(text, command))
    folder = None
    if cwd is not None or target is None:  # a target of the configuration may have a folder of its own
        folder = os.path.abspath(cwd or "")  # noqa: PTH100 - takes `..` out, which `Path.absolute` leaves
    order = Order(target=target, agent=agent, command=argv, cwd=None if folder is None else text(folder), title=title)
    return order, words(rest[0]) if rest else None
