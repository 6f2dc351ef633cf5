from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol import requests, results
from holdfast.adapters.transports.acp.protocol.envelope import RpcError
from holdfast.adapters.transports.acp.protocol.restore import way_back
from holdfast.adapters.transports.acp.protocol.results import (
    AuthenticationRequiredError,
    Capabilities,
    InitializeRefusedError,
    Listed,
    SessionGoneError,
    initialized,
    refused_if,
)
from holdfast.domain.errors import AgentError
from tests.adapters.transports.acp.scene import CWD, REMOTE, Json, raw

CLAUDE: Json = {
    "protocolVersion": 1,
    "agentCapabilities": {
        "_meta": {"claudeCode": {"promptQueueing": True}},
        "promptCapabilities": {"image": True, "embeddedContext": True},
        "mcpCapabilities": {"http": True, "sse": True},
        "loadSession": True,
        "sessionCapabilities": {"additionalDirectories": {}, "close": {}, "fork": {}, "list": {}, "resume": {}},
    },
    "agentInfo": {"name": "@agentclientprotocol/claude-agent-acp", "title": "Claude Agent", "version": "0.100.0"},
    "authMethods": [],
}


def test_what_we_offer_is_nothing_but_ourselves() -> None:
    call = requests.initialize("0.1.0")

    assert call.method == "initialize"
    assert json.loads(bytes(call.params)) == {
        "protocolVersion": 1,
        "clientCapabilities": {},
        "clientInfo": {"name": "holdfast", "title": "Holdfast", "version": "0.1.0"},
    }


def test_what_an_agent_can_do() -> None:
    can = initialized(raw(CLAUDE))

    assert can == Capabilities(
        "@agentclientprotocol/claude-agent-acp",
        "0.100.0",
        load=True,
        resume=True,
        fork=True,
        list=True,
        close=True,
        image=True,
        embedded_context=True,
        verbatim=raw(CLAUDE["agentCapabilities"]),
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"protocolVersion": 1},
        {"protocolVersion": 1, "agentCapabilities": None, "agentInfo": None, "authMethods": None},
        {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": None, "promptCapabilities": None}},
        {"protocolVersion": 1, "agentCapabilities": 7, "agentInfo": "x", "authMethods": {}},
    ],
)
def test_an_agent_that_says_little_can_do_little(answer: object) -> None:
    can = initialized(raw(answer))

    assert (can.load, can.resume, can.image, can.auth_methods) == (False, False, False, ())


@pytest.mark.parametrize("version", [2, 0, "1", None, 1.5, [1]])
def test_another_version_is_refused_in_words(version: object) -> None:
    with pytest.raises(InitializeRefusedError, match="version"):
        initialized(raw({"protocolVersion": version}))


@pytest.mark.parametrize("answer", [None, [], "hello", {}])
def test_what_is_no_agent_is_refused_in_words(answer: object) -> None:
    with pytest.raises(InitializeRefusedError, match="is it an ACP agent"):
        initialized(raw(answer))


def test_errors_are_told_apart() -> None:
    refused_if(None, "initialize")
    with pytest.raises(AuthenticationRequiredError, match="sign in"):
        refused_if(RpcError(-32000, "Please log in"), "session/new")
    with pytest.raises(InitializeRefusedError, match="no thanks"):
        initialized(Raw(b"null"), RpcError(-32603, "no thanks"))
    with pytest.raises(AgentError, match=r"refused session/load: gone \(-32603\)"):
        refused_if(RpcError(-32603, "gone"), "session/load")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32002, "Resource not found"),
        (-32603, "Session not found: 0197"),
        (-32603, "No previous sessions found for this project."),
        (-32602, "No conversation found with session ID: 0197"),
        (-32603, "session ses_1 does not exist"),
        (-32000 - 1, "unknown session"),
    ],
)
def test_a_session_that_the_agent_does_not_have_any_more_is_told_apart(code: int, message: str) -> None:
    with pytest.raises(SessionGoneError):
        refused_if(RpcError(code, message), "session/resume")
    with pytest.raises(AgentError) as other:
        refused_if(RpcError(code, message), "session/prompt")
    assert not isinstance(other.value, SessionGoneError)


@pytest.mark.parametrize("message", ["gone", "no more memory", "file not found", "Method not found", ""])
def test_any_other_refusal_to_take_a_session_up_does_not_say_that_it_is_gone(message: str) -> None:
    with pytest.raises(AgentError) as refused:
        refused_if(RpcError(-32603, message), "session/load")
    assert not isinstance(refused.value, SessionGoneError)


def test_ways_to_sign_in() -> None:
    methods = [
        {"id": "login", "name": "Log in"},
        {"name": "without id"},
        {"id": "key", "name": "Key", "type": "env_var"},
    ]

    can = initialized(raw({"protocolVersion": 1, "authMethods": methods}))

    assert can.auth_methods == (("login", "Log in"), ("key", "Key"))
    assert requests.authenticate("login") == requests.Call("authenticate", Raw(b'{"methodId":"login"}'))


@pytest.mark.parametrize(
    ("can", "way"),
    [
        (Capabilities(load=True, resume=True), "resume"),
        (Capabilities(resume=True), "resume"),
        (Capabilities(load=True), "load"),
        (Capabilities(), None),
    ],
)
def test_a_session_is_resumed_rather_than_loaded(can: Capabilities, way: str | None) -> None:
    assert way_back(can) == way


def test_an_offer_of_null_is_none() -> None:
    capabilities: Json = {"sessionCapabilities": {"resume": None, "fork": False, "list": {}}}
    can = initialized(raw({"protocolVersion": 1, "agentCapabilities": capabilities}))

    assert (can.resume, can.fork, can.list) == (False, False, True)


def test_sessions_of_an_agent() -> None:
    entry = {"sessionId": REMOTE, "cwd": CWD, "title": None, "updatedAt": "2026-11-20T23:14:48.429Z"}

    sessions, cursor = results.listed(raw({"sessions": [entry, {"cwd": CWD}, 7], "nextCursor": "more"}))

    assert sessions == [Listed(REMOTE, CWD, None, "2026-11-20T23:14:48.429Z")]
    assert cursor == "more"
    assert results.listed(Raw(b"null")) == ([], None)
    assert json.loads(bytes(requests.list_sessions(CWD, cursor).params)) == {"cwd": CWD, "cursor": "more"}
    assert json.loads(bytes(requests.list_sessions().params)) == {}


@pytest.mark.parametrize(
    ("call", "method", "params"),
    [
        (requests.new(CWD), "session/new", {"cwd": CWD, "mcpServers": []}),
        (requests.load(REMOTE, CWD), "session/load", {"sessionId": REMOTE, "cwd": CWD, "mcpServers": []}),
        (requests.resume(REMOTE, CWD), "session/resume", {"sessionId": REMOTE, "cwd": CWD, "mcpServers": []}),
        (requests.fork(REMOTE, CWD), "session/fork", {"sessionId": REMOTE, "cwd": CWD, "mcpServers": []}),
        (requests.close(REMOTE), "session/close", {"sessionId": REMOTE}),
        (requests.cancel(REMOTE), "session/cancel", {"sessionId": REMOTE}),
    ],
)
def test_requests_in_the_words_of_the_protocol(call: requests.Call, method: str, params: object) -> None:
    assert call.method == method
    assert json.loads(bytes(call.params)) == params


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["sessionId", "configOptions", "id", "currentValue", "category", "modes", "sessions", "models"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_answer_raises(answer: object) -> None:
    result = raw(answer)

    results.opened(result)
    results.listed(result)
    with pytest.raises(InitializeRefusedError):
        initialized(result)
