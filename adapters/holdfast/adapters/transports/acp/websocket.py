"""A WebSocket to an agent, on anyio: the protocol of `websockets` without I/O, and what moves its bytes."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import anyio
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, PayloadTooBig, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from holdfast.domain.transport import ConnectError, Failure

if TYPE_CHECKING:
    from anyio.abc import ByteStream

CONNECT_S: Final = 20.0
CLOSE_S: Final = 2.0

_MESSAGES: Final = (Opcode.TEXT, Opcode.CONT)
_UNAUTHORIZED: Final = (401, 403)


async def dial(address: str, *, heartbeat_s: float, limit_bytes: int) -> WebSocket:
    """Open a WebSocket.

    Args:
        address: `ws://…` or `wss://…`.
        heartbeat_s: After this long without a word the peer is asked for one; after twice that it is gone; 0: never.
        limit_bytes: A longer message ends the connection.

    Raises:
        ConnectError: Nobody is there, or not for us.
    """
    try:
        uri = parse_uri(address)
    except InvalidURI as error:
        raise ConnectError(Failure("address", f"{address} is no address: {error}", "terminal")) from error
    protocol = ClientProtocol(uri, max_size=limit_bytes)
    try:
        with anyio.fail_after(CONNECT_S):
            stream = await _connect(uri.host, uri.port, secure=uri.secure)
            try:
                socket = WebSocket(protocol, stream, heartbeat_s)
                await socket.shake_hands()
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await anyio.aclose_forcefully(stream)
                raise
    except TimeoutError as error:
        raise ConnectError(Failure("timeout", f"{address} did not answer within {CONNECT_S:.0f} s")) from error
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        raise ConnectError(Failure("unreachable", f"{address} cannot be reached: {error!s:.200}")) from error
    return socket


async def _connect(host: str, port: int, *, secure: bool) -> ByteStream:
    if not secure:
        return await anyio.connect_tcp(host, port)
    return await anyio.connect_tcp(host, port, ssl_context=ssl.create_default_context(), tls_standard_compatible=False)


class WebSocket:
    """An open connection; one message at a time in each direction."""

    def __init__(self, protocol: ClientProtocol, stream: ByteStream, heartbeat_s: float) -> None:
        self._protocol = protocol
        self._stream = stream
        self._heartbeat_s = heartbeat_s
        self._frames: list[Frame] = []
        self._parts: list[bytes] = []
        self._sending = anyio.Lock()
        self._asked = False

    async def shake_hands(self) -> None:
        """Ask for a WebSocket and wait until it is granted; `dial` has done that.

        Raises:
            ConnectError: It is refused.
        """
        self._protocol.send_request(self._protocol.connect())
        await self._flush()
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            await self._pump()
        if self._protocol.handshake_exc is not None:
            raise _refused(self._protocol.handshake_exc)

    async def receive(self) -> bytes:
        """Return the next text message; binary ones mean nothing here.

        Raises:
            ConnectError: The peer closed the connection with a reason, broke the rules, or is silent for too long; or
                the connection was cut.
            anyio.EndOfStream: It is over.
        """
        while True:
            while self._frames:
                if (message := self._joined(self._frames.pop(0))) is not None:
                    return message
            if self._protocol.state is State.CLOSED:
                raise self._over()
            await self._wait()

    async def send(self, item: bytes) -> None:
        """Send a text message."""
        async with self._sending:
            if self._protocol.state is not State.OPEN:
                raise anyio.BrokenResourceError
            self._protocol.send_text(item)
            await self._write()

    async def aclose(self) -> None:
        """Say goodbye, where that is still possible, and close."""
        with anyio.move_on_after(CLOSE_S, shield=True), suppress(anyio.BrokenResourceError, OSError):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
                await self._flush()
        with anyio.CancelScope(shield=True):
            await anyio.aclose_forcefully(self._stream)

    def _joined(self, frame: Frame) -> bytes | None:
        if frame.opcode is Opcode.BINARY or (frame.opcode is Opcode.CONT and not self._parts):
            return None
        if frame.opcode not in _MESSAGES:
            return None
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        parts, self._parts = self._parts, []
        return b"".join(parts)

    async def _wait(self) -> None:
        if not self._heartbeat_s:
            await self._pump()
            return
        with anyio.move_on_after(self._heartbeat_s) as silence:
            await self._pump()
            self._asked = False
        if not silence.cancelled_caught:
            return
        if self._asked:
            why = f"the peer gave no sign of life for {2 * self._heartbeat_s:.0f} s"
            raise ConnectError(Failure("silent", why, "retryable"))
        self._asked = True
        self._protocol.send_ping(b"")
        await self._flush()

    async def _pump(self) -> None:
        """Take in what comes next; answers to pings and to a goodbye leave at once."""
        try:
            data = await self._stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, OSError):
            self._protocol.receive_eof()
        else:
            self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frames.append(event)
            else:
                assert isinstance(event, Response)
        with suppress(anyio.BrokenResourceError, OSError):  # whoever hung up needs no answer
            await self._flush()

    async def _flush(self) -> None:
        async with self._sending:
            await self._write()

    async def _write(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                await self._stream.send(data)

    def _over(self) -> Exception:
        code, reason = self._protocol.close_code, self._protocol.close_reason
        if isinstance(self._protocol.parser_exc, EOFError):
            # A server that was killed, or a network that went away, says no goodbye: that is no fault of the peer's.
            return ConnectError(Failure("lost", "the connection to the peer was cut"))
        if self._protocol.parser_exc is not None:
            broken = f"the peer broke the rules of WebSocket: {self._protocol.parser_exc}"
            too_long = isinstance(self._protocol.parser_exc, PayloadTooBig)
            return ConnectError(Failure("frame-too-long" if too_long else "broken", broken, "terminal"))
        if reason:
            word = "policy-violation" if code == 1008 else "closed"
            return ConnectError(Failure(word, f"the peer closed the connection ({code}): {reason}"))
        return anyio.EndOfStream()


def _refused(error: Exception) -> ConnectError:
    match error:
        case InvalidStatus(response=response):
            status = response.status_code
            after = response.headers.get("Retry-After", "")
            said = bytes(response.body or b"")[:200].decode("utf-8", "replace").strip()
            word = "authentication-required" if status in _UNAUTHORIZED else "not-found" if status == 404 else "refused"
            why = f"the server refused the connection: {status} {response.reason_phrase} {said}".strip()
            wait = float(after) if after.isdecimal() else 0.0
            return ConnectError(Failure(word, why, retry_after_s=wait))
        case InvalidHandshake() | WebSocketException() | OSError():
            return ConnectError(Failure("refused", f"whoever listens there speaks no WebSocket: {error}"))
        case _:
            return ConnectError(Failure("refused", f"the connection ended before it was open: {error}"))
