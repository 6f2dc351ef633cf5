"""An agent that speaks the protocol through the Python SDK, as a process. What it does, the prompt says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import acp
from acp import schema

if TYPE_CHECKING:
    from acp.interfaces import Agent, Client


class ExampleAgent:
    """It keeps what was said in memory, and repeats it when its session is loaded."""

    def __init__(self) -> None:
        self._sessions: dict[str, list[tuple[str, str]]] = {}
        self._cancelled = asyncio.Event()

    def on_connect(self, conn: Client) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> schema.InitializeResponse:
        return schema.InitializeResponse(
            protocol_version=protocol_version,
            agent_capabilities=schema.AgentCapabilities(load_session=True),
            agent_info=schema.Implementation(name="example", version="1"),
        )

    async def new_session(self, cwd: str, **_: Any) -> schema.NewSessionResponse:
        name = f"session-{len(self._sessions)}"
        self._sessions[name] = []
        return schema.NewSessionResponse(session_id=name)

    async def load_session(self, session_id: str, **_: Any) -> schema.LoadSessionResponse:
        for who, text in self._sessions[session_id]:
            said = acp.update_user_message_text if who == "user" else acp.update_agent_message_text
            await self._client.session_update(session_id, said(text))
        return schema.LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> schema.PromptResponse:
        text = "".join(block.text for block in prompt)
        self._sessions[session_id].append(("user", text))
        self._cancelled.clear()
        match text.split():
            case ["say", *words]:
                for word in words:
                    await self._say(session_id, f"{word} ")
            case ["count", number]:
                for each in range(int(number)):
                    await self._say(session_id, f"{each},")
            case ["touch", name]:
                await self._touch(session_id, name)
            case ["wait"]:
                await self._say(session_id, "waiting")
                await self._cancelled.wait()
                return schema.PromptResponse(stop_reason="cancelled")
            case ["fail"]:
                raise acp.RequestError.internal_error({"details": "told to"})
            case _:
                pass
        return schema.PromptResponse(stop_reason="end_turn")

    async def _say(self, session_id: str, text: str) -> None:
        self._sessions[session_id].append(("agent", text))
        await self._client.session_update(session_id, acp.update_agent_message_text(text))

    async def _touch(self, session_id: str, name: str) -> None:
        call = acp.start_tool_call("call_1", f"touch {name}", kind="execute", raw_input={"name": name})
        await self._client.session_update(session_id, call)
        asked = await self._client.request_permission(
            session_id=session_id,
            tool_call=schema.ToolCallUpdate(tool_call_id="call_1", title=f"touch {name}", raw_input={"name": name}),
            options=[schema.PermissionOption(option_id="yes", name="Yes", kind="allow_once")],
        )
        status = "completed" if asked.outcome.outcome == "selected" else "failed"
        await self._client.session_update(session_id, acp.update_tool_call("call_1", status=cast("Any", status)))

    async def cancel(self, session_id: str, **_: Any) -> None:
        self._cancelled.set()


if __name__ == "__main__":
    asyncio.run(acp.run_agent(cast("Agent", ExampleAgent())))
