"""What arguments and options mean, and the door through which verbs get at sessions."""

from __future__ import annotations

import math
import os
import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from holdfast.domain.errors import NotRunningError
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.terminal import note, typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.ports import Library, Reading, Workspace
    from holdfast.domain.preferences import Preferences
    from holdfast.domain.projections.roster import Row
    from holdfast.frontends.cli.terminal import Terminal
    from holdfast.frontends.client.sessions import DaemonSessions

F = TypeVar("F", bound="Callable[..., Any]")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEVICE = "cli"
"""What this frontend calls itself; it stands in the log beside what was asked for with it."""

READY_WITHIN_S = 10.0
"""How long a daemon that has begun is waited for."""

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST_S = 100 * 365 * 86_400


class Doors(Protocol):
    """What the command line is about. Everything is found when it is asked for, and cheap until it is used."""

    def library(self) -> Library:
        """Return the place where this user's sessions are. Opens nothing yet.

        Raises:
            SettingsError: Home, configuration or database address cannot be used.
        """
        ...

    def daemon(self, home: Path | None = None) -> DaemonControl:
        """Return the daemon of this user, or of another home, as a process. Looks at nothing yet.

        Raises:
            SettingsError: The home cannot be used.
        """
        ...

    def home(self) -> Path:
        """Return the folder that holds everything of this user; it may not be there yet.

        Raises:
            SettingsError: It cannot be one.
        """
        ...

    def log(self, place: str | None) -> tuple[str, Library]:
        """Return a log that is only read, and what it is called for people; opens nothing yet.

        Args:
            place: A file, a folder with a `log.db` in it, or a database address; None for this user's store.

        Raises:
            NotFoundError: There is none.
            SettingsError: It cannot be one.
        """
        ...

    def preferences(self) -> Preferences:
        """Return what this user has chosen for the tray. Reads nothing yet.

        Raises:
            SettingsError: The home cannot be used.
        """
        ...

    def demo_agent(self, speed: float, copy: Path) -> tuple[str, ...]:
        """Return the command of the agent that plays a recording.

        Args:
            speed: How much faster than it was.
            copy: The file into which it writes every line that it sends, beside sending it.
        """
        ...


class App:
    """What every verb is given: library and daemon, each found when it is first asked for, and the terminal."""

    def __init__(self, doors: Doors, terminal: Terminal) -> None:
        """Keep them; nothing is opened yet."""
        self.doors = doors
        self.terminal = terminal

    @cached_property
    def library(self) -> Library:
        """Where sessions are."""
        return self.doors.library()

    @cached_property
    def control(self) -> DaemonControl:
        """The daemon as a process."""
        return self.doors.daemon()

    def daemon(self, *, start: bool = False) -> DaemonSessions:
        """Return what the daemon can do.

        Args:
            start: Whether to start one where none runs.

        Raises:
            NotRunningError: None runs, and none is to be started.
        """
        from holdfast.domain.daemon import Listen  # few verbs need a daemon
        from holdfast.frontends.client.exchange import Exchange
        from holdfast.frontends.client.sessions import DaemonSessions

        running = self.control.running(wait_s=READY_WITHIN_S)
        if running is None and start:
            running = self.control.start(Listen())
            note(f"holdfast: started the daemon at {running.url}; `holdfast down` ends it")
        if running is None:
            msg = "no daemon runs, and this needs one: `holdfast up` starts it"
            raise NotRunningError(msg)
        return DaemonSessions(Exchange(self.control, running, DEVICE, _say))

    def reading(self) -> AbstractContextManager[Reading]:
        """Open for reading."""
        return self.library.reading()

    def writing(self) -> AbstractContextManager[Workspace]:
        """Open for changes."""
        return self.library.writing()


