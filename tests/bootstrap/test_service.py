"""The user service: what its unit says, and that what it starts is a daemon."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.home import Home
from holdfast.bootstrap.daemon import service
from holdfast.bootstrap.daemon.control import LocalDaemon
from tests.agents.scripting import until
from tests.frontends.daemon import PATIENCE_S
from tests.support.cli import HOLDFAST, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli


def lines(unit: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{key}=")]


def words(unit: str, key: str) -> list[str]:
    """Return words of a unit as systemd reads them back."""
    return [word.replace("%%", "%").replace("$$", "$") for line in lines(unit, key) for word in shlex.split(line)]


def test_the_unit_leaves_agents_alone_and_starts_the_daemon_again(tmp_path: Path) -> None:
    unit = service.unit(Home(tmp_path / "my home"), environment(tmp_path / "my home") | {"SECRET": "not in there"})

    assert lines(unit, "KillMode") == ["process"]
    assert lines(unit, "Restart") == ["always"]
    assert lines(unit, "WantedBy") == ["default.target"]
    assert f"HOLDFAST_HOME={tmp_path / 'my home'}" in words(unit, "Environment")
    assert "HOLDFAST_HOST=" in words(unit, "Environment")
    assert "not in there" not in unit


def test_what_systemd_would_expand_is_written_so_that_it_does_not(tmp_path: Path) -> None:
    home = tmp_path / '100% $HOME "quoted"'

    unit = service.unit(Home(home), environment(home))

    assert '100%% $HOME \\"quoted\\"' in unit


@pytest.mark.slow
def test_the_line_that_it_starts_is_a_daemon_that_ends_at_a_signal(tmp_home: Path) -> None:
    unit = service.unit(Home(tmp_home), environment(tmp_home))
    command = [*words(unit, "ExecStart"), "--port", "0"]
    given = dict(word.split("=", 1) for word in words(unit, "Environment"))
    control = LocalDaemon(environment(tmp_home), lambda line: None)

    with subprocess.Popen(command, env=given, stderr=subprocess.DEVNULL) as process:
        until(lambda: control.running() is not None, "the service did not start")
        running = control.running()
        assert running is not None
        assert running.pid == process.pid
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.slow
def test_installing_without_systemd_says_so_and_removing_takes_the_unit_away(cli: Cli, tmp_home: Path) -> None:
    path = tmp_home.parent / f"{tmp_home.name}-user/.config/systemd/user/holdfast.service"

    installed = cli("service", "install", env={"PATH": "/nowhere"})
    assert not path.exists()
    path.parent.mkdir(parents=True)
    path.touch()
    removed = cli("service", "remove", env={"PATH": "/nowhere"})
    again = cli("service", "remove")

    assert installed.returncode == 1
    assert installed.stderr.count("\n") == 1
    assert "there is no systemctl here" in installed.stderr
    assert removed.returncode == 0
    assert f"removed {path}" in removed.stdout
    assert not path.exists()
    assert "nothing to remove" in again.stdout


def systemctl(folder: Path, does: str) -> dict[str, str]:
    """Put a systemctl first that notes what it is asked for, then does something; return the environment."""
    fake = folder / "bin" / "systemctl"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{does}\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{fake.parent}{os.pathsep}{HOLDFAST.parent}{os.pathsep}{os.environ['PATH']}"}


def asked(folder: Path) -> list[str]:
    """Return what it was asked for, but for questions."""
    questions = ("is-failed", "show-environment")
    return [line for line in (folder / "asked").read_text().splitlines() if not any(each in line for each in questions)]


@pytest.mark.slow
def test_installing_hands_over_to_a_daemon_that_systemd_starts(cli: Cli, tmp_home: Path, tmp_path: Path) -> None:
    """systemd is played by a script: it starts the daemon in its own way when it is asked to."""
    starts = 'case "$2" in is-failed) exit 1;; restart) holdfast up --port 0 > /dev/null;; esac'
    env = systemctl(tmp_path, starts)
    control = LocalDaemon(environment(tmp_home), lambda line: None)
    try:
        assert cli("up", "--port", "0").returncode == 0
        before = control.running()
        installed = cli("service", "install", env=env)
        after = control.running()
    finally:
        control.stop()
    removed = cli("service", "remove", env=env)

    assert installed.returncode == 0, installed
    assert before is not None
    assert after is not None
    assert after.pid != before.pid
    assert "ended the daemon that ran; its agents go on" in installed.stdout
    assert f"{after.url} (process {after.pid})" in installed.stdout
    assert removed.returncode == 0
    assert asked(tmp_path) == [
        "--user daemon-reload",
        "--user enable holdfast.service",
        "--user restart holdfast.service",
        "--user disable --now holdfast.service",
        "--user daemon-reload",
    ]


def test_a_service_that_does_not_get_ready_is_told(cli: Cli, tmp_path: Path) -> None:
    installed = cli("service", "install", env=systemctl(tmp_path, "exit 0"))

    assert installed.returncode == 1
    assert installed.stderr.count("\n") == 1
    assert "is enabled, but what it starts does not get ready" in installed.stderr


def test_what_systemctl_refuses_is_told(cli: Cli, tmp_path: Path) -> None:
    refuses = 'test "$2" = show-environment && exit 0\necho Interactive authentication required. >&2\nexit 1'
    env = systemctl(tmp_path, refuses)

    installed = cli("service", "install", env=env)

    assert installed.returncode == 1
    assert "but `systemctl --user daemon-reload` failed: Interactive authentication required." in installed.stderr


def test_where_no_systemd_of_the_user_answers_nothing_is_written(cli: Cli, tmp_home: Path, tmp_path: Path) -> None:
    env = systemctl(tmp_path, "echo 'Failed to connect to bus: No medium found' >&2\nexit 1")

    installed = cli("service", "install", env=env)

    assert installed.returncode == 1
    assert installed.stderr.count("\n") == 1
    assert "Failed to connect to bus: No medium found" in installed.stderr
    assert "use `holdfast up`" in installed.stderr
    assert not (tmp_home.parent / f"{tmp_home.name}-user/.config").exists()
