"""Write a script for `scripted.py`, start it by its command, and see afterwards what it got."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]

AGENT = Path(__file__).with_name("scripted.py")


class Scripted:
    """One script in a folder of its own; any number of processes may play it.

    Gates are files by which a test lets the agent go on, or sees how far it came: `wait("x")` and `touch("x")` are
    steps, `open("x")` is what the test does.
    """

    def __init__(self, folder: Path, **script: object) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        self._journal = folder / "journal.jsonl"
        self._script = folder / "script.json"
        self.change(**script)

    def change(self, **script: object) -> None:
        """Let processes that start from now on play another script."""
        whole = {"journal": str(self._journal), "state": str(self.folder / "state"), **script}
        self._script.write_text(json.dumps(whole))

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(AGENT), str(self._script)]

    # gates

    def gate(self, name: str) -> Path:
        return self.folder / f"gate-{name}"

    def wait(self, name: str) -> Json:
        """Return the step that waits until the gate is open."""
        return {"wait": str(self.gate(name))}

    def touch(self, name: str) -> Json:
        """Return the step that opens the gate, for the test to see."""
        return {"touch": str(self.gate(name))}

    def open(self, name: str) -> None:
        self.gate(name).touch()

    def reached(self, name: str) -> None:
        """Return once an agent has opened the gate."""
        until(self.gate(name).exists, f"no agent came to {name}")

    # what happened

    def journal(self, *at: str) -> list[Json]:
        """Return what was noted, all or of some kinds. A line that is being written is left out."""
        if not self._journal.exists():
            return []
        complete, _, _ = self._journal.read_bytes().rpartition(b"\n")
        entries = [json.loads(line) for line in complete.splitlines()]
        return [entry for entry in entries if not at or entry["at"] in at]

    def got(self, method: str) -> list[Json]:
        """Return the parameters of all messages of a method that reached the agent."""
        return [entry["params"] for entry in self.journal("got") if entry["method"] == method]

    def prompts(self) -> list[str]:
        """Return the texts of all prompts that reached the agent, in order."""
        blocks: Sequence[Sequence[Json]] = [params["prompt"] for params in self.got("session/prompt")]
        return ["".join(block.get("text", "") for block in each) for each in blocks]

    def pids(self) -> list[int]:
        """Return every process that began to play, in order."""
        return [entry["pid"] for entry in self.journal("started")]

    def got_arguments(self) -> list[list[str]]:
        """Return what each of them was started with beside the script."""
        return [entry["arguments"] for entry in self.journal("started")]

    def children(self) -> list[int]:
        return [entry["child"] for entry in self.journal("spawned")]

    def turns(self) -> list[Json]:
        return self.journal("turn")


def until(holds: Callable[[], object], complaint: str = "it never came", within_s: float = 60) -> None:
    """Return once something holds that no event tells of: what another process did, seen from outside."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.005)
