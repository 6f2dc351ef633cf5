"""Imports into a real store, by the real command and by processes that are killed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.importers import claude_lines as c
from tests.support.cli import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cli import Cli

_IMPORT_UNTIL_KILLED = """
import os, signal, sys
from holdfast.adapters.importers import feed
from holdfast.bootstrap.library import LocalLibrary

feed.BATCH_LINES = 3
left = int(sys.argv[2])

def killed(what, done, of):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

with LocalLibrary(os.environ, print).writing() as workspace:
    workspace.import_([sys.argv[1]], killed)
"""

pytestmark = pytest.mark.slow


def shown(cli: Cli, home: Path, env: dict[str, str]) -> Any:
    """Return what a person sees of the only session, without what counts events."""
    (row,) = json.loads(cli("ls", "--json", home=home, env=env).stdout)
    page = json.loads(cli("show", row["id"], "--last", "1000", "--json", home=home, env=env).stdout)
    for each in [page["session"], *page["items"]]:
        del each["position"]
    for item in page["items"]:
        if re.fullmatch(r"notice-\d+", item["id"]):
            del item["id"]
    return page["session"], page["items"]


@pytest.fixture(params=["sqlite", "postgres"])
def env(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    return {"HOLDFAST_DATABASE_URL": request.getfixturevalue("postgres_url")}


def test_an_import_that_is_killed_after_any_batch_is_finished_by_the_next(
    tmp_path: Path, tmp_home: Path, cli: Cli, env: dict[str, str]
) -> None:
    path = c.written(tmp_path / "t.jsonl", *c.TURN)
    kills = 0
    for batches in (1, 1, 2, 99):
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT_UNTIL_KILLED, str(path), str(batches)],
            env=environment(tmp_home, env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        kills += done.returncode != 0

    assert kills == 3
    again = json.loads(cli("import", path, "--json", home=tmp_home, env=env).stdout)
    assert again["events"] == 0
    assert json.loads(cli("verify", "--json", home=tmp_home, env=env).stdout)["ok"]
    clean = tmp_path / "clean"
    assert cli("import", path, home=clean).returncode == 0
    assert shown(cli, tmp_home, env) == shown(cli, clean, {})


def test_the_example_is_imported_once_and_shown(cli: Cli) -> None:
    before = c.EXAMPLE.read_bytes()

    first = json.loads(cli("import", c.EXAMPLE, "--json").stdout)
    second = json.loads(cli("import", c.EXAMPLE.parent, "--json").stdout)

    assert (first["files"], first["sessions"], first["malformed"]) == (1, 1, 0)
    assert (second["files"], second["sessions"], second["events"]) == (1, 0, 0)
    (row,) = json.loads(cli("ls", "--json").stdout)
    assert (row["lifecycle"], row["connection"]["state"], row["unread"]) == ("created", "offline", 0)
    assert row["metadata"]["total_tokens"] == 88560
    assert c.EXAMPLE.read_bytes() == before


def test_an_erased_session_stays_erased(cli: Cli) -> None:
    cli("import", c.EXAMPLE)
    (row,) = json.loads(cli("ls", "--json").stdout)
    assert cli("rm", row["id"], "--yes").returncode == 0

    again = cli("import", c.EXAMPLE, "--json")

    assert json.loads(again.stdout)["events"] == 0
    assert "was erased" in again.stderr
