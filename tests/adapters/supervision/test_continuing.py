"""Going on with what there is: sessions of other tools, and sessions whose agent changed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from anyio import to_thread
from msgspec.structs import replace

from holdfast.adapters.storage.compact import compact
from holdfast.adapters.transports.acp.transport import AcpTransport
from holdfast.domain.content import of_text, text_of
from holdfast.domain.errors import CommandNotFoundError, ConflictError
from holdfast.domain.policy import overridden
from holdfast.domain.policy_table import DEFAULTS
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.supervision.test_supervisor import MODES
from tests.adapters.supervision.town import ME, Town
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.domain.policy import Missing

pytestmark = pytest.mark.slow

OLD = StreamId("0b7f2c1e-4a44-4c52-9a7e-3f6d1f0a9b11")


def imported(town: Town, source: str = "claude", cwd: str | None = None) -> None:
    """Put a session into the log as an import does."""
    with town.log() as workspace:
        create = c.Create("import", source, source, cwd or str(town.home), imported_from=source)
        workspace.execute(OLD, create, cause=None, actor=ME)
        said = (e.MessageReceived("m1", of_text("what was said")), e.TurnStarted("t1"))
        workspace.execute(OLD, c.Observe(said), cause=None, actor=ME)


def installed(town: Town, agent: Scripted) -> None:
    """Have a program of the name of Claude's agent on the PATH."""
    program = town.home / "claude-agent-acp"
    program.write_text("#!/bin/sh\nexec " + " ".join(agent.command) + "\n")
    program.chmod(0o755)
    town.environ["PATH"] = f"{town.home}:{town.environ['PATH']}"
    town.transports = {"acp": AcpTransport(which=lambda name: str(program) if name == program.name else None)}


