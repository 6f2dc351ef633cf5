"""A session with an agent behind a WebSocket: what a cut connection takes along, and what it does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.domain.session import events as e
from tests.adapters.transports.acp.test_websocket import serving

if TYPE_CHECKING:
    from websockets.sync.server import ServerConnection

    from tests.adapters.supervision.town import Town

pytestmark = pytest.mark.slow


class Agent:
    """An agent for one session at a time; it repeats each prompt, and remembers across connections."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.cut = False

    def __call__(self, socket: ServerConnection) -> None:
        for message in socket:
            asked: dict[str, Any] = json.loads(message)
            self.got.append(asked["method"])
            match asked["method"]:
                case "initialize":
                    result: Any = {
                        "protocolVersion": 1,
                        "agentCapabilities": {"sessionCapabilities": {"resume": {}}},
                    }
                case "session/new":
                    result = {"sessionId": "remote"}
                case "session/prompt":
                    (block,) = asked["params"]["prompt"]
                    update = {"sessionUpdate": "agent_message_chunk", "content": block}
                    params = {"sessionId": "remote", "update": update}
                    socket.send(json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": params}))
                    if self.cut:
                        self.cut = False
                        socket.close()
                        return
                    result = {"stopReason": "end_turn"}
                case _:
                    result = {}
            socket.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}))


async def test_a_session_lives_over_a_cut_connection(town: Town) -> None:
    agent = Agent()
    with serving(agent) as address:
        async with town.daemon() as daemon:
            session = await daemon.new(target=f"acp+{address}", prompt="one ")
            await daemon.saw(session, e.TurnEnded)
            agent.cut = True
            await daemon.send(session, "two ")
            await daemon.saw(session, e.TurnInterrupted)
            await daemon.saw(session, e.Attached, 2)
            await daemon.send(session, "three ")
            await daemon.saw(session, e.TurnEnded, 2)

            assert daemon.text(session) == "one two three "
            assert agent.got.count("session/resume") == 1
            assert agent.got.count("session/prompt") == 3
