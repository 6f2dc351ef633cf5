"""The model that agents of others talk to in tests says the same in every API it speaks."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from tests.agents.model_server import HELD, RELEASED, ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
TOOLS: dict[str, Json] = {
    "/v1/messages": {"name": "Bash", "input_schema": SHELL},
    "/v1/chat/completions": {"type": "function", "function": {"name": "bash", "parameters": SHELL}},
    "/v1/responses": {"type": "function", "name": "shell_command", "parameters": SHELL},
}
EVERY_API = pytest.mark.parametrize("path", TOOLS)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Asked:
    """One request to the model, whose reply is read as it comes."""

    def __init__(self, model: ModelServer, path: str, text: str, *more: Json) -> None:
        messages = [{"role": "user", "content": [{"type": "text", "text": text}]}, *more]
        where = "input" if path.endswith("responses") else "messages"
        body = {"stream": True, where: messages, "tools": [TOOLS[path]]}
        self._connection = HTTPConnection(model.url.removeprefix("http://"), timeout=60)
        self._connection.request("POST", path, json.dumps(body))
        self._response = self._connection.getresponse()

    def events(self) -> Iterator[Json]:
        for line in iter(self._response.readline, b""):
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])
        self._connection.close()

    def pieces(self) -> Iterator[str]:
        for event in self.events():
            choices: list[Json] = event.get("choices") or [{}]
            delta: Any = event.get("delta") or choices[0].get("delta") or ""
            text = delta if isinstance(delta, str) else delta.get("text") or delta.get("content")
            if text:
                yield text


@EVERY_API
def test_it_repeats_what_was_said(model: ModelServer, path: str) -> None:
    assert "".join(Asked(model, path, "good morning").pieces()) == "You said: good morning"
    assert model.prompts() == ["good morning"]


@EVERY_API
def test_it_has_the_shell_used_and_tells_what_came_of_it(model: ModelServer, path: str) -> None:
    called = [
        event for event in Asked(model, path, "RUN ls").events() if "command" in json.dumps(event.get("delta", event))
    ]
    assert "ls" in json.dumps(called[0])

    results: dict[str, Json] = {
        "/v1/messages": {"role": "user", "content": [{"type": "tool_result", "content": "a b"}]},
        "/v1/chat/completions": {"role": "tool", "content": "a b"},
        "/v1/responses": {"type": "function_call_output", "output": "a b"},
    }
    assert "".join(Asked(model, path, "RUN ls", results[path]).pieces()) == "It said: a b"


@EVERY_API
def test_it_sends_as_many_deltas_as_asked_for(model: ModelServer, path: str) -> None:
    assert list(Asked(model, path, "FAST 2000").pieces()) == [f"{n} " for n in range(2000)]


@EVERY_API
def test_it_holds_back_until_it_is_released(model: ModelServer, path: str) -> None:
    pieces = Asked(model, path, "HOLD").pieces()
    assert next(pieces) == HELD

    model.release()

    assert list(pieces) == [RELEASED]
