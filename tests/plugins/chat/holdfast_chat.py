"""A transport for a chat server that speaks lines. One connection carries all rooms; each room is a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from holdfast.domain.content import text_of
from holdfast.domain.policy import QueuePolicy, ReconnectPolicy, TransportPolicy
from holdfast.domain.session import events as e
from holdfast.domain.transport import Heard, Joining, Peer, Speech, Stream, Transport, Write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.recorded import Recorded, StreamId


class Chat(Transport):
    schemes = ("chat",)
    policy = TransportPolicy(reconnect=ReconnectPolicy(base_s=0.05), queue=QueuePolicy("queue"))

    def peer(self, target: str, cwd: str | None) -> Peer:
        host, _, room = target.removeprefix("chat://").partition("/")
        return Peer(transport=self.name, target=target, address=host, room=room, shared=host, cwd=cwd)

    async def dial(self, peer: Peer, *, heartbeat_s: float, limit_bytes: int) -> Stream:
        host, _, port = peer.address.partition(":")
        return await anyio.connect_tcp(host, int(port))

    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Rooms:
        return Rooms(link_id)


class Rooms(Speech):
    def __init__(self, link_id: str) -> None:
        self.link_id, self.rest = link_id, b""
        self.rooms: dict[str, StreamId] = {}
        self.names: dict[StreamId, str] = {}
        self.turns: dict[StreamId, str] = {}

    def attach(self, joining: Joining) -> list[Write]:
        name = self.names[joining.session.id] = joining.peer.room or ""
        self.rooms[name] = joining.session.id
        return [Write(joining.key, f"JOIN {name}\n".encode())]

    def committed(self, session_id: StreamId, recorded: Recorded) -> list[Write]:
        key, room = recorded.event_id.hex(), self.names[session_id]
        match recorded.event:
            case e.TurnStarted(turn_id=turn_id):
                self.turns[session_id] = turn_id
            case e.PromptSent(content=content):
                return [Write(key, f"SAY {room} {' '.join(text_of(content).split())}\n".encode())]
            case e.CancelRequested():
                return [Write(key, f"STOP {room}\n".encode())]
            case _:
                pass
        return []

    def receive(self, data: bytes) -> Iterator[Heard]:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            verb, room, *words = line.decode().split(" ", 2)
            session = self.rooms[room]
            turn = self.turns.get(session, "")
            match verb:
                case "JOINED":
                    yield Heard(session, (e.Attached(self.link_id, room),))
                case "WORD":
                    yield Heard(session, (e.TextAppended(f"{turn}.1", f"{words[0]} "),))
                case _:
                    yield Heard(session, (e.TurnEnded(turn, words[0]),))
