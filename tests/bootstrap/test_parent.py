"""What `make run` starts: a daemon whose plug may be pulled, because somebody starts it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.home import Home
from holdfast.bootstrap.daemon import presence
from holdfast.bootstrap.daemon.control import LocalDaemon
from holdfast.domain.daemon import Listen
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.sessions import DaemonSessions
from tests.adapters.supervision.host.support import is_running
from tests.agents.scripting import Scripted, until
from tests.frontends.daemon import PATIENCE_S, Daemon, daemon
from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["daemon"]

pytestmark = pytest.mark.slow


@contextmanager
def parent(home: Path) -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    """The parent of a daemon that is ready, and the lines in which it said so."""
    command = [sys.executable, "-I", "-m", "holdfast.bootstrap.daemon.parent", "--port", "0"]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline().strip(), process.stdout.readline().strip()]
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def asked(home: Path) -> tuple[LocalDaemon, DaemonSessions]:
    control = LocalDaemon(environment(home), lambda line: None)
    until(lambda: control.running(wait_s=PATIENCE_S) is not None, "no daemon came back")
    running = control.running()
    assert running is not None
    return control, DaemonSessions(Exchange(control, running, "test", lambda line: None))


def test_it_says_where_the_page_is_and_signs_a_browser_in(tmp_home: Path) -> None:
    with parent(tmp_home) as (_, (address, link)):
        control, _ = asked(tmp_home)
        running = control.running()
        assert running is not None
        assert address == f"Holdfast runs at {running.url}"
        assert link.startswith(f"{running.url}/#code=")


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_daemon_is_back_where_it_was(tmp_home: Path, which: signal.Signals) -> None:
    with parent(tmp_home) as (process, _):
        control, _ = asked(tmp_home)
        before = control.running()
        assert before is not None
        os.kill(before.pid, which)
        assert process.stderr is not None
        assert any("killed" in line for line in iter(process.stderr.readline, ""))
        _, sessions = asked(tmp_home)

        after = sessions.status()

        assert after.pid != before.pid
        assert after.url == before.url


def test_the_page_may_pull_the_plug_and_the_agent_goes_on(tmp_home: Path, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[{"say": "begun "}, agent.touch("begun"), agent.wait("go"), {"say": "and done"}]])
    with parent(tmp_home) as (process, _):
        attached = Daemon.found(tmp_home)
        session = attached.post("/sessions", {"command": agent.command, "cwd": str(tmp_path), "prompt": "go"}).json()
        agent.reached("begun")
        assert attached.get("/status").json()["plug"] is True

        assert attached.post("/demo/plug").status == 202
        assert process.stderr is not None
        assert any("killed" in line for line in iter(process.stderr.readline, ""))
        agent.open("go")
        asked(tmp_home)
        attached = Daemon.found(tmp_home)
        attached.get(f"/sessions/{session['id']}/wait?until=idle")

        items = attached.get(f"/sessions/{session['id']}/transcript").json()["items"]
        assert items[-1]["text"] == "begun and done"
        assert attached.get("/verify").json()["ok"] is True


def test_where_nobody_would_start_it_again_the_plug_stays_in(daemon: Daemon) -> None:
    assert daemon.get("/status").json()["plug"] is False

    answer = daemon.post("/demo/plug")

    assert (answer.status, answer.json()["code"]) == (409, "conflict")
    assert daemon.get("/status").status == 200


def test_interrupted_it_ends_its_daemon_and_the_agents(tmp_home: Path, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent")
    with parent(tmp_home) as (process, _):
        attached = Daemon.found(tmp_home)
        attached.post("/sessions", {"command": agent.command, "cwd": str(tmp_path), "wait_s": 30})
        process.send_signal(signal.SIGINT)

        assert process.wait(PATIENCE_S) == 0

    assert not presence.lives(Home(tmp_home))
    (started,) = agent.journal("started")
    assert not is_running(started["pid"])


def test_interrupted_again_and_again_it_still_leaves_no_daemon(tmp_home: Path) -> None:
    """As `make` does when it is told to end: whoever told it has told its whole group, and it passes that on."""
    with parent(tmp_home) as (process, _):
        while process.poll() is None:
            for each in (signal.SIGTERM, signal.SIGINT):
                process.send_signal(each)

        assert process.wait(PATIENCE_S) == 0

    assert not presence.lives(Home(tmp_home))


def test_where_a_daemon_runs_it_shows_that_one_and_leaves_it_alone(daemon: Daemon) -> None:
    with parent(daemon.home) as (process, (link, _)):
        assert link.startswith(f"{daemon.url}/#code=")
        assert process.wait(PATIENCE_S) == 0

    assert daemon.get("/status").json()["pid"] == daemon.pid


def test_told_to_end_the_daemon_is_not_started_again(tmp_home: Path) -> None:
    with parent(tmp_home) as (process, _):
        control, _ = asked(tmp_home)
        assert control.stop()
        assert process.wait(PATIENCE_S) == 0
    assert control.start(Listen(port=0)).pid
    assert control.stop()
