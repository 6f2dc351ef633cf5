"""Whatever an agent sends: nothing raises, nothing grows without bound, and the log can be read afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.session import commands as c
from tests.adapters.transports.acp.scene import OPTIONS, REMOTE, chunk, prompted, question, ready, update
from tests.adapters.transports.acp.test_envelope import GARBAGE

KINDS = [
    "agent_message_chunk",
    "agent_thought_chunk",
    "user_message_chunk",
    "tool_call",
    "tool_call_update",
    "plan",
    "available_commands_update",
    "current_mode_update",
    "config_option_update",
    "session_info_update",
    "usage_update",
    "notice",
]
FIELDS = [
    "messageId",
    "content",
    "toolCallId",
    "title",
    "kind",
    "status",
    "locations",
    "rawInput",
    "rawOutput",
    "entries",
    "availableCommands",
    "currentModeId",
    "configOptions",
    "used",
    "size",
    "cost",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from([{"type": "text", "text": "hello"}, {"type": "image"}, [], {}, "completed", "c1", OPTIONS]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "text", "currentValue", "amount"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def told(kind: str, fields: dict[str, Any], name: str) -> dict[str, Any]:
    return update(kind, name, **fields)


UPDATES = st.builds(
    told,
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5),
    st.sampled_from([REMOTE, REMOTE, REMOTE, "ses_9"]),
)


def ask(fields: dict[str, Any], rpc_id: object) -> dict[str, Any]:
    return {"id": rpc_id, "method": "session/request_permission", "params": {"sessionId": REMOTE, **fields}}


ASKED = st.builds(ask, st.dictionaries(st.sampled_from(["toolCall", "options"]), VALUES, max_size=2), VALUES)
OTHER = st.fixed_dictionaries(
    {},
    optional={
        "id": VALUES,
        "method": VALUES | st.sampled_from(["session/update", "$/cancel_request", "fs/read_text_file", "session/x"]),
        "params": VALUES,
        "result": VALUES,
        "error": VALUES,
    },
)


@given(st.lists(UPDATES | ASKED | OTHER, max_size=12), st.sampled_from(["idle", "running", "cancelling"]))
def test_messages_of_any_shape_are_survived(talk: list[dict[str, Any]], phase: str) -> None:
    scene = ready() if phase == "idle" else prompted()[0]
    if phase == "cancelling":
        scene.act(c.Cancel())
    for message in talk:
        scene.says(message)

    assert scene.conversation.phase == phase
    scene.transcript()


@pytest.mark.slow
def test_a_flood_of_garbage_leaves_nothing_behind_but_the_log() -> None:
    scene, turn = prompted()
    for garbage in GARBAGE * 20:
        scene.says(garbage + b"\n")
    scene.says(*(question(number, f"c{number}") for number in range(1200)))
    scene.says(*(update("tool_call", toolCallId=f"t{number}", status="pending") for number in range(1000)))
    scene.says(chunk("still here"))
    scene.answers({"stopReason": "end_turn"})

    assert scene.told()[-1] == ("message", "still here")
    assert scene.session.state.pending == ()
    assert scene.session.state.turn is None
    assert turn


def test_a_log_with_half_characters_in_it_can_be_read() -> None:
    scene, _ = prompted()
    half = json.dumps(update("tool_call", toolCallId="\ud83d", title="\ud83d", rawInput={"\ud83d": "\ud83d"}))

    scene.says(half.encode() + b"\n")

    tool = scene.transcript()[-1]
    assert (tool.title, json.loads(bytes(tool.input))) == ("\ufffd", {"\ufffd": "\ufffd"})
