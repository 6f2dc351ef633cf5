"""An ACP client of a few lines, for tests of agents: one process, requests and updates over its pipes."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Json = dict[str, Any]

PATIENCE_S = 60


class Client:
    """One agent process. Used as a context manager; on the way out the process gets EOF, then is killed."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.cwd = str(cwd)
        self._heard: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._count = 0
        self._readers = [threading.Thread(target=self._listen), threading.Thread(target=self._listen_to_complaints)]
        self.complaints = b""
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        with suppress(ProcessLookupError):  # all of it has ended by itself
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._heard.put(json.loads(line))
        self._heard.put(None)

    def _listen_to_complaints(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.complaints += line

    def send(self, **message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: object) -> int:
        """Send a request; return its id."""
        self._count += 1
        self.send(id=self._count, method=method, params=params)
        return self._count

    def notify(self, method: str, **params: object) -> None:
        self.send(method=method, params=params)

    def next(self) -> Json:
        """Return the next message.

        Raises:
            EOFError: The agent closed its output.
        """
        message = self._heard.get(timeout=PATIENCE_S)
        if message is None:
            # So that a second call says the same.
            self._heard.put(None)
            complaint = self.complaints.decode(errors="replace")[-2000:]
            msg = f"the agent is gone: {complaint}"
            raise EOFError(msg)
        return message

    def until(self, request_id: int) -> tuple[list[Json], Json]:
        """Return what was heard until a request is answered, and the answer."""
        heard: list[Json] = []
        while True:
            message = self.next()
            if "method" not in message and message["id"] == request_id:
                return heard, message
            heard.append(message)

    def until_asked(self) -> tuple[list[Json], Json]:
        """Return what was heard until the agent asks for something, and the question."""
        heard: list[Json] = []
        while True:
            message = self.next()
            if "method" in message and "id" in message:
                return heard, message
            heard.append(message)

    def call(self, method: str, **params: object) -> Json:
        """Send a request; return its result."""
        _, answer = self.until(self.ask(method, **params))
        assert "result" in answer, answer
        result: Json = answer["result"]
        return result

    def initialize(self) -> Json:
        return self.call(
            "initialize", protocolVersion=1, clientCapabilities={}, clientInfo={"name": "t", "version": "0"}
        )

    def new(self) -> str:
        """Begin a session; return its id."""
        return str(self.call("session/new", cwd=self.cwd, mcpServers=[])["sessionId"])

    def prompt(self, session: str, text: str) -> int:
        return self.ask("session/prompt", sessionId=session, prompt=[{"type": "text", "text": text}])

    def answer(self, question: Json, option: str | None) -> None:
        outcome = {"outcome": "cancelled"} if option is None else {"outcome": "selected", "optionId": option}
        self.send(id=question["id"], result={"outcome": outcome})


def updates(heard: Sequence[Json], *kinds: str) -> Iterator[Json]:
    for message in heard:
        if message.get("method") == "session/update":
            update = message["params"]["update"]
            if not kinds or update["sessionUpdate"] in kinds:
                yield update


def text(heard: Sequence[Json], kind: str = "agent_message_chunk") -> str:
    """Return what was said, in one piece."""
    return "".join(update["content"]["text"] for update in updates(heard, kind))
