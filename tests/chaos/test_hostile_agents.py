"""R11: agents that flood, hang, talk nonsense, complain without end, ignore signals and fork: only they suffer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.world import gone, runs
from tests.journeys.world import world as a_world

if TYPE_CHECKING:
    from tests.chaos.figures import Figures

Json = dict[str, Any]

pytestmark = pytest.mark.chaos

MIB = 1024 * 1024
GIB = 1024 * MIB
MOST_MIB = 64

UNKNOWN = '{"jsonrpc": "2.0", "method": "_vendor/news", "params": {"text": "' + "x" * 200 + '"}}\n'

SURVIVED: dict[str, list[Json]] = {
    "10 GB of complaints": [{"stderr": 10 * GIB}],
    "20 MB that are no JSON": [{"flood": 20 * MIB, "of": "this is no message, and there is much of it\n"}],
    "100 MB of messages that nobody knows": [{"flood": 100 * MIB, "of": UNKNOWN}],
    "100,000 answers to nothing": [{"flood": 42 * 100_000, "of": '{"jsonrpc": "2.0", "id": 7, "result": {}}\n'}],
    "100,000 words as fast as it can": [{"say": "{n} ", "times": 100_000}],
    "100 children": [{"spawn": {"setsid": bool(number % 2), "ignore_term": True}} for number in range(100)],
}
"""What an agent may do and still come to the end of its turn."""

FATAL: dict[str, list[Json]] = {
    "a line of 100 MB": [{"flood": 100 * MIB}, {"hang": True}],
    "10 MB of a line, and its end": [{"flood": 10 * MIB}, {"exit": 1}],
}
"""What ends its own session, and no other."""


@pytest.mark.parametrize("steps", [*SURVIVED.values(), *FATAL.values()], ids=[*SURVIVED, *FATAL])
def test_what_one_agent_does_costs_the_daemon_little_and_the_others_nothing(
    tmp_home: Path, steps: list[Json], figures: Figures
) -> None:
    with a_world(tmp_home) as world:
        sound, hostile = world.agent("sound"), world.agent("hostile")
        sound.change(prompts=[[{"say": "{prompt}:{n} ", "times": 50, "every_s": 0.002}]])
        hostile.change(
            ignore=["eof", "term", "int"], prompts=[[{"say": "before"}], [{"say": "["}, *steps, {"say": "]"}]]
        )
        other, session = world.ready(sound.command, "p0"), world.ready(hostile.command, "warm up")
        world.wait(other)
        world.wait(session)
        watched = [world.daemon.pid, *(found.host.host.pid for found in world.hosts() if found.host)]
        before = {pid: forget_peak(pid) for pid in watched}

        world.send(session, "go")
        prompts = ["p0"]
        while world.row(session)["lifecycle"] == "streaming":
            prompts.append(f"p{len(prompts)}")
            world.send(other, prompts[-1])
            world.wait(other)
        grown = {pid: peak(pid) - before[pid] for pid in watched if runs(pid)}

        assert world.said(other) == "".join(f"{prompt}:{n} " for prompt in prompts for n in range(50))
        if steps in FATAL.values():
            assert world.notices(session) == ["interrupted"]
            assert world.said(session) == "before["
        else:
            assert world.notices(session) == []
            assert world.said(session).startswith("before[")
            assert world.said(session).endswith("]")
        assert world.cli("end", session).returncode == 0
        for pid in [*hostile.pids(), *hostile.children()]:
            gone(pid)
        world.verified()
        most = max(grown.values()) / MIB
        figures("R11", "hostile agents", tried=1, violations=int(most > MOST_MIB), MiB=round(most))
        assert most <= MOST_MIB, grown


def peak(pid: int) -> int:
    """Return the most memory that a process had since `forget_peak`, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def forget_peak(pid: int) -> int:
    """Count from now on; return how much memory the process has."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak(pid)
