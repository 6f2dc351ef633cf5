"""A slow line between the program and its terminal, or between the program and the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.agents.scripting import Scripted
from tests.frontends.tui.slow import SlowTerminal, slow_link
from tests.frontends.tui.stage import said, until

if TYPE_CHECKING:
    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminals

pytestmark = [pytest.mark.slow, pytest.mark.tmux]

WORDS = [{"say": f"word-{number} and some more of it.\n\n"} for number in range(1_500)]


def test_over_a_slow_line_to_the_terminal_frames_are_left_out_and_keys_answer(
    daemon: Daemon, tmp_path: Path, tmp_home: Path
) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[*WORDS[:1_400], {"say": "THE-HALF"}, agent.wait("on"), *WORDS[1_400:], {"say": "THE-END"}]])
    body = {"command": agent.command, "title": "Slow", "cwd": str(tmp_path), "prompt": "speak", "wait_s": 30}
    session = daemon.post("/sessions", body).json()["id"]
    screen = SlowTerminal(tmp_home, "tui", session, bytes_per_s=6_000)
    try:
        screen.until(lambda seen: b"word-" in seen)

        begun_at = len(screen.seen)
        screen.type("zqj")
        answered_at = screen.until(lambda seen: b"zqj" in seen, begun_at)
        assert answered_at - begun_at < 30_000, "what was typed stands behind a backlog of frames"

        screen.until(lambda seen: b"THE-HALF" in seen)
        agent.open("on")
        until(daemon, session, "idle")
        spoken_at = len(screen.seen)
        shown_at = screen.until(lambda seen: b"THE-END" in seen)
        assert shown_at - spoken_at < 30_000, "the end stands behind a backlog of frames"
    finally:
        screen.close()


def test_over_a_slow_line_to_the_daemon_a_session_streams_and_takes_a_prompt(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    agent = Scripted(tmp_path / "agent")
    agent.change(prompts=[[*WORDS[:300], {"say": "THE-END"}], [{"say": "and THE-ANSWER"}]])
    body = {"command": agent.command, "title": "Far away", "cwd": str(tmp_path), "wait_s": 30}
    session = daemon.post("/sessions", body).json()["id"]
    address = Path(daemon.get("/status").json()["socket"])
    with slow_link(address, bytes_per_s=4_000, delay_s=0.3):
        screen = terminal("tui", session)
        screen.until("Message the agent")
        screen.type("speak")
        screen.keys("Enter")
        screen.until("word-")
        screen.type("and this")
        screen.until("and this")
        assert "daemon unreachable" not in screen.screen()
        screen.until("THE-END")
        screen.keys("Enter")
        screen.until("THE-ANSWER")
        assert "daemon unreachable" not in screen.screen()
        screen.keys("C-q")
        screen.ends()

    until(daemon, session, "idle")
    assert [each for each in said(daemon, session) if each.startswith("user: ")] == ["user: speak", "user: and this"]
