"""One WebSocket as the stream uses it, with the server's pipe where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from starlette.websockets import WebSocketDisconnect, WebSocketState

from holdfast.frontends.gateway.stream.pipe import EXTENSION, Pipe

if TYPE_CHECKING:
    from starlette.websockets import WebSocket


class Socket:
    """Text frames in both directions."""

    def __init__(self, websocket: WebSocket) -> None:
        """Use a connection that was accepted."""
        self._websocket = websocket
        pipe = websocket.scope.get("extensions", {}).get(EXTENSION)
        self._pipe = pipe if isinstance(pipe, Pipe) else None
        self._cut = False

    async def receive(self) -> str | bytes | None:
        """Return the next message, None when the peer has gone."""
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            return None
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        if isinstance(text, str):
            return text
        data = message.get("bytes")
        return data if isinstance(data, bytes) else b""

    @property
    def ready(self) -> bool:
        """Whether a frame can be sent without waiting for the peer."""
        return self._pipe is not None and self._pipe.ready

    def send_now(self, frame: bytes) -> bool:
        """Send a frame to a peer that is `ready`; False where it has gone, as whoever reads from it hears."""
        assert self._pipe is not None
        try:
            self._pipe.send(frame)
        except ConnectionError:
            return False
        return True

    async def send(self, frame: bytes, *, within_s: float) -> bool:
        """Send a frame; False where the peer took nothing at all for `within_s`.

        Raises:
            ConnectionError: It has gone.
        """
        if self._pipe is None:
            return await self._send_blindly(frame, within_s)
        if self._pipe.ready:
            self._pipe.send(frame)
            return True
        left = self._pipe.waiting_bytes()
        while True:
            with anyio.move_on_after(within_s):
                await self._pipe.wait_until_ready()
                self._pipe.send(frame)
                return True
            before, left = left, self._pipe.waiting_bytes()
            if left >= before:
                return False

    async def _send_blindly(self, frame: bytes, within_s: float) -> bool:
        """Without the pipe, a frame is all the progress that can be seen."""
        with anyio.move_on_after(within_s):
            try:
                await self._websocket.send_text(frame.decode())
            except WebSocketDisconnect as error:
                msg = "the connection is closed"
                raise ConnectionError(msg) from error
            return True
        return False

    def forget_handshake(self) -> None:
        """Keep nothing of how the connection began."""
        if self._pipe is not None:
            self._pipe.forget_handshake()

    def cut(self, code: int, reason: str) -> None:
        """Close without waiting for a peer that does not read."""
        self._cut = True
        if self._pipe is not None:
            self._pipe.cut(code, reason)

    async def close(self, code: int, reason: str) -> None:
        """Close, and tell the peer why."""
        if self._pipe is not None:
            self.cut(code, reason)
            return
        try:
            await self._websocket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError):
            return  # it has gone by itself
