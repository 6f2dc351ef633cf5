"""Recordings of the Agent Client Protocol: bare or wrapped, in one direction or in both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from holdfast.adapters.importers import found
from holdfast.domain.answers import ImportReport
from holdfast.domain.errors import NotFoundError, TranscriptError
from holdfast.domain.session import events as e
from tests.adapters.importers.claude_lines import encoded, written
from tests.adapters.importers.memory_log import MemoryLog, imported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.adapters.importers.claude_lines import Fields

SESSION = "ses_e04c2891bffeHCjsm3mzvkVu3N"


def call(method: str, rpc: object = None, /, **params: object) -> Fields:
    message: Fields = {"jsonrpc": "2.0", "method": method, "params": params}
    return message if rpc is None else {**message, "id": rpc}


def answer(rpc: object, result: object) -> Fields:
    return {"jsonrpc": "2.0", "id": rpc, "result": result}


def fault(rpc: object, message: str) -> Fields:
    return {"jsonrpc": "2.0", "id": rpc, "error": {"code": -32603, "message": message}}


def update(kind: str, session: str = SESSION, /, **fields: object) -> Fields:
    return call("session/update", sessionId=session, update={"sessionUpdate": kind, **fields})


def says(text: str, kind: str = "agent_message_chunk", **fields: object) -> Fields:
    return update(kind, content={"type": "text", "text": text}, **fields)


def prompt(rpc: object, text: str, session: str = SESSION) -> Fields:
    return call("session/prompt", rpc, sessionId=session, prompt=[{"type": "text", "text": text}])


def used(use: str, kind: str = "tool_call", /, **fields: object) -> Fields:
    return update(kind, toolCallId=use, **fields)


ALLOW = [{"optionId": "once", "kind": "allow_once", "name": "Allow once"}, {"optionId": "no", "kind": "reject_once"}]
OPENED: tuple[Fields, ...] = (
    call("initialize", 0, protocolVersion=1, clientCapabilities={}),
    answer(0, {"protocolVersion": 1, "agentInfo": {"name": "opencode", "version": "1.18"}}),
    call("session/new", 1, cwd="/srv/project", mcpServers=[]),
    answer(
        1,
        {
            "sessionId": SESSION,
            "configOptions": [
                {"id": "model", "category": "model", "currentValue": "big"},
                {"id": "mode", "category": "mode", "currentValue": "build"},
            ],
        },
    ),
)
WHOLE_SESSION: tuple[Fields | bytes, ...] = (
    *OPENED,
    update("available_commands_update", availableCommands=[{"name": "init"}]),
    prompt(2, "run it"),
    says("hm", "agent_thought_chunk"),
    says("I will "),
    says("look."),
    used("call_1", title="bash", kind="execute", status="pending", rawInput={"cwd": "/srv"}),
    b"half a li",
    call(
        "session/request_permission",
        0,
        sessionId=SESSION,
        toolCall={"toolCallId": "call_1", "title": "echo hi", "rawInput": {"command": "echo hi"}},
        options=ALLOW,
    ),
    answer(0, {"outcome": {"outcome": "selected", "optionId": "once"}}),
    used("call_1", "tool_call_update", status="completed", rawOutput={"output": "hi"}),
    says("Done."),
    update("usage_update", used=100, size=2000, cost={"amount": 0.5, "currency": "USD"}),
    answer(2, {"stopReason": "end_turn", "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}}),
    update("session_info_update", title="Running it"),
    prompt(3, "again"),
    says("so "),
    call("session/cancel", sessionId=SESSION),
    answer(3, {"stopReason": "cancelled"}),
    update("hologram", size=3),
)
"""Two turns with something of everything in them, the last one cancelled."""


def given(tmp_path: Path, *lines: Fields | bytes) -> MemoryLog:
    return imported(written(tmp_path / "wire.jsonl", *OPENED, *lines))


def shown(log: MemoryLog) -> list[tuple[str, str | None, str]]:
    return [(item.kind, item.role or item.status, item.title or item.text) for item in log.items()]


def test_a_recording_is_a_session_with_everything_in_it(tmp_path: Path) -> None:
    log = MemoryLog()

    report = log.take(written(tmp_path / "wire.jsonl", *WHOLE_SESSION))

    assert report == ImportReport(files=1, sessions=1, events=len(log.events), malformed=1, skipped=1)
    row = log.row()
    assert (row.id, row.agent, row.target, row.cwd) == (SESSION, "opencode", "opencode 1.18", "/srv/project")
    assert (row.imported_from, row.transport, row.model, row.mode) == ("acp", "import", "big", "build")
    assert (row.title, row.metadata.message_count, row.metadata.total_tokens) == ("Running it", 4, 10)
    assert (row.lifecycle, row.unread, row.pending, row.attention) == ("created", 0, 0, "none")
    assert shown(log) == [
        ("message", "user", "run it"),
        ("thought", "assistant", "hm"),
        ("message", "assistant", "I will look."),
        ("tool_call", "completed", "echo hi"),
        ("notice", "system", "echo hi\nAllow once / no"),
        ("notice", "system", "answered: once"),
        ("message", "assistant", "Done."),
        ("message", "user", "again"),
        ("message", "assistant", "so "),
        ("notice", "system", ""),
        ("raw", None, "session/update"),
    ]


def test_a_tool_keeps_what_the_agent_sent(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        used("c", title="edit", kind="edit", status="in_progress", rawInput={"n": 1.0}, locations=[{"path": "a"}]),
        used("c", "tool_call_update", status="rejected", content=[{"type": "content"}], rawOutput=None),
        used("alone", "tool_call_update", title="never announced", status="completed"),
        used("", title="nameless"),
    )

    edited, alone = log.items()
    assert (edited.title, edited.tool, edited.status, bytes(edited.input)) == ("edit", "edit", "failed", b'{"n": 1.0}')
    assert msgspec.json.decode(edited.output) == [{"type": "content"}]
    assert (alone.title, alone.status) == ("never announced", "completed")


WRAPPERS: dict[str, Callable[[Fields, int], Fields]] = {
    "an object": lambda message, n: {"dir": "in", "ts": f"2026-02-03T12:00:{n:02}.000Z", "msg": message},
    "a text": lambda message, n: {"direction": "out", "time": 1770120000 + n, "line": json.dumps(message)},
    "milliseconds": lambda message, n: {"at": (1770120000 + n) * 1000, "frame": message, "from": "agent"},
    "nanoseconds": lambda message, n: {"timestamp": (1770120000 + n) * 10**9, "payload": message},
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_recorders_may_wrap_messages_as_they_like(tmp_path: Path, wrap: Callable[[Fields, int], Fields]) -> None:
    lines = [wrap(each, n) if isinstance(each, dict) else each for n, each in enumerate(WHOLE_SESSION)]

    log = imported(written(tmp_path / "wrapped.jsonl", *lines))

    bare = imported(written(tmp_path / "bare.jsonl", *WHOLE_SESSION))
    assert shown(log)[:-1] == shown(bare)[:-1]
    assert (log.row().created_at, log.row().metadata.total_tokens) == ("2026-02-03T12:00:03.000Z", 10)


def test_arguments_inside_a_wrapper_are_kept_as_they_were_sent(tmp_path: Path) -> None:
    message = encoded([used("c", rawInput={})]).strip().replace(b'"rawInput": {}', b'"rawInput": {"n": 1.50}')

    log = given(tmp_path, b'{"dir": "in", "msg": ' + message + b"}")

    assert bytes(log.items()[0].input) == b'{"n": 1.50}'


def test_messages_with_names_are_told_apart_and_merged(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        prompt(2, "go"),
        says("one ", messageId="m1"),
        says("first", messageId="m1"),
        says("second", messageId="m2"),
        says("", messageId="m3"),
    )

    assert [(item.id, item.text) for item in log.items()][1:] == [("m1", "one first"), ("m2", "second")]


def test_what_is_no_text_is_kept(tmp_path: Path) -> None:
    image = {"type": "image", "mimeType": "image/png", "data": "aGk="}
    log = given(tmp_path, prompt(2, "go"), update("agent_message_chunk", content=image))

    assert msgspec.json.decode(log.items()[1].content) == [image]


def test_a_plan_is_the_latest_of_its_turn(tmp_path: Path) -> None:
    log = given(tmp_path, prompt(2, "go"), update("plan", entries=[]), update("plan", entries=[{"content": "look"}]))

    (plan,) = [item for item in log.items() if item.kind == "plan"]
    assert msgspec.json.decode(plan.content or plan.output) == [{"content": "look"}]


def test_the_echo_of_a_prompt_is_not_said_again(tmp_path: Path) -> None:
    log = given(tmp_path, prompt(2, "go"), says("go", "user_message_chunk"), says("yes"))

    assert shown(log) == [("message", "user", "go"), ("message", "assistant", "yes")]


def test_words_of_a_person_outside_of_a_prompt_are_said(tmp_path: Path) -> None:
    log = given(tmp_path, says("from elsewhere", "user_message_chunk"), says("yes"))

    assert shown(log) == [("message", "user", "from elsewhere"), ("message", "assistant", "yes")]


HISTORY: tuple[Fields, ...] = (
    call("session/load", 7, sessionId=SESSION, cwd="/srv/loaded"),
    says("asked", "user_message_chunk"),
    says("answered"),
    used("call_9", title="ls", status="completed"),
    update("current_mode_update", currentModeId="plan"),
    answer(7, {"modes": {"currentModeId": "plan"}, "models": {"currentModelId": "small"}}),
)


def test_a_history_that_nobody_has_is_taken(tmp_path: Path) -> None:
    log = imported(written(tmp_path / "wire.jsonl", *OPENED[:2], *HISTORY, prompt(8, "go")))

    assert [text for _, _, text in shown(log)] == ["asked", "answered", "ls", "go"]
    assert (log.row().cwd, log.row().mode, log.row().model) == ("/srv/loaded", "plan", "small")


def test_a_history_that_is_repeated_is_not_said_again(tmp_path: Path) -> None:
    log = given(
        tmp_path, prompt(2, "go"), says("yes"), answer(2, {"stopReason": "end_turn"}), *HISTORY, prompt(8, "on")
    )

    assert [text for _, _, text in shown(log)] == ["go", "yes", "on"]
    assert log.row().mode == "plan"


@pytest.mark.parametrize("rpc", [2, "2", "026f890e-899e-48dd-9016-0b6edfa2770e", 'a"b', None])
def test_an_answer_ends_the_turn_of_its_own_request(tmp_path: Path, rpc: object) -> None:
    log = given(tmp_path, prompt(rpc, "go"), answer("other", {"stopReason": "refusal"}), says("yes"))
    assert not any(isinstance(fact, e.TurnEnded) and fact.stop_reason == "refusal" for fact in log.facts())

    log = given(tmp_path, prompt(rpc, "go"), says("yes"), answer(rpc, {"stopReason": "max_tokens"}))
    assert [fact.stop_reason for fact in log.facts() if isinstance(fact, e.TurnEnded)] == ["max_tokens"]


def test_an_error_interrupts_the_turn(tmp_path: Path) -> None:
    log = given(tmp_path, prompt(2, "go"), fault(2, "A turn is already running"), fault(9, "nothing there"))

    assert [(item.status, item.text) for item in log.items()][1:] == [
        ("interrupted", "A turn is already running"),
        ("error", "nothing there"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        call("fs/read_text_file", 5, sessionId=SESSION, path="a"),
        call("terminal/create", 5, sessionId=SESSION, command="ls"),
        call("$/cancel_request", requestId=1),
        answer(5, {"content": "…"}),
        answer(5, None),
    ],
)
def test_services_of_the_client_say_nothing_to_people(tmp_path: Path, line: Fields) -> None:
    log = MemoryLog()

    report = log.take(written(tmp_path / "wire.jsonl", *OPENED, line))

    assert (report.skipped, log.items()) == (1, [])


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (call("_auth/status_update", authStatus={}), "_auth/status_update"),
        (call("craft/drain", 1, sessionId=SESSION), "craft/drain"),
        ({"dir": "stderr", "text": "warning"}, "record"),
        (update("plan", entries=None), "session/update"),
    ],
)
def test_a_line_of_an_unknown_kind_is_kept_and_counted(tmp_path: Path, line: Fields, label: str) -> None:
    log = MemoryLog()

    report = log.take(written(tmp_path / "wire.jsonl", *OPENED, line))

    assert (report.skipped, [(item.kind, item.title) for item in log.items()]) == (1, [("raw", label)])


def test_two_sessions_on_one_wire_are_two_sessions(tmp_path: Path) -> None:
    log = given(
        tmp_path,
        prompt(2, "one"),
        answer(2, {"stopReason": "end_turn"}),
        call("session/new", 3, cwd="/srv/other"),
        answer(3, {"sessionId": "ses_other"}),
        prompt(4, "two", "ses_other"),
        answer(4, {"stopReason": "end_turn"}),
    )

    assert log.sessions == [SESSION, "ses_other"]
    assert [log.row(each).metadata.message_count for each in log.sessions] == [1, 1]


FOREIGN = {
    "another initialize": call("initialize", 0, protocolVersion="2025-06-18"),
    "a language server": call("textDocument/didOpen", uri="a"),
    "an unknown method": call("session/frobnicate"),
    "no version": {"method": "session/prompt", "params": {"sessionId": "a"}},
}


@pytest.mark.parametrize("line", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_protocols_are_not_taken_for_this_one(tmp_path: Path, line: Fields) -> None:
    with pytest.raises(TranscriptError, match="holds no transcript"):
        MemoryLog().take(written(tmp_path / "t.jsonl", line, line))


def test_recordings_lie_nowhere_by_themselves(tmp_path: Path) -> None:
    assert found({"HOME": str(tmp_path)}) == []
    with pytest.raises(NotFoundError, match="acp does not exist"):
        MemoryLog().take("acp")


WHOLE = encoded(WHOLE_SESSION)


@pytest.mark.slow
@over(cuts=st.lists(st.integers(0, len(WHOLE) - 1), min_size=1, max_size=3).map(sorted))
@settings(max_examples=100)
def test_cut_at_any_byte_and_imported_in_parts_everything_is_said_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("cut") / "t.jsonl"
    log = MemoryLog()

    for cut in [*[cut for cut in cuts if cut >= len(encoded(OPENED))], len(WHOLE)]:
        path.write_bytes(WHOLE[:cut])
        log.take(path)

    clean = imported(path)
    assert (log.row().lifecycle, log.row().metadata.total_tokens) == ("created", 10)
    assert "".join(text for _, _, text in shown(log)) == "".join(text for _, _, text in shown(clean))
    assert log.take(path).events == 0


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda deep: st.lists(deep, max_size=3) | st.dictionaries(st.sampled_from(["text", "type", "a"]), deep, max_size=3),
    max_leaves=8,
)
NAMES = ["content", "toolCallId", "title", "kind", "status", "rawInput", "rawOutput", "entries", "messageId", "cost"]
KINDS = [
    "agent_message_chunk",
    "user_message_chunk",
    "tool_call",
    "plan",
    "usage_update",
    "config_option_update",
    "new",
]
updates = st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), values, max_size=6)).map(
    lambda pair: update(pair[0], **pair[1])
)
METHODS = ["session/prompt", "session/request_permission", "session/load", "session/set_mode", "fs/x", "other"]
calls = st.tuples(
    st.sampled_from(METHODS),
    values,
    st.dictionaries(st.sampled_from(["prompt", "toolCall", "options", "modeId", "cwd"]), values, max_size=4),
).map(lambda parts: call(parts[0], parts[1], sessionId=SESSION, **parts[2]))
answers = st.tuples(values, st.dictionaries(st.sampled_from(["stopReason", "outcome", "modes", "usage"]), values)).map(
    lambda parts: answer(parts[0], parts[1])
)


@pytest.mark.slow
@over(lines=st.lists(updates | calls | answers, max_size=6))
@settings(max_examples=150)
def test_any_message_is_survived(tmp_path_factory: pytest.TempPathFactory, lines: list[Fields]) -> None:
    log = MemoryLog()
    path = written(tmp_path_factory.mktemp("fuzz") / "t.jsonl", *OPENED, *lines)

    log.take(path)

    assert log.take(path).events == 0
    assert log.row(SESSION).lifecycle == "created"
    for item in log.items(SESSION):
        (item.text + (item.title or "")).encode()
