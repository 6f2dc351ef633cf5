"""Sessions with agents that do what a script says, for tests to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminal, Terminals

COMMAND = "rm -rf build && make"
OPTIONS = [
    {"optionId": "once", "kind": "allow_once", "name": "Allow once"},
    {"optionId": "always", "kind": "allow_always", "name": "Always allow"},
    {"optionId": "reject", "kind": "reject_once", "name": "Reject"},
]


def begun(daemon: Daemon, folder: Path, title: str, prompt: str | None = None, **script: object) -> str:
    """Begin a session with an agent of its own, and return its id."""
    agent = Scripted(folder / f"agent-{title}", **script)
    body: dict[str, Any] = {"command": agent.command, "title": title, "cwd": str(folder), "wait_s": 30}
    answer = daemon.post("/sessions", body | ({"prompt": prompt} if prompt else {}))
    assert answer.status == 201, answer.body
    return str(answer.json()["id"])


def asking(
    daemon: Daemon, folder: Path, title: str, command: str = COMMAND, *, options: Sequence[dict[str, str]] = OPTIONS
) -> str:
    """Begin a session that asks for permission, and says afterwards what it was told."""
    tool = {"toolCallId": "t", "title": f"Run {title}", "kind": "execute", "rawInput": {"command": command}}
    ask = {
        "ask": "t",
        "tool": tool,
        "options": list(options),
        "allow": [{"say": "allowed"}],
        "deny": [{"say": "denied"}],
    }
    session = begun(daemon, folder, title, "go", prompts=[[ask]])
    until(daemon, session, "needs-you")
    return session


def listed(daemon: Daemon, terminal: Terminals, folder: Path, prompt: str) -> tuple[str, Terminal]:
    """Begin a session that has answered its prompt; return its id, and the list that shows it."""
    session = begun(daemon, folder, "Parrot", prompt)
    until(daemon, session, "idle")
    screen = terminal("tui")
    screen.until("Parrot")
    return session, screen


def in_the_inbox(daemon: Daemon, terminal: Terminals, folder: Path) -> tuple[str, Terminal]:
    """Begin a session that asks for permission; return its id, and the inbox that shows the question."""
    session = asking(daemon, folder, "Careful")
    screen = terminal("tui")
    screen.until("Run Careful")
    screen.keys("i")
    screen.until(COMMAND)
    return session, screen


def until(daemon: Daemon, session: str, state: str) -> dict[str, Any]:
    """Return the row once the session is in a state."""
    answer = daemon.get(f"/sessions/{session}/wait?until={state}&timeout=60")
    assert answer.status == 200, answer.body
    row: dict[str, Any] = answer.json()
    return row


def row(daemon: Daemon, session: str) -> dict[str, Any]:
    """Return the row."""
    found: dict[str, Any] = daemon.get(f"/sessions/{session}").json()
    return found


def said(daemon: Daemon, session: str) -> list[str]:
    """Return what was said, by whom and what."""
    items = daemon.get(f"/sessions/{session}/transcript").json()["items"]
    return [f"{item['role']}: {item['text']}" for item in items if item["kind"] == "message"]
