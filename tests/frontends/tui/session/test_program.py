"""One session in the real program, under a real terminal, with a real daemon and agents that play a script."""

from __future__ import annotations

import json
import os
import signal
from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.scripting import Scripted, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.frontends.daemon import Daemon
    from tests.frontends.tui.terminal import Terminal, Terminals
    from tests.support.cli import Cli

pytestmark = [pytest.mark.slow, pytest.mark.tmux]

OPTIONS = [
    {"optionId": "once", "kind": "allow_once", "name": "Allow once"},
    {"optionId": "always", "kind": "allow_always", "name": "Always allow"},
    {"optionId": "reject", "kind": "reject_once", "name": "Reject"},
]
ASK = {
    "ask": "t",
    "tool": {"toolCallId": "t", "title": "Clean up", "kind": "execute", "rawInput": {"command": "rm -rf build"}},
    "options": OPTIONS,
    "allow": [{"say": "it was allowed"}],
    "deny": [{"say": "it was denied"}],
}


def begun(daemon: Daemon, folder: Path, prompt: str | None = None, **script: object) -> tuple[str, Scripted]:
    agent = Scripted(folder / "agent", **script)
    body: dict[str, Any] = {"command": agent.command, "title": "Harbour", "cwd": str(folder), "wait_s": 30}
    answer = daemon.post("/sessions", body | ({"prompt": prompt} if prompt else {}))
    assert answer.status == 201, answer.body
    return str(answer.json()["id"]), agent


