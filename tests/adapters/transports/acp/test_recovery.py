"""The daemon goes and comes back while the agent stays; the agent goes and its session is taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import Connection
from holdfast.adapters.transports.acp.protocol.link import Link
from holdfast.adapters.transports.acp.protocol.replay import Expected
from holdfast.adapters.transports.acp.protocol.restore import lost_options, to_reapply
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.transports.acp.scene import (
    CWD,
    REMOTE,
    Scene,
    chunk,
    line,
    prompted,
    question,
    ready,
    thought,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.projections.items import Item


class TestARestart:
    def test_the_turn_goes_on_as_if_nothing_had_happened(self) -> None:
        scene, turn = prompted()
        scene.says(chunk("I ", "m1"))
        scene.restart()
        scene.says(
            chunk("will", "m1"),
            update("tool_call", toolCallId="c1", title="ls", status="completed"),
            chunk(" do", "m1"),
        )
        scene.restart()
        ended = scene.answers({"stopReason": "end_turn"})

        assert scene.told() == [("message", "hello"), ("message", "I will"), ("tool_call", "ls"), ("message", " do")]
        assert ended == [e.TurnEnded(turn, "end_turn")]
        assert [message["method"] for message in scene.wire] == ["session/new", "session/prompt"]

    def test_what_was_said_meanwhile_is_read_from_the_spool(self) -> None:
        scene, turn = prompted()
        scene.says(chunk("I "))
        scene.spool += b"".join(map(line, [chunk("will"), _answer(scene, {"stopReason": "end_turn"})]))
        scene.restart()

        assert scene.facts[-2:] == [e.TextAppended(f"{turn}.1", "will"), e.TurnEnded(turn, "end_turn")]
        assert scene.conversation.phase == "idle"

    def test_a_question_asked_before_can_be_answered_after(self) -> None:
        scene, _ = prompted()
        asked = scene.says(question("q"))[-1]
        assert isinstance(asked, e.PermissionRequested)
        scene.restart()

        scene.act(c.Answer(asked.request_id, "once"))

        assert scene.wire[-1]["id"] == "q"
        assert scene.wire[-1]["result"]["outcome"]["optionId"] == "once"

    def test_a_question_asked_meanwhile_is_asked_once(self) -> None:
        scene, _ = prompted()
        scene.says(chunk("I "))
        scene.spool += line(question("q"))
        scene.restart()
        scene.restart()

        assert len([fact for fact in scene.facts if isinstance(fact, e.PermissionRequested)]) == 1
        assert len(scene.session.state.pending) == 1

    def test_an_answer_and_a_cancel_that_were_committed_are_written_again_under_their_keys(self) -> None:
        scene, _ = prompted()
        asked = scene.says(question("q"))[-1]
        assert isinstance(asked, e.PermissionRequested)
        scene.act(c.Answer(asked.request_id, "once"))
        scene.act(c.Cancel())
        keys = list(scene.keys)
        scene.keys = keys[:1]  # the host got nothing of it
        scene.wire.clear()

        scene.restart()

        assert sorted(scene.keys) == sorted(keys)
        assert [message.get("method") for message in scene.wire] == ["session/prompt", None, "session/cancel"]
        assert scene.conversation.phase == "cancelling"

    def test_a_prompt_that_was_committed_and_not_written_is_written(self) -> None:
        scene, turn = prompted()
        scene.keys.pop()
        scene.wire.pop()

        scene.restart()

        assert scene.wire[-1]["method"] == "session/prompt"
        assert scene.answers({"stopReason": "end_turn"})[-1] == e.TurnEnded(turn, "end_turn")

    def test_between_turns_the_agent_is_simply_there(self) -> None:
        scene, _ = prompted()
        scene.says(chunk("done"))
        scene.answers({"stopReason": "end_turn"})
        scene.restart()
        scene.prompt("more")

        assert scene.wire[-1]["params"]["prompt"][0]["text"] == "more"

    def test_the_same_configuration_again_is_no_news(self) -> None:
        scene = ready()
        options = update("config_option_update", configOptions=[{"id": "model", "currentValue": "large"}])
        scene.says(options, update("current_mode_update", currentModeId="plan"))
        scene.restart()

        assert scene.says(options, update("current_mode_update", currentModeId="plan")) == []


def _answer(scene: Scene, result: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": scene.wire[-1]["id"], "result": result}


WORDS: list[Callable[[], dict[str, Any]]] = [
    lambda: chunk("a"),
    lambda: chunk("b", "m1"),
    lambda: chunk("c", "m2"),
    lambda: thought("d"),
    lambda: thought("e", "m1"),
    lambda: update("tool_call", toolCallId="c1", title="ls", status="pending"),
    lambda: update("tool_call_update", toolCallId="c1", status="completed"),
    lambda: update("plan", entries=[]),
    lambda: update("novelty"),
    lambda: question(1, "c2"),
]


def words(scene: Scene) -> list[Item]:
    """The transcript, but for which event changed what last: what brought no news may be heard a second time."""
    return [replace(item, position=0, ordinal=0) for item in scene.transcript()]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.booleans()), max_size=20))
def test_restarts_at_any_place_change_no_word_of_the_transcript(talk: list[tuple[Callable[[], Any], bool]]) -> None:
    calm, _ = prompted()
    rough, _ = prompted()
    for word, restart in talk:
        calm.says(word())
        rough.says(word())
        if restart:
            rough.restart()

    assert words(rough) == words(calm)
    assert rough.session.state.pending == calm.session.state.pending


def dead(text: str = "hello") -> Scene:
    """A session whose agent died in the middle of a turn, and was started again as another process."""
    scene, turn = prompted(text)
    scene.says(chunk("I will "))
    scene.link.gone()
    scene.act(c.Observe((e.TurnInterrupted(turn, "exited"), e.Detached("link", "exited", "signal 9"))))
    scene.connection = Connection(b"another!")
    scene.link = Link(scene.connection)
    scene.conversation = Conversation(scene.connection, "link", state=scene.session.state)
    return scene


REPLAY = [
    chunk("hello", "u1", kind="user_message_chunk"),
    thought("hm", "m1"),
    chunk("I will do it", "m1"),
    update("tool_call", toolCallId="c1", title="ls"),
    update("plan", entries=[]),
    update("novelty"),
]


class TestTakingUp:
    @pytest.mark.parametrize("call", [requests.load(REMOTE, CWD), requests.resume(REMOTE, CWD)], ids=["load", "resume"])
    def test_what_is_repeated_is_counted_and_not_recorded(self, call: requests.Call) -> None:
        """Some agents repeat the history on resume as well, which they must not."""
        scene = dead()
        scene.opens(call)
        assert scene.conversation.phase == "recovering"
        before = scene.told()

        repeated = scene.says(*REPLAY)
        attached = scene.answers(None)

        assert repeated == []
        assert attached == [e.Attached("link", REMOTE, resumed=True)]
        assert scene.told() == [*before, ("notice", "")]
        replay = scene.conversation.replay
        assert (replay.updates, replay.prompts, replay.recent, replay.tools) == (6, 1, ["hello"], {"c1"})
        assert replay.doubts(Expected(1, "hello")) == []

    def test_a_replay_without_a_word_is_no_harm(self) -> None:
        scene = dead()
        scene.opens(requests.load(REMOTE, CWD))
        scene.answers({})

        assert scene.conversation.phase == "idle"
        assert len(scene.conversation.replay.doubts(Expected(1, "hello"))) == 1
        assert scene.conversation.replay.doubts(Expected(0)) == []

    def test_another_history_is_noticed(self) -> None:
        scene = dead("make tea")
        scene.opens(requests.load(REMOTE, CWD))
        scene.says(*REPLAY * 5)
        scene.answers({})

        assert len(scene.conversation.replay.doubts(Expected(1, "make tea"))) == 2

    def test_words_that_an_agent_puts_into_a_persons_mouth_are_no_doubt(self) -> None:
        scene = dead()
        scene.opens(requests.load(REMOTE, CWD))
        scene.says(*REPLAY, chunk("[Request interrupted by user]", "u2", kind="user_message_chunk"))

        assert scene.conversation.replay.doubts(Expected(1, "hel lo")) == []

    def test_after_the_answer_words_are_recorded_again(self) -> None:
        scene = dead()
        scene.opens(requests.load(REMOTE, CWD))
        scene.says(*REPLAY)
        scene.answers(None)
        turn = scene.prompt("go on")

        assert scene.says(chunk("sure"))[-1] == e.TextAppended(f"{turn}.1", "sure")

    def test_commands_usage_and_title_are_taken_from_a_replay(self) -> None:
        scene = dead()
        scene.opens(requests.load(REMOTE, CWD))

        facts = scene.says(
            update("available_commands_update", availableCommands=[{"name": "init"}]),
            update("usage_update", used=5, size=10),
            update("session_info_update", title="Tea"),
        )

        assert [type(fact) for fact in facts] == [e.CommandsChanged, e.UsageReported, e.InfoChanged]

    def test_a_refusal_leaves_the_session_lost_and_its_history_readable(self) -> None:
        scene = dead()
        before = scene.told()
        scene.opens(requests.load(REMOTE, CWD))

        assert scene.fails(-32603, "No previous sessions found") == []
        assert scene.conversation.phase == "lost"
        assert scene.told() == before

    def test_what_was_lost_can_be_tried_in_another_way(self) -> None:
        scene = dead()
        scene.opens(requests.resume(REMOTE, CWD))
        scene.fails(-32601, "Method not found")
        scene.opens(requests.load(REMOTE, CWD))
        scene.answers(None)

        assert scene.conversation.phase == "idle"

    def test_a_session_that_the_log_has_nothing_of_may_keep_what_is_repeated(self) -> None:
        scene = Scene()
        scene.opens(requests.load("theirs", CWD), adopt=True)
        for message in REPLAY:
            scene.says({**message, "params": {**message["params"], "sessionId": "theirs"}})
        scene.answers(None)

        assert scene.told()[:3] == [("message", "hello"), ("thought", "hm"), ("message", "I will do it")]


OPTIONS = [
    {"id": "model", "category": "model", "currentValue": "small"},
    {"id": "fast", "type": "boolean", "currentValue": False},
    {"id": "mode", "category": "mode", "currentValue": "build"},
]


def configured() -> Scene:
    scene = ready()
    scene.says(
        update(
            "config_option_update",
            configOptions=[
                {"id": "model", "currentValue": "large"},
                {"id": "fast", "currentValue": True},
                {"id": "mode", "category": "mode", "currentValue": "plan"},
                {"id": "gone", "currentValue": "x"},
            ],
        )
    )
    scene.connection = Connection(b"another!")
    scene.link = Link(scene.connection)
    scene.conversation = Conversation(scene.connection, "link", state=scene.session.state)
    scene.opens(requests.resume(REMOTE, CWD))
    return scene


class TestConfiguration:
    def test_what_a_person_chose_is_given_back(self) -> None:
        scene = configured()

        facts = scene.answers({"configOptions": OPTIONS})

        assert [type(fact) for fact in facts] == [e.Attached, e.OptionsOffered, e.InfoChanged]
        state, found = scene.session.state, scene.conversation.found
        calls = to_reapply(REMOTE, state.options, state.mode, found)
        assert calls == [
            requests.set_config_option(REMOTE, "model", "large"),
            requests.set_config_option(REMOTE, "fast", value=True),
            requests.set_config_option(REMOTE, "mode", "plan"),
        ]
        assert lost_options(state.options, state.mode, found) == ["option gone = x"]

    def test_what_comes_as_an_update_in_a_replay_is_no_choice_either(self) -> None:
        scene = configured()

        assert scene.says(update("config_option_update", configOptions=OPTIONS)) == []
        assert [type(fact) for fact in scene.answers({})] == [e.Attached, e.OptionsOffered]
        assert scene.conversation.found.values == {"model": "small", "fast": "false", "mode": "build"}

    def test_an_agent_that_says_nothing_has_kept_it(self) -> None:
        scene = configured()
        scene.answers(None)
        state, found = scene.session.state, scene.conversation.found

        assert to_reapply(REMOTE, state.options, state.mode, found) == []
        assert lost_options(state.options, state.mode, found) == []

    def test_modes_in_the_old_form(self) -> None:
        scene = ready()
        scene.says(update("current_mode_update", currentModeId="plan"))
        scene.restart()
        scene.opens(requests.resume(REMOTE, CWD))
        scene.says(update("current_mode_update", currentModeId="default"))
        modes = {"currentModeId": "default", "availableModes": [{"id": "default"}, {"id": "plan"}]}
        scene.answers({"modes": modes})
        found = scene.conversation.found

        assert scene.session.state.mode == "plan"
        assert to_reapply(REMOTE, {}, "plan", found) == [requests.set_mode(REMOTE, "plan")]
        assert to_reapply(REMOTE, {}, "default", found) == []
        assert lost_options({}, "yolo", found) == ["mode yolo"]
