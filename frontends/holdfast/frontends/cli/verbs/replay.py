"""`replay`: a session as it happened."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from holdfast.domain.errors import NotFoundError
from holdfast.domain.projections.replay import story
from holdfast.frontends.cli.keys import NoKeys, terminal_keys
from holdfast.frontends.cli.params import Amount, App, one_moment, session_argument, until_options
from holdfast.frontends.cli.player import Player
from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.recorded import Recorded

_FASTEST = 1e6


@click.command("replay")
@session_argument
@until_options
@click.option(
    "--speed",
    type=Amount(min=0, max=_FASTEST, min_open=True),
    metavar="N",
    help="N times as fast as it was; 1 on a terminal. On a pipe nothing waits without it.",
)
@click.pass_obj
def replay(app: App, *, session: str, until: int | None, at: int | None, speed: float | None) -> None:
    """Play a session as it happened.

    On a terminal: space pauses and goes on, → or j jumps to what came next, ← or k to what came before, q ends it.
    """
    one_moment(until, at)
    terminal = app.terminal
    with app.reading() as reading:
        session_id = reading.resolve(session)

        def told() -> Iterator[Recorded]:
            return story(reading, session_id, until=until, at=at)

        if next(told(), None) is None:
            msg = f"session {session_id} had not begun then"
            raise NotFoundError(msg)
        if terminal.is_terminal and sys.stdin is not None and sys.stdin.isatty():
            with terminal_keys() as keys:
                note("space: pause | right or j: forward | left or k: back | q: quit")
                Player(session_id, told, terminal, keys, 1.0 if speed is None else speed).play()
        else:
            waits = 1.0 if speed is None and terminal.is_terminal else speed
            Player(session_id, told, terminal, NoKeys(), waits).play()
