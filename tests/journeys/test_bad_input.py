"""What cannot work: one clear line, the right exit code, a session in a named state, and never a hang."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.scripting import until
from tests.journeys.world import World
from tests.journeys.world import world as a_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_home: Path) -> Iterator[World]:
    """A daemon that soon gives up on agents that do not answer."""
    (tmp_home / "config.toml").write_text("[agents]\ninitialize_timeout_s = 1\n")
    with a_world(tmp_home) as made:
        yield made


HOPELESS = {
    "a command that is not there": (["no-such-agent"], "no-such-agent"),
    "a file that is no program": (["/etc/hostname"], "/etc/hostname"),
    "a folder": (["/tmp"], "/tmp"),
    "dies at once": ([sys.executable, "-c", "raise SystemExit(3)"], "3"),
    "dies with words": ([sys.executable, "-c", "import sys; sys.exit('the key is missing')"], "the key is missing"),
    "closes its output": (["sh", "-c", "exec 1>&-; sleep 1000"], ""),
    "speaks no ACP": (["sh", "-c", "echo welcome to the agent; sleep 1000"], ""),
    "repeats what it hears": (["cat"], ""),
    "says the same for ever": ([sys.executable, "-c", "while True: print('welcome to the agent ' * 50)"], ""),
    "never answers": (["sleep", "1000"], "initialize"),
}


@pytest.mark.parametrize(("command", "named"), HOPELESS.values(), ids=HOPELESS)
def test_an_agent_that_cannot_work_is_said_to(world: World, command: list[str], named: str) -> None:
    told = world.cli("new", "--json", "--cwd", world.work, "hello", "--", *command)

    assert told.returncode == 1, told
    assert len(told.stderr.splitlines()) == 1, told.stderr
    assert named in told.stderr
    row: Json = json.loads(told.stdout)
    assert row["connection"]["state"] in {"failed", "gave_up", "reconnecting", "connecting"}, row
    # Whatever is tried again, it comes to an end that has a name, and what was to be said is not lost.
    until(lambda: world.row(row["id"])["connection"]["state"] in {"failed", "gave_up", "reconnecting"})
    row = world.row(row["id"])
    assert row["connection"]["error"]
    assert row["queued"] == 1
    assert world.cli("ls").returncode == 0


def test_a_folder_that_is_not_there_is_named(world: World) -> None:
    agent = world.agent()

    told = world.cli("new", "--cwd", world.work / "nowhere", "--", *agent.command)

    assert told.returncode in {1, 2, 3}, told
    assert len(told.stderr.splitlines()) == 1
    assert "nowhere" in told.stderr
    assert agent.pids() == []


def test_a_folder_that_vanished_is_named_when_its_session_is_woken(world: World) -> None:
    agent = world.agent(resume={})
    session = world.ready(agent.command, "hello")
    world.wait(session)
    shutil.rmtree(world.work)
    os.kill(agent.pids()[0], signal.SIGKILL)
    until(lambda: world.events(session, "detached"), "nobody noticed")

    told = world.cli("send", session, "again", "--wait", "--timeout", "30")

    assert told.returncode == 1, told
    assert len(told.stderr.splitlines()) == 1
    row = world.row(session)
    assert row["connection"]["state"] == "failed"
    assert "work" in row["connection"]["error"]
    assert world.said(session) == "hello"
    # It is there again, and so is the session.
    world.work.mkdir()
    assert world.cli("reconnect", session).returncode == 0
    world.daemon.post(f"/sessions/{session}/queue/resume")
    until(lambda: world.said(session) == "helloagain", "it never went on")
    assert agent.prompts() == ["hello", "again"]


def test_an_agent_that_hangs_while_it_is_taken_up_again_does_not_hold_up_the_others(world: World) -> None:
    hanging, sound = world.agent("hanging"), world.agent("sound")
    hanging.change(resume={})
    session = world.ready(hanging.command, "hello")
    world.wait(session)
    hanging.change(resume={}, initialize=[{"hang": True}])
    os.kill(hanging.pids()[0], signal.SIGKILL)
    until(lambda: world.events(session, "detached"), "nobody noticed")
    world.send(session, "again")

    other = world.ready(sound.command, "good morning")
    world.wait(other)

    assert world.said(other) == "good morning"
    until(lambda: "initialize" in (world.row(session)["connection"]["error"] or ""), "nobody was told")
