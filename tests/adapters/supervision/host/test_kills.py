"""Kill the daemon wherever it can be killed: every frame is consumed once, everything written is delivered once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

import holdfast.adapters
from holdfast.adapters.supervision.host.launch import PROGRAM, Limits, Order, environment, launch
from tests.adapters.supervision.host import standin
from tests.adapters.supervision.host.support import death_of

if TYPE_CHECKING:
    from holdfast.adapters.supervision.host.folder import Host
    from tests.adapters.supervision.host.support import House

pytestmark = pytest.mark.slow

KILLS = 60
HERE = Path(__file__).parent
LIVED = standin.POINTS.keys() - {"between frame and cursor"}


class Daemon:
    """The stand-in, one life after the other."""

    def __init__(
        self, house: House, *, program: Path = PROGRAM, mutant: str = "none", backend: str = "asyncio"
    ) -> None:
        folder = house.hosts.parent
        self.received, self.database = folder / "received", folder / "log.db"
        order = Order(
            command=(sys.executable, "-I", "-S", str(HERE / "countingagent.py"), str(self.received)),
            cwd=str(folder),
            environment=environment(os.environ),
            limits=Limits(segment_bytes=512),
        )

        begin = partial(launch, house.hosts, order, runtime=house.runtime, program=program)
        self.host: Host = anyio.run(begin)
        self.process = subprocess.Popen(
            [sys.executable, standin.__file__, self.host.folder, self.database, mutant, backend],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[4],
        )
        self.lives = 0

    def begin(self, *, crash: str = "", work: str = "more") -> int:
        """Begin a life; return its process."""
        assert self.process.stdin
        self.lives += 1
        self.process.stdin.write(f"{self.lives}|{crash}|{work}\n".encode())
        self.process.stdin.flush()
        assert self.read(1) == b"<"
        return int(self.until(b">"))

    def read(self, count: int) -> bytes:
        assert self.process.stdout
        return self.process.stdout.read(count)

    def until(self, end: bytes) -> bytes:
        read = b""
        while not read.endswith(end):
            byte = self.read(1)
            assert byte, "the stand-in is gone"
            read += byte
        return read[:-1]

    def kill_after(self, points: int) -> None:
        """Live, and be killed from outside as soon as so many points were passed."""
        child = self.begin()
        for _ in range(points):
            assert self.read(1) != b"[", "it died by itself"
        os.kill(child, signal.SIGKILL)
        self.until(b"[")
        assert self.until(b"]") == b"-9"

    def crash_at(self, point: str) -> None:
        """Live until a point, and be dead there."""
        self.begin(crash=point)
        self.until(b"[")
        assert self.until(b"]") == b"-9"

    def finish(self) -> None:
        """Live until everything is answered."""
        self.begin(work="finish")
        self.until(b"[")
        assert self.until(b"]") == b"0"

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        # Told to end, the host ends the agent's input; the agent reads what is left in it before it goes.
        os.kill(self.host.host.pid, signal.SIGTERM)
        anyio.run(death_of, self.host.host.pid)

    def violations(self) -> list[str]:
        """Return everything that was lost or doubled."""
        database = sqlite3.connect(self.database)
        frames = [json.loads(data) for (data,) in database.execute("SELECT data FROM frames ORDER BY id")]
        prompts = [prompt for (prompt,) in database.execute("SELECT prompt FROM intents ORDER BY prompt")]
        database.close()
        received = [json.loads(line) for line in self.received.read_text().splitlines()]
        given = Counter(told["prompt"] for told in received if "prompt" in told)
        answers = Counter(told["answer"] for told in received if "answer" in told)
        numbers = [frame["number"] for frame in frames]
        return [
            *(f"prompt {prompt} reached the agent {count} times" for prompt, count in given.items() if count != 1),
            *(f"answer {prompt} reached the agent {count} times" for prompt, count in answers.items() if count != 1),
            *(f"prompt {prompt} is in the log and never reached it" for prompt in set(prompts) - set(given)),
            *(f"prompt {prompt} reached the agent and is not in the log" for prompt in set(given) - set(prompts)),
            *(f"the answer to {prompt} was lost" for prompt in set(prompts) - set(answers)),
            *(["frames were lost, doubled or disordered"] if numbers != list(range(5 * len(given))) else []),
        ]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_daemon_killed_at_random_points_loses_and_doubles_nothing(house: House, backend: str, seed: int) -> None:
    daemon = Daemon(house, backend=backend)
    chance = random.Random(seed)

    for _ in range(KILLS):
        daemon.kill_after(chance.randrange(1, 40))
    daemon.finish()
    daemon.close()

    assert daemon.lives == KILLS + 1
    assert daemon.violations() == []
    assert len(list(daemon.host.folder.glob("spool-*"))) < 10, "what was acknowledged has left the disk"


@pytest.mark.parametrize("point", sorted(LIVED))
def test_a_daemon_killed_exactly_at_a_point_loses_and_doubles_nothing(house: House, point: str) -> None:
    daemon = Daemon(house)

    for _ in range(5):
        daemon.crash_at(point)
    daemon.finish()
    daemon.close()

    assert daemon.violations() == []


def test_a_host_that_forgets_its_keys_is_caught(house: House) -> None:
    daemon = Daemon(house, program=_forgetful_host(house.hosts.parent))

    for _ in range(5):
        daemon.crash_at("prompt written")
    daemon.finish()
    daemon.close()

    assert any(violation.startswith("prompt 1 reached the agent") for violation in daemon.violations())


@pytest.mark.parametrize(
    ("mutant", "point", "told"),
    [
        ("split", "between frame and cursor", "frames were lost, doubled or disordered"),
        ("hasty", "prompt written", "prompt 1 reached the agent 5 times"),
    ],
    ids=["a daemon that commits frame and offset apart", "a daemon that writes before it commits the intent"],
)
def test_a_daemon_that_breaks_the_order_is_caught(house: House, mutant: str, point: str, told: str) -> None:
    daemon = Daemon(house, mutant=mutant)

    for _ in range(5):
        daemon.crash_at(point)
    daemon.finish()
    daemon.close()

    assert any(told in violation for violation in daemon.violations())


def _forgetful_host(folder: Path) -> Path:
    """Return a host's program that is right in everything but this."""
    source = Path(holdfast.adapters.__file__).parent / "supervision"
    copy = folder / "root" / "holdfast" / "adapters" / "supervision"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    program = copy / "host" / "process.py"
    right, wrong = "if self.agent.find(key):", "if False:"
    text = program.read_text()
    assert text.count(right) == 1
    program.write_text(text.replace(right, wrong))
    return program
