"""A frontend of others: the example of the documentation, built and installed as a package of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import HOLDFAST, Cli, environment

if TYPE_CHECKING:
    from tests.frontends.daemon import Daemon

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "frontend"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built example in it."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=EXAMPLE, check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(folder)], check=True, timeout=60)
    return folder


def test_it_is_a_verb_that_shows_what_changes(daemon: Daemon, installed: Path, tmp_path: Path) -> None:
    line = '{"type":"user","uuid":"u1","sessionId":"aaaa1111","timestamp":"2026-03-12T09:30:00.000Z","cwd":"/srv/shop",'
    line += '"message":{"role":"user","content":"a question \\u001b[2J"}}\n'
    (tmp_path / "aaaa1111.jsonl").write_text(line)
    environ = environment(daemon.home, {"PYTHONPATH": str(installed)})
    with subprocess.Popen(
        [HOLDFAST, "watch"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as watching:
        assert watching.stdout is not None
        try:
            assert daemon.post("/imports", {"sources": [str(tmp_path / "aaaa1111.jsonl")]}).status == 200
            said = watching.stdout.readline()
            (row,) = daemon.get("/sessions").json()["items"]
            daemon.post(f"/sessions/{row['id']}/rename", {"title": "seen"})
            while "seen" not in said:
                said = watching.stdout.readline()
        finally:
            watching.terminate()

    assert said.startswith(row["id"][:8])
    assert "\x1b" not in said


def test_its_arguments_and_exit_codes_are_its_own(cli: Cli, installed: Path) -> None:
    path = {"PYTHONPATH": str(installed)}

    assert cli("watch", "--what", env=path).returncode == 2
    assert cli("watch").returncode == 2
    assert "there is no verb" in cli("watch").stderr


def test_help_lists_it_with_the_package_it_comes_from(cli: Cli, installed: Path) -> None:
    told = cli("--help", env={"PYTHONPATH": str(installed)}).stdout

    assert told.rstrip().endswith("watch  Offered by holdfast-watch.")
    assert "From other packages" not in cli("--help").stdout


def test_it_is_as_short_as_it_is_said_to_be() -> None:
    source = (EXAMPLE / "holdfast_watch.py").read_text()

    assert len(source.splitlines()) < 60


def test_one_that_cannot_be_loaded_is_named(cli: Cli, tmp_path: Path) -> None:
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[holdfast.frontends]\nbroken = no_such_module:main\n")

    ran = cli("broken", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}"})

    assert ran.returncode == 1
    assert "package broken" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
