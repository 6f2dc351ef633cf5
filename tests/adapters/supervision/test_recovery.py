"""Daemons come and go, agents and hosts are killed: nothing is lost, nothing is sent twice, nothing is made up."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from anyio import to_thread

from holdfast.adapters.supervision.host import reap
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.supervision.host.support import death_of, is_running
from tests.adapters.supervision.test_supervisor import ASKS, MODES
from tests.adapters.supervision.town import ME, ON_BOTH, Town
from tests.agents.scripting import Scripted, until

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.domain.session.facts import Fact

pytestmark = [pytest.mark.slow, ON_BOTH]

ENDS = (e.TurnEnded, e.TurnInterrupted, e.TurnUnknown)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "agent"


def ends(facts: list[Fact]) -> list[type[Fact]]:
    return [type(fact) for fact in facts if isinstance(fact, ENDS)]


class TestTheAgentGoesOn:
    async def test_what_it_said_meanwhile_is_read_and_nothing_is_doubled(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)
        agent.change(
            prompts=[
                [
                    {"say": "one {n} ", "times": 50},
                    agent.touch("half"),
                    agent.wait("go"),
                    {"say": "two {n} ", "times": 50},
                ]
            ]
        )

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "count")
            await daemon.saw(session, e.TextAppended)
        await to_thread.run_sync(agent.reached, "half")
        agent.open("go")
        await to_thread.run_sync(until, agent.turns)
        async with town.daemon() as daemon:
            await daemon.saw(session, e.TurnEnded)

            assert daemon.text(session) == agent.turns()[0]["said"]
            assert ends(daemon.facts(session)) == [e.TurnEnded]
            await daemon.send(session, "again")
            await daemon.saw(session, e.TurnEnded, 2)
        assert agent.prompts() == ["count", "again"]
        assert len(agent.pids()) == 1

    async def test_a_question_asked_meanwhile_can_be_answered_by_the_next(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)
        agent.change(prompts=[[agent.touch("busy"), agent.wait("go"), *ASKS]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "touch x")
            await to_thread.run_sync(agent.reached, "busy")
        agent.open("go")
        async with town.daemon() as daemon:
            (asked,) = await daemon.saw(session, e.PermissionRequested)
        async with town.daemon() as daemon:
            await daemon.keeping.answer(asked.request_id, "once", None, cause=None, actor=ME)
            await daemon.saw(session, e.TurnEnded)

            assert daemon.text(session) == "done"
            assert [type(fact) for fact in daemon.facts(session)].count(e.PermissionRequested) == 1
            assert len(agent.journal("answered")) == 1

    async def test_a_session_that_was_being_opened_is_opened_once(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)
        agent.change(new=[agent.touch("asked"), agent.wait("go")])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "hello")
            await to_thread.run_sync(agent.reached, "asked")
        agent.open("go")
        async with town.daemon() as daemon:
            await daemon.saw(session, e.TurnEnded)

        assert len(agent.got("session/new")) == 1
        assert agent.prompts() == ["hello"]
        assert len(agent.pids()) == 1

    async def test_queue_and_mode_are_as_they_were(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, result={"modes": MODES})
        agent.change(
            result={"modes": MODES},
            prompts=[[agent.touch("got"), agent.wait("go"), {"say": "1"}], [{"say": "{prompt}"}]],
        )

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            await daemon.keeping.set_mode(session, "act", cause=None, actor=ME)
            await daemon.send(session, "one")
            await daemon.send(session, "two")
            await to_thread.run_sync(agent.reached, "got")
        async with town.daemon() as daemon:
            await daemon.keeping.set_mode(session, "ask", cause=None, actor=ME)
            agent.open("go")
            await daemon.saw(session, e.TurnEnded, 2)

            assert daemon.text(session) == "1two"
            assert [fact.mode for fact in daemon.facts(session) if isinstance(fact, e.ModeChanged)] == [
                "ask",
                "act",
                "ask",
            ]
            # What the agent answered to the first daemon's wish is read again, and is nothing to anybody.
            assert not [fact for fact in daemon.facts(session) if isinstance(fact, e.RawReceived)]

    async def test_a_turn_can_be_cancelled_by_the_next_daemon(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, prompts=[[{"say": "on ", "times": 100_000, "every_s": 0.01}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "talk")
            await daemon.saw(session, e.TextAppended)
        async with town.daemon() as daemon:
            await daemon.do(session, c.Cancel())
            (ended,) = await daemon.saw(session, e.TurnEnded)

            assert ended.stop_reason == "cancelled"


class TestTheAgentDies:
    async def test_while_nobody_watches_it_is_said_once(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, load={})
        agent.change(load={}, prompts=[[{"say": "I was "}, agent.wait("go"), {"say": "going"}, {"signal": 9}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "do it")
            await daemon.saw(session, e.TextAppended)
        agent.open("go")
        await death_of(agent.pids()[0])
        for _ in range(3):
            async with town.daemon() as daemon:
                await daemon.saw(session, e.Detached)

                assert ends(daemon.facts(session)) == [e.TurnInterrupted]
                assert daemon.text(session) == "I was going"
        agent.change(load={})
        async with town.daemon() as daemon:
            await daemon.send(session, "again")
            await daemon.saw(session, e.TurnEnded)

            assert daemon.text(session) == "I was goingagain"
        assert agent.prompts() == ["do it", "again"]

    async def test_without_a_sign_of_the_prompt_it_is_unknown_what_became_of_it(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)
        agent.change(prompts=[[agent.touch("got"), agent.wait("go"), {"signal": 9}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "do it")
            await to_thread.run_sync(agent.reached, "got")
        agent.open("go")
        await death_of(agent.pids()[0])
        async with town.daemon() as daemon:
            await daemon.saw(session, e.Detached)

            assert ends(daemon.facts(session)) == [e.TurnUnknown]

    async def test_a_prompt_that_it_surely_never_read_was_not_delivered(self, town: Town, folder: Path) -> None:
        """It was stopped before the prompt went into its pipe, and killed without having read on."""
        agent = Scripted(folder)

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            (pid,) = agent.pids()
            os.kill(pid, signal.SIGSTOP)
            await daemon.send(session, "lost")
            await daemon.saw(session, e.PromptSent)
            (host,) = reap.survey(town.hosts)
            assert host.host is not None
            await to_thread.run_sync(until, lambda: _is_with_host(host.folder))
            os.kill(pid, signal.SIGKILL)
            (failed,) = await daemon.saw(session, e.PromptFailed)
            await daemon.saw(session, e.Detached)

            assert failed.reason == "not_delivered"
            assert ends(daemon.facts(session)) == [e.TurnEnded]

    async def test_hosts_and_all_of_them_at_once(self, town: Town, folder: Path) -> None:
        agent = Scripted(
            folder, prompts=[[{"spawn": {"setsid": True, "ignore_term": True}}, {"say": "I was "}, {"hang": True}]]
        )

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "do it")
            await daemon.saw(session, e.TextAppended)
        (found,) = reap.survey(town.hosts)
        assert found.host is not None
        os.kill(found.host.host.pid, signal.SIGKILL)
        await death_of(found.host.host.pid)
        async with town.daemon() as daemon:
            await daemon.saw(session, e.Detached)
            (child,) = agent.children()
            await death_of(child)

            assert ends(daemon.facts(session)) == [e.TurnInterrupted]
            assert daemon.text(session) == "I was "
            assert not is_running(agent.pids()[0])


class TestWhatNobodyWants:
    async def test_the_agent_of_a_session_that_has_ended_is_ended(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)
        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
        with town.log() as workspace:
            workspace.execute(session, c.End(), cause=None, actor=ME)
        async with town.daemon():
            await death_of(agent.pids()[0])
            await to_thread.run_sync(until, lambda: not reap.survey(town.hosts))

    async def test_but_not_the_agent_of_a_session_in_another_log(
        self, town: Town, folder: Path, tmp_path: Path
    ) -> None:
        """The home is the same: somebody had a look at another store with it."""
        agent, other = Scripted(folder), Scripted(tmp_path / "other")
        agent.change(prompts=[[{"say": "begun "}, agent.touch("begun"), agent.wait("go"), {"say": "and done"}]])
        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "go")
            await to_thread.run_sync(agent.reached, "begun")
        elsewhere = Town(town.home, town.runtime, f"sqlite:///{town.home}/another.db")
        async with elsewhere.daemon() as daemon:
            unwanted = await daemon.new(other.command)
            await daemon.ready(unwanted)
        with elsewhere.log() as workspace:
            workspace.execute(unwanted, c.End(), cause=None, actor=ME)
        async with elsewhere.daemon():
            await death_of(other.pids()[0])
            await to_thread.run_sync(until, lambda: len(reap.survey(town.hosts)) == 1)

        async with town.daemon() as daemon:
            agent.open("go")
            await daemon.saw(session, e.TurnEnded)

            assert daemon.text(session) == "begun and done"
            assert len(agent.pids()) == 1


def _is_with_host(folder: Path) -> bool:
    return len((folder / "keys").read_bytes().splitlines()) >= 3
