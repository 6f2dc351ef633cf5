"""A conversation with an agent that others' code speaks for, over the pipes of a real process."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import Answered
from holdfast.adapters.transports.acp.protocol.replay import Expected
from holdfast.adapters.transports.acp.protocol.results import Capabilities, initialized
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.transports.acp.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from holdfast.domain.transport import Write


pytestmark = pytest.mark.slow

PATIENCE_S = 60.0


class Process(Scene):
    """The same keeper, with a process at the other end."""

    def __init__(self, folder: Path) -> None:
        self.agent = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sdk_agent.py"))],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.folder = folder
        super().__init__()

    def write(self, writes: Sequence[Write]) -> None:
        assert self.agent.stdin is not None
        for write in writes:
            if write.key not in self.keys:
                self.agent.stdin.write(write.data)
                self.agent.stdin.flush()
        super().write(writes)

    def until(self, seen: Callable[[], bool]) -> None:
        """Hear the agent until something is so."""
        assert self.agent.stdout is not None
        while not seen():
            readable, _, _ = select.select([self.agent.stdout], [], [], PATIENCE_S)
            assert readable, f"the agent said nothing; so far: {self.facts}"
            data = os.read(self.agent.stdout.fileno(), 65_536)
            assert data, "the agent has ended"
            self.spool += data
            self._hear(data)

    def has(self, kind: type[e.Fact], count: int = 1) -> Callable[[], bool]:
        return lambda: sum(isinstance(fact, kind) for fact in self.facts) >= count

    def initialize(self) -> Capabilities:
        call = requests.initialize("0")
        self.write([self.connection.request("init", call.method, call.params)])
        self.until(lambda: bool(self.deliveries))
        answer = self.deliveries[0].observation
        assert isinstance(answer, Answered)
        return initialized(answer.result, answer.error)

    def turn(self, text: str) -> str:
        turns = sum(isinstance(fact, e.TurnEnded) for fact in self.facts)
        turn_id = self.prompt(text)
        self.until(self.has(e.TurnEnded, turns + 1))
        return turn_id

    def close(self) -> None:
        assert self.agent.stdin is not None
        assert self.agent.stdout is not None
        self.agent.stdin.close()
        self.agent.stdout.close()
        self.agent.terminate()
        self.agent.wait(PATIENCE_S)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    try:
        process.initialize()
        process.opens(requests.new(str(tmp_path)))
        process.until(process.has(e.Attached))
        yield process
    finally:
        process.close()


def test_it_says_what_it_can_do(tmp_path: Path) -> None:
    process = Process(tmp_path)
    try:
        can = process.initialize()
    finally:
        process.close()

    assert (can.name, can.load, can.resume) == ("example", True, False)


def test_words_come_in_order_and_the_turn_ends(agent: Process) -> None:
    turn = agent.turn("say one two three")

    assert agent.told() == [("message", "say one two three"), ("message", "one two three ")]
    assert agent.facts[-1] == e.TurnEnded(turn, "end_turn")


def test_two_thousand_pieces_are_one_text(agent: Process) -> None:
    agent.turn("count 2000")

    assert agent.told()[-1] == ("message", "".join(f"{number}," for number in range(2000)))


def test_a_turn_is_cancelled_in_the_middle(agent: Process) -> None:
    turn = agent.prompt("wait")
    agent.until(agent.has(e.TextAppended))

    agent.act(c.Cancel())
    agent.until(agent.has(e.TurnEnded))

    assert agent.facts[-1] == e.TurnEnded(turn, "cancelled")


def test_a_permission_is_asked_for_and_given(agent: Process) -> None:
    agent.prompt("touch x")
    agent.until(agent.has(e.PermissionRequested))
    (waiting,) = agent.session.state.pending

    agent.act(c.Answer(waiting.request_id, "yes"))
    agent.until(agent.has(e.TurnEnded))

    assert [(item.kind, item.status) for item in agent.transcript()][1:] == [
        ("tool_call", "completed"),
        ("permission", "answered"),
    ]


def test_a_permission_that_waits_is_cancelled_with_its_turn(agent: Process) -> None:
    agent.prompt("touch x")
    agent.until(agent.has(e.PermissionRequested))

    agent.act(c.Cancel())
    agent.until(agent.has(e.TurnEnded))

    assert [(item.kind, item.status) for item in agent.transcript()][1:3] == [
        ("tool_call", "failed"),
        ("permission", "expired"),
    ]


def test_an_error_is_told_with_its_details(agent: Process) -> None:
    agent.turn("fail")

    assert agent.session.state.failure == "Internal error told to (-32603)"


def test_a_restarted_daemon_goes_on_in_the_middle(agent: Process) -> None:
    agent.prompt("count 500")
    agent.until(agent.has(e.TextAppended, 3))
    agent.restart()
    agent.until(agent.has(e.TurnEnded))

    assert agent.told()[-1] == ("message", "".join(f"{number}," for number in range(500)))


def test_a_load_repeats_and_nothing_is_doubled(agent: Process) -> None:
    agent.turn("say hello")
    before = agent.told()
    remote = agent.session.state.remote_id
    assert remote is not None

    agent.opens(requests.load(remote, str(agent.folder)))
    agent.until(agent.has(e.Attached, 2))

    assert agent.told() == [*before, ("notice", "")]
    assert agent.conversation.replay.recent == ["say hello"]
    assert agent.conversation.replay.doubts(Expected(1, "say hello")) == []


def test_requests_that_mean_nothing_are_answered(agent: Process) -> None:
    agent.write([agent.connection.request("odd", "session/nonsense", Raw(b"{}"))])
    agent.until(lambda: bool(agent.errors()))

    assert agent.errors()[0].conversation is None
