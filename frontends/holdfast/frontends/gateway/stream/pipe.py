"""What the stream needs from the server beside ASGI: to see whether a reader reads, and to cut off one that does not.

ASGI sends nothing to a peer whose buffer is full, not even the close frame that tells it why.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

if TYPE_CHECKING:
    from websockets.http11 import Request

EXTENSION: Final = "holdfast.pipe"
"""Where the scope of a connection has its `Pipe`, among the extensions."""

_LINGER_S: Final = 30.0
"""How long a reader that was cut off may take to come to the close frame."""


class PipeProtocol(WebSocketsSansIOProtocol):
    """The server's own WebSocket protocol, which hands its connection to the stream as well."""

    def handle_connect(self, event: Request) -> None:
        """Begin as always; the app runs in a task that has not begun yet."""
        super().handle_connect(event)
        scope = cast("dict[str, Any] | None", getattr(self, "scope", None))
        if scope is not None:
            scope["extensions"][EXTENSION] = Pipe(self)


class Pipe:
    """The sending side of one connection."""

    def __init__(self, protocol: PipeProtocol) -> None:
        """Send through `protocol`."""
        self._protocol = protocol

    @property
    def ready(self) -> bool:
        """Whether the peer keeps up: what is sent now is not added to much that waits."""
        return self._protocol.writable.is_set()

    async def wait_until_ready(self) -> None:
        """Return when the peer has taken most of what waits, or has gone."""
        await self._protocol.writable.wait()

    def send(self, text: bytes) -> None:
        """Send one text message, given as UTF-8.

        Raises:
            ConnectionError: It is closed.
        """
        protocol = self._protocol
        if protocol.disconnected or protocol.close_sent or protocol.conn.state is not State.OPEN:
            msg = "the connection is closed"
            raise ConnectionError(msg)
        protocol.transport.write(head(len(text)) + text)

    def forget_handshake(self) -> None:
        """Let go of the heads of request and response, which the server keeps for nothing: some kilobytes each."""
        kept = cast("Any", self._protocol)
        kept.request = kept.response = None
        kept.scope["headers"] = []

    def waiting_bytes(self) -> int:
        """Return how much the peer has not taken yet."""
        return self._protocol.transport.get_write_buffer_size()

    def cut(self, code: int, reason: str) -> None:
        """Close behind everything that was sent, and do not wait for ever for the peer to read it."""
        protocol = self._protocol
        if protocol.disconnected or protocol.close_sent or protocol.transport.is_closing():
            return
        protocol.stop_keepalive()
        protocol.conn.send_close(code, reason)
        protocol.transport.writelines(protocol.conn.data_to_send())
        protocol.close_sent = True
        if protocol.read_paused:
            protocol.read_paused = False
            protocol.transport.resume_reading()
        protocol.close_timer = protocol.loop.call_later(_LINGER_S, protocol.transport.abort)


def head(size: int) -> bytes:
    """Return what comes before a text of so many bytes (RFC 6455 §5.2): a whole message, not masked, not compressed.

    This is all that the library would do for each of thousands of frames a second, and it takes its time.
    """
    if size < 126:
        return bytes((0x81, size))
    return pack("!BBH", 0x81, 126, size) if size < 65_536 else pack("!BBQ", 0x81, 127, size)
