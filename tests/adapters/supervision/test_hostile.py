"""Peers that behave badly: only their own session fails, and the others notice nothing. And a log that has no room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from holdfast.adapters.storage.journal import StoreJournal
from holdfast.domain.errors import HoldfastError, StoreClosedError, StoreFullError
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.supervision.host.support import death_of
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.domain.journal import Batch
    from tests.adapters.supervision.town import Town

pytestmark = pytest.mark.slow

STEADY = [{"say": "{n} ", "times": 100, "every_s": 0.002}]


async def test_a_message_without_end_fails_its_session_alone(town: Town, tmp_path: Path) -> None:
    town.agents = type(town.agents)(frame_limit_bytes=1 << 20)
    loud = Scripted(tmp_path / "loud", prompts=[[{"say": "listen: "}, {"flood": 8 << 20, "of": "x"}, {"hang": True}]])
    quiet = Scripted(tmp_path / "quiet", prompts=[STEADY])

    async with town.daemon() as daemon:
        bad = await daemon.new(loud.command, "talk")
        good = await daemon.new(quiet.command, "count")
        (gone,) = await daemon.saw(bad, e.Detached)
        await daemon.saw(good, e.TurnEnded)

        assert gone.reason == "failed"
        assert "more than 1048576 bytes" in (gone.error or "")
        assert [type(fact) for fact in daemon.facts(bad)].count(e.TurnInterrupted) == 1
        assert daemon.text(bad) == "listen: "
        assert daemon.text(good) == quiet.turns()[0]["said"]
        await death_of(loud.pids()[0])


async def test_what_means_nothing_is_kept_and_survived(town: Town, tmp_path: Path) -> None:
    steps: list[dict[str, object]] = [
        {"raw": "Traceback (most recent call last):\n"},
        {"raw": '{"jsonrpc": "2.0", "id": 7, "result": {}}\n'},
        {"send": {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "nobody"}}},
        {"raw": "[1, null, 7]\n"},
        {"request": "fs/read_text_file", "params": {"path": "/etc/passwd"}},
        {"notify": "_vendor/x", "params": {}},
        {"stderr": 400_000},
        {"say": "still here"},
    ]
    agent = Scripted(tmp_path / "agent", prompts=[steps])

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "misbehave")
        await daemon.saw(session, e.TurnEnded)

        assert daemon.text(session) == "still here"
        assert len([fact for fact in daemon.facts(session) if isinstance(fact, e.RawReceived)]) >= 4
        (refused,) = agent.journal("answered")
        assert refused["error"]["code"] == -32601


async def test_two_thousand_chunks_and_a_line_of_830_kilobytes_arrive_whole(town: Town, tmp_path: Path) -> None:
    agent = Scripted(
        tmp_path / "agent",
        prompts=[
            [
                {"say": "{n},", "times": 2000},
                {"tool": {"toolCallId": "c1", "title": "cat"}},
                {"output": "c1", "bytes": 830_000},
                {"say": "end"},
            ]
        ],
    )

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "go")
        await daemon.saw(session, e.TurnEnded)

        assert daemon.text(session) == agent.turns()[0]["said"]
        updates = [fact for fact in daemon.facts(session) if isinstance(fact, e.ToolUpdated)]
        assert max(len(fact.output) + len(fact.content) for fact in updates) >= 830_000
        pieces = [fact for fact in daemon.facts(session) if isinstance(fact, e.TextAppended)]
        assert len(pieces) < 2001  # what came while an append was on its way is one


async def test_one_that_ignores_everything_is_killed_with_what_it_started(town: Town, tmp_path: Path) -> None:
    agent = Scripted(
        tmp_path / "agent",
        ignore=["eof", "term", "int"],
        prompts=[[{"spawn": {"setsid": True, "ignore_term": True}}, {"say": "ha"}, {"hang": True}]],
    )

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "stay")
        await daemon.saw(session, e.TextAppended)
        await daemon.do(session, c.End())
        await death_of(agent.pids()[0])
        await death_of(agent.children()[0])


class Small(StoreJournal):
    """A log on a disk that is full while `error` is set."""

    error: Exception | None = None

    async def append(self, batches: Sequence[Batch]) -> Sequence[Sequence[int]]:
        if self.error is not None:
            raise self.error
        return await super().append(batches)

    async def append_each(self, batches: Sequence[Batch]) -> Sequence[Sequence[int] | HoldfastError]:
        if isinstance(self.error, HoldfastError):
            return [self.error] * len(batches)
        return await super().append_each(batches)


class TestALogWithoutRoom:
    async def test_agents_are_paused_and_go_on_when_there_is_room(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent")
        agent.change(prompts=[[{"say": "before "}, agent.wait("full"), {"say": "{n} ", "times": 500}]])
        town.journal = Small

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "talk")
            await daemon.saw(session, e.TextAppended)
            assert isinstance(daemon.journal, Small)
            daemon.journal.error = StoreFullError("no space is left")
            agent.open("full")
            with pytest.raises(StoreFullError):
                await daemon.send(session, "refused")
            assert daemon.keeping.live() == 1
            daemon.journal.error = None
            await daemon.saw(session, e.TurnEnded)
            await daemon.send(session, "taken")
            await daemon.saw(session, e.TurnEnded, 2)

            assert daemon.text(session).startswith("before 0 1 2 ")
            assert agent.prompts() == ["talk", "taken"]
            assert len(agent.pids()) == 1

    async def test_a_log_that_is_broken_ends_everything_and_nothing_is_acknowledged(
        self, town: Town, tmp_path: Path
    ) -> None:
        agent = Scripted(tmp_path / "agent")
        town.journal = Small

        async def until_it_ends() -> None:
            async with town.daemon() as daemon:
                session = await daemon.new(agent.command)
                await daemon.ready(session)
                assert isinstance(daemon.journal, Small)
                daemon.journal.error = StoreClosedError("the store stopped after an input/output error")
                with pytest.raises(StoreClosedError):
                    await daemon.send(session, "lost")
                await anyio.sleep_forever()

        with pytest.raises(BaseExceptionGroup) as ended:
            await until_it_ends()

        assert ended.group_contains(StoreClosedError)
