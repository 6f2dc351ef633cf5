"""Close, Quit and the daemon behind them: nothing is ended that a person did not mean, and no session ever."""

from __future__ import annotations

import configparser
import os
import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.home import Home
from holdfast.bootstrap.daemon import presence
from tests.agents.scripting import Scripted, until
from tests.frontends.daemon import Daemon
from tests.frontends.tray.asking import asks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.frontends.tray.desk import Desk
    from tests.journeys.world import World
    from tests.support.cli import Cli

pytestmark = [pytest.mark.slow, pytest.mark.dbus, pytest.mark.gdbus]


@pytest.fixture
def started(desk: Desk, tmp_home: Path) -> Iterator[Daemon]:
    """The daemon that the tray has started."""
    desk.tray()
    until(lambda: presence.find(Home(tmp_home)), "the tray starts no daemon")
    found = Daemon.found(tmp_home)
    try:
        yield found
    finally:
        if alive(found):
            os.kill(found.running.pid, signal.SIGKILL)
        found.close()


def alive(daemon: Daemon) -> bool:
    found = presence.find(Home(daemon.home))
    return found is not None and found.pid == daemon.running.pid


def test_quit_ends_the_daemon_that_the_tray_started_and_no_session(desk: Desk, started: Daemon, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent", prompts=[asks()])
    order = {"command": agent.command, "cwd": str(tmp_path), "prompt": "Look", "wait_s": 30}
    session = started.post("/sessions", order).json()["id"]
    started.get(f"/sessions/{session}/wait?until=needs-you&timeout=60")

    desk.choose("Quit")

    assert desk.wait("tray") == 0
    assert not alive(started)
    again = Daemon(started.home)
    try:
        again.start()
        row = again.get(f"/sessions/{session}").json()
        assert (row["ended"], row["attention"]) == (None, "needs_you")
    finally:
        again.close()


def test_quit_only_detaches_from_a_daemon_that_was_there(desk: Desk, world: World) -> None:
    desk.tray()

    desk.choose("Quit")

    assert desk.wait("tray") == 0
    assert world.daemon.get("/status").status == 200


def test_the_first_close_asks_and_no_is_quit(desk: Desk, started: Daemon, tmp_home: Path) -> None:
    until(lambda: desk.line("Close") is not None)
    assert desk.line("Should the daemon keep running in the background?") is not None

    desk.choose("No, end it as well")

    assert desk.wait("tray") == 0
    assert not alive(started)
    assert "keep_running = false" in (tmp_home / "config.toml").read_text()


def test_the_first_close_asks_and_yes_is_remembered(desk: Desk, started: Daemon, tmp_home: Path) -> None:
    desk.choose("Keep it running")

    assert desk.wait("tray") == 0
    assert started.get("/status").status == 200
    assert "keep_running = true" in (tmp_home / "config.toml").read_text()

    desk.tray()
    until(lambda: "Background mode is on" in desk.icon("ToolTip"))
    assert desk.line("Should the daemon keep running in the background?") is None
    desk.choose("Close")
    assert desk.wait("tray") == 0
    assert started.get("/status").status == 200


def test_what_happens_while_no_icon_is_there_is_there_when_it_comes_back(
    desk: Desk, started: Daemon, tmp_path: Path
) -> None:
    agent = Scripted(tmp_path / "agent", prompts=[[{"wait": str(tmp_path / "gate")}, {"say": "Meanwhile."}]])
    order = {"command": agent.command, "cwd": str(tmp_path), "prompt": "Look", "wait_s": 30}
    session = started.post("/sessions", order).json()["id"]
    desk.choose("Keep it running")
    assert desk.wait("tray") == 0

    (tmp_path / "gate").touch()
    assert started.get(f"/sessions/{session}/wait?until=idle&timeout=60").status == 200
    assert started.get(f"/sessions/{session}").json()["connection"]["state"] == "connected"
    desk.tray()

    until(lambda: "1 has news" in desk.icon("Title"), "the icon does not say so")
    types = [event["type"] for event in started.get(f"/events?session={session}").lines()]
    assert types.count("attached") == 1, "the session was never connected anew"
    assert "session-notified" not in types, "what was before the icon came is not told"


def test_the_end_of_the_desktop_is_a_close(desk: Desk, started: Daemon) -> None:
    desk.choose("Keep running in the background")
    until(lambda: "Background mode is on" in desk.icon("ToolTip"))

    assert desk.end("tray") == 0

    assert started.get("/status").status == 200


def test_a_daemon_can_be_started_again_from_the_menu(desk: Desk, started: Daemon) -> None:
    # Sooner the tray would still be waiting for the daemon that it starts, and leave when that one dies.
    until(lambda: "all is quiet" in desk.icon("Title"), "it never came")
    os.kill(started.running.pid, signal.SIGKILL)

    desk.choose("Start the daemon")
    until(lambda: "all is quiet" in desk.icon("Title"), "it never came back")

    again = Daemon.found(started.home)
    assert again.running.pid != started.running.pid
    desk.choose("Quit")
    assert desk.wait("tray") == 0
    assert not alive(again)


def test_it_starts_at_login_when_asked_to(desk: Desk, cli: Cli, tmp_home: Path) -> None:
    done = cli("tray", "--autostart", env=desk.environ)

    entry = desk.config / "autostart" / "holdfast-tray.desktop"
    assert done.stdout == f"wrote {entry}: the tray starts when you log in\n"
    parsed = configparser.RawConfigParser()
    parsed.read(entry)
    command = shlex.split(parsed["Desktop Entry"]["Exec"])
    assert command[:2] == ["env", f"HOLDFAST_HOME={tmp_home}"]
    assert command[-3:] == ["-m", "holdfast.bootstrap", "tray"]

    desk.tray("--no-start")
    desk.choose("Start when I log in")
    until(lambda: not entry.exists(), "the entry stays")

    assert cli("tray", "--no-autostart", "--json", env=desk.environ).stdout == (
        f'{{"done":["there is no {entry}: nothing to remove"]}}\n'
    )