class TestImportedSessions:
    @pytest.mark.parametrize("way", ["resume", "load"])
    async def test_a_prompt_opens_the_agent_with_the_original_session(
        self, town: Town, tmp_path: Path, way: str
    ) -> None:
        agent = Scripted(tmp_path / "agent", **{way: {"replay": False}})
        (agent.folder / "state" / f"{OLD}.jsonl").touch()
        installed(town, agent)
        imported(town)

        async with town.daemon() as daemon:
            assert agent.pids() == []
            await daemon.send(OLD, "go on")
            await daemon.until(OLD, lambda _: daemon.text(OLD) == "go on")

            (got,) = agent.got(f"session/{way}")
            assert (got["sessionId"], got["cwd"]) == (OLD, str(town.home))
            assert agent.got("session/new") == []
            attached = [fact for fact in daemon.facts(OLD) if isinstance(fact, e.Attached)]
            assert [(fact.remote_id, fact.resumed) for fact in attached] == [(OLD, True)]

    async def test_an_agent_that_can_not_take_it_up_says_so(self, town: Town, tmp_path: Path) -> None:
        installed(town, Scripted(tmp_path / "agent"))
        imported(town)

        async with town.daemon() as daemon:
            await daemon.send(OLD, "go on")
            (failed,) = await daemon.saw(OLD, e.PromptFailed)

            assert "can take up no earlier session" in (failed.detail or "")
            assert text_of(failed.content) == "go on"

    async def test_without_the_agent_the_prompt_is_refused_with_how_to_get_it(self, town: Town) -> None:
        town.transports = {"acp": AcpTransport(which=lambda name: None)}
        imported(town)

        async with town.daemon() as daemon:
            with pytest.raises(CommandNotFoundError, match="npm install"):
                await daemon.send(OLD, "go on")
            assert not isinstance(daemon.facts(OLD)[-1], e.PromptQueued)

    async def test_a_tool_without_an_agent_cannot_be_continued(self, town: Town) -> None:
        imported(town, "somebody")

        async with town.daemon() as daemon:
            with pytest.raises(ConflictError, match="somebody"):
                await daemon.send(OLD, "go on")

    async def test_reading_it_starts_nothing(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent", resume={})
        installed(town, agent)
        imported(town)

        async with town.daemon() as daemon:
            await daemon.do(OLD, c.MarkRead())
            await daemon.do(OLD, c.Rename("old"))

        assert agent.pids() == []


class TestComingBack:
    async def test_mode_and_options_are_given_back(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent", resume={}, result={"modes": MODES})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnEnded)
            await daemon.keeping.set_mode(session, "act", cause=None, actor=ME)
            await daemon.keeping.end_agents("told to")
            await daemon.send(session, "two")
            await daemon.saw(session, e.TurnEnded, 2)

            assert [got["modeId"] for got in agent.got("session/set_mode")] == ["act", "act"]
            modes = [fact.mode for fact in daemon.facts(session) if isinstance(fact, e.ModeChanged)]
            assert modes[-1] == "act"

    async def test_what_cannot_be_given_back_is_refused_out_loud(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent", resume={}, result={"modes": MODES})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnEnded)
            await daemon.keeping.set_mode(session, "act", cause=None, actor=ME)
            await daemon.keeping.end_agents("told to")
            less = {"currentModeId": "ask", "availableModes": MODES["availableModes"][:1]}
            agent.change(resume={}, result={"modes": less})
            await daemon.send(session, "two")
            (_, failed) = await daemon.saw(session, e.Detached, 2)

            assert failed.reason == "failed"
            assert "mode act" in (failed.error or "")
            assert agent.prompts() == ["one"]


GONE = {"code": -32002, "message": "no such session"}


class TestMissingAtThePeer:
    """What the policy `missing` says, where the agent does not know the session any more."""

    @pytest.mark.parametrize(
        ("missing", "says", "says_not"),
        [
            ("ask", "no such session", None),
            ("ask", "start a new session to go on", None),
            ("error", "no such session", "start a new session"),
        ],
    )
    async def test_it_is_refused_and_its_history_stays(
        self, town: Town, tmp_path: Path, missing: Missing, says: str, says_not: str | None
    ) -> None:
        agent = Scripted(tmp_path / "agent", load={"fail": GONE})
        town.policies = {"acp": replace(DEFAULTS["acp"], missing=missing)}

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnEnded)
            await daemon.keeping.end_agents("told to")
            await daemon.send(session, "two")
            (failed,) = await daemon.saw(session, e.PromptFailed)

            (gone,) = [fact for fact in await daemon.saw(session, e.Detached, 2) if fact.reason == "gone"]
            assert says in (gone.error or "")
            assert says in (failed.detail or "")
            assert says_not is None or says_not not in (failed.detail or "")
            assert daemon.text(session) == "one"
            assert len(agent.got("session/new")) == 1

    @pytest.mark.parametrize("way", [{"load": {"fail": GONE}}, {}])
    async def test_another_one_is_begun_once_and_everybody_is_told(
        self, town: Town, tmp_path: Path, way: dict[str, object]
    ) -> None:
        agent = Scripted(tmp_path / "agent", result={"modes": MODES}, **way)
        town.policies = {"acp": replace(DEFAULTS["acp"], missing="recreate-once")}

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnEnded)
            await daemon.keeping.set_mode(session, "act", cause=None, actor=ME)
            await daemon.keeping.end_agents("told to")
            await daemon.send(session, "two")
            await daemon.saw(session, e.TurnEnded, 2)

            facts = daemon.facts(session)
            first, second = (fact.remote_id for fact in facts if isinstance(fact, e.Attached))
            (notice,) = (fact for fact in facts if isinstance(fact, e.NoticeAdded))
            assert first != second
            assert notice.kind == "begun-anew"
            assert "remembers nothing of what stands above" in notice.text
            assert agent.prompts() == ["one", "two"]
            assert [fact.mode for fact in facts if isinstance(fact, e.ModeChanged)][-1] == "act"

    async def test_where_that_fails_too_it_is_over(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent", load={"fail": GONE})
        town.policies = {"acp": replace(DEFAULTS["acp"], missing="recreate-once")}

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnEnded)
            await daemon.keeping.end_agents("told to")
            agent.change(load={"fail": GONE}, refuse={"session/new": {"code": -32603, "message": "no more"}})
            await daemon.send(session, "two")
            (_, failed) = await daemon.saw(session, e.Detached, 2)

            assert failed.reason == "failed"
            assert "no more" in (failed.error or "")
            assert agent.prompts() == ["one"]


class TestProgramsByTheTimer:
    """What the policy of ACP says of programs, where configuration says otherwise."""

    async def test_one_that_died_is_started_again_at_once(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent", resume={}, prompts=[[{"say": "on"}, {"exit": 3}], [{"say": "again"}]])
        town.policies = {"acp": overridden(DEFAULTS["acp"], {"reconnect": {"restart": "timer", "base_s": 0.01}})}

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.Attached, 2)

            (detached,) = await daemon.saw(session, e.Detached)
            assert detached.reason == "lost"
            assert agent.prompts() == ["one"]

    async def test_one_that_is_not_there_may_come(self, town: Town, tmp_path: Path) -> None:
        agent = Scripted(tmp_path / "agent")
        program = tmp_path / "comes-later"
        changes = {"reconnect": {"restart": "timer", "terminal": (), "base_s": 0.01, "cap_s": 0.2, "jitter_s": 0}}
        town.policies = {"acp": overridden(DEFAULTS["acp"], changes)}

        async with town.daemon() as daemon:
            session = await daemon.new([str(program)])
            await daemon.saw(session, e.Detached)
            beside = tmp_path / "new"
            beside.write_text("#!/bin/sh\nexec " + " ".join(agent.command) + "\n")
            beside.chmod(0o755)
            beside.rename(program)
            await daemon.saw(session, e.Attached)


class TestASessionThatIsCompactedMeanwhile:
    async def test_what_its_agent_says_next_is_recorded_after_that(self, town: Town, tmp_path: Path) -> None:
        """Given a compaction that nobody told the keeper of, both what is observed and what is asked go on."""
        agent = Scripted(tmp_path / "agent")
        first = [{"say": "one "}, agent.wait("said"), {"say": "two "}]
        second = [{"say": "three "}, agent.wait("compacted"), {"say": "four"}]
        agent.change(prompts=[first, second])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "begin")
            await daemon.until(session, lambda _: daemon.text(session) == "one ")
            agent.open("said")
            await daemon.saw(session, e.TurnEnded)
            await daemon.send(session, "go on")
            await daemon.until(session, lambda _: daemon.text(session) == "one two three ")
            done = await to_thread.run_sync(compact, daemon.store, session)
            agent.open("compacted")
            await daemon.saw(session, e.TurnEnded, 2)

            assert done.messages == 1
            await to_thread.run_sync(compact, daemon.store, session)
            await daemon.do(session, c.Rename("compacted twice"))
            assert daemon.text(session) == "one two three four"
            assert [each.originator_version for each in daemon.log(session)] == list(
                range(1, len(daemon.log(session)) + 1)
            )
