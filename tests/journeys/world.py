"""A user's machine for one journey: a home, its daemon, agents, and everything that can be asked from outside."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from holdfast.adapters.supervision.host import reap
from tests.agents.scripting import Scripted, until
from tests.frontends.daemon import Daemon
from tests.support.cli import run_cli

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator, Mapping, Sequence

Json = dict[str, Any]

PATIENCE_S = 60

DATABASES: Final = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
ON_BOTH: Final = pytest.mark.parametrize("world", DATABASES, indirect=True)
"""Runs a journey with the log in each database."""


class World:
    """One home and who lives there.

    Attributes:
        daemon: Started, unless a test says otherwise.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.environ = dict(environ or {})
        self.work = home.parent / "work"
        self.work.mkdir(exist_ok=True)
        self.daemon = Daemon(home, self.environ)

    def agent(self, name: str = "agent", **script: object) -> Scripted:
        """Return an agent that does what a script says."""
        return Scripted(self.home.parent / name, **script)

    # what a user does

    def cli(self, *args: str | Path, input: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002 - as `subprocess.run` has it
        return run_cli(*args, home=self.home, env=self.environ, input=input, timeout_s=PATIENCE_S)

    def new(
        self, command: Sequence[str], prompt: str | None = None, *, cwd: Path | None = None, wait_s: int = 30
    ) -> Json:
        """Begin a session with an agent; return its row once it is ready or has failed."""
        body = {"command": list(command), "cwd": str(cwd or self.work), "wait_s": wait_s}
        answer = self.daemon.post("/sessions", body | ({} if prompt is None else {"prompt": prompt}))
        assert answer.status == 201, answer.body
        row: Json = answer.json()
        return row

    def ready(self, command: Sequence[str], prompt: str | None = None) -> str:
        """Begin a session that works; return its id."""
        row = self.new(command, prompt)
        assert row["connection"]["state"] == "connected", row
        return str(row["id"])

    def send(self, session: str, text: str, client_id: str | None = None) -> str:
        """Say something; return the prompt's id."""
        answer = self.daemon.post(f"/sessions/{session}/prompts", {"content": text, "client_id": client_id})
        assert answer.status == 202, answer.body
        return str(answer.json()["prompt_id"])

    def cancel(self, session: str) -> None:
        answer = self.daemon.post(f"/sessions/{session}/cancel")
        assert answer.status == 200, answer.body

    def answer(self, request: Json, option_id: str | None, device: str = "phone") -> int:
        """Answer a permission from another client; return the status."""
        body = {"option_id": option_id, "reason": None}
        return self.daemon.post(f"/inbox/{request['request_id']}", body, Holdfast_Client=device).status

    def wait(self, session: str, state: str = "idle", timeout_s: float = PATIENCE_S) -> Json:
        """Return the row once the session is in a state."""
        answer = self.daemon.get(f"/sessions/{session}/wait?until={state}&timeout={timeout_s:g}")
        assert answer.status == 200, (answer.body, self.count(session))
        row: Json = answer.json()
        return row

    # what can be seen

    def row(self, session: str) -> Json:
        row: Json = self.daemon.get(f"/sessions/{session}").json()
        return row

    def items(self, session: str, *kinds: str) -> list[Json]:
        found: list[Json] = []
        before = ""
        while True:
            page: Json = self.daemon.get(f"/sessions/{session}/transcript?limit=1000{before}").json()
            found[:0] = page["items"]
            if page["before"] is None:
                return [item for item in found if not kinds or item["kind"] in kinds]
            before = f"&before={quote(page['before'])}"

    def said(self, session: str) -> str:
        """Return all that the agent said, in one piece."""
        return "".join(item["text"] for item in self.items(session, "message") if item["role"] == "assistant")

    def asked(self, session: str) -> list[str]:
        """Return what the user said."""
        return [item["text"] for item in self.items(session, "message") if item["role"] == "user"]

    def notices(self, session: str) -> list[str]:
        """Return the states of turns that were cut off, in order."""
        told = [item.get("status") for item in self.items(session, "notice")]
        return [status for status in told if status in {"interrupted", "unknown"}]

    def waiting(self, session: str) -> list[Json]:
        """Return the prompts that wait to be sent."""
        prompts: list[Json] = self.daemon.get(f"/sessions/{session}/queue").json()["items"]
        return [prompt for prompt in prompts if prompt["state"] == "queued"]

    def inbox(self) -> list[Json]:
        waiting: list[Json] = self.daemon.get("/inbox").json()["items"]
        return waiting

    def events(self, session: str, *types: str) -> list[Json]:
        lines: list[Json] = self.daemon.get(f"/events?session={session}").lines()
        return [line for line in lines if not types or line["type"] in types]

    def count(self, session: str) -> dict[str, int]:
        """Return how often each type of event is there."""
        counted: dict[str, int] = {}
        for event in self.events(session):
            counted[event["type"]] = counted.get(event["type"], 0) + 1
        return counted

    def verified(self) -> None:
        """Check that the log is whole."""
        verdict: Json = self.daemon.get("/verify").json()
        assert verdict["ok"], verdict

    # accidents, and their ends

    def restart(self) -> None:
        """Kill the daemon, and start it again."""
        self.daemon.kill()
        self.daemon.start()

    def hosts(self) -> list[reap.Found]:
        return reap.survey(self.home / "hosts") if (self.home / "hosts").exists() else []

    def kill_hosts(self) -> None:
        """End every agent host at once, as a machine that loses power would."""
        for found in self.hosts():
            if found.host is not None and found.state == "alive":
                with suppress(ProcessLookupError):
                    os.kill(found.host.host.pid, signal.SIGKILL)

    def close(self) -> None:
        """Leave no process behind."""
        self.daemon.kill()
        self.kill_hosts()
        if (self.home / "hosts").exists():
            until(lambda: all(found.state != "alive" for found in self.hosts()), "a host lives on")
            reap.end_orphans(self.home / "hosts")
        self.daemon.close()


def runs(pid: int) -> bool:
    """Return whether a process is there and not only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def gone(pid: int) -> None:
    """Return once a process has ended."""
    until(lambda: not runs(pid), f"process {pid} still runs")


@contextmanager
def world(home: Path, environ: Mapping[str, str] | None = None, *, start: bool = True) -> Generator[World]:
    """Provide a world, with its daemon started."""
    made = World(home, environ)
    try:
        if start:
            made.daemon.start()
        yield made
    finally:
        made.close()
