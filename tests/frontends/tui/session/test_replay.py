"""A session played again: what the tape says, and the keys that wind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from textual.app import App

from holdfast.domain.recorded import StreamId
from holdfast.frontends.tui.session.replay import ReplayView
from holdfast.frontends.tui.session.tape import Tape
from holdfast.frontends.tui.theme import DARK
from tests.frontends.tui.session.stage import PlayedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.pilot import Pilot

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.source import Source
    from tests.support.cli import Cli

TRANSCRIPT = Path(__file__).parents[4] / "docs/examples/claude-session.jsonl"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Textual is of asyncio."""
    return "asyncio"


def recorded(cli: Cli) -> tuple[str, list[Json], list[Any]]:
    assert cli("import", str(TRANSCRIPT), "--yes").returncode == 0
    session = str(json.loads(cli("ls", "--all", "--json").stdout)[0]["id"])
    told = [json.loads(line) for line in cli("events", "--session", session).stdout.splitlines()]
    return session, told, json.loads(cli("show", session, "--last", "1000", "--json").stdout)["items"]


def bare(items: Sequence[Json]) -> list[Json]:
    return [{name: value for name, value in item.items() if name != "ordinal"} for item in items]


def test_the_end_of_a_tape_is_the_session_and_every_moment_is_the_same_from_both_sides(cli: Cli) -> None:
    session, told, shown = recorded(cli)
    tape = Tape(StreamId(session), told)
    forward: list[list[Json]] = []
    for place in range(len(tape) + 1):
        tape.wind(place)
        forward.append(bare(list(tape.items.values())))

    assert forward[0] == []
    assert forward[-1] == bare(shown)
    for place in (len(tape) // 2, 1, len(tape), 0):
        tape.wind(place)
        assert bare(list(tape.items.values())) == forward[place]


def test_a_moment_is_found_by_its_time_and_by_how_long_it_takes_to_get_there(cli: Cli) -> None:
    session, told, _ = recorded(cli)
    tape = Tape(StreamId(session), told)
    tape.wind(len(tape) // 2)
    assert tape.at is not None

    assert tape.until(tape.at) >= len(tape) // 2
    assert tape.until(0) == 0
    assert tape.until(1 << 62) == len(tape)
    for place in range(1, len(tape)):
        assert tape.place_at(tape.time_of(place)) >= place


class Cinema(App[None]):
    def __init__(self, view: ReplayView) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.view = view
        self.left = False

    def on_mount(self) -> None:
        self.mount(self.view)

    def on_replay_view_left(self) -> None:
        self.left = True

    def text(self) -> str:
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  # Textual has no other way
        return "\n".join(strip.text.rstrip() for strip in strips)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not holds():
            await pilot.pause(0.01)


async def test_it_is_wound_by_items_and_prompts_played_and_left(cli: Cli) -> None:
    session, told, _ = recorded(cli)
    source = PlayedSource()
    source.told = told
    app = Cinema(ReplayView(cast("Source", source), session, agent="claude"))
    end = f"event {len(told)} of {len(told)}"
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: end in app.text())
        await pilot.press("home")
        await until(pilot, lambda: f"event 0 of {len(told)}" in app.text())
        await pilot.press("right")
        await until(pilot, lambda: f"event 0 of {len(told)}" not in app.text())
        await pilot.press("right_square_bracket", "end")
        await until(pilot, lambda: end in app.text())
        await pilot.press("plus", "plus", "space")
        await until(pilot, lambda: "▶ 100×" in app.text() or end in app.text())
        await until(pilot, lambda: "■ 100×" in app.text() and end in app.text())
        await pilot.press("escape")
        await until(pilot, lambda: app.left)


async def test_it_begins_at_a_moment(cli: Cli) -> None:
    session, told, _ = recorded(cli)
    tape = Tape(StreamId(session), told)
    tape.wind(3)
    source = PlayedSource()
    source.told = told
    app = Cinema(ReplayView(cast("Source", source), session, at=tape.at))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: f"event {tape.until(tape.at or 0)} of" in app.text())
