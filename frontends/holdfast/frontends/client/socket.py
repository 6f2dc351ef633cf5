"""A WebSocket over any byte stream that anyio knows, on asyncio and trio alike. What its messages mean is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidState, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from anyio.abc import ByteStream

_PIECE = 1 << 16
_CLOSE_S = 2.0


class GoneError(Exception):
    """The connection is over.

    Attributes:
        code: The code of the close frame, 1006 without one; an HTTP status where there was never a connection.
        reason: Its reason.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Socket:
    """One connection, made by `over`. One task may send while another receives.

    Attributes:
        moved_at: When a byte last came, or much that was to be sent moved on; by the clock of the event loop.
    """

    def __init__(self, stream: ByteStream, protocol: ClientProtocol) -> None:
        """Go on after the handshake."""
        self._stream = stream
        self._protocol = protocol
        self._sending = anyio.Lock()
        self.moved_at = anyio.current_time()
        self._text: list[bytes] = []
        self._whole: list[str] = []

    @classmethod
    async def over(cls, stream: ByteStream, uri: str, subprotocol: str) -> Socket:
        """Shake hands.

        Raises:
            GoneError: The server refused, or is none.
        """
        protocol = ClientProtocol(parse_uri(uri), subprotocols=[Subprotocol(subprotocol)], max_size=None)
        protocol.send_request(protocol.connect())
        socket = cls(stream, protocol)
        await socket._flush()
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            await socket._take()
        error = protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            raise GoneError(error.response.status_code, (error.response.body or b"").decode("utf-8", "replace")[:500])
        if error is not None:
            raise GoneError(1006, str(error)) from error
        return socket

    async def send(self, text: bytes) -> None:
        """Send a text message.

        Raises:
            GoneError: The connection is over.
        """
        try:
            self._protocol.send_text(text)
        except (ConnectionClosed, InvalidHandshake, InvalidState, RuntimeError) as error:
            raise self._gone() from error
        await self._flush()

    async def receive(self) -> str:
        """Return the next text message.

        Raises:
            GoneError: There is none: the connection is over.
        """
        while not self._whole:
            if self._protocol.state in (State.CLOSING, State.CLOSED):
                raise self._gone()
            await self._take()
        return self._whole.pop(0)

    async def aclose(self) -> None:
        """Say good-bye, and do not wait long for the answer."""
        with anyio.move_on_after(_CLOSE_S, shield=True):
            try:
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close(1000)
                    await self._flush()
            except GoneError:
                pass  # it went first
        with anyio.CancelScope(shield=True):
            await self._stream.aclose()

    async def _take(self) -> None:
        try:
            data = await self._stream.receive(_PIECE)
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            self._protocol.receive_eof()
        else:
            self.moved_at = anyio.current_time()
            self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
            else:
                assert isinstance(event, Response)
        await self._flush()
        if self._protocol.state is State.CLOSED and not self._whole and self._protocol.handshake_exc is None:
            raise self._gone()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
            return
        self._text.append(bytes(frame.data))
        if frame.fin:
            self._whole.append(b"".join(self._text).decode("utf-8", "replace"))
            self._text.clear()

    async def _flush(self) -> None:
        async with self._sending:
            data = b"".join(self._protocol.data_to_send())
            if not data:
                return
            try:
                for at in range(0, len(data), _PIECE):
                    await self._stream.send(data[at : at + _PIECE])
                    if at:  # a first piece always fits somewhere on the way
                        self.moved_at = anyio.current_time()
            except (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError) as error:
                raise self._gone() from error

    def _gone(self) -> GoneError:
        frame = self._protocol.close_rcvd
        return GoneError(1006, "") if frame is None else GoneError(frame.code, frame.reason)
