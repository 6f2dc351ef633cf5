"""A daemon that goes away while somebody looks, and comes back."""

from __future__ import annotations

import os
import signal
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from tests.agents.scripting import Scripted
from tests.frontends.tui.stage import begun, listed, said, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminals
    from tests.support.cli import Cli

pytestmark = [pytest.mark.slow, pytest.mark.tmux]


def test_what_is_shown_stays_says_so_and_goes_on_where_it_was(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[{"say": "one "}, agent.wait("on"), {"say": "two "}, {"say": "three"}]])
    body = {"command": agent.command, "title": "Counting", "cwd": str(tmp_path), "prompt": "count", "wait_s": 30}
    session = daemon.post("/sessions", body).json()["id"]
    screen = terminal("tui", session)
    screen.until("Shift+Tab transcript")
    screen.until("one")

    daemon.kill()
    killed = monotonic()
    screen.until("daemon unreachable")
    assert monotonic() - killed < 30, "the reference promises three seconds; a slow machine may take longer"
    assert "one" in screen.screen()
    assert "as of" in screen.screen()
    assert "Counting   " in screen.screen(), "the line that names the session stays"
    agent.open("on")
    daemon.start()

    shown = screen.until("one two three")
    screen.until("daemon unreachable", gone=True)
    assert shown.count("one two three") == 1
    until(daemon, session, "idle")
    assert said(daemon, session) == ["user: count", "assistant: one two three"]


def test_a_daemon_that_is_frozen_is_as_good_as_gone_until_it_goes_on(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    _, screen = listed(daemon, terminal, tmp_path, "hello")

    pid = daemon.get("/status").json()["pid"]
    os.kill(pid, signal.SIGSTOP)
    frozen = monotonic()
    try:
        screen.until("daemon unreachable")
        assert monotonic() - frozen < 30, "the reference promises three seconds; a slow machine may take longer"
        assert "Parrot" in screen.screen()
        screen.keys("p")
        screen.until("nothing was done")
    finally:
        os.kill(pid, signal.SIGCONT)

    screen.until("daemon unreachable", gone=True)
    screen.keys("p")
    screen.until("Pinned")


def test_nothing_is_done_meanwhile_and_the_list_comes_back(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, screen = listed(daemon, terminal, tmp_path, "hello")

    daemon.kill()
    screen.until("daemon unreachable")
    screen.keys("p")
    screen.until("nothing was done")
    daemon.start()
    screen.until("daemon unreachable", gone=True)
    daemon.post(f"/sessions/{session}/rename", {"title": "Macaw"})

    screen.until("Macaw")
    assert "Pinned" not in screen.screen()


def test_the_daemon_can_be_started_from_here(daemon: Daemon, terminal: Terminals, cli: Cli, tmp_path: Path) -> None:
    begun(daemon, tmp_path, "Parrot", "hello")
    screen = terminal("tui")
    screen.until("Parrot")
    daemon.stop()
    screen.until("daemon unreachable")

    screen.keys("C-k")
    screen.until("Start the daemon")
    screen.type(">start")
    screen.keys("Enter")

    try:
        screen.until("daemon unreachable", gone=True)
    finally:
        screen.keys("C-q")
        screen.ends()
        assert cli("down").returncode == 0
