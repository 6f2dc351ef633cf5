"""The server: uvicorn inside the daemon's own event loop, with the limits that it has no setting for."""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

import anyio
import h11
from msgspec import json
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from holdfast.frontends.gateway.door import HEAD_BYTES
from holdfast.frontends.gateway.problems import MEDIA_TYPE, document
from holdfast.frontends.gateway.stream.pipe import PipeProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from starlette.types import ASGIApp

_HEAD_S = 10.0
_IDLE_S = 75
_GRACE_S = 2
_MESSAGE_BYTES = 1024 * 1024

_log = logging.getLogger("holdfast.gateway")


class Http(H11Protocol):
    """HTTP/1.1 with a time limit for the head, and refusals that are problem documents."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Begin; of another user's connection nothing is read."""
        super().connection_made(transport)
        if not _same_user(transport.get_extra_info("socket")):
            _log.warning("another user's connection was closed")
            transport.abort()
            return
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that began has to end in time."""
        if self._head is None and self.conn.their_state is h11.IDLE:
            self._expect_head()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._forget_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._forget_head()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Go on with the next request; its head has its own time."""
        self._forget_head()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or whose head is too long, and close."""
        error = sys.exc_info()[1]
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        code = "head" if status == 431 else "usage"
        detail = f"the head of the request has more than {HEAD_BYTES} bytes" if status == 431 else msg
        body = json.encode(document(status, code, detail))
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            pieces = (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
            for piece in pieces:
                self.transport.write(self.conn.send(piece) or b"")
        self.transport.close()

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(_HEAD_S, self._too_slow)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _too_slow(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            self.transport.close()


class Listener(Server):
    """Serves until `stop` is set. Signals are not its business, and it does not wake up when there is nothing to do."""

    def __init__(self, app: ASGIApp, stop: anyio.Event) -> None:
        """Make it; nothing is opened yet."""
        config = Config(
            app,
            http=Http,
            ws=PipeProtocol,
            ws_max_size=_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            h11_max_incomplete_event_size=HEAD_BYTES,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_GRACE_S,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )
        super().__init__(config)
        self._stop = stop
        self.ready = anyio.Event()

    async def listen(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on sockets that listen already, and return once every connection has ended."""
        await self._serve(list(sockets))

    async def main_loop(self) -> None:
        """Wait until it is time to stop."""
        self.ready.set()
        await self._stop.wait()


def _same_user(connection: Any) -> bool:
    """Tell whether the other end of a Unix socket is a process of this user, or of root."""
    if connection is None or connection.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user in (os.geteuid(), 0)
