"""A real ACP agent that does what a script says, however badly: `python -I -S scripted.py SCRIPT`.

SCRIPT is JSON, or the path of a file that holds it. Standard library only. Everything has a default: `{}` is an agent
that repeats each prompt.

The script:

    journal   path: one JSON line for all that happens: {"pid", "at": "started", "arguments"} ·
              {"at": "got", "method", "params"} · {"at": "answered", "result"|"error"} (answers to its own requests) ·
              {"at": "turn", "session", "reason", "said"} (its outcome and all text that was said) ·
              {"at": "spawned", "child"} · {"at": "eof"}
    state     folder: what sessions were told and said, so that the next process can load or resume them
    ignore    list of "eof", "term", "int"
    start     steps before anything is read             initialize   steps before its answer
    capabilities, agent_info, auth_methods, protocol_version    for the answer to initialize
    new       steps before the answer to session/new    opened       steps after it (load and resume as well)
    result    fields added to the answers to session/new, load and resume: modes, configOptions …
    load, resume   {"replay": bool, "steps": [...], "fail": {code, message}, "destroys": bool}; load replays, resume
              does not; what was said in a turn that a kill cut off is forgotten, as real agents do
    prompts   list of lists of steps: the first for the first prompt to this process, the last for all that follow
    overlap   what a prompt during a turn meets: "queue" (default), "refuse", "swallow", "cancel_first"
    cancel    "obey" (default), "ignore"; a permission is waited for, unless "impatient": true
    refuse    {method: {code, message}}: answer so
    close     steps before the answer to session/close

A step is an object with one verb; `{n}` in a text counts what `times` repeats, `{prompt}` is the prompt's text:

    {"say"|"think"|"user": TEXT, "times": N, "every_s": S, "message": MESSAGE_ID}
    {"plan": [[CONTENT, STATUS], ...]}            {"tool": {fields of a tool_call}}   {"tool_update": {fields}}
    {"output": TOOL_ID, "bytes": N}               completes a tool with an output of N bytes, numbered lines
    {"ask": TOOL_ID, "tool": {fields}, "options": [...], "rpc_id": ID, "allow": [steps], "deny": [steps],
     "cancelled": [steps]}                        without announcing the tool: that is a step of its own, or none
    {"update": {...}, "session": ID}              any session/update
    {"notify": METHOD, "params": {}}              {"request": METHOD, "params": {}}   waits for the answer
    {"send": ANYTHING}                            one line of JSON; {"id": "{id}"} becomes the id of the prompt
    {"raw": TEXT}                                 as it is, no newline is added
    {"flood": N, "of": TEXT}                      at least N bytes, TEXT repeated as a whole; no newline is added
    {"stderr": N}                                 N bytes of complaint
    {"wait": PATH}  {"touch": PATH}               until the file exists; make it
    {"pause": S}
    {"spawn": {"setsid": bool, "ignore_term": bool}}   a grandchild that never ends
    {"exit": CODE}  {"signal": NUMBER}            at once
    {"end": STOP_REASON}  {"fail": {...}}  {"hang": true}    how the turn (or the request) ends; the default is end_turn
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OPTIONS = [
    {"optionId": "once", "kind": "allow_once", "name": "Allow once"},
    {"optionId": "always", "kind": "allow_always", "name": "Always allow"},
    {"optionId": "reject", "kind": "reject_once", "name": "Reject"},
]
POLL_S = 0.005


class OverError(Exception):
    """A turn, or the treatment of a request, is over before its steps are."""

    def __init__(self, result: Any = None, error: Any = None) -> None:
        super().__init__()
        self.result = result
        self.error = error


class Turn:
    def __init__(self, session: str, request_id: object, prompt: str) -> None:
        self.session = session
        self.request_id = request_id
        self.prompt = prompt
        self.said: list[str] = []
        self.cancelled = threading.Event()


class Agent:
    def __init__(self, script: Json) -> None:
        self.script = script
        self.writing = threading.Lock()
        self.changed = threading.Condition()
        # Written by the thread that reads, awaited by those that serve.
        self.answers: dict[str, Json] = {}
        self.open: dict[str, list[Turn]] = {}
        self.prompts = 0
        self.requests = 0
        self.sessions = 0

    # out

    def note(self, at: str, **fields: object) -> None:
        path = self.script.get("journal")
        if path:
            line = json.dumps({"pid": os.getpid(), "at": at, **fields}).encode() + b"\n"
            # One write to a file opened for appending: lines of several threads and processes do not mix.
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

    def write(self, data: bytes) -> None:
        with self.writing:
            try:
                while data:
                    data = data[os.write(1, data) :]
            except OSError:
                if "eof" not in self.script.get("ignore", ()):
                    os._exit(1)

    def send(self, message: object) -> None:
        self.write(json.dumps(message).encode() + b"\n")

    def update(self, session: str, **fields: object) -> None:
        self.send({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": session, "update": fields}})

    def request(self, method: str, params: Json, turn: Turn | None = None, rpc_id: object = None) -> Json | None:
        """Ask the client; return its answer, or None where the turn was cancelled and the agent does not wait."""
        with self.changed:
            if rpc_id is None:
                rpc_id, self.requests = self.requests, self.requests + 1
        key = json.dumps(rpc_id)
        self.send({"jsonrpc": "2.0", "id": rpc_id, "method": method, "params": params})
        with self.changed:
            while key not in self.answers:
                if turn is not None and turn.cancelled.is_set() and self.script.get("impatient"):
                    self.send({"jsonrpc": "2.0", "method": "$/cancel_request", "params": {"requestId": rpc_id}})
                    return None
                self.changed.wait()
            return self.answers.pop(key)

    # what a step does

    def perform(self, steps: list[Json], turn: Turn) -> None:
        for step in steps:
            if turn.cancelled.is_set() and self.script.get("cancel") != "ignore":
                raise OverError({"stopReason": "cancelled"})
            verb = next(iter(step))
            getattr(self, f"do_{verb}")(step, turn)

    def do_say(self, step: Json, turn: Turn, kind: str = "agent_message_chunk") -> None:
        text = next(iter(step.values())).replace("{prompt}", turn.prompt)
        named = {"messageId": step["message"]} if "message" in step else {}
        for n in range(step.get("times", 1)):
            if turn.cancelled.is_set() and self.script.get("cancel") != "ignore":
                raise OverError({"stopReason": "cancelled"})
            said = text.replace("{n}", str(n))
            self.update(turn.session, sessionUpdate=kind, content={"type": "text", "text": said}, **named)
            if kind == "agent_message_chunk":
                turn.said.append(said)
            if step.get("every_s"):
                turn.cancelled.wait(step["every_s"])

    def do_think(self, step: Json, turn: Turn) -> None:
        self.do_say(step, turn, "agent_thought_chunk")

    def do_user(self, step: Json, turn: Turn) -> None:
        self.do_say(step, turn, "user_message_chunk")

    def do_plan(self, step: Json, turn: Turn) -> None:
        entries = [{"content": content, "priority": "medium", "status": status} for content, status in step["plan"]]
        self.update(turn.session, sessionUpdate="plan", entries=entries)

    def do_tool(self, step: Json, turn: Turn) -> None:
        self.update(turn.session, sessionUpdate="tool_call", **step["tool"])

    def do_tool_update(self, step: Json, turn: Turn) -> None:
        self.update(turn.session, sessionUpdate="tool_call_update", **step["tool_update"])

    def do_output(self, step: Json, turn: Turn) -> None:
        content = [{"type": "content", "content": {"type": "text", "text": numbered(step["bytes"])}}]
        self.update(
            turn.session,
            sessionUpdate="tool_call_update",
            toolCallId=step["output"],
            status="completed",
            content=content,
        )

    def do_ask(self, step: Json, turn: Turn) -> None:
        tool = {"title": "touch x", "kind": "execute", "status": "pending", "rawInput": {"command": "touch x"}}
        tool = {"toolCallId": step["ask"]} | tool | step.get("tool", {})
        options = step.get("options", OPTIONS)
        params = {"sessionId": turn.session, "toolCall": tool, "options": options}
        answer: Json = self.request("session/request_permission", params, turn, step.get("rpc_id")) or {}
        result: Json = answer.get("result") or {}
        outcome: Json = result.get("outcome", {})
        chosen = outcome.get("optionId") if outcome.get("outcome") == "selected" else None
        kind = next((each["kind"] for each in options if each["optionId"] == chosen), "cancelled")
        branch = "allow" if kind.startswith("allow") else "deny" if kind.startswith("reject") else "cancelled"
        self.perform(step.get(branch, []), turn)

    def do_update(self, step: Json, turn: Turn) -> None:
        self.update(step.get("session", turn.session), **step["update"])

    def do_notify(self, step: Json, turn: Turn) -> None:
        self.send({"jsonrpc": "2.0", "method": step["notify"], "params": step.get("params", {})})

    def do_request(self, step: Json, turn: Turn) -> None:
        self.request(step["request"], {"sessionId": turn.session} | step.get("params", {}), turn)

    def do_send(self, step: Json, turn: Turn) -> None:
        text = json.dumps(step["send"]).replace('"{id}"', json.dumps(turn.request_id))
        self.write(text.encode() + b"\n")

    def do_raw(self, step: Json, turn: Turn) -> None:
        self.write(step["raw"].encode("utf-8", "surrogateescape"))

    def do_flood(self, step: Json, turn: Turn) -> None:
        text = step.get("of", "x").encode()
        block = text * (65536 // len(text))
        for _ in range(-(-step["flood"] // len(block))):
            self.write(block)

    def do_stderr(self, step: Json, turn: Turn) -> None:
        block = b"it is all the fault of somebody else\n" * 1800
        left = step["stderr"]
        while left > 0:
            left -= os.write(2, block[:left])

    def do_wait(self, step: Json, turn: Turn) -> None:
        while not Path(step["wait"]).exists():
            if turn.cancelled.wait(POLL_S):
                return

    def do_touch(self, step: Json, turn: Turn) -> None:
        os.close(os.open(step["touch"], os.O_WRONLY | os.O_CREAT, 0o600))

    def do_pause(self, step: Json, turn: Turn) -> None:
        turn.cancelled.wait(step["pause"])

    def do_spawn(self, step: Json, turn: Turn) -> None:
        child = os.fork()
        if child == 0:
            if step["spawn"].get("setsid"):
                os.setsid()
            if step["spawn"].get("ignore_term"):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            else:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            while True:
                signal.pause()
        self.note("spawned", child=child)

    def do_exit(self, step: Json, turn: Turn) -> None:
        os._exit(step["exit"])

    def do_signal(self, step: Json, turn: Turn) -> None:
        os.kill(os.getpid(), step["signal"])

    def do_end(self, step: Json, turn: Turn) -> None:
        raise OverError({"stopReason": step["end"]})

    def do_fail(self, step: Json, turn: Turn) -> None:
        raise OverError(error=step["fail"])

    def do_hang(self, step: Json, turn: Turn) -> None:
        while True:
            time.sleep(3600)

    # in

    def run(self) -> None:
        nobody = Turn("nobody", None, "")
        self.note("started", arguments=sys.argv[2:])
        for name in self.script.get("ignore", ()):
            if name != "eof":
                signal.signal(getattr(signal, f"SIG{name.upper()}"), signal.SIG_IGN)
        self.perform(self.script.get("start", []), nobody)
        with open(0, "rb") as messages:
            for line in messages:
                self.receive(json.loads(line))
        self.note("eof")
        if "eof" in self.script.get("ignore", ()):
            self.do_hang({}, nobody)
        os._exit(0)

    def receive(self, message: Json) -> None:
        method = message.get("method")
        if method is None:
            self.note("answered", **{k: v for k, v in message.items() if k != "jsonrpc"})
            with self.changed:
                self.answers[json.dumps(message["id"])] = message
                self.changed.notify_all()
            return
        params: Json = message.get("params") or {}
        self.note("got", method=method, params=params)
        if method == "session/cancel":
            with self.changed:
                for turn in self.open.get(params["sessionId"], [])[:1]:
                    turn.cancelled.set()
                self.changed.notify_all()
        elif "id" in message:
            # Requests run beside the reader: a cancel, or an answer, must get through to them.
            threading.Thread(target=self.serve, args=(message["id"], method, params), daemon=True).start()

    def serve(self, request_id: object, method: str, params: Json) -> None:
        name = method.rpartition("/")[2]
        refused = self.script.get("refuse", {}).get(method)
        serve = getattr(self, f"on_{name}", self.on_unknown)
        reply: Json
        try:
            reply = {"error": refused} if refused else {"result": serve(params, request_id)}
        except OverError as over:
            reply = {"error": over.error} if over.error else {"result": over.result}
        self.send({"jsonrpc": "2.0", "id": request_id, **reply})
        if name == "prompt":
            self.leave(params["sessionId"], request_id)
        elif name in ("new", "load", "resume") and "result" in reply:
            session = params.get("sessionId") or reply["result"]["sessionId"]
            self.perform(self.script.get("opened", []), Turn(session, request_id, ""))

    def on_unknown(self, params: Json, request_id: object) -> Json:
        raise OverError(error={"code": -32601, "message": "Method not found"})

    def on_initialize(self, params: Json, request_id: object) -> Json:
        self.perform(self.script.get("initialize", []), Turn("nobody", request_id, ""))
        ways: Json = {"resume": {}} if "resume" in self.script else {}
        return {
            "protocolVersion": self.script.get("protocol_version", 1),
            "agentCapabilities": self.script.get(
                "capabilities", {"loadSession": "load" in self.script, "sessionCapabilities": ways | {"close": {}}}
            ),
            "agentInfo": self.script.get("agent_info", {"name": "scripted", "version": "1"}),
            "authMethods": self.script.get("auth_methods", []),
        }

    def on_authenticate(self, params: Json, request_id: object) -> Json:
        return {}

    def on_new(self, params: Json, request_id: object) -> Json:
        self.sessions += 1
        session = f"ses_{os.getpid()}_{self.sessions}_{os.urandom(4).hex()}"
        self.perform(self.script.get("new", []), Turn(session, request_id, ""))
        self.remember(session)
        extra: Json = self.script.get("result", {})
        return {"sessionId": session} | extra

    def on_load(self, params: Json, request_id: object, way: str = "load") -> Json:
        how = self.script.get(way)
        session = params["sessionId"]
        known = self.history(session)
        if how is None or known is None:
            error = {"code": -32601 if how is None else -32002, "message": f"no session {session}"}
            raise OverError(error=error)
        self.perform(how.get("steps", []), Turn(session, request_id, ""))
        if how.get("destroys"):
            self.path(session).unlink()
            raise OverError(error={"code": -32603, "message": "No previous sessions found"})
        if how.get("fail"):
            raise OverError(error=how["fail"])
        if how.get("replay", way == "load"):
            for turn in known:
                for kind, text in (("user_message_chunk", turn["prompt"]), ("agent_message_chunk", turn["said"])):
                    if text:
                        self.update(session, sessionUpdate=kind, content={"type": "text", "text": text})
        return dict(self.script.get("result", {}))

    def on_resume(self, params: Json, request_id: object) -> Json:
        return self.on_load(params, request_id, "resume")

    def on_close(self, params: Json, request_id: object) -> Json:
        self.perform(self.script.get("close", []), Turn(params["sessionId"], request_id, ""))
        return {}

    def on_set_mode(self, params: Json, request_id: object) -> Json:
        self.update(params["sessionId"], sessionUpdate="current_mode_update", currentModeId=params["modeId"])
        return {}

    def on_set_config_option(self, params: Json, request_id: object) -> Json:
        options = self.script.get("result", {}).get("configOptions", [])
        for option in options:
            if option["id"] == params["configId"]:
                option["currentValue"] = params["value"]
        return {"configOptions": options}

    def on_prompt(self, params: Json, request_id: object) -> Json:
        session = params["sessionId"]
        turn = Turn(session, request_id, "".join(block.get("text", "") for block in params["prompt"]))
        number = self.enter(turn)
        scripts: list[list[Json]] = self.script.get("prompts") or [[{"say": "{prompt}"}]]
        reason: Any
        try:
            self.perform(scripts[min(number, len(scripts) - 1)], turn)
            reason = "cancelled" if turn.cancelled.is_set() else "end_turn"
        except OverError as over:
            if over.error:
                self.close_turn(turn, over.error)
                raise
            reason = over.result["stopReason"]
        self.close_turn(turn, reason)
        return {"stopReason": reason}

    def enter(self, turn: Turn) -> int:
        """Wait until it is the turn's time, or do what the script says about overlapping ones; return its number."""
        with self.changed:
            turns = self.open.setdefault(turn.session, [])
            overlap = self.script.get("overlap", "queue") if turns else None
            if overlap == "refuse":
                raise OverError(error={"code": -32603, "message": "A turn is already running"})
            while overlap == "swallow":
                self.changed.wait()
            if overlap == "cancel_first":
                turns[0].cancelled.set()
                self.changed.notify_all()
            turns.append(turn)
            self.changed.wait_for(lambda: turns[0] is turn)
            self.prompts += 1
            return self.prompts - 1

    def close_turn(self, turn: Turn, reason: object) -> None:
        said = "".join(turn.said)
        self.remember(turn.session, turn.prompt, said)
        self.note("turn", session=turn.session, reason=reason, said=said)

    def leave(self, session: str, request_id: object) -> None:
        with self.changed:
            turns = self.open.get(session, [])
            turns[:] = [turn for turn in turns if turn.request_id != request_id]
            self.changed.notify_all()

    # what the next process knows

    def path(self, session: str) -> Path:
        return Path(self.script["state"], f"{session}.jsonl")

    def history(self, session: str) -> list[Json] | None:
        if "state" not in self.script or not self.path(session).exists():
            return None
        return [json.loads(line) for line in self.path(session).read_text().splitlines()]

    def remember(self, session: str, prompt: str = "", said: str = "") -> None:
        if "state" in self.script:
            with self.path(session).open("a") as lines:
                if prompt:
                    lines.write(json.dumps({"prompt": prompt, "said": said}) + "\n")


def numbered(size: int) -> str:
    """Return text of so many bytes, of which no two lines are the same: what `output` sends."""
    lines = (f"{n:07} the quick brown fox jumps over the lazy dog\n" for n in range(size // 50 + 1))
    return "".join(lines)[:size]


def main() -> None:
    argument = sys.argv[1] if len(sys.argv) > 1 else "{}"
    if not argument.startswith("{"):
        argument = Path(argument).read_text()
    Agent(json.loads(argument)).run()


if __name__ == "__main__":
    main()
