"""The way in: the handshake, the hello, and who is attached."""

from __future__ import annotations

from contextlib import suppress
from logging import getLogger
from time import monotonic
from typing import TYPE_CHECKING, Final

import anyio
from starlette.responses import Response
from starlette.websockets import WebSocket

from holdfast.domain.errors import DeniedError, HoldfastError, UsageError
from holdfast.domain.recorded import Actor
from holdfast.frontends.gateway.stream import frames
from holdfast.frontends.gateway.stream.connection import Attachment
from holdfast.frontends.gateway.stream.seen import Seen
from holdfast.frontends.gateway.stream.socket import Socket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.gateway.stream.gate import Commands, Credential, Gate
    from holdfast.frontends.gateway.views.hub import Hub

HELLO_S: Final = 5.0
DENIED: Final = 4401

PING_S: Final = 15.0

_RECHECK_S: Final = 0.3
_NAME_LENGTH: Final = 64
_REASON_LENGTH: Final = 100
"""A close frame has room for 123 bytes."""

_log = getLogger(__name__)


class Stream:
    """The WebSocket endpoint, an ASGI app; `run` looks after those who are attached."""

    def __init__(self, hub: Hub, commands: Commands, gate: Gate) -> None:
        """Serve what `hub` follows."""
        self._hub = hub
        self._commands = commands
        self._gate = gate
        self._sockets: dict[Socket, Credential] = {}
        self._attached: set[Attachment] = set()

    async def run(self) -> None:
        """Close the connections of credentials that were taken back, and ping all others, for ever."""
        pinged = monotonic()
        while True:
            await anyio.sleep(_RECHECK_S)
            if monotonic() - pinged >= PING_S:
                pinged = monotonic()
                for attachment in list(self._attached):
                    attachment.ping()
            gone = {each for each in set(self._sockets.values()) if not self._gate.holds(each)}
            for socket, credential in list(self._sockets.items()) if gone else ():
                if credential in gone:
                    await socket.close(DENIED, "the credential was taken back")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        websocket = WebSocket(scope, receive, send)
        offered = websocket.scope.get("subprotocols", [])
        if offered and frames.SUBPROTOCOL not in offered:
            detail = f"this daemon speaks {frames.SUBPROTOCOL}"
            await websocket.send_denial_response(Response(detail, 400, media_type="text/plain"))
            return
        await websocket.accept(frames.SUBPROTOCOL if offered else None)
        socket = Socket(websocket)
        try:
            client, credential = await self._hello(socket, scope)
        except DeniedError as error:
            await socket.close(DENIED, str(error)[:_REASON_LENGTH])
            return
        socket.forget_handshake()
        self._sockets[socket] = credential
        try:
            seen = Seen(self._mark(client, credential))
            attachment = Attachment(self._hub, socket, self._commands, seen, client=client, credential=credential)
            self._attached.add(attachment)
            try:
                await attachment.serve()
            finally:
                self._attached.discard(attachment)
        finally:
            del self._sockets[socket]

    async def _hello(self, socket: Socket, scope: Scope) -> tuple[str, Credential]:
        """Return what the client calls itself, and what it came in with.

        Raises:
            DeniedError: It said nothing in time, something else, or brought no credential that is known.
        """
        text: str | bytes | None = None
        with anyio.move_on_after(HELLO_S):
            text = await socket.receive()
        frame = None
        if isinstance(text, str):
            with suppress(UsageError):  # whatever it is, it is no hello
                frame = frames.read(text)
        if not isinstance(frame, frames.Hello):
            msg = f"the first frame is a hello, within {HELLO_S:.0f} s"
            raise DeniedError(msg)
        credential: Credential | None = scope.get("state", {}).get("credential")
        if frame.token is not None or credential is None:
            client = scope.get("client")
            credential = self._gate.admit(frame.token or "", "unix" if client is None else str(client[0]))
        name = "".join(letter if letter.isprintable() else "?" for letter in frame.client[:_NAME_LENGTH])
        return name or "stream", credential

    def _mark(self, client: str, credential: Credential) -> Callable[[StreamId, int], Awaitable[None]]:
        """Return what marks a session as read up to a position."""

        async def mark(session: StreamId, position: int) -> None:
            if credential.read_only:
                return
            try:
                await self._hub.mark_read(session, position, Actor("human", client))
            except HoldfastError as error:
                _log.info("nothing marked as read", extra={"session": session, "error": str(error)})

        return mark