def items(daemon: Daemon, session: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daemon.get(f"/sessions/{session}/transcript?limit=1000").json()["items"]
    return found


def press_until(screen: Terminal, key: str, holds: Callable[[str], bool]) -> None:
    """Press a key until it has done what it does: a card does not listen in its first moment."""
    screen.until("allow once")

    def pressed(shown: str) -> bool:
        if holds(shown):
            return True
        screen.keys(key)
        return False

    screen.until(pressed)


def test_an_approval_reaches_the_agent_and_typing_never_is_one(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session, _ = begun(daemon, tmp_path, "go", prompts=[[ASK]])
    screen = terminal("tui", session)
    screen.until("rm -rf build")
    screen.type("aAd")
    screen.until("▌ aAd")
    assert [each["status"] for each in items(daemon, session) if each["kind"] == "permission"] == ["pending"]

    screen.keys("Tab")
    press_until(screen, "a", lambda shown: "it was allowed" in shown)

    answered = next(each for each in items(daemon, session) if each["kind"] == "permission")
    assert (answered["decision"], answered["decided_by"]) == ("once", "tui")


def test_a_refusal_carries_its_reason(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, _ = begun(daemon, tmp_path, "go", prompts=[[ASK]])
    screen = terminal("tui", session)
    screen.until("rm -rf build")
    screen.keys("Tab")
    press_until(screen, "d", lambda shown: "Why not?" in shown)
    screen.keys("C-u")
    screen.type("too risky")
    screen.keys("Enter")

    screen.until("it was denied")
    answered = next(each for each in items(daemon, session) if each["kind"] == "permission")
    assert (answered["decision"], answered["reason"]) == ("reject", "too risky")


def test_an_answer_from_elsewhere_is_told(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, _ = begun(daemon, tmp_path, "go", prompts=[[ASK]])
    screen = terminal("tui", session)
    screen.until("rm -rf build")

    (request,) = daemon.get("/inbox").json()["items"]
    daemon.post(f"/inbox/{request['request_id']}", {"option_id": "once"})

    screen.until("it was allowed")
    screen.until("rm -rf build", gone=True)


def test_what_is_sent_meanwhile_waits_can_be_changed_and_then_goes(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    agent_folder = tmp_path / "agent"
    gate = {"wait": str(agent_folder / "gate-go")}
    session, agent = begun(daemon, tmp_path, "first", prompts=[[gate, {"say": "one done"}], [{"say": "got {prompt}"}]])
    screen = terminal("tui", session)
    screen.until("Queue a message")
    screen.type("second")
    screen.keys("Enter")
    screen.until("Queued (1)")
    screen.keys("Up")
    screen.until("d drop")
    screen.keys("Enter")
    screen.until("▌ second")
    screen.type(" thought")
    screen.keys("Enter")
    screen.until("∙ second thought")

    agent.open("go")

    screen.until("got second thought")
    screen.until("Queued", gone=True)


def test_ctrl_c_stops_the_turn_and_not_the_program(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    gate = {"wait": str(tmp_path / "agent" / "gate-never")}
    session, _ = begun(daemon, tmp_path, "go", prompts=[[{"say": "I begin"}, gate], [{"say": "back again"}]])
    screen = terminal("tui", session)
    screen.until("I begin")

    screen.keys("C-c")

    screen.until("Cancelled")
    screen.type("more")
    screen.keys("Enter")
    screen.until("back again")


def test_a_draft_outlives_the_program(daemon: Daemon, terminal: Terminals, tmp_path: Path, tmp_home: Path) -> None:
    session, _ = begun(daemon, tmp_path)
    screen = terminal("tui", session)
    screen.until("Message ")
    screen.type("half a thou")
    kept = tmp_home / "drafts" / f"{session}.json"
    screen.until(lambda _: kept.exists() and json.loads(kept.read_bytes())["text"] == "half a thou")

    os.kill(screen.pid(), signal.SIGKILL)
    again = terminal("tui", session)

    again.until("▌ half a thou")


def test_a_daemon_killed_in_mid_sentence_comes_back_and_nothing_is_there_twice(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    gate = {"wait": str(tmp_path / "agent" / "gate-go")}
    before, after = {"say": "before {n}\n\n", "times": 5}, {"say": "after {n}\n\n", "times": 5}
    session, agent = begun(daemon, tmp_path, "go", prompts=[[before, gate, after], [{"say": "and {prompt}"}]])
    screen = terminal("tui", session, size=(100, 50))
    screen.until("before 4")

    daemon.kill()
    screen.until("daemon unreachable")
    screen.type("kept")
    screen.until("▌ kept")
    agent.open("go")
    daemon.start()
    shown = screen.until("after 4")

    for n in range(5):
        assert shown.count(f"before {n}") == 1
        assert shown.count(f"after {n}") == 1
    screen.until("daemon unreachable", gone=True)
    screen.keys("Enter")
    screen.until("and kept")


def test_what_an_agent_says_never_reaches_the_terminal_as_it_is(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    evil = "\x1b]0;OWNED\x07\x1b[2J\u202e\x9b31mdone"
    pieces = [{"say": letter} for letter in evil]
    tool = {"tool": {"toolCallId": "t", "title": evil, "kind": "read", "status": "completed"}}
    session, _ = begun(daemon, tmp_path, "go", prompts=[[tool, *pieces, {"think": evil}]])
    screen = terminal("tui", session)
    shown = screen.until("\\x9b31mdone")

    assert "\\x1b]0;OWNED" in shown
    assert screen.title() != "OWNED"
    sent = screen.raw()
    for piece in (b"\x1b]0;OWNED", "\u202e".encode(), "\x9b".encode(), b"\x1b[2J\xe2\x80\xae"):
        assert piece not in sent


def test_a_prompt_that_failed_says_why(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, _ = begun(daemon, tmp_path, prompts=[[{"fail": {"code": -32000, "message": "no money left"}}]])
    screen = terminal("tui", session)
    screen.until("Message ")
    screen.type("please")
    screen.keys("Enter")

    screen.until("no money left")


def test_words_marked_with_the_mouse_go_to_the_clipboard_of_the_terminal(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session, _ = begun(daemon, tmp_path, "hello", prompts=[[{"say": "take these words with you"}]])
    screen = terminal("tui", session)
    screen.until("Message the agent")
    lines = screen.until("with you").splitlines()
    y = next(at for at, line in enumerate(lines) if "these words" in line)
    x = lines[y].index("these words")

    screen.drag((x, y), (x + len("these words") - 1, y))
    screen.until("copy what is marked")
    screen.keys("C-c")
    screen.until("Copied")

    clipboard = b"\x1b]52;c;" + b64encode(b"these words")
    screen.until(lambda _: clipboard in screen.raw())


def lost_at_its_agent(daemon: Daemon, folder: Path) -> str:
    """Begin a session which its agent has forgotten when it is to be taken up again."""
    no_such = {"code": -32002, "message": "Resource not found: session"}
    session, _ = begun(daemon, folder, "hello", load={"fail": no_such}, prompts=[[{"say": "one word"}, {"exit": 0}]])
    daemon.get(f"/sessions/{session}/wait?until=idle&timeout=60")
    return session


def test_a_session_that_its_agent_no_longer_has_can_be_kept_as_a_copy(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session = lost_at_its_agent(daemon, tmp_path)
    screen = terminal("tui", session)
    screen.until("one word")
    screen.type("again")
    screen.keys("Enter")
    screen.until("Its agent no longer has this session")

    screen.keys("M-k")
    screen.until("Its agent no longer has this session", gone=True)

    row = daemon.get(f"/sessions/{session}").json()
    assert row["lifecycle"] == "ended"
    assert "one word" in str(items(daemon, session))


def test_a_session_that_its_agent_no_longer_has_can_be_removed_after_asking(
    daemon: Daemon, terminal: Terminals, tmp_path: Path
) -> None:
    session = lost_at_its_agent(daemon, tmp_path)
    daemon.post(f"/sessions/{session}/prompts", {"content": "again"})
    screen = terminal("tui", session, size=(40, 16))
    screen.until("Alt+X remove it")

    screen.keys("M-x")
    screen.until("Remove “Harbour”?")
    screen.keys("Enter")  # too easily pressed for something that cannot be taken back
    screen.until("Remove “Harbour”?")
    screen.keys("y")
    screen.until("no sessions yet")

    assert daemon.get(f"/sessions/{session}").status == 404


def test_a_paste_of_a_megabyte_does_not_get_in_the_way(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, _ = begun(daemon, tmp_path, prompts=[[{"say": "thank you"}]])
    screen = terminal("tui", session)
    screen.until("Message ")
    screen.paste("a line of text\n" * 70_000)

    screen.until("Pasted text, 1,050,000 bytes")
    screen.type("look")
    screen.keys("Enter")

    screen.until("thank you")
    said = next(each for each in items(daemon, session) if each.get("role") == "user")
    assert len(said["text"]) > 1_000_000


def fits(width: int, shown: str) -> bool:
    return "199" in shown and max(map(len, shown.split("\n"))) <= width


def test_it_fits_every_size_while_it_streams(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    gate = {"wait": str(tmp_path / "agent" / "gate-end")}
    talk = {"say": "word {n} ", "times": 200}
    session, agent = begun(daemon, tmp_path, "go", prompts=[[talk, gate, {"say": "the end"}]])
    screen = terminal("tui", session)
    screen.until("word 199")
    for width, height in ((40, 10), (300, 80), (20, 5), (100, 30)):
        screen.resize(width, height)
        screen.until(partial(fits, width))
    agent.open("end")
    screen.until("the end")


def test_sixteen_colours_and_ascii_alone_are_enough(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, _ = begun(daemon, tmp_path, "go", prompts=[[{"say": "**bold** and `code` — ok\n"}, ASK]])
    environ = {"TERM": "screen", "COLORTERM": "", "LANG": "C", "LC_ALL": "C"}
    screen = terminal("tui", session, environ=environ)
    shown = screen.until("rm -rf build")

    assert shown.isascii()
    assert b"\x1b[38;2;" not in screen.raw()
    assert b";38;2;" not in screen.raw()
    assert screen.raw().isascii()


def test_nothing_is_read_in_a_session_that_nobody_looks_at(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    gate = {"wait": str(tmp_path / "agent" / "gate-go")}
    session, agent = begun(
        daemon, tmp_path, "go", prompts=[[{"say": "line {n}\n\n", "times": 80}, gate, {"say": "new"}]]
    )
    screen = terminal("tui", session)
    screen.until("line 79")
    screen.keys("PageUp")
    screen.until("line 79", gone=True)

    agent.open("go")
    daemon.get(f"/sessions/{session}/wait?until=idle&timeout=60")
    assert daemon.get(f"/sessions/{session}").json()["unread"] > 0
    screen.keys("End")
    screen.until("new")
    until(lambda: daemon.get(f"/sessions/{session}").json()["unread"] == 0, "it stays unread")


def test_a_session_is_played_from_a_moment_on_and_by_a_key(daemon: Daemon, terminal: Terminals, tmp_path: Path) -> None:
    session, _ = begun(daemon, tmp_path, "go", prompts=[[{"say": "the very words"}]])
    daemon.get(f"/sessions/{session}/wait?until=idle&timeout=60")
    before = terminal("tui", session, "--at", "2001-01-01T00:00:00Z")
    assert "the very words" not in before.until("event 0 of")
    before.keys("End")
    before.until("the very words")
    before.keys("Escape")
    before.until("event ", gone=True)

    screen = terminal("tui", session)
    screen.until("the very words")
    screen.keys("C-r")
    screen.until("event ")


def test_a_moment_without_a_session_is_refused(cli: Cli) -> None:
    refused = cli("tui", "--at", "2001-01-01T00:00:00Z")

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
