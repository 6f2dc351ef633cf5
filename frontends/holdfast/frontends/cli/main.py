"""From arguments to an exit code. Imports nothing heavy: a verb's module, and the store, come when they are needed."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.cli import plugins
from holdfast.frontends.cli.escaping import block
from holdfast.frontends.cli.exits import DONE, FAILED, INTERRUPTED, USAGE, code_of
from holdfast.frontends.cli.params import App
from holdfast.frontends.cli.terminal import ReaderGoneError, Terminal, complain, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.frontends.cli.params import Doors

_SHORT = 66
"""Letters of a line that says what a verb does."""

_COMPLETE = "_HOLDFAST_COMPLETE"
"""The variable by which a shell asks what could be typed; its name is click's custom."""

_SECTIONS = {
    "Sessions with agents": {
        "new": "beginning:new",
        "send": "sending:send",
        "wait": "sending:wait",
        "cancel": "connection:cancel",
        "queue": "queue:queue",
        "inbox": "listing:inbox",
        "approve": "answering:approve",
        "deny": "answering:deny",
        "mode": "choosing:mode",
        "option": "choosing:option",
        "end": "connection:end",
        "reconnect": "connection:reconnect",
    },
    "Looking": {
        "tui": "screen:tui",
        "ls": "listing:ls",
        "show": "transcript:show",
        "peek": "transcript:peek",
        "search": "searching:search",
        "replay": "replay:replay",
        "export": "exporting:export",
        "events": "log:events",
        "verify": "log:verify",
    },
    "Changing": {
        "import": "importing:import_",
        "rename": "sessions:rename",
        "read": "sessions:read",
        "unread": "sessions:unread",
        "mute": "sessions:mute",
        "pin": "sessions:pin",
        "rm": "sessions:rm",
        "rebuild": "log:rebuild",
        "compact": "compacting:compact",
    },
    "The daemon, and what there is": {
        "up": "daemon:up",
        "down": "daemon:down",
        "status": "daemon:status",
        "restart": "daemon:restart",
        "logs": "daemon:logs",
        "service": "daemon:service",
        "web": "browser:web",
        "tray": "tray:tray",
        "token": "tokens:token",
        "agents": "agents:agents",
        "doctor": "health:doctor",
        "demo": "demo:demo",
    },
}
_VERBS = {verb: place for section in _SECTIONS.values() for verb, place in section.items()}


def main(doors: Doors, argv: Sequence[str] | None = None) -> int:
    """Carry out one command line and return its exit code.

    Args:
        doors: What it is about. Nothing is asked of them but by a verb that needs it.
        argv: The arguments without the name of the program; None takes those of the process.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        terminal = Terminal()
        code = _run(App(doors, terminal), args)
        terminal.flush()
    except ReaderGoneError:
        return DONE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.UsageError as error:
        complain(_usage(error))
        return USAGE
    except HoldfastError as error:
        complain(str(error) or type(error).__name__)
        return code_of(error)
    except OSError as error:
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return FAILED
    except Exception as error:  # noqa: BLE001 # the last door: a traceback would print content unescaped
        _confess(error)
        return FAILED
    return code


def _run(app: App, args: list[str]) -> int:
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete  # only a shell asks for it

        return shell_complete(_holdfast, {"obj": app}, "holdfast", _COMPLETE, instruction)
    try:
        with _holdfast.make_context("holdfast", args, obj=app) as context:
            _holdfast.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return DONE


class _Verbs(click.Group):
    """The verbs by name; each is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [*_VERBS, *(verb for verb in plugins.names() if verb not in _VERBS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        place = _VERBS.get(cmd_name)
        if place is None:
            return plugins.offered(cmd_name)
        module, _, name = place.partition(":")
        command = getattr(import_module(f"holdfast.frontends.cli.verbs.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in _SECTIONS.items():
            found = [(verb, command) for verb in verbs if (command := self.get_command(ctx, verb)) is not None]
            with formatter.section(title):
                formatter.write_dl([(verb, command.get_short_help_str(_SHORT)) for verb, command in found])
        if others := {verb: package for verb, package in plugins.names().items() if verb not in _VERBS}:
            with formatter.section("From other packages"):
                formatter.write_dl([(verb, f"Offered by {package}.") for verb, package in sorted(others.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _VERBS and plugins.offered(args[0]) is None:
            from difflib import get_close_matches

            near = get_close_matches(args[0], _VERBS)
            msg = f"there is no verb {args[0]!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
            raise click.UsageError(msg, ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    del param
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version  # slow, and asked for once in a while

        click.echo(f"holdfast {version('holdfast')}")
        ctx.exit()


@click.command(cls=_Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def _holdfast(ctx: click.Context) -> None:
    """Keep every session with every agent: nothing is lost, and you can prove it.

    A session is named by its id, by four or more characters that its id alone begins with, or by its title.
    """
    if ctx.invoked_subcommand is not None:
        return
    app: App = ctx.obj
    if app.terminal.is_terminal and app.terminal.can_ask:
        from holdfast.frontends.cli.verbs.screen import show  # verbs need none of it

        ctx.exit(show(app))
    click.echo(ctx.get_help())


def _usage(error: click.UsageError) -> str:
    """Say on one line what click would say on three."""
    command = error.ctx.command_path if error.ctx is not None else "holdfast"
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
        verbs = " or ".join(error.ctx.command.list_commands(error.ctx))
        return f"what to do is missing: {verbs} (see `{command} --help`)"
    return f"{error.format_message().rstrip('.')} (see `{command} --help`)"


def _confess(error: Exception) -> None:
    if os.environ.get("HOLDFAST_DEBUG"):
        import traceback

        for line in block("".join(traceback.format_exception(error))).splitlines():
            note(line)
    complain(
        f"internal error: {type(error).__name__}: {error}; nothing more was done; "
        "HOLDFAST_DEBUG=1 shows where, please report it"
    )
