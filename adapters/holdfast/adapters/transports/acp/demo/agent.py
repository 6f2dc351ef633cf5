"""The demo agent: a real ACP agent on stdio that plays a recording, for people who have no agent installed yet.

Run by its path, `python -I agent.py [--speed N] [--copy FILE]`, from whatever folder; standard library only, nothing of
Holdfast. It reads and changes nothing on the machine; where it is told to, it writes what it sends into FILE as well.
What it says depends on the prompt and the mode alone, so a session that an earlier process began can be resumed without
a loss; replaying its history (`session/load`) needs the process that told it, and is refused otherwise.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

PIECE_S: Final = 0.045
"""Between two words, at normal speed: about as fast as a person reads along."""
THOUGHT_S: Final = 0.03
BREATH_S: Final = 0.6
"""Between two paragraphs."""

ASKING: Final = "ask"
ACTING: Final = "auto"
MODES: Final = [
    {"id": ASKING, "name": "Ask first", "description": "Asks before it runs or changes anything"},
    {"id": ACTING, "name": "Act", "description": "Does what it has to without asking"},
]
OPTIONS: Final = [
    {"optionId": "once", "kind": "allow_once", "name": "Allow once"},
    {"optionId": "always", "kind": "allow_always", "name": "Allow for this session"},
    {"optionId": "reject", "kind": "reject_once", "name": "Reject"},
]


class RefusedError(Exception):
    """A request is answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


class CancelledError(Exception):
    """The client wants no more of this turn."""


class Session:
    """A conversation: who takes part in it is the client's business, what was said is kept for `session/load`."""

    def __init__(self) -> None:
        self.mode = ASKING
        self.trusted = False
        self.told: list[Json] = []
        self.turns = 0
        self.working = False
        self.cancelled = threading.Event()


