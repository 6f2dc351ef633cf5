"""Coming in and going out: what is checked first, and what is left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.frontends.tui.stage import begun
from tests.frontends.tui.terminal import PATIENCE_S

if TYPE_CHECKING:
    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminals
    from tests.support.cli import Cli

TRANSCRIPT = Path(__file__).parents[3] / "docs/examples/claude-session.jsonl"

pytestmark = [pytest.mark.slow, pytest.mark.tmux]


def test_holdfast_alone_shows_every_session_and_q_leaves_them_running(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session = begun(daemon, tmp_path, "Harbour", "hello")
    screen = terminal()

    screen.until("Harbour")
    screen.keys("q")

    screen.ends()
    assert daemon.get(f"/sessions/{session}").json()["lifecycle"] != "ended"


def test_nothing_that_the_terminal_told_the_program_is_left_to_the_shell(daemon: Daemon, terminal: Terminals) -> None:
    screen = terminal("tui")
    screen.until("n begins one")
    screen.keys("q")
    screen.ends()

    screen.type("typed into the shell")

    assert screen.until("typed into the shell").split("\n")[0] == "typed into the shell"


def test_a_session_that_begins_is_there_at_once(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    screen = terminal("tui")
    screen.until("Holdfast")

    begun(daemon, tmp_path, "Lighthouse")

    screen.until("Lighthouse")


def test_without_a_daemon_one_is_started(terminal: Terminals, cli: Cli) -> None:
    screen = terminal("tui")
    try:
        screen.until("n begins one")
        assert cli("status").returncode == 0
    finally:
        assert cli("down").returncode == 0


def test_no_start_shows_the_store_and_says_that_it_is_only_read(terminal: Terminals, cli: Cli, tmp_home: Path) -> None:
    assert cli("import", "--yes", TRANSCRIPT).returncode == 0
    screen = terminal("tui", "--no-start")

    screen.until("Find out why the")
    assert "read-only" in screen.screen()
    assert cli("status").returncode == 5


def test_no_start_without_a_store_is_one_line_and_exit_5(terminal: Terminals) -> None:
    screen = terminal("tui", "--no-start")

    screen.ends(5)
    assert "holdfast up" in screen.screen()


def test_log_shows_a_store_without_a_home(terminal: Terminals, cli: Cli, tmp_home: Path, tmp_path: Path) -> None:
    assert cli("import", "--yes", TRANSCRIPT).returncode == 0
    copy = tmp_path / "elsewhere.db"
    copy.write_bytes((tmp_home / "log.db").read_bytes())
    before = copy.read_bytes()
    nowhere = {"HOLDFAST_HOME": str(tmp_path / "nowhere")}

    screen = terminal("tui", "--log", str(copy), environ=nowhere)
    screen.until("Find out why the")
    screen.keys("q")

    screen.ends()
    assert copy.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_can_show_no_screen_gets_one_line(terminal: Terminals, term: str) -> None:
    screen = terminal("tui", environ={"TERM": term})

    screen.ends(1)
    assert b"\x1b" not in screen.raw()
    assert len(screen.screen().strip().splitlines()) == 1


def test_a_terminal_that_goes_away_leaves_no_process_behind(daemon: Daemon, terminal: Terminals) -> None:
    screen = terminal("tui")
    screen.until("no sessions")
    program = os.pidfd_open(screen.pid())

    screen.close()

    ended, _, _ = select.select([program], [], [], PATIENCE_S)
    os.close(program)
    assert ended


def test_without_a_terminal_it_is_one_line_and_exit_1(cli: Cli) -> None:
    done = cli("tui", env={"TERM": "xterm-256color"})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(daemon: Daemon, terminal: Terminals, number: signal.Signals) -> None:
    screen = terminal("tui")
    screen.until("no sessions")

    os.kill(screen.pid(), number)

    screen.ends(128 + number)
    ending = screen.raw()
    assert b"\x1b[?1049l" in ending
    assert b"\x1b[?25h" in ending
    assert b"\x1b[?1000l" in ending


def test_a_session_that_nobody_knows_is_one_line_and_exit_3(daemon: Daemon, terminal: Terminals) -> None:
    screen = terminal("tui", "nobody-knows-it")

    screen.ends(3)
    assert "nobody-knows-it" in screen.screen()


def test_a_log_that_is_not_there_is_one_line_and_exit_3(terminal: Terminals, tmp_path: Path) -> None:
    screen = terminal("tui", "--log", str(tmp_path / "nowhere.db"))

    screen.ends(3)
    assert b"\x1b" not in screen.raw()


def test_no_other_verb_waits_for_textual_to_be_imported() -> None:
    told = "import sys, holdfast.bootstrap, holdfast.frontends.cli.verbs.screen; sys.exit('textual' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0
