"""The demo, and the comparison at its end, which has to be able to fail."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw

from holdfast.domain.answers import LogEvent
from holdfast.domain.session import events as e
from holdfast.frontends.cli.proof import Proof, Told, compare, held, sent
from tests.frontends.cli.running import OnTerminal
from tests.frontends.client.test_shapes import recorded
from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.domain.session.facts import Fact
    from tests.support.cli import Cli


@pytest.mark.slow
def test_the_demo_kills_its_daemon_and_shows_that_nothing_is_lost(cli: Cli) -> None:
    told = cli("demo", "--speed", "30")

    assert told.returncode == 0, told.stderr
    assert re.fullmatch(r"verified: [0-9,]+ events, 0 lost, 0 doubled", told.stdout.splitlines()[-1])
    before, pulled, after = told.stdout.partition("pulled the plug: process")
    assert pulled
    assert "permission pending" in before
    assert "goes on" in after
    assert cli("ls", "--all", "--json").stdout == "[]\n", "it happens in a home of its own"
    assert cli("status").returncode == 5


@pytest.mark.slow
def test_a_person_answers_on_a_terminal(tmp_home: Path) -> None:
    whole = environment(tmp_home, {"TERM": "xterm-256color", "TMPDIR": str(tmp_home)})
    demo = OnTerminal("demo", "--speed", "30", whole=whole)

    demo.until("pytest tests/test_table.py - allow it once? [y/N]").type("y\n")
    demo.until("The agent asks: pytest - allow it once? [y/N]").type("n\n")
    ran = demo.ran()

    assert ran.code == 0
    assert "permission answered · once by cli" in ran.printed
    assert "permission answered · reject by cli" in ran.printed
    assert re.search(r"verified: [0-9,]+ events, 0 lost, 0 doubled\r\n$", ran.printed)
    assert list(tmp_home.iterdir()) == []


@pytest.mark.slow
def test_a_demo_that_is_interrupted_leaves_nothing_behind(tmp_home: Path) -> None:
    whole = environment(tmp_home, {"TERM": "xterm-256color", "TMPDIR": str(tmp_home)})
    demo = OnTerminal("demo", "--speed", "30", whole=whole).until("thought")

    assert demo.interrupt().ran().code == 130

    assert list(tmp_home.iterdir()) == [], "the folder goes after the daemon, and the daemon after the agent"


@pytest.mark.slow
def test_the_demo_answers_programs_with_what_it_found(cli: Cli) -> None:
    told = json.loads(cli("demo", "--speed", "100", "--json").stdout)

    assert told["ok"] is True
    assert (told["lost"], told["doubled"]) == (0, 0)
    assert told["sent"] > 100
    assert told["gone_s"] > 0


def test_the_demo_starts_no_daemon_where_it_may_not(cli: Cli) -> None:
    assert cli("demo", "--no-start").returncode == 5
    assert cli("demo", "--speed", "0").returncode == 2


def update(**fields: object) -> bytes:
    return json.dumps({"method": "session/update", "params": {"update": fields}}).encode()


def said(text: str, kind: str = "agent_message_chunk") -> bytes:
    return update(sessionUpdate=kind, messageId="m", content={"type": "text", "text": text})


COPY = [
    said("one "),
    said("two "),
    said("hm", "agent_thought_chunk"),
    update(sessionUpdate="tool_call", toolCallId="t", status="pending", content=[]),
    json.dumps({"method": "session/request_permission", "id": "a", "params": {}}).encode(),
    update(sessionUpdate="tool_call_update", toolCallId="t", status="completed"),
    said("three"),
    json.dumps({"id": 3, "result": {"stopReason": "end_turn"}}).encode(),
    b'{"method": "session/upd',
]
HELD: tuple[Fact, ...] = (
    e.TextAppended("m", "one two "),
    e.ThoughtAppended("h", "hm"),
    e.ToolCalled("i", "t", status="pending"),
    e.PermissionRequested("r", "turn", "Bash", Raw(b"{}"), (), "hash"),
    e.ToolUpdated("i", "t", status="completed"),
    e.TextAppended("m#2", "three"),
    e.TurnEnded("turn", "end_turn"),
)


def log(facts: Sequence[Fact]) -> Told:
    return held(LogEvent(recorded(version, fact), "session", "", None) for version, fact in enumerate(facts, 1))


def test_what_the_log_holds_once_is_neither_lost_nor_doubled() -> None:
    assert compare(sent(COPY), log(HELD)) == Proof(8, 0, 0)


@pytest.mark.parametrize(
    ("facts", "lost", "doubled"),
    [
        (HELD[1:], 2, 0),
        ([*HELD[:5], HELD[6]], 1, 0),
        ([HELD[0], *HELD], 0, 1),
        ([*HELD, HELD[6]], 0, 1),
        ([*HELD[:3], HELD[2], *HELD[3:]], 0, 1),
        ([*HELD[:3], *HELD[4:]], 1, 0),
        ([e.TextAppended("m", "one tvo "), *HELD[1:]], 1, 1),
        ([], 8, 0),
    ],
)
def test_what_is_missing_or_there_twice_is_counted(facts: list[Fact], lost: int, doubled: int) -> None:
    assert compare(sent(COPY), log(facts)) == Proof(8, lost, doubled)