class Agent:
    """One process: any number of sessions, each with one turn at a time."""

    def __init__(self, scenes: list[Json], speed: float, copy: str | None = None) -> None:
        self._scenes = scenes
        self._copy = None if copy is None else open(copy, "ab", buffering=0)  # noqa: PTH123, SIM115 - until the end
        self._speed = speed
        self._sessions: dict[str, Session] = {}
        self._writing = threading.Lock()
        self._questions: dict[str, Question] = {}

    def run(self) -> None:
        """Serve until the client closes our input."""
        with open(0, "rb") as lines:
            for line in lines:
                try:
                    self._receive(json.loads(line))
                except ValueError:
                    self._send(id=None, error={"code": -32700, "message": "that is no JSON"})
                except (AttributeError, KeyError, TypeError):
                    self._send(id=None, error={"code": -32600, "message": "that is no message of the protocol"})

    def _receive(self, message: Json) -> None:
        method, request_id = message.get("method"), message.get("id")
        if method is None:
            question = self._questions.get(str(request_id))
            if question is not None:
                question.answer(message.get("result"))
        elif method == "session/cancel":
            self._cancel(message["params"]["sessionId"])
        elif request_id is not None:
            params: Json = message.get("params") or {}
            session = self._sessions.get(params.get("sessionId", ""))
            if method == "session/prompt" and session is not None and not session.working:
                # Here, because a cancellation may be read before the turn has come to run.
                session.cancelled.clear()
            # A turn takes its time, and its cancellation arrives meanwhile.
            serve = threading.Thread(target=self._serve, args=(request_id, method, params))
            serve.daemon = True
            serve.start()
            if method != "session/prompt":
                serve.join()

    def _serve(self, request_id: object, method: str, params: Json) -> None:
        served: dict[str, Callable[[Json], Json]] = {
            "initialize": self._initialize,
            "session/new": self._new,
            "session/load": self._load,
            "session/resume": self._resume,
            "session/close": self._close,
            "session/set_mode": self._set_mode,
            "session/prompt": self._prompt,
        }
        reply: Json
        try:
            reply = {"result": served.get(method, self._unknown)(params)}
        except RefusedError as refused:
            reply = {"error": refused.error}
        except (KeyError, TypeError) as wrong:
            reply = {"error": {"code": -32602, "message": f"the parameters of {method} are not right: {wrong}"}}
        self._send(id=request_id, **reply)

    # what a client asks for

    def _unknown(self, _params: Json) -> Json:
        raise RefusedError(-32601, "the demo agent does not serve that")

    def _initialize(self, _params: Json) -> Json:
        return {
            "protocolVersion": 1,
            "agentCapabilities": {"loadSession": True, "sessionCapabilities": {"resume": {}, "close": {}}},
            "agentInfo": {"name": "holdfast-demo", "title": "Demo", "version": "1"},
            "authMethods": [],
        }

    def _new(self, _params: Json) -> Json:
        session_id = _sealed(os.urandom(6).hex())
        session = self._sessions[session_id] = Session()
        return {"sessionId": session_id, "modes": _modes(session)}

    def _resume(self, params: Json) -> Json:
        session_id: str = params["sessionId"]
        if session_id not in self._sessions:
            if session_id != _sealed(session_id.partition("-")[2][:12]):
                raise RefusedError(-32002, f"{session_id} is no session of the demo agent")
            self._sessions[session_id] = Session()
        return {"modes": _modes(self._sessions[session_id])}

    def _load(self, params: Json) -> Json:
        session = self._session(params)
        for update in list(session.told):
            self._update(params["sessionId"], update)
        return {"modes": _modes(session)}

    def _close(self, params: Json) -> Json:
        self._cancel(params["sessionId"])
        self._sessions.pop(params["sessionId"], None)
        return {}

    def _set_mode(self, params: Json) -> Json:
        session, mode = self._session(params), params["modeId"]
        if mode not in (ASKING, ACTING):
            raise RefusedError(-32602, f"there is no mode {mode!r}")
        session.mode = mode
        self._update(params["sessionId"], {"sessionUpdate": "current_mode_update", "currentModeId": mode})
        return {}

    def _prompt(self, params: Json) -> Json:
        session = self._session(params)
        said = " ".join(block["text"] for block in params["prompt"] if block.get("type") == "text")
        with self._writing:
            if session.working:
                raise RefusedError(-32600, "a turn is already running")
            session.working = True
        session.turns += 1
        session.told.append({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": said}})
        try:
            Turn(self, params["sessionId"], session, said).play(choose(self._scenes, said))
        except CancelledError:
            return {"stopReason": "cancelled"}
        finally:
            session.working = False
        return {"stopReason": "end_turn"}

    def _session(self, params: Json) -> Session:
        session = self._sessions.get(params["sessionId"])
        if session is None:
            raise RefusedError(-32002, f"this process has not seen the session {params['sessionId']}")
        return session

    def _cancel(self, session_id: str) -> None:
        session = self._sessions.get(session_id)
        if session is not None:
            session.cancelled.set()
            for question in list(self._questions.values()):
                if question.session is session:
                    question.answer(None)

    # what turns need

    def tell(self, session_id: str, session: Session, update: Json) -> None:
        """Send an update that belongs to the history, in which pieces of one message are one."""
        told = session.told
        if "messageId" in update and told and told[-1].get("messageId") == update["messageId"]:
            told[-1] = {**update, "content": _joined(told[-1]["content"], update["content"])}
        else:
            told.append(update)
        self._update(session_id, update)

    def ask(self, session_id: str, session: Session, tool: Json) -> str | None:
        """Ask for permission; return the option that was chosen, None where the client wants no answer any more."""
        question = Question(session)
        self._questions[question.id] = question
        try:
            params = {"sessionId": session_id, "toolCall": tool, "options": OPTIONS}
            self._send(id=question.id, method="session/request_permission", params=params)
            return question.wait()
        finally:
            del self._questions[question.id]

    def rest(self, session: Session, delay_s: float) -> None:
        """Wait a while.

        Raises:
            CancelledError: The turn was cancelled, meanwhile or before.
        """
        if session.cancelled.wait(delay_s / self._speed):
            raise CancelledError

    def _update(self, session_id: str, update: Json) -> None:
        self._send(method="session/update", params={"sessionId": session_id, "update": update})

    def _send(self, **message: object) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        with self._writing:
            try:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                if self._copy is not None:
                    self._copy.write(line)
            except OSError:
                # Nobody listens any more. Threads cannot end the process in another way.
                os._exit(0)


class Question:
    """A permission that was asked for."""

    def __init__(self, session: Session) -> None:
        self.id = f"ask-{os.urandom(4).hex()}"
        self.session = session
        self._answered = threading.Event()
        self._option: str | None = None

    def answer(self, result: Json | None) -> None:
        """Take the client's answer; None where there will be none."""
        if not self._answered.is_set():
            outcome: Json = (result or {}).get("outcome", {})
            self._option = outcome.get("optionId")
            self._answered.set()

    def wait(self) -> str | None:
        """Return the option that was chosen, None for none."""
        self._answered.wait()
        return self._option


class Turn:
    """One prompt being answered: a scene of the recording, step by step."""

    def __init__(self, agent: Agent, session_id: str, session: Session, prompt: str) -> None:
        self._agent = agent
        self._session_id = session_id
        self._session = session
        self._prompt = prompt
        self._name = os.urandom(4).hex()
        self._count = 0

    def play(self, scene: Json) -> None:
        """Do what the recording says.

        Raises:
            CancelledError: The client wants no more.
        """
        if self._session.turns == 1:
            self._tell("session_info_update", title=scene["title"])
        self._perform(scene["steps"])

    def _perform(self, steps: list[Json]) -> None:
        for step in steps:
            self._agent.rest(self._session, BREATH_S)
            if "think" in step:
                self._speak("agent_thought_chunk", step["think"], THOUGHT_S)
            elif "say" in step:
                self._speak("agent_message_chunk", step["say"].replace("{prompt}", _quoted(self._prompt)), PIECE_S)
            elif "plan" in step:
                entries = [{"content": what, "priority": "medium", "status": how} for what, how in step["plan"]]
                self._tell("plan", entries=entries)
            elif not self._use(step):
                self._perform(step["rejected"])
                return

    def _speak(self, kind: str, text: str, piece_s: float) -> None:
        self._count += 1
        message = f"{self._name}-{self._count}"
        for piece in re.findall(r"\s*\S+|\s+$", text):
            self._tell(kind, messageId=message, content={"type": "text", "text": piece})
            self._agent.rest(self._session, piece_s)

    def _use(self, step: Json) -> bool:
        """Use a tool, with permission where it has to be asked for; return whether it was given."""
        self._count += 1
        tool: Json = {"toolCallId": f"{self._name}-{self._count}", **step["tool"]}
        self._tell("tool_call", status="pending", **tool)
        try:
            if step.get("asks") and not self._is_allowed(tool):
                self._finish(tool, "failed", "Rejected.")
                return False
            self._tell("tool_call_update", toolCallId=tool["toolCallId"], status="in_progress")
            self._agent.rest(self._session, step["takes_s"])
        except CancelledError:
            self._finish(tool, "failed", "Cancelled.")
            raise
        self._finish(tool, "completed", step["output"], step.get("diff"))
        return True

    def _is_allowed(self, tool: Json) -> bool:
        if self._session.mode == ACTING or self._session.trusted:
            return True
        chosen = self._agent.ask(self._session_id, self._session, tool)
        self._agent.rest(self._session, 0)
        self._session.trusted = chosen == "always"
        return chosen in {"once", "always"}

    def _finish(self, tool: Json, status: str, output: str, diff: Json | None = None) -> None:
        content: list[Json] = [{"type": "diff", **diff}] if diff else []
        content.append({"type": "content", "content": {"type": "text", "text": output}})
        self._tell(
            "tool_call_update",
            toolCallId=tool["toolCallId"],
            status=status,
            content=content,
            rawOutput={"output": output},
        )

    def _tell(self, sort: str, **fields: object) -> None:
        self._agent.tell(self._session_id, self._session, {"sessionUpdate": sort, **fields})


def choose(scenes: list[Json], prompt: str) -> Json:
    """Return the scene whose words the prompt has most of; the last one where it has none of any."""
    words = set(re.findall(r"\w+", prompt.lower()))
    best = max(scenes, key=lambda scene: len(words.intersection(scene["words"])))
    return best if words.intersection(best["words"]) else scenes[-1]


def _modes(session: Session) -> Json:
    return {"currentModeId": session.mode, "availableModes": MODES}


def _joined(first: Json, second: Json) -> Json:
    return {**first, "text": first["text"] + second["text"]}


def _sealed(name: str) -> str:
    """Return the id of a session of this name; what was not made here is recognised by its wrong end."""
    return f"demo-{name}{zlib.crc32(name.encode()):08x}"


def _quoted(prompt: str) -> str:
    """Return a prompt as a Markdown quotation, shortened."""
    short = prompt if len(prompt) <= 400 else f"{prompt[:400]}…"
    return "\n".join(f"> {line}" for line in short.splitlines() or [""])


def main() -> None:
    """Play the recording beside this file."""
    words = sys.argv[1:]
    given = dict(zip(words[::2], words[1::2], strict=False))
    speed = float(given.get("--speed") or os.environ.get("HOLDFAST_DEMO_SPEED", "1"))
    scenes: list[Json] = json.loads(Path(__file__).with_name("recording.json").read_text("utf-8"))["scenes"]
    Agent(scenes, speed, given.get("--copy")).run()


if __name__ == "__main__":
    main()
