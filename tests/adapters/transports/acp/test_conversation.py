"""What each kind of message becomes, and each way in which agents differ. Shapes as real agents send them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.domain.content import of_text
from holdfast.domain.errors import ConflictError
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.transports.acp.scene import (
    CWD,
    REMOTE,
    Json,
    Scene,
    chunk,
    line,
    prompted,
    question,
    raw,
    ready,
    thought,
    update,
)

CANCELLED = {"outcome": {"outcome": "cancelled"}}


def accepted(scene: Scene) -> e.PromptAccepted:
    assert scene.session.state.turn is not None
    assert scene.session.state.turn.prompt_id is not None
    return e.PromptAccepted(scene.session.state.turn.prompt_id)


def offer(options: list[Json]) -> e.OptionsOffered:
    return e.OptionsOffered(raw(options))


def spaced(facts: list[e.Fact]) -> list[e.Fact]:
    """Facts with offers as this test writes JSON: an offer is put together anew when the values are taken out."""
    return [offer(json.loads(bytes(fact.options))) if isinstance(fact, e.OptionsOffered) else fact for fact in facts]


class TestBeginning:
    def test_a_new_session_is_attached_by_the_agents_own_name(self) -> None:
        scene = ready()

        assert scene.wire[0]["method"] == "session/new"
        assert scene.wire[0]["params"] == {"cwd": CWD, "mcpServers": []}
        assert scene.facts[1:] == [e.Attached("link", REMOTE)]
        assert scene.conversation.phase == "idle"

    def test_its_configuration_is_recorded(self) -> None:
        scene = Scene()
        scene.opens(requests.new(CWD))
        options: list[Json] = [
            {"id": "model", "category": "model", "type": "select", "currentValue": "stub/large", "options": []},
            {"id": "mode", "category": "mode", "type": "select", "currentValue": "build", "options": []},
            {"id": "fast", "type": "boolean", "currentValue": True},
            {"name": "no id"},
        ]

        facts = scene.answers({"sessionId": REMOTE, "configOptions": options})

        offered = [{name: value for name, value in each.items() if name != "currentValue"} for each in options]
        assert spaced(facts) == [
            e.Attached("link", REMOTE),
            offer(offered),
            e.SessionConfigured({"model": "stub/large", "mode": "build", "fast": "true"}),
            e.ModeChanged("build"),
            e.InfoChanged(model="stub/large"),
        ]

    def test_modes_and_models_in_the_old_form_are_read_as_well(self) -> None:
        scene = Scene()
        scene.opens(requests.new(CWD))
        modes = {"currentModeId": "default", "availableModes": [{"id": "default", "name": "Default"}]}

        facts = scene.answers({"sessionId": REMOTE, "modes": modes, "models": {"currentModelId": "flash"}})

        offered = e.ModesOffered(raw(modes["availableModes"]))
        assert facts[1:] == [offered, e.ModeChanged("default"), e.InfoChanged(model="flash")]
        assert scene.conversation.found.modes == ("default",)

    def test_a_refusal_is_kept_for_whoever_asked(self) -> None:
        scene = Scene()
        scene.opens(requests.new(CWD))

        assert scene.fails(-32000, "Sign in first") == []
        assert scene.conversation.phase == "unbound"
        assert scene.conversation.refusal is not None
        assert scene.conversation.refusal.message == "Sign in first"


class TestATurn:
    def test_from_prompt_to_end(self) -> None:
        scene, turn = prompted("hello")
        assert scene.wire[-1]["method"] == "session/prompt"
        assert scene.wire[-1]["params"] == {"sessionId": REMOTE, "prompt": [{"type": "text", "text": "hello"}]}
        sent = next(each for each in scene.log if isinstance(each.event, e.PromptSent))
        assert scene.wire[-1]["id"] == sent.event_id.hex()

        spoken = scene.says(chunk("I "), chunk("will"))
        ended = scene.answers({"stopReason": "end_turn"})

        prompt = accepted_of(scene)
        assert spoken == [prompt, e.TextAppended(f"{turn}.1", "I will")]
        assert ended == [e.TurnEnded(turn, "end_turn")]
        assert scene.conversation.phase == "idle"

    @pytest.mark.parametrize("reason", ["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled", "novel"])
    def test_the_reason_is_the_agents(self, reason: str) -> None:
        scene, turn = prompted()

        assert scene.answers({"stopReason": reason})[-1] == e.TurnEnded(turn, reason)

    @pytest.mark.parametrize("result", [None, {}, {"stopReason": None}, [], 7, "end_turn"])
    def test_an_end_without_a_reason_is_an_end(self, result: object) -> None:
        scene, turn = prompted()

        assert scene.answers(result)[-1] == e.TurnEnded(turn, "unrecorded")

    def test_an_answer_alone_shows_that_the_prompt_was_received(self) -> None:
        scene, turn = prompted()
        prompt = accepted(scene)

        assert scene.answers({"stopReason": "end_turn"}) == [prompt, e.TurnEnded(turn, "end_turn")]

    def test_tokens_of_the_turn_are_reported_once_where_there_are_any(self) -> None:
        scene, turn = prompted()
        usage = {"inputTokens": 7, "outputTokens": 2, "cachedReadTokens": 3, "totalTokens": 12, "thoughtTokens": None}

        facts = scene.answers({"stopReason": "end_turn", "usage": usage})
        again = scene.prompt("more")
        none = scene.answers({"stopReason": "end_turn", "usage": {"inputTokens": 0, "outputTokens": 0}})

        assert facts[1:-1] == [e.UsageReported("message", turn, 7, 2, 0, 3)]
        assert none[1:] == [e.TurnEnded(again, "end_turn")]

    def test_one_prompt_is_in_flight(self) -> None:
        scene, turn = prompted("one")
        scene.act(c.QueuePrompt("p2", of_text("two")))

        with pytest.raises(ConflictError):
            scene.start_turn()
        assert [message["method"] for message in scene.wire] == ["session/new", "session/prompt"]

        scene.answers({"stopReason": "end_turn"})
        scene.start_turn()
        assert scene.wire[-1]["params"]["prompt"][0]["text"] == "two"
        assert scene.session.state.turn is not None
        assert scene.session.state.turn.turn_id != turn

    def test_no_turn_starts_where_no_agent_is(self) -> None:
        scene = Scene()
        scene.act(c.QueuePrompt("p1", of_text("hello")))

        with pytest.raises(ConflictError, match="unbound"):
            scene.act(c.StartTurn("t1"))


def accepted_of(scene: Scene) -> e.PromptAccepted:
    return next(fact for fact in scene.facts if isinstance(fact, e.PromptAccepted))


class TestFailing:
    def test_an_error_fails_the_prompt_and_ends_the_turn(self) -> None:
        scene, turn = prompted()
        prompt_id = accepted(scene).prompt_id

        facts = scene.fails(-32603, "Internal error", {"details": "model\n not found"})

        assert facts == [
            e.PromptFailed(prompt_id, "error", "Internal error model not found (-32603)"),
            e.TurnEnded(turn, "error"),
        ]
        assert scene.session.state.failure == "Internal error model not found (-32603)"
        assert scene.conversation.phase == "idle"

    @pytest.mark.parametrize("code", [-32000, -32002, -32601, -32602])
    def test_a_prompt_that_was_never_taken_was_refused(self, code: int) -> None:
        scene, _ = prompted()

        failed = scene.fails(code, "no")[0]

        assert isinstance(failed, e.PromptFailed)
        assert failed.reason == "refused"

    def test_after_the_first_words_it_is_an_error(self) -> None:
        scene, _ = prompted()
        scene.says(chunk("I "))

        failed = scene.fails(-32602, "no")[0]

        assert isinstance(failed, e.PromptFailed)
        assert failed.reason == "error"

    @pytest.mark.parametrize("data", ["why", {"message": "why"}, {"error": "why"}, {"details": "why"}])
    def test_details_are_found_where_agents_hide_them(self, data: object) -> None:
        scene, _ = prompted()

        failed = scene.fails(-32603, "Internal error", data)[0]

        assert isinstance(failed, e.PromptFailed)
        assert failed.detail == "Internal error why (-32603)"

    def test_a_stack_trace_is_cut(self) -> None:
        scene, _ = prompted()

        failed = scene.fails(1, "x" * 100_000)[0]

        assert isinstance(failed, e.PromptFailed)
        assert failed.detail is not None
        assert len(failed.detail) == 1000

    def test_an_answer_to_an_earlier_prompt_ends_nothing(self) -> None:
        scene, _ = prompted("one")
        first = scene.wire[-1]
        scene.answers({"stopReason": "end_turn"})
        scene.prompt("two")

        (kept,) = scene.answers({"stopReason": "end_turn"}, first)

        assert isinstance(kept, e.RawReceived)
        assert "nobody waits for" in kept.label
        assert scene.conversation.phase == "running"


class TestCancelling:
    def test_the_agent_is_told_and_says_how_it_ended(self) -> None:
        scene, turn = prompted()
        scene.says(chunk("I "))

        scene.act(c.Cancel())
        assert scene.wire[-1] == {"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": REMOTE}}
        assert scene.conversation.phase == "cancelling"
        late = scene.says(chunk("will"))
        ended = scene.answers({"stopReason": "cancelled", "usage": {"inputTokens": 0, "outputTokens": 0}, "_meta": {}})

        assert late == [e.TextAppended(f"{turn}.1", "will")]
        assert ended == [e.TurnEnded(turn, "cancelled")]

    def test_a_question_that_waits_is_answered_at_once(self) -> None:
        """Three agents do not stop before they have the answer."""
        scene, _ = prompted()
        scene.says(question("q7"))

        scene.act(c.Cancel())

        assert scene.wire[-2]["method"] == "session/cancel"
        assert scene.wire[-1] == {"jsonrpc": "2.0", "id": "q7", "result": CANCELLED}
        assert scene.session.state.pending == ()

    def test_a_question_that_comes_too_late_is_answered_at_once(self) -> None:
        scene, _ = prompted()
        scene.act(c.Cancel())

        facts = scene.says(question(3))

        assert isinstance(facts[-1], e.PermissionExpired)
        assert scene.wire[-1] == {"jsonrpc": "2.0", "id": 3, "result": CANCELLED}

    def test_an_error_is_a_way_of_stopping(self) -> None:
        scene, turn = prompted()
        scene.says(chunk("I "))
        scene.act(c.Cancel())

        facts = scene.fails(-32603, "aborted")

        assert facts == [e.NoticeAdded(f"{turn}.2", "error", "aborted (-32603)"), e.TurnEnded(turn, "cancelled")]
        assert scene.session.state.failure is None

    def test_the_protocols_own_error_needs_no_words(self) -> None:
        scene, turn = prompted()
        scene.act(c.Cancel())

        assert scene.fails(-32800, "Request cancelled") == [e.TurnEnded(turn, "cancelled")]

    def test_an_agent_that_ended_anyway_ended(self) -> None:
        scene, turn = prompted()
        scene.act(c.Cancel())

        assert scene.answers({"stopReason": "end_turn"})[-1] == e.TurnEnded(turn, "end_turn")


class TestSpeech:
    def test_empty_pieces_are_signs_of_life_and_nothing_else(self) -> None:
        scene, _ = prompted()
        prompt = accepted(scene)

        assert scene.says(chunk(""), chunk("", "m1")) == [prompt]

    def test_thoughts_and_words_are_items_of_their_own(self) -> None:
        scene, _ = prompted()
        scene.says(thought("hm"), thought("m"), chunk("Hel"), chunk("lo"))

        assert scene.told() == [("message", "hello"), ("thought", "hmm"), ("message", "Hello")]

    def test_message_ids_part_messages(self) -> None:
        scene, _ = prompted()
        scene.says(chunk("a", "msg_1fb3d79c2001vq2zr7A8NAoIva"), chunk("b", "msg_1"), chunk("c", "msg_1"))

        assert scene.told()[1:] == [("message", "a"), ("message", "bc")]

    def test_words_after_a_tool_stand_after_it(self) -> None:
        scene, _ = prompted()
        scene.says(
            chunk("before", "m1"),
            update("tool_call", toolCallId="c1", title="ls"),
            chunk("after", "m1"),
            update("tool_call_update", toolCallId="c1", status="completed"),
            chunk("wards", "m1"),
        )

        assert scene.told()[1:] == [("message", "before"), ("tool_call", "ls"), ("message", "afterwards")]
        assert scene.session.summary.messages == 2

    def test_words_after_the_end_belong_to_the_turn_that_ended(self) -> None:
        scene, turn = prompted()
        scene.says(chunk("almost "))
        scene.answers({"stopReason": "end_turn"})

        assert scene.says(chunk("done")) == [e.TextAppended(f"{turn}.1", "done")]

    def test_words_before_any_prompt_are_kept(self) -> None:
        scene = ready()

        assert scene.says(chunk("Welcome")) == [e.TextAppended("t0.1", "Welcome")]

    def test_pictures_are_kept_whole(self) -> None:
        scene, turn = prompted()
        picture = {"type": "image", "data": "AA==", "mimeType": "image/png"}

        facts = scene.says(chunk("see "), update("agent_message_chunk", content=picture), chunk("that"))

        assert facts[1:] == [
            e.TextAppended(f"{turn}.1", "see "),
            e.MessageReceived(f"{turn}.2", raw([picture])),
            e.TextAppended(f"{turn}.3", "that"),
        ]

    def test_a_chunk_event_is_small(self) -> None:
        scene, _ = prompted()
        scene.says(chunk("x" * 120, "msg_1fb3d79c2001vq2zr7A8NAoIva"))

        fact = scene.facts[-1]

        assert isinstance(fact, e.TextAppended)
        assert len(fact.item_id) <= 14


class TestEchoes:
    def test_the_prompt_in_flight_is_not_said_twice(self) -> None:
        scene, _ = prompted("RUN echo hi")
        prompt = accepted(scene)
        echo = update("user_message_chunk", content={"text": "RUN echo hi", "type": "text"}, messageId="0951")

        assert scene.says(echo) == [prompt]
        assert scene.told() == [("message", "RUN echo hi")]

    def test_nor_in_pieces(self) -> None:
        scene, _ = prompted("RUN echo hi")

        scene.says(*(chunk(piece, kind="user_message_chunk") for piece in ("RUN ", "echo", " hi")))

        assert scene.told() == [("message", "RUN echo hi")]

    def test_nor_its_pictures(self) -> None:
        scene = ready()
        picture = {"type": "image", "data": "AA==", "mimeType": "image/png"}
        scene.act(c.QueuePrompt("p1", raw([{"type": "text", "text": "see"}, picture])))
        scene.start_turn()

        again = {"mimeType": "image/png", "type": "image", "data": "AA=="}
        scene.says(chunk("see", kind="user_message_chunk"), update("user_message_chunk", content=again))

        assert len(scene.told()) == 1

    def test_what_somebody_else_said_to_the_agent_is_kept(self) -> None:
        scene, turn = prompted("one")

        facts = scene.says(chunk("another", kind="user_message_chunk"))

        assert facts[1:] == [e.MessageSent(f"{turn}.1", raw([{"type": "text", "text": "another"}]))]


class TestTools:
    def test_from_call_to_result(self) -> None:
        scene, turn = prompted()
        output = {"output": "hi\n", "exit": 0}
        content = [{"type": "content", "content": {"type": "text", "text": "hi"}}]
        facts = scene.says(
            update(
                "tool_call",
                toolCallId="call_69_0",
                title="bash",
                kind="execute",
                status="pending",
                locations=[{"path": CWD}],
                rawInput={"cwd": CWD},
            ),
            update(
                "tool_call_update",
                toolCallId="call_69_0",
                status="in_progress",
                kind="execute",
                title="echo hi",
                locations=[{"path": CWD}],
                rawInput={"command": "echo hi", "cwd": CWD},
            ),
            update("tool_call_update", toolCallId="call_69_0", status="completed", content=content, rawOutput=output),
        )

        item = f"{turn}/call_69_0"
        assert facts[1:] == [
            e.ToolCalled(
                item, "call_69_0", "bash", "execute", "pending", raw({"cwd": CWD}), locations=raw([{"path": CWD}])
            ),
            e.ToolUpdated(
                item, "call_69_0", "echo hi", status="in_progress", input=raw({"command": "echo hi", "cwd": CWD})
            ),
            e.ToolUpdated(item, "call_69_0", status="completed", output=raw(output), content=raw(content)),
        ]
        shown = scene.transcript()[-1]
        assert (shown.title, shown.status, shown.output) == ("echo hi", "completed", raw(output))

    def test_an_update_without_a_call_makes_the_tool(self) -> None:
        scene, turn = prompted()

        scene.says(
            update(
                "tool_call_update",
                toolCallId="run_shell_command__fc_9_0",
                status="completed",
                title="echo hi",
                content=[],
                locations=[],
                kind="execute",
            )
        )

        shown = scene.transcript()[-1]
        assert (shown.id, shown.title, shown.status) == (f"{turn}/run_shell_command__fc_9_0", "echo hi", "completed")

    def test_ids_that_repeat_in_the_next_turn_are_other_tools(self) -> None:
        scene, _ = prompted("one")
        call = update("tool_call", toolCallId="call_1", title="first", status="completed")
        scene.says(call)
        scene.answers({"stopReason": "end_turn"})
        scene.prompt("two")
        scene.says(update("tool_call_update", toolCallId="call_1", title="second"))

        assert [text for kind, text in scene.told() if kind == "tool_call"] == ["first", "second"]

    def test_830_kilobytes_in_one_line_are_kept(self) -> None:
        scene, _ = prompted()
        scene.says(update("tool_call_update", toolCallId="c1", rawOutput={"stdout": "x" * 830_000}))

        assert len(scene.transcript()[-1].output) > 830_000

    @pytest.mark.parametrize("broken", [{}, {"toolCallId": 7}, {"toolCallId": "c", "title": 5}, {"toolCallId": ""}])
    def test_a_tool_of_another_shape_is_kept_raw(self, broken: dict[str, object]) -> None:
        scene, _ = prompted()

        fact = scene.says(update("tool_call", **broken))[-1]

        assert isinstance(fact, e.RawReceived)
        assert fact.label == "tool_call"
        assert json.loads(bytes(fact.body)) == {"sessionUpdate": "tool_call", **broken}


class TestPermissions:
    def test_a_question_is_bound_to_turn_and_arguments_and_answered_by_the_log(self) -> None:
        scene, turn = prompted()
        scene.says(update("tool_call", toolCallId="call_1", title="bash", status="pending"))

        (asked,) = scene.says(question(0))

        assert isinstance(asked, e.PermissionRequested)
        arguments = raw({"command": "touch x"})
        assert asked == e.PermissionRequested(
            f"r:0001020304050607:{len(scene.spool)}",
            turn,
            "touch x",
            arguments,
            (e.Option("once", "allow_once", "Allow once"), e.Option("reject", "reject_once", "Reject")),
            e.arguments_hash("touch x", arguments),
            f"{turn}/call_1",
            Raw(b"0"),
        )
        before = len(scene.wire)
        scene.act(c.Answer(asked.request_id, "once"))
        assert scene.wire[before:] == [
            {"jsonrpc": "2.0", "id": 0, "result": {"outcome": {"outcome": "selected", "optionId": "once"}}}
        ]

    def test_a_question_announces_a_tool_that_nobody_announced(self) -> None:
        scene, turn = prompted()

        facts = scene.says(
            question("026f890e"), update("tool_call", toolCallId="call_1", kind="execute", title="touch x")
        )

        tool, asked, called = facts[1:]
        assert tool == e.ToolCalled(f"{turn}/call_1", "call_1", "touch x", "execute", input=raw({"command": "touch x"}))
        assert isinstance(asked, e.PermissionRequested)
        assert asked.rpc_id == Raw(b'"026f890e"')
        assert called == e.ToolCalled(f"{turn}/call_1", "call_1")
        assert [kind for kind, _ in scene.told()] == ["message", "tool_call", "permission"]

    def test_where_there_are_no_arguments_the_whole_tool_is_what_is_allowed(self) -> None:
        scene, _ = prompted()
        diff = [{"type": "diff", "path": "/srv/x", "oldText": None, "newText": "1"}]

        one = scene.says(question(1, rawInput={}, content=diff))[-1]
        two = scene.says(question(2, rawInput=None, content=[{**diff[0], "newText": "2"}]))[-1]

        assert isinstance(one, e.PermissionRequested)
        assert isinstance(two, e.PermissionRequested)
        assert b'"newText": "1"' in bytes(one.input)
        assert one.arguments_hash != two.arguments_hash

    def test_cancelling_a_question_says_so(self) -> None:
        scene, _ = prompted()
        asked = scene.says(question(5))[-1]
        assert isinstance(asked, e.PermissionRequested)

        scene.act(c.Answer(asked.request_id, None))

        assert scene.wire[-1] == {"jsonrpc": "2.0", "id": 5, "result": CANCELLED}

    def test_the_agent_takes_its_question_back(self) -> None:
        scene, _ = prompted()
        asked = scene.says(question(1))[-1]
        assert isinstance(asked, e.PermissionRequested)

        facts = scene.says({"jsonrpc": "2.0", "method": "$/cancel_request", "params": {"requestId": 1}})

        assert facts == [e.PermissionExpired(asked.request_id, "withdrawn")]
        assert scene.wire[-1]["error"]["code"] == -32800
        with pytest.raises(ConflictError):
            scene.act(c.Answer(asked.request_id, "once"))

    def test_the_end_of_the_turn_answers_what_waits(self) -> None:
        scene, _ = prompted()
        scene.says(question(1))

        scene.answers({"stopReason": "end_turn"})

        assert scene.wire[-1] == {"jsonrpc": "2.0", "id": 1, "result": CANCELLED}

    def test_a_question_outside_of_any_turn_waits_as_well(self) -> None:
        scene = ready()

        asked = scene.says(question(1))[-1]

        assert isinstance(asked, e.PermissionRequested)
        assert asked.turn_id is None
        assert len(scene.session.state.pending) == 1

    @pytest.mark.parametrize("params", [{"sessionId": REMOTE}, {"sessionId": REMOTE, "toolCall": 7}])
    def test_a_question_about_nothing_is_refused(self, params: dict[str, object]) -> None:
        scene, _ = prompted()

        facts = scene.says({"id": 1, "method": "session/request_permission", "params": params})

        assert facts == []
        assert scene.wire[-1]["error"]["code"] == -32602

    def test_options_without_a_name_cannot_be_chosen(self) -> None:
        scene, _ = prompted()
        message = question(1)
        message["params"]["options"] = [{"kind": "allow_once"}, 7, {"optionId": "a"}]

        asked = scene.says(message)[-1]

        assert isinstance(asked, e.PermissionRequested)
        assert asked.options == (e.Option("a", ""),)


class TestState:
    def test_commands(self) -> None:
        scene = ready()
        commands = [{"name": "init", "description": "guided setup"}]
        told = update("available_commands_update", availableCommands=commands)

        assert scene.says(told, told) == [e.CommandsChanged(raw(commands))]

    def test_a_570_kilobyte_list_of_commands(self) -> None:
        scene = ready()

        (fact,) = scene.says(update("available_commands_update", availableCommands=[{"name": "x" * 570_000}]))

        assert isinstance(fact, e.CommandsChanged)

    def test_mode(self) -> None:
        scene = ready()

        assert scene.says(
            update("current_mode_update", currentModeId="plan"), update("current_mode_update", currentModeId="plan")
        ) == [e.ModeChanged("plan")]

    def test_options(self) -> None:
        scene = ready()
        options = [{"id": "mode", "category": "mode", "currentValue": "plan"}, {"id": "model", "currentValue": "large"}]

        facts = scene.says(update("config_option_update", configOptions=options))

        offered = offer([{"id": "mode", "category": "mode"}, {"id": "model"}])
        configured = e.SessionConfigured({"mode": "plan", "model": "large"})
        assert spaced(facts) == [offered, configured, e.ModeChanged("plan")]

    def test_options_are_offered_once_however_often_a_value_changes(self) -> None:
        scene = ready()
        choices = [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large"}]

        def told(value: str, offered: list[Json]) -> Json:
            return update(
                "config_option_update", configOptions=[{"id": "model", "currentValue": value, "options": offered}]
            )

        facts = scene.says(told("large", choices), told("small", choices), told("small", choices[:1]))

        assert spaced(facts) == [
            offer([{"id": "model", "options": choices}]),
            e.SessionConfigured({"model": "large"}),
            e.SessionConfigured({"model": "small"}),
            offer([{"id": "model", "options": choices[:1]}]),
        ]

    def test_what_was_offered_before_a_restart_is_not_recorded_again(self) -> None:
        scene = ready()
        told = update("available_commands_update", availableCommands=[{"name": "init"}])
        scene.says(told)

        scene.restart()

        assert scene.says(told) == []

    @pytest.mark.parametrize("title", [None, ""])
    def test_title(self, title: str | None) -> None:
        scene = ready()

        assert scene.says(update("session_info_update", title="Fix it", updatedAt="2026-11-20T23:14:24.854Z")) == [
            e.InfoChanged("Fix it")
        ]
        assert scene.says(update("session_info_update", title=title)) == []

    def test_usage(self) -> None:
        scene = ready()
        told = update("usage_update", used=100, size=200_000, cost={"amount": 0.25, "currency": "USD"})

        assert scene.says(told, told) == [
            e.UsageReported("context", context_used=100, context_size=200_000, cost="0.25 USD")
        ]

    def test_they_are_no_sign_of_the_prompt(self) -> None:
        scene, _ = prompted()

        scene.says(update("usage_update", used=1, size=2), update("available_commands_update", availableCommands=[]))

        assert not any(isinstance(fact, e.PromptAccepted) for fact in scene.facts)

    def test_plan(self) -> None:
        scene, turn = prompted()
        entries = [{"content": "look", "priority": "high", "status": "pending"}]

        facts = scene.says(update("plan", entries=entries), update("plan", entries=[]))

        assert facts[1:] == [e.PlanChanged(f"{turn}.plan", raw(entries)), e.PlanChanged(f"{turn}.plan", raw([]))]

    def test_setting_a_mode(self) -> None:
        scene = ready()
        scene.asks(requests.set_mode(REMOTE, "plan"))
        assert scene.wire[-1]["params"] == {"sessionId": REMOTE, "modeId": "plan"}

        assert scene.answers({}) == [e.ModeChanged("plan")]

    def test_a_mode_that_was_refused_is_not_on(self) -> None:
        scene = ready()
        scene.asks(requests.set_mode(REMOTE, "plan"))

        assert scene.fails(-32602, "no such mode") == []

    def test_setting_an_option(self) -> None:
        scene = ready()
        scene.asks(requests.set_config_option(REMOTE, "model", "small"))
        assert scene.wire[-1]["params"] == {"sessionId": REMOTE, "configId": "model", "value": "small"}

        options = [{"id": "model", "currentValue": "small"}]
        assert spaced(scene.answers({"configOptions": options})) == [
            offer([{"id": "model"}]),
            e.SessionConfigured({"model": "small"}),
        ]

    def test_a_switch_says_that_it_is_one(self) -> None:
        assert json.loads(bytes(requests.set_config_option(REMOTE, "fast", value=True).params)) == {
            "sessionId": REMOTE,
            "configId": "fast",
            "value": True,
            "type": "boolean",
        }


UNKNOWN: list[dict[str, Any]] = [
    update("plan_update", plan={"type": "items"}),
    update("notice", text="Compacting"),
    update("compaction_summary_chunk", content={"type": "text", "text": "so far"}),
    update("from_tomorrow", deep={"a": [1.50, None]}),
]


class TestNovelties:
    @pytest.mark.parametrize("message", UNKNOWN, ids=lambda message: message["params"]["update"]["sessionUpdate"])
    def test_an_unknown_kind_is_kept_verbatim(self, message: dict[str, Any]) -> None:
        scene, _ = prompted()
        body = message["params"]["update"]

        fact = scene.says(message)[-1]

        assert isinstance(fact, e.RawReceived)
        assert fact.label == body["sessionUpdate"]
        assert fact.body == raw(body)

    @pytest.mark.parametrize(
        "fields",
        [
            {"content": None},
            {"content": 7},
            {"content": {"type": "text"}},
            {"content": {"type": "text", "text": 7}},
            {"content": {"type": "text", "text": "x"}, "messageId": 7},
        ],
    )
    def test_a_known_kind_of_another_shape_is_kept_verbatim(self, fields: dict[str, object]) -> None:
        scene, _ = prompted()

        fact = scene.says(update("agent_message_chunk", **fields))[-1]

        if isinstance(fact, e.MessageReceived):
            assert fields["content"] == {"type": "text"}
        else:
            assert isinstance(fact, e.RawReceived)
            assert fact.label == "agent_message_chunk"

    @pytest.mark.parametrize("params", [{"sessionId": REMOTE}, {"sessionId": REMOTE, "update": None}])
    def test_an_update_of_nothing_is_kept(self, params: dict[str, object]) -> None:
        scene = ready()

        (fact,) = scene.says({"method": "session/update", "params": params})

        assert isinstance(fact, e.RawReceived)

    def test_unknown_words_about_the_session_are_kept_and_extensions_are_not(self) -> None:
        scene = ready()
        told = {"method": "session/mood", "params": {"sessionId": REMOTE, "mood": "good"}}
        extension: Json = {"method": "_auth/status_update", "params": {"sessionId": REMOTE, "authStatus": {}}}

        facts = scene.says(told, extension)

        assert facts == [e.RawReceived("t0.1", "session/mood", raw(told["params"]))]

    def test_garbage_is_kept_and_survived(self) -> None:
        scene, turn = prompted()

        facts = scene.says(b"Loading \x1b[1mmodel\xff\n", chunk("I "))

        assert isinstance(facts[0], e.RawReceived)
        assert facts[0].label.startswith("garbage: ")
        assert json.loads(bytes(facts[0].body)) == "Loading \x1b[1mmodel\ufffd"
        assert facts[-1] == e.TextAppended(f"{turn}.2", "I ")

    @pytest.mark.parametrize("method", ["fs/read_text_file", "terminal/create", "craft/drainMidTurnQueue"])
    def test_what_is_not_served_is_refused_without_a_trace(self, method: str) -> None:
        scene, _ = prompted()

        assert scene.says({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"sessionId": REMOTE}}) == []
        assert scene.wire[-1]["error"]["code"] == -32601

    def test_a_log_of_it_can_be_read(self) -> None:
        scene, _ = prompted()

        scene.says(
            b'{"method":"session/update","params":{"sessionId":"ses_1","update":{"sessionUpdate":"tool_call",'
            b'"toolCallId":"c","title":"\\ud83d","rawInput":{"a":"\\ud83d","b":"\xff"}}}}\n'
        )

        tool = scene.facts[-1]
        assert isinstance(tool, e.ToolCalled)
        assert tool.title == "\ufffd"
        assert json.loads(bytes(tool.input)) == {"a": "\ufffd", "b": "\ufffd"}


def test_lines_of_the_test_are_lines() -> None:
    assert line(chunk("a\nb")).count(b"\n") == 1
