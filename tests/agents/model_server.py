"""A language model on loopback that does what the prompt says: for agents that others wrote.

It speaks the streaming APIs of Anthropic (messages) and OpenAI (chat completions, responses). The last thing that a
person said decides what comes back:

    RUN COMMAND     the agent's shell tool is called with the command; when its output is there, "It said: …"
    FAST N          N deltas as fast as they go: "0 ", "1 ", …
    HOLD            some text, then nothing until `release()`, then the rest
    anything else   "You said: …"
"""

from __future__ import annotations

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

HELD = "So far I have said this, "
RELEASED = "and this is the rest."


class Call(NamedTuple):
    """The model wants a tool to be used."""

    tool: str
    arguments: Json


class Exchange(NamedTuple):
    """What an agent sent: who spoke last, and what."""

    tools: list[Json]
    said: str
    output: str | None
    instructions: str


class ModelServer:
    """The server, in threads of its own while it is used as a context manager."""

    def __init__(self) -> None:
        handler = type("Handler", (_Handler,), {"model": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._released = threading.Event()
        self.exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def hold(self) -> None:
        """Let the next HOLD wait again."""
        self._released.clear()

    def release(self) -> None:
        """Let every reply that was held back go on."""
        self._released.set()

    def prompts(self) -> list[str]:
        """Return what people said to the model, once for each time it was sent without a tool's output."""
        return [each.said for each in self.exchanges if each.output is None and each.tools]

    def reply(self, exchange: Exchange) -> Iterator[str | Call]:
        """Yield what the model says, piece by piece."""
        self.exchanges.append(exchange)
        verb, _, rest = exchange.said.partition(" ")
        if not exchange.tools:
            # A title is wanted, or a summary: agents ask for these beside the turn.
            yield "A short title"
        elif exchange.output is not None:
            yield "It said: "
            yield exchange.output[:200]
        elif verb == "RUN":
            yield "I will "
            yield "run it."
            yield call(exchange.tools, rest)
        elif verb == "FAST":
            yield from (f"{n} " for n in range(int(rest)))
        elif verb == "HOLD":
            yield HELD
            self._released.wait()
            yield RELEASED
        else:
            yield "You said: "
            yield exchange.said


def call(tools: list[Json], command: str) -> Call:
    """Return a call of the agent's shell tool, whatever it is called and takes."""
    for tool in tools:
        function: Json = tool.get("function", tool)
        if any(word in function["name"].lower() for word in ("bash", "shell", "exec_command")):
            schema: Json = function.get("parameters") or function.get("input_schema") or {}
            wanted: Json = schema["properties"]
            name = next(each for each in ("command", "cmd") if each in wanted)
            value: object = ["bash", "-lc", command] if wanted[name].get("type") == "array" else command
            extra: Json = {key: "what was asked for" for key in ("description",) if key in schema.get("required", [])}
            return Call(function["name"], {name: value, **extra})
    names = [tool.get("name") or tool.get("type") for tool in tools]
    msg = f"no shell among {names}"
    raise LookupError(msg)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ClassVar[ModelServer]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_GET(self) -> None:
        self._answer({"data": [{"id": "stub-model", "object": "model"}], "object": "list"})

    def do_HEAD(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body: Json = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.partition("?")[0]
        speak = {"/messages": anthropic, "/chat/completions": chat, "/responses": responses}
        found = next((each for ending, each in speak.items() if path.endswith(ending)), None)
        if found is None:
            self._answer({"input_tokens": 1})
            return
        exchange = heard(body)
        if not body.get("stream"):
            self._answer(whole("".join(each for each in self.model.reply(exchange) if isinstance(each, str))))
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for name, data in found(self.model.reply(exchange)):
                text = data if isinstance(data, str) else json.dumps(data)
                self.wfile.write((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
                self.wfile.flush()
        except OSError:
            # The agent has hung up: its turn was cancelled, or it was killed.
            self.close_connection = True

    def _answer(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def whole(text: str) -> Json:
    """Return a reply in one piece, in words of both kinds."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "stub-model",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 1, "prompt_tokens": 10, "completion_tokens": 1},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
    }


def heard(body: Json) -> Exchange:
    """Return what a request says, whichever API it is for."""
    messages: list[Json] = body.get("messages") or body.get("input") or []
    said, output = "", None
    for message in messages:
        content = message.get("content")
        blocks = cast("list[Json]", content if isinstance(content, list) else [{"type": "text", "text": content or ""}])
        if message.get("role") == "tool" or message.get("type") in ("function_call_output", "custom_tool_call_output"):
            output = plain(message.get("output", content))
        elif message.get("role") == "user":
            for block in blocks:
                if block.get("type") == "tool_result":
                    output = plain(block.get("content"))
                # Agents put remarks of their own in blocks beside what a person said.
                elif "text" in block and not block["text"].startswith("<"):
                    said, output = block["text"].strip(), None
    return Exchange(body.get("tools") or [], said, output, plain(body.get("system") or body.get("instructions") or ""))


def plain(content: object) -> str:
    """Return the text of content in any of its forms."""
    if isinstance(content, str):
        return content
    blocks = cast("list[Json]", content) if isinstance(content, list) else []
    return "".join(block.get("text", "") for block in blocks)


Event = tuple[str, Json | str]
_numbers = itertools.count(1)


def anthropic(reply: Iterator[str | Call]) -> Iterator[Event]:
    """Yield the events of Anthropic's messages API."""
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message: Json = {"id": f"msg_{next(_numbers)}", "type": "message", "role": "assistant", "model": "stub-model"}
    message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield "message_start", {"type": "message_start", "message": message}
    block: Json = {"type": "text", "text": ""}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
    stop = "end_turn"
    for part in reply:
        delta: Json = {"type": "text_delta", "text": part}
        if isinstance(part, Call):
            stop = "tool_use"
            yield "content_block_stop", {"type": "content_block_stop", "index": 0}
            block = {"type": "tool_use", "id": f"toolu_{next(_numbers)}", "name": part.tool, "input": {}}
            yield "content_block_start", {"type": "content_block_start", "index": 1, "content_block": block}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(part.arguments)}
        index = int(stop == "tool_use")
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": int(stop == "tool_use")}
    ending = {"stop_reason": stop, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 5}}
    yield "message_stop", {"type": "message_stop"}


def chat(reply: Iterator[str | Call]) -> Iterator[Event]:
    """Yield the events of OpenAI's chat completions API."""
    frame: Json = {
        "id": f"chat-{next(_numbers)}",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub-model",
    }
    reason = "stop"
    for part in reply:
        delta: Json = {"role": "assistant", "content": part}
        if isinstance(part, Call):
            reason = "tool_calls"
            function = {"name": part.tool, "arguments": json.dumps(part.arguments)}
            delta = {
                "tool_calls": [{"index": 0, "id": f"call_{next(_numbers)}", "type": "function", "function": function}]
            }
        yield "", {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    yield "", {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}
    yield "", "[DONE]"


def responses(reply: Iterator[str | Call]) -> Iterator[Event]:
    """Yield the events of OpenAI's responses API."""
    name = f"resp_{next(_numbers)}"
    item: Json = {"id": f"msg_{next(_numbers)}", "type": "message", "role": "assistant", "status": "in_progress"}
    yield _typed("response.created", response={"id": name, "object": "response", "status": "in_progress"})
    yield _typed("response.output_item.added", output_index=0, item={**item, "content": []})
    said = ""
    calls: list[Json] = []
    for part in reply:
        if isinstance(part, Call):
            calls.append(
                {
                    "id": f"fc_{next(_numbers)}",
                    "type": "function_call",
                    "call_id": f"call_{next(_numbers)}",
                    "name": part.tool,
                    "arguments": json.dumps(part.arguments),
                    "status": "completed",
                }
            )
            continue
        said += part
        yield _typed("response.output_text.delta", item_id=item["id"], output_index=0, content_index=0, delta=part)
    done: Json = {**item, "status": "completed", "content": [{"type": "output_text", "text": said, "annotations": []}]}
    yield _typed("response.output_item.done", output_index=0, item=done)
    for index, each in enumerate(calls, 1):
        yield _typed("response.output_item.done", output_index=index, item=each)
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    response = {"id": name, "object": "response", "status": "completed", "output": [done, *calls], "usage": usage}
    yield _typed("response.completed", response=response)


def _typed(kind: str, **fields: object) -> Event:
    return kind, {"type": kind, "sequence_number": next(_numbers), **fields}
