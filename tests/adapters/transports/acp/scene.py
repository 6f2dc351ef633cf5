"""An agent by hand, and a keeper of the smallest kind: one session, a log in memory, a spool that survives."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from holdfast.adapters.transports.acp.protocol import requests
from holdfast.adapters.transports.acp.protocol.connection import Answered, Connection
from holdfast.adapters.transports.acp.protocol.framing import Lines
from holdfast.adapters.transports.acp.protocol.link import Delivery, Link
from holdfast.adapters.transports.acp.protocol.session import Conversation
from holdfast.domain.content import of_text
from holdfast.domain.projections.items import Item, apply
from holdfast.domain.projections.transcript import project
from holdfast.domain.recorded import EventId, Source, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode, encode
from holdfast.domain.session.session import Context, Session, fold, handle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.transports.acp.protocol.requests import Call
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.transport import Write

Json = dict[str, Any]

INCARNATION = bytes(range(8))
REMOTE = "ses_1"
CWD = "/srv/project"


def line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def update(sort: str, session_id: str = REMOTE, /, **fields: object) -> Json:
    return {
        "jsonrpc": "2.0",
        "method": "session/update",
        "params": {"sessionId": session_id, "update": {"sessionUpdate": sort, **fields}},
    }


def chunk(
    text: str, message_id: str | None = None, kind: str = "agent_message_chunk", session_id: str = REMOTE
) -> Json:
    named = {} if message_id is None else {"messageId": message_id}
    return update(kind, session_id, content={"type": "text", "text": text}, **named)


def thought(text: str, message_id: str | None = None) -> Json:
    return chunk(text, message_id, "agent_thought_chunk")


OPTIONS = [
    {"optionId": "once", "kind": "allow_once", "name": "Allow once"},
    {"optionId": "reject", "kind": "reject_once", "name": "Reject"},
]


def question(rpc_id: object = 0, call_id: str = "call_1", session_id: str = REMOTE, **tool: object) -> Json:
    tool = {"toolCallId": call_id, "title": "touch x", "kind": "execute", "rawInput": {"command": "touch x"}} | tool
    return {
        "jsonrpc": "2.0",
        "id": rpc_id,
        "method": "session/request_permission",
        "params": {"sessionId": session_id, "toolCall": tool, "options": OPTIONS},
    }


class Scene:
    """One session and its agent. `says` is what the agent writes, `wire` what it got, `log` what is recorded."""

    def __init__(self) -> None:
        self.spool = bytearray()
        self.log: list[Recorded] = []
        self.wire: list[Json] = []
        self.keys: list[str] = []
        self.deliveries: list[Delivery] = []
        self.session = Session(StreamId("session"))
        self._count = itertools.count(1)
        self._reconnect(0)
        self.conversation = Conversation(self.connection, "link")
        self._record(c.Create("acp", "opencode acp", cwd=CWD))

    def _reconnect(self, offset: int) -> None:
        self.connection = Connection(INCARNATION, Lines(offset))
        self.link = Link(self.connection)

    # what a keeper does

    def _record(self, command: c.Command, source: Source | None = None) -> tuple[Recorded, ...]:
        context = Context(0, lambda: EventId(next(self._count).to_bytes(16)), source=source)
        events = handle(self.session, command, context)
        self.session = fold(self.session, events)
        for recorded in events:
            stored = encode(recorded.event)
            assert decode(stored.tag, stored.schema, stored.data) == recorded.event
            self.log.append(recorded)
        return events

    def act(self, command: c.Command, source: Source | None = None) -> tuple[Recorded, ...]:
        """Record what a command leads to, then do it."""
        events = self._record(command, source)
        for recorded in events:
            self.write(self.link.committed(self.conversation, recorded))
        return events

    def write(self, writes: Sequence[Write]) -> None:
        """Hand over to the host, which knows what it got already."""
        for write in writes:
            assert write.data.endswith(b"\n")
            assert write.data.count(b"\n") == 1
            if write.key not in self.keys:
                self.keys.append(write.key)
                self.wire.append(json.loads(write.data))

    def _hear(self, data: bytes) -> list[Fact]:
        facts: list[Fact] = []
        for delivery in self.link.receive(data):
            self.deliveries.append(delivery)
            self.write(delivery.writes)
            if delivery.conversation is self.conversation and delivery.facts:
                recorded = self.act(c.Observe(delivery.facts), delivery.observation.source)
                facts += [each.event for each in recorded]
        return facts

    # what happens

    def says(self, *messages: Json | bytes) -> list[Fact]:
        """The agent writes; return what that adds to the log."""
        data = b"".join(message if isinstance(message, bytes) else line(message) for message in messages)
        self.spool += data
        return self._hear(data)

    def answers(self, result: object, request: Json | None = None) -> list[Fact]:
        """The agent answers our latest request, or the given one."""
        asked = request or [message for message in self.wire if "id" in message and "method" in message][-1]
        return self.says({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def fails(self, code: int, message: str, data: object = None) -> list[Fact]:
        asked = [each for each in self.wire if "id" in each and "method" in each][-1]
        return self.says(
            {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": code, "message": message, "data": data}}
        )

    def opens(self, call: Call, *, adopt: bool = False) -> None:
        self.write([self.link.open(self.conversation, f"open-{len(self.keys)}", call, adopt=adopt)])

    def asks(self, call: Call) -> None:
        self.write([self.link.ask(self.conversation, f"ask-{len(self.keys)}", call)])

    def prompt(self, text: str) -> str:
        """A person says something, and it is sent; return the turn."""
        self.act(c.QueuePrompt(f"prompt-{self.session.version}", of_text(text)))
        return self.start_turn()

    def start_turn(self) -> str:
        turn_id = f"t{self.session.version}"
        self.act(c.StartTurn(turn_id))
        return turn_id

    def restart(self) -> None:
        """The daemon is killed and comes back; the agent went on, and its spool is there."""
        offset = max((event.source.offset for event in self.log if event.source is not None), default=0)
        self.deliveries.clear()
        self._reconnect(offset)
        self.conversation = Conversation(self.connection, "link", state=self.session.state)
        starts = [at for at, each in enumerate(self.log) if isinstance(each.event, e.TurnStarted)]
        history = self.log[starts[-1] - 1 if starts else 0 :]
        self.write(self.link.restore(self.conversation, history))
        self._hear(bytes(self.spool[offset:]))

    # what can be seen

    @property
    def facts(self) -> list[Fact]:
        return [recorded.event for recorded in self.log]

    def transcript(self) -> list[Item]:
        items: dict[str, Item] = {}
        for position, recorded in enumerate(self.log, 1):
            placed = type(recorded)(
                recorded.originator_id,
                recorded.originator_version,
                recorded.event_id,
                recorded.recorded_at,
                recorded.event,
                position=position,
            )
            for change in project(items, placed):
                apply(items, change)
        return [item.settled() for item in items.values()]

    def told(self) -> list[tuple[str, str]]:
        """The transcript as kinds and words."""
        return [(item.kind, item.text or item.title or "") for item in self.transcript()]

    def errors(self) -> list[Delivery]:
        return [
            each
            for each in self.deliveries
            if isinstance(each.observation, Answered) and each.observation.error is not None
        ]


def ready() -> Scene:
    """A session that was just begun at the agent."""
    scene = Scene()
    scene.opens(requests.new(CWD))
    scene.answers({"sessionId": REMOTE})
    return scene


def prompted(text: str = "hello") -> tuple[Scene, str]:
    """A session whose agent works on a prompt."""
    scene = ready()
    return scene, scene.prompt(text)


def raw(value: object) -> Raw:
    return Raw(json.dumps(value).encode())
