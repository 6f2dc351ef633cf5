"""`up`, `down`, `status`, `restart`, `logs` and `service`: the daemon as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import DecodeError, json

from holdfast.domain.daemon import HOST, PORT, Listen
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, json_option
from holdfast.frontends.cli.terminal import Span, note

if TYPE_CHECKING:
    from holdfast.domain.daemon import Running

_LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}


@click.command("up")
@click.option("--foreground", is_flag=True, help="Stay here until interrupted, instead of going to the background.")
@click.option("--host", metavar="H", default=HOST, show_default=True, help="A loopback address to listen on.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes any."
)
@click.option("--no-web", "web", is_flag=True, flag_value=False, default=True, help="Do not serve the page.")
@json_option
@click.pass_obj
def up(app: App, *, foreground: bool, host: str, port: int, web: bool, as_json: bool) -> None:
    """Start the daemon, and return when it is ready. Nothing happens where it runs."""
    listen = Listen(host, port, web)
    if foreground:
        app.control.serve(listen)
    earlier = app.control.running()
    running = app.control.start(listen)
    already = earlier is not None and earlier.pid == running.pid
    _say(app, running, "the daemon runs already" if already else "the daemon is ready", as_json=as_json)


@click.command("down")
@click.option("--agents", is_flag=True, help="End the agents as well; else they go on without it.")
@json_option
@click.pass_obj
def down(app: App, *, agents: bool, as_json: bool) -> None:
    """End the daemon. Agents go on, and what they do meanwhile is not lost."""
    ended = app.control.stop(agents=agents)
    if as_json:
        app.terminal.json(json.encode({"stopped": ended}))
    elif ended:
        app.terminal.line("the daemon has ended" + (" with its agents" if agents else ""))
    else:
        note("No daemon runs.")


@click.command("restart")
@json_option
@click.pass_obj
def restart(app: App, *, as_json: bool) -> None:
    """End the daemon and start it again, as it was. No agent ends."""
    _say(app, app.control.restart(), "the daemon is ready", as_json=as_json)


@click.command("status")
@json_option
@click.pass_obj
def status(app: App, *, as_json: bool) -> None:
    """Tell whether the daemon runs, and where."""
    told = app.daemon().status()
    if as_json:
        app.terminal.json(json.encode(told))
        return
    now = wording.now()
    lines = {
        "daemon": f"{told.url}",
        "process": f"{told.pid}, since {wording.local_of(told.started)} ({wording.age_of(told.started, now)})",
        "socket": told.socket,
        "version": told.version,
        "sessions": f"{told.sessions:,}",
        "agents": f"{told.agents:,} running",
    }
    for name, value in lines.items():
        app.terminal.line(Span(f"{name:<9}", "dim"), one_line(value))


@click.command("logs")
@click.option("--follow", is_flag=True, help="Go on with what comes, until interrupted.")
@json_option
@click.pass_obj
def logs(app: App, *, follow: bool, as_json: bool) -> None:
    """Show what the daemon has logged."""
    silent = True
    for line in app.control.logs(follow=follow):
        silent = False
        if as_json:
            app.terminal.record(line.encode())
        else:
            app.terminal.line(*_readable(line))
        if follow:
            app.terminal.flush()
    if silent:
        note("Nothing has been logged yet.")


@click.group("service")
def service() -> None:
    """Let the daemon start when you log in."""


@service.command("install")
@json_option
@click.pass_obj
def install(app: App, *, as_json: bool) -> None:
    """Install a service of yours that keeps the daemon running."""
    _done(app, app.control.install_service(), as_json=as_json)


@service.command("remove")
@json_option
@click.pass_obj
def remove(app: App, *, as_json: bool) -> None:
    """Remove that service again. Sessions and agents stay."""
    _done(app, app.control.remove_service(), as_json=as_json)


def _say(app: App, running: Running, said: str, *, as_json: bool) -> None:
    if as_json:
        app.terminal.json(json.encode(running))
    else:
        app.terminal.line(f"{said}: {one_line(running.url)} (process {running.pid})")


def _done(app: App, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        app.terminal.json(json.encode({"done": lines}))
        return
    for line in lines:
        app.terminal.line(one_line(line))


def _readable(line: str) -> list[Span]:
    """Return a line of the log for people: when, how bad, what, and the rest behind it."""
    try:
        told = json.decode(line, type=dict[str, object])
    except (DecodeError, UnicodeDecodeError):
        return [Span(one_line(line))]
    level = str(told.pop("level", ""))
    begin = [one_line(str(told.pop(name, ""))) for name in ("at", "event")]
    told.pop("logger", None)
    plain = {name: value if isinstance(value, str) else json.encode(value).decode() for name, value in told.items()}
    rest = " ".join(f"{name}={value}" for name, value in plain.items())
    return [
        Span(f"{begin[0]} ", "dim"),
        Span(f"{one_line(level):<7} ", _LEVELS.get(level, "dim")),
        Span(begin[1]),
        Span(f"  {one_line(rest)}" if rest else "", "dim"),
    ]
