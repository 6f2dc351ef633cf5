"""Agents behind a WebSocket, with the server of the `websockets` library at the other end."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from websockets.sync.server import ServerConnection, serve

from holdfast.adapters.supervision.verdict import Loss, ending
from holdfast.adapters.transports.acp.transport import AcpTransport
from holdfast.adapters.transports.acp.websocket import dial
from holdfast.domain.errors import UsageError
from holdfast.domain.transport import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from websockets.http11 import Request, Response


pytestmark = pytest.mark.slow

LIMIT = 1 << 20


@contextmanager
def serving(
    handler: Callable[[ServerConnection], None],
    refuse: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> Generator[str]:
    with serve(handler, "127.0.0.1", 0, process_request=refuse, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/acp"
        finally:
            server.shutdown()
            thread.join()


async def test_words_in_pieces_become_one_and_binary_ones_are_left_out() -> None:
    def talk(socket: ServerConnection) -> None:
        socket.send(["he", "ll", "o"])
        socket.send(b"binary")
        socket.send("you")
        socket.recv()

    with serving(talk) as address:
        stream = await dial(address, heartbeat_s=0, limit_bytes=LIMIT)
        assert [await stream.receive(), await stream.receive()] == [b"hello", b"you"]
        await stream.send(b"bye")
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
        await stream.aclose()


async def test_a_peer_that_is_silent_for_too_long_is_gone() -> None:
    """It answers no ping either: nobody reads on its side."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(listener.serve, _accepts_and_says_nothing)
            stream = await dial(f"ws://127.0.0.1:{port}/", heartbeat_s=0.05, limit_bytes=LIMIT)
            with pytest.raises(ConnectError, match="no sign of life"):
                await stream.receive()
            await stream.aclose()
            nursery.cancel_scope.cancel()


async def _accepts_and_says_nothing(stream: anyio.abc.SocketStream) -> None:
    from websockets.http11 import Request
    from websockets.server import ServerProtocol

    protocol = ServerProtocol()
    async with stream:
        while not protocol.events_received():
            protocol.receive_data(await stream.receive())
            for event in protocol.events_received():
                assert isinstance(event, Request)
                protocol.send_response(protocol.accept(event))
                for data in protocol.data_to_send():
                    await stream.send(data)
                await anyio.sleep_forever()


async def test_a_message_over_the_limit_ends_the_connection() -> None:
    def shout(socket: ServerConnection) -> None:
        socket.send("x" * (LIMIT + 1))
        socket.recv()

    with serving(shout) as address:
        stream = await dial(address, heartbeat_s=0, limit_bytes=LIMIT)
        with pytest.raises(ConnectError) as refused:
            await stream.receive()
        await stream.aclose()

    assert refused.value.failure.reason == "frame-too-long"


@pytest.mark.parametrize("left", [b"", b"\x81\x7f\x00"], ids=["between messages", "within one"])
async def test_a_connection_that_is_cut_without_a_goodbye_is_worth_another_attempt(left: bytes) -> None:
    def vanish(connection: ServerConnection) -> None:
        connection.send("hello")
        connection.socket.sendall(left)
        connection.socket.shutdown(socket.SHUT_RDWR)

    with serving(vanish) as address:
        stream = await dial(address, heartbeat_s=0, limit_bytes=LIMIT)
        assert await stream.receive() == b"hello"
        with pytest.raises(ConnectError) as cut:
            await stream.receive()
        await stream.aclose()

    assert ending(Loss(cut.value.failure, ready=True), AcpTransport().policy.reconnect, program=False) == "retry"


@pytest.mark.parametrize(
    ("status", "reason", "wait"), [(401, "authentication-required", 0), (404, "not-found", 0), (503, "refused", 7)]
)
async def test_a_refusal_is_told_apart(status: int, reason: str, wait: float) -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        response = socket.respond(status, "not you\n")
        if wait:
            response.headers["Retry-After"] = str(wait)
        return response

    with serving(lambda _: None, refuse) as address, pytest.raises(ConnectError) as refused:
        await dial(address, heartbeat_s=0, limit_bytes=LIMIT)

    assert (refused.value.failure.reason, refused.value.failure.retry_after_s) == (reason, wait)
    assert "\n" not in str(refused.value)


async def test_nobody_there_and_nobody_who_speaks_websocket() -> None:
    async def grunt(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(b"SSH-2.0-grunt\r\n")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(listener.serve, grunt)
            with pytest.raises(ConnectError):
                await dial(f"ws://127.0.0.1:{port}/", heartbeat_s=0, limit_bytes=LIMIT)
            nursery.cancel_scope.cancel()
    with pytest.raises(ConnectError, match="cannot be reached"):
        await dial(f"ws://127.0.0.1:{port}/", heartbeat_s=0, limit_bytes=LIMIT)


@pytest.mark.parametrize("target", ["acp+ws://", "acp+ws://h:port/", "acp+http://h/", "acp+ws://me:secret@h/"])
def test_an_address_that_is_none_or_tells_a_secret_is_refused(target: str) -> None:
    with pytest.raises(UsageError):
        AcpTransport({}, lambda _: None).peer(target, None)
