"""The first minutes with Holdfast, as somebody has them who has a clone and nothing configured."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.home import Home
from holdfast.adapters.supervision.host import reap
from holdfast.bootstrap.daemon import presence
from tests.agents.scripting import until
from tests.frontends.daemon import PATIENCE_S, Daemon
from tests.support.cli import HOLDFAST

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def bare(user: Path) -> dict[str, str]:
    """An environment with nothing in it but where programs are, and whose home this is."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(user), "TMPDIR": str(user)}


def home_of(user: Path) -> Path:
    return user / ".local" / "share" / "holdfast"


@contextmanager
def make_run(user: Path) -> Generator[tuple[subprocess.Popen[str], str, str]]:
    """`make run` in this clone: the process, the address of the page, and the link that signs in."""
    make = shutil.which("make")
    assert make is not None
    with subprocess.Popen(
        [make, "--no-print-directory", "-C", str(ROOT), "run", "ARGS=--port 0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=bare(user),
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            yield process, address.rpartition(" ")[2], process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE_S)


def test_make_run_shows_a_page_an_agent_and_a_plug_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    with make_run(tmp_path) as (process, address, link):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        assert link.startswith(f"{address}/#code=")
        page = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE_S)
        page.request("GET", "/")
        answer = page.getresponse()
        assert (answer.status, b"<html" in answer.read()) == (200, True)
        page.request(
            "POST",
            "/api/v1/sign-in",
            f'{{"code": "{link.partition("#code=")[2]}"}}',
            {"Content-Type": "application/json"},
        )
        signed_in = page.getresponse()
        signed_in.read()
        cookie = (signed_in.headers["Set-Cookie"] or "").partition(";")[0]
        page.request("GET", "/api/v1/imports", headers={"Cookie": cookie})
        offered = page.getresponse()
        assert (offered.status, json.loads(offered.read())["items"]) == (200, [])
        page.close()

        seen = Daemon.found(home)
        session = seen.post("/sessions", {"agent": "demo", "cwd": str(tmp_path), "prompt": "show me"}).json()["id"]
        with seen.streaming(f"/events?follow=true&session={session}&type=text-appended") as text:
            next(text)
        before = seen.get("/status").json()["pid"]
        assert seen.post("/demo/plug").status == 202
        until(lambda: revived(home, before), "the daemon was not started again")
        again = Daemon.found(home)
        again.get(f"/sessions/{session}/wait?until=needs-you&timeout=60")
        (asked,) = again.get("/inbox").json()["items"]
        once = next(each["option_id"] for each in asked["options"] if each["kind"] == "allow_once")
        assert again.post(f"/inbox/{asked['request_id']}", {"option_id": once}).status == 200
        assert again.get("/verify").json()["ok"] is True

        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_S)
    assert not presence.lives(Home(home))
    assert [found for found in reap.survey(home / "hosts") if found.state == "alive"] == []


def revived(home: Path, before: int) -> bool:
    found = presence.find(Home(home))
    return found is not None and found.pid != before


def test_the_demo_in_a_bare_environment_ends_with_its_proof(tmp_path: Path) -> None:
    told = subprocess.run(
        [HOLDFAST, "demo", "--speed", "30"],
        check=False,
        capture_output=True,
        text=True,
        env=bare(tmp_path),
        timeout=PATIENCE_S,
    )

    assert told.returncode == 0, told.stderr
    assert re.fullmatch(r"verified: [0-9,]+ events, 0 lost, 0 doubled", told.stdout.splitlines()[-1])
    assert "pulled the plug" in told.stdout
    assert not home_of(tmp_path).exists()
