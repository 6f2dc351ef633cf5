"""`token` and `web` on a real home, with a daemon and without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.frontends.daemon import Daemon
    from tests.support.cli import Cli

pytestmark = pytest.mark.slow


def test_tokens_are_given_out_and_taken_back_without_a_daemon(cli: Cli) -> None:
    made = json.loads(cli("token", "new", "--read-only", "--name", "wall", "--json").stdout)
    plain = cli("token", "new", "--name", "phone")

    listed = json.loads(cli("token", "ls", "--json").stdout)
    assert [(each["name"], each["read_only"]) for each in listed] == [("wall", True), ("phone", False)]
    assert made["name"] == "wall"
    assert len(plain.stdout.splitlines()) == 1
    assert made["token"] not in json.dumps(listed)

    assert cli("token", "revoke", "wall").returncode == 0
    assert cli("token", "revoke", "wall").returncode == 3
    assert cli("token", "new", "--name", "phone").returncode == 4
    assert cli("token", "new", "--name", "../x").returncode == 2
    assert cli("token").returncode == 2
    assert cli("token", "dance").returncode == 2


def test_web_needs_a_daemon_when_it_may_not_start_one(cli: Cli) -> None:
    refused = cli("web", "--no-start")

    assert (refused.returncode, refused.stdout) == (5, "")
    assert len(refused.stderr.splitlines()) == 1


def test_web_prints_the_link_on_a_line_of_its_own(daemon: Daemon, cli: Cli) -> None:
    printed = cli("web").stdout.splitlines()
    told = json.loads(cli("web", "--json").stdout)

    assert len(printed) == 1
    address, _, code = printed[0].partition("/#code=")
    assert address == daemon.url
    assert told["expires_in"] == 60
    answers = [
        daemon.request("POST", "/sign-in", {"code": code}, headers={"Authorization": ""}, tcp=True).status
        for _ in range(2)
    ]
    assert answers == [204, 401]


def test_a_rotation_by_the_command_line_reaches_the_daemon(daemon: Daemon, cli: Cli) -> None:
    old = daemon.token

    assert cli("token", "rotate").returncode == 0

    assert daemon.get("/status", Authorization=f"Bearer {old}").status == 401
    assert daemon.get("/status").status == 200
