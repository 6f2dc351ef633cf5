"""Sessions with real agents: what a person does, and what the agent and the log get of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import to_thread

from holdfast.domain.content import of_text
from holdfast.domain.errors import (
    ConflictError,
    NotFoundError,
    OptionError,
    PermissionExpiredError,
    PromptError,
    SessionEndedError,
    UsageError,
)
from holdfast.domain.journal import Batch
from holdfast.domain.keeping import Order
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, fold, handle
from tests.adapters.supervision.host.support import death_of
from tests.adapters.supervision.town import ME
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.supervision.town import Town

pytestmark = pytest.mark.slow

ASKS = [
    {"tool": {"toolCallId": "c1", "title": "touch x", "rawInput": {"path": "x"}}},
    {
        "ask": "c1",
        "tool": {"title": "touch x", "rawInput": {"path": "x"}},
        "allow": [{"say": "done"}],
        "deny": [{"say": "well then"}],
        "cancelled": [{"end": "cancelled"}],
    },
]
MODES = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "act", "name": "Act"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "agent"


async def test_a_session_begins_speaks_and_ends_its_turn(town: Town, folder: Path) -> None:
    agent = Scripted(folder, prompts=[[{"say": "I will {n} ", "times": 20}]])

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "hello")
        await daemon.saw(session, e.TurnEnded)

        assert agent.prompts() == ["hello"]
        assert daemon.text(session) == "".join(entry["said"] for entry in agent.turns())
        shown = daemon.keeping.connection(session)
        assert shown is not None
        assert shown.state == "connected"
        assert daemon.keeping.live() == 1


class TestPrompts:
    async def test_one_is_with_the_agent_and_the_others_wait_and_can_be_changed(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)
        agent.change(prompts=[[agent.wait("go"), {"say": "{prompt} "}], [{"say": "{prompt} "}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnStarted)
            two = await daemon.send(session, "two")
            three = await daemon.send(session, "three")
            await daemon.send(session, "four")
            await daemon.do(session, c.EditPrompt(two, of_text("zwei")))
            await daemon.do(session, c.WithdrawPrompt(three))
            agent.open("go")
            await daemon.saw(session, e.TurnEnded, 3)

            assert agent.prompts() == ["one", "zwei", "four"]
            assert daemon.text(session) == "one zwei four "
            with pytest.raises(NotFoundError):
                await daemon.do(session, c.WithdrawPrompt(two))

    async def test_the_same_client_id_is_the_same_prompt_also_after_a_restart(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder)

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, client_id="begin")
            assert await daemon.new(agent.command, client_id="begin") == session
            first = await daemon.send(session, "once", "say")
            assert await daemon.send(session, "once", "say") == first
            await daemon.saw(session, e.TurnEnded)
        async with town.daemon() as daemon:
            assert await daemon.new(agent.command, client_id="begin") == session
            assert await daemon.send(session, "once", "say") == first
            await daemon.send(session, "twice")
            await daemon.saw(session, e.TurnEnded, 2)

        assert agent.prompts() == ["once", "twice"]

    async def test_nobody_can_be_named_twice_or_not_at_all(self, town: Town) -> None:
        async with town.daemon() as daemon:
            for order in (Order(), Order(agent="demo", target="x"), Order(target="telex://x"), Order(agent="nobody")):
                with pytest.raises(UsageError):
                    await daemon.keeping.create(order, client_id=None, actor=ME)


class TestCancelling:
    async def test_in_the_middle_of_a_stream(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, prompts=[[{"say": "on and ", "times": 100_000, "every_s": 0.01}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "talk")
            await daemon.saw(session, e.TextAppended, 3)
            await daemon.do(session, c.Cancel())
            (ended,) = await daemon.saw(session, e.TurnEnded)

            assert ended.stop_reason == "cancelled"
            with pytest.raises(ConflictError):
                await daemon.do(session, c.Cancel())

    async def test_with_a_question_open_answers_it_at_once(self, town: Town, folder: Path) -> None:
        """Some agents wait for that answer before they stop."""
        agent = Scripted(folder, prompts=[ASKS])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "touch x")
            await daemon.saw(session, e.PermissionRequested)
            await daemon.do(session, c.Cancel())
            (ended,) = await daemon.saw(session, e.TurnEnded)

            assert ended.stop_reason == "cancelled"
            (answered,) = agent.journal("answered")
            assert answered["result"] == {"outcome": {"outcome": "cancelled"}}


class TestPermissions:
    async def test_an_answer_reaches_the_agent_and_counts_once(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, prompts=[ASKS])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "touch x")
            (asked,) = await daemon.saw(session, e.PermissionRequested)
            with pytest.raises(OptionError):
                await daemon.keeping.answer(asked.request_id, "all", None, cause=None, actor=ME)
            first = await daemon.keeping.answer(asked.request_id, "once", None, cause="yes", actor=ME)
            again = await daemon.keeping.answer(asked.request_id, "once", None, cause="yes", actor=ME)
            assert list(again) == list(first)
            with pytest.raises(PermissionExpiredError):
                await daemon.keeping.answer(asked.request_id, "reject", None, cause="no", actor=ME)
            with pytest.raises(NotFoundError):
                await daemon.keeping.answer("r:nobody:1", "once", None, cause=None, actor=ME)
            await daemon.saw(session, e.TurnEnded)

            assert daemon.text(session) == "done"

    async def test_two_sessions_may_ask_about_the_same_call_and_only_one_is_answered(
        self, town: Town, tmp_path: Path
    ) -> None:
        agents = [Scripted(tmp_path / name, prompts=[ASKS]) for name in ("one", "two")]

        async with town.daemon() as daemon:
            sessions = [await daemon.new(agent.command, "go") for agent in agents]
            asked = [(await daemon.saw(session, e.PermissionRequested))[0] for session in sessions]
            assert [fact.item_id.rpartition("/")[2] for fact in asked if fact.item_id] == ["c1", "c1"]
            await daemon.keeping.answer(asked[0].request_id, "once", None, cause=None, actor=ME)
            await daemon.saw(sessions[0], e.TurnEnded)

            assert not any(isinstance(fact, e.PermissionAnswered) for fact in daemon.facts(sessions[1]))
            await daemon.keeping.answer(asked[1].request_id, "once", None, cause=None, actor=ME)
            await daemon.saw(sessions[1], e.TurnEnded)

    async def test_a_refusal_too(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, prompts=[ASKS])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "touch x")
            (asked,) = await daemon.saw(session, e.PermissionRequested)
            await daemon.keeping.answer(asked.request_id, "reject", "not now", cause=None, actor=ME)
            await daemon.saw(session, e.TurnEnded)

            assert daemon.text(session) == "well then"


class TestArguments:
    async def test_every_argument_arrives_as_it_was_given_also_after_a_restart(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, resume={"replay": False})
        odd = ["line\nbreak", "http://there/?a=b", '{"to": "x://y", "t": "\n"}', "", "don't", "-", "--", "$HOME `id`"]

        async with town.daemon() as daemon:
            session = await daemon.new([*agent.command, *odd], "one")
            await daemon.saw(session, e.TurnEnded)
            await daemon.keeping.end_agents("to be started again")
        async with town.daemon() as daemon:
            await daemon.send(session, "two")
            await daemon.saw(session, e.TurnEnded, 2)
            first, second = agent.got_arguments()

        assert first == second == odd


class TestModes:
    async def test_the_agent_agrees_and_the_log_says_so(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, result={"modes": MODES})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            await daemon.keeping.set_mode(session, "act", cause=None, actor=ME)

            assert daemon.facts(session)[-1] == e.ModeChanged("act")
            assert agent.got("session/set_mode") == [{"sessionId": agent_session(agent), "modeId": "act"}]
            assert await daemon.keeping.set_mode(session, "act", cause=None, actor=ME) == ()

    async def test_a_mode_that_is_an_option_is_set_as_one(self, town: Town, folder: Path) -> None:
        values = [{"value": "ask", "name": "Ask"}, {"value": "act", "name": "Act"}]
        option = {"id": "how", "name": "How", "category": "mode", "currentValue": "ask", "options": values}
        agent = Scripted(folder, result={"configOptions": [option]})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            await daemon.keeping.set_mode(session, "act", cause=None, actor=ME)

            (got,) = agent.got("session/set_config_option")
            assert (got["configId"], got["value"]) == ("how", "act")
            assert e.ModeChanged("act") in daemon.facts(session)

    async def test_what_the_agent_refuses_changes_nothing(self, town: Town, folder: Path) -> None:
        agent = Scripted(
            folder, result={"modes": MODES}, refuse={"session/set_mode": {"code": -32602, "message": "no such mode"}}
        )

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            before = daemon.facts(session)
            with pytest.raises(ConflictError, match="no such mode"):
                await daemon.keeping.set_mode(session, "fly", cause=None, actor=ME)

            assert daemon.facts(session) == before


class TestOptions:
    async def test_the_agent_takes_a_value_and_says_what_it_has_now(self, town: Town, folder: Path) -> None:
        values = [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large"}]
        option = {"id": "model", "name": "Model", "type": "select", "currentValue": "small", "options": values}
        agent = Scripted(folder, result={"configOptions": [option]})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            recorded = await daemon.keeping.set_option(session, "model", "large", cause="once", actor=ME)

            assert [each.event for each in recorded] == [e.SessionConfigured({"model": "large"})]
            assert await daemon.keeping.set_option(session, "model", "large", cause="again", actor=ME) == ()
            assert [got["value"] for got in agent.got("session/set_config_option")] == ["large"]

    async def test_a_switch_is_asked_for_as_one(self, town: Town, folder: Path) -> None:
        switch = {"id": "fast", "name": "Fast", "type": "boolean", "currentValue": False}
        agent = Scripted(folder, result={"configOptions": [switch]})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            await daemon.keeping.set_option(session, "fast", "true", cause=None, actor=ME)

            assert [got["value"] for got in agent.got("session/set_config_option")] == [True]
            assert e.SessionConfigured({"fast": "true"}) in daemon.facts(session)

    async def test_what_the_agent_refuses_changes_nothing(self, town: Town, folder: Path) -> None:
        refusal = {"session/set_config_option": {"code": -32602, "message": "no such model"}}
        agent = Scripted(folder, refuse=refusal)

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            await daemon.ready(session)
            before = daemon.facts(session)
            with pytest.raises(ConflictError, match="no such model"):
                await daemon.keeping.set_option(session, "model", "huge", cause=None, actor=ME)

            assert daemon.facts(session) == before


class TestLeaving:
    async def test_the_end_of_a_session_ends_its_agent(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, prompts=[[{"say": "on "}, {"hang": True}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "talk")
            await daemon.saw(session, e.TextAppended)
            await daemon.send(session, "more")
            await daemon.do(session, c.End())
            (pid,) = agent.pids()
            await death_of(pid)

            facts = daemon.facts(session)
            assert e.TurnEnded("t3", "session-ended") in facts or any(isinstance(f, e.TurnEnded) for f in facts)
            with pytest.raises(SessionEndedError):
                await daemon.send(session, "too late")
            with pytest.raises(SessionEndedError):
                await daemon.keeping.reconnect(session, cause=None, actor=ME)

    async def test_erasing_lets_the_agent_go_and_the_words_as_well(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, prompts=[[{"say": "a secret"}, {"hang": True}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "talk")
            await daemon.saw(session, e.TextAppended)
            await daemon.keeping.erase(session, actor=ME)
            await death_of(agent.pids()[0])

            assert "secret" not in repr(daemon.facts(session)[:-1])
            erased = daemon.facts(session)[-1]
            assert isinstance(erased, e.SessionErased)
            assert len(erased.names) == 1, "what its agent called it cannot be imported again"
            with pytest.raises(ConflictError):
                await daemon.send(session, "hello?")
            with pytest.raises(NotFoundError):
                await daemon.keeping.erase(type(session)("nobody"), actor=ME)

    async def test_ending_all_agents_ends_no_session(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, load={})

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnEnded)
            with anyio.fail_after(60):
                await daemon.keeping.end_agents("told to")

            assert daemon.keeping.live() == 0
            await daemon.send(session, "two")
            await daemon.saw(session, e.TurnEnded, 2)

        assert len(agent.pids()) == 2


class TestAgentsThatDie:
    async def test_the_text_stays_and_the_next_prompt_takes_the_session_up(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, load={}, prompts=[[{"say": "I was going to "}, {"signal": 9}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "do it")
            (cut,) = await daemon.saw(session, e.TurnInterrupted)
            (gone,) = await daemon.saw(session, e.Detached)
            assert gone.reason == "exited"
            assert "signal 9" in (gone.error or "")
            assert cut.reason == gone.error, "what people read says how the agent ended, not a word of ours"
            agent.change(load={})
            await daemon.send(session, "waits")
            await daemon.saw(session, e.TurnEnded)

            facts = daemon.facts(session)
            assert daemon.text(session) == "I was going to waits"
            assert [type(fact) for fact in facts].count(e.TurnInterrupted) == 1
            assert len(agent.got("session/load")) == 1
            assert len(agent.got("session/new")) == 1
            attached = [fact for fact in facts if isinstance(fact, e.Attached)]
            assert [fact.resumed for fact in attached] == [False, True]
            assert attached[0].remote_id == attached[1].remote_id

    async def test_what_waits_is_held_until_a_person_says_go_on(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, load={})
        agent.change(load={}, prompts=[[agent.wait("die"), {"exit": 3}]])

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "one")
            await daemon.saw(session, e.TurnStarted)
            await daemon.send(session, "two")
            agent.change(load={})
            agent.open("die")
            await daemon.saw(session, e.Detached)
            await daemon.do(session, c.MarkRead())
            assert len(agent.pids()) == 1
            await daemon.do(session, c.ResumeQueue())
            await daemon.saw(session, e.TurnEnded)

        assert agent.prompts() == ["one", "two"]

    @pytest.mark.parametrize(
        ("script", "complaint"),
        [
            ({"start": [{"stderr": 10}, {"exit": 7}]}, "exit code 7"),
            ({"start": [{"raw": "I am no agent\n"}, {"exit": 0}]}, "exit code 0"),
            ({"refuse": {"initialize": {"code": -32603, "message": "no licence"}}}, "no licence"),
            ({"protocol_version": 99}, "99"),
            ({"refuse": {"session/new": {"code": -32000, "message": "sign in"}}}, "sign in"),
        ],
    )
    async def test_one_that_cannot_be_used_leaves_the_session_failed_and_says_why(
        self, town: Town, folder: Path, script: dict[str, object], complaint: str
    ) -> None:
        agent = Scripted(folder, **script)

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command, "hello")
            (gone,) = await daemon.saw(session, e.Detached)

            assert gone.reason == "failed"
            assert complaint in (gone.error or "")
            assert "\n" not in (gone.error or "")
            shown = daemon.keeping.connection(session)
            assert shown is not None
            assert (shown.state, shown.error) == ("failed", gone.error)
            await daemon.keeping.opened(session, within_s=60)
            assert agent.prompts() == []

    async def test_a_command_or_a_folder_that_is_not_there_fails_the_session(self, town: Town, folder: Path) -> None:
        async with town.daemon() as daemon:
            for command, cwd in ((["/no/such/agent"], None), (["/bin/cat"], "/no/such/folder")):
                session = await daemon.new(command, cwd=cwd)
                (gone,) = await daemon.saw(session, e.Detached)

                assert gone.reason == "failed"
                assert "/no/such" in (gone.error or "")

    async def test_one_that_never_answers_is_given_up(self, town: Town, folder: Path) -> None:
        agent = Scripted(folder, initialize=[{"hang": True}], ignore=["eof", "term"])
        town.agents = type(town.agents)(initialize_timeout_s=0.5)

        async with town.daemon() as daemon:
            session = await daemon.new(agent.command)
            (gone,) = await daemon.saw(session, e.Detached)

            assert "did not answer initialize within 0.5 s" in (gone.error or "")
            await death_of(agent.pids()[0])


async def test_a_prompt_that_was_sent_can_not_be_edited(town: Town, folder: Path) -> None:
    agent = Scripted(folder)
    agent.change(prompts=[[agent.touch("got"), agent.wait("go")]])

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command)
        prompt = await daemon.send(session, "one")
        await to_thread.run_sync(agent.reached, "got")
        with pytest.raises(PromptError):
            await daemon.do(session, c.EditPrompt(prompt, of_text("other")))
        agent.open("go")
        await daemon.saw(session, e.TurnEnded)


async def test_an_idle_agent_hibernates_and_wakes_with_the_next_prompt(town: Town, folder: Path) -> None:
    agent = Scripted(folder, resume={})
    town.agents = type(town.agents)(hibernate_after_s=0.3)

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "one")
        (gone,) = await daemon.saw(session, e.Detached)
        assert gone.reason == "hibernated"
        shown = daemon.keeping.connection(session)
        assert shown is not None
        assert shown.state == "hibernated"
        assert daemon.keeping.live() == 0
        await daemon.send(session, "two")
        await daemon.saw(session, e.TurnEnded, 2)

        assert len(agent.got("session/resume")) == 1
        assert not (town.hosts / gone.link_id).exists()


async def test_a_turn_without_a_sign_is_called_off_and_never_said_to_have_ended(town: Town, folder: Path) -> None:
    agent = Scripted(folder, cancel="ignore", prompts=[[{"say": "hm"}, {"hang": True}]])
    town.agents = type(town.agents)(prompt_watchdog_s=0.3)
    town.cancel_s = 0.3

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "think")
        (unknown,) = await daemon.saw(session, e.TurnUnknown)

        assert unknown.reason == "the agent gave no sign for 0.3 s and did not stop when asked"
        assert not [fact for fact in daemon.facts(session) if isinstance(fact, e.TurnEnded)]
        await death_of(agent.pids()[0])


def agent_session(agent: Scripted) -> str:
    """The name that the agent gave its session."""
    (state,) = [path.stem for path in (agent.folder / "state").iterdir()]
    return state


async def test_somebody_else_may_write_to_a_session_meanwhile(town: Town, folder: Path) -> None:
    """An import that follows a transcript does."""
    agent = Scripted(folder)
    agent.change(prompts=[[{"say": "one "}, agent.wait("go"), {"say": "two"}], [{"say": "three"}]])

    async with town.daemon() as daemon:

        async def write(title: str) -> None:
            other = await daemon.journal.load(session)
            events = handle(other, c.Rename(title), Context(daemon.journal.now(), daemon.journal.new_event_id))
            await daemon.journal.append([Batch(events, fold(other, events))])

        session = await daemon.new(agent.command, "talk")
        await daemon.saw(session, e.TextAppended)
        await write("between")
        await daemon.do(session, c.Pin())
        await write("again")
        agent.open("go")
        await daemon.saw(session, e.TurnEnded)
        await write("and again")
        await daemon.send(session, "more")
        await daemon.saw(session, e.TurnEnded, 2)

        assert daemon.text(session) == "one twothree"
        versions = [recorded.originator_version for recorded in daemon.log(session)]
        assert versions == list(range(1, len(versions) + 1))