def text(value: str) -> str:
    """Take text that can be stored.

    Raises:
        click.BadParameter: It is no UTF-8.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        msg = f"{value!r} is not UTF-8"
        raise click.BadParameter(msg) from error
    return value


def duration(value: str) -> int:
    """Take a time span such as `30s`, `10m`, `2h`, `1d` or `1h30m`, and return it in microseconds.

    Raises:
        click.BadParameter: It is none, or beyond what anybody means.
    """
    if not re.fullmatch(r"([0-9]{1,12}[smhdw])+", value):
        msg = f"{value!r} is no time span; write it as 30s, 10m, 2h or 1d"
        raise click.BadParameter(msg)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([smhdw])", value))
    if not 0 < seconds <= _LONGEST_S:
        msg = f"{value!r} is not between a second and a hundred years"
        raise click.BadParameter(msg)
    return seconds * 1_000_000


def moment(value: str) -> int:
    """Take a time in ISO 8601, by the local clock where it names no zone; return microseconds since the epoch.

    Raises:
        click.BadParameter: It is none.
    """
    try:
        at = datetime.fromisoformat(value)
        at = at if at.tzinfo is not None else at.astimezone()
        return (at - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError, OSError) as error:
        msg = f"{value!r} is no time; write it as 2026-03-12T09:30:00Z, or without Z for the local time"
        raise click.BadParameter(msg) from error


def until_options(verb: F) -> F:
    """Give the verb `--until` and `--at`: a moment in the past."""
    verb = click.option("--at", type=moment, metavar="TIME", help="As it was then: nothing that happened later.")(verb)
    return click.option(
        "--until", type=click.IntRange(min=0), metavar="POSITION", help="As it was when the log ended there."
    )(verb)


def one_moment(until: int | None, at: int | None) -> None:
    """Refuse two moments at once.

    Raises:
        click.UsageError: Both were given.
    """
    if until is not None and at is not None:
        msg = "--until and --at contradict each other"
        raise click.UsageError(msg)


def start_option(verb: F) -> F:
    """Give the verb `--no-start`; its parameter `start` says whether a daemon may be started."""
    return click.option(
        "--no-start", "start", is_flag=True, flag_value=False, default=True, help="Do not start a daemon."
    )(verb)


def client_id_option(verb: F) -> F:
    """Give the verb `--client-id`."""
    return click.option(
        "--client-id",
        type=text,
        metavar="ID",
        help="Your name for this command: the same one again is not carried out again, and answers what the first did.",
    )(verb)


class Amount(click.FloatRange):
    """A number in a range. No comparison holds for one that is none, so a range alone lets `nan` in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        return self.fail(f"{value!r} is no number", param, ctx) if math.isnan(number) else number


def seconds_option(help_: str) -> Callable[[F], F]:
    """Give the verb `--timeout`."""
    return click.option("--timeout", type=Amount(min=0), metavar="S", help=help_)


def words(value: str) -> str:
    """Return what was typed, or all of standard input for `-`.

    Raises:
        click.UsageError: It is empty, or no UTF-8.
    """
    if value == "-":
        try:
            value = typed().decode()
        except UnicodeDecodeError as error:
            msg = "standard input is not UTF-8"
            raise click.UsageError(msg) from error
    if not value.strip():
        msg = "there is nothing to say: give a text, or - for standard input"
        raise click.UsageError(msg)
    return value


def json_option(verb: F) -> F:
    """Give the verb `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(verb)


def session_argument(verb: F) -> F:
    """Give the verb the session it is about."""
    return click.argument("session", metavar="ID", type=text, shell_complete=sessions)(verb)


def sessions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the sessions that a name may go on to."""
    from holdfast.frontends.cli import completion  # only a shell asks for it

    return completion.sessions(ctx, param, incomplete)


def request_argument(verb: F) -> F:
    """Give the verb the question it is about."""
    return click.argument("request", type=text, shell_complete=_requests)(verb)


def _requests(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from holdfast.frontends.cli.completion import requests  # only a shell asks for it

    return requests(ctx, param, incomplete)


def agent_option(verb: F) -> F:
    """Give the verb `--agent`."""
    return click.option(
        "--agent",
        type=text,
        metavar="NAME",
        shell_complete=_agents,
        help="A known agent, as `holdfast agents` lists them.",
    )(verb)


def _agents(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from holdfast.frontends.cli.completion import agents  # only a shell asks for it

    return agents(ctx, param, incomplete)


def _say(message: str) -> None:
    note(f"holdfast: {message}")


def answered(app: App, row: Row, said: str, *, as_json: bool) -> None:
    """Answer with what became of a session: its row for programs, `said` for people."""
    if as_json:
        from msgspec.json import encode  # few verbs answer with one

        app.terminal.json(encode(row))
    else:
        app.terminal.line(said)


def quoted(row: Row) -> str:
    """Return what a session is called, in quotation marks."""
    return f'"{one_line(row.title) or row.id}"'


def new_cause() -> str:
    """Return a name for a command, so that what it leads to can be told from what a peer did by itself."""
    return os.urandom(16).hex()
