"""The limits of the server itself: what is slow, what never asks, and how it ends."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from holdfast.frontends.gateway import server
from holdfast.frontends.gateway.server import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

PATIENCE_S = 60


@pytest.fixture
def anyio_backend() -> str:
    """What uvicorn runs on."""
    return "asyncio"


async def _answer(request: Request) -> PlainTextResponse:
    await request.body()
    return PlainTextResponse("here")


@asynccontextmanager
async def serving() -> AsyncGenerator[tuple[tuple[str, int], anyio.Event]]:
    """A server on a free port, and what ends it."""
    stop = anyio.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    place = listening.getsockname()
    listener = Listener(Starlette(routes=[Route("/", _answer, methods=["GET", "POST"])]), stop)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listener.listen, [listening])
        await listener.ready.wait()
        yield place, stop
        stop.set()


async def rest(stream: anyio.abc.SocketStream) -> bytes:
    """Return what comes until the other side closes."""
    received = b""
    with anyio.fail_after(PATIENCE_S):
        while True:
            try:
                received += await stream.receive()
            except anyio.EndOfStream:
                return received


@pytest.mark.parametrize("begun", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_is_not_complete_in_time_closes_the_connection(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HEAD_S", 0.1)
    async with serving() as (place, _), await anyio.connect_tcp(*place) as stream:
        if begun:
            await stream.send(begun)

        assert await rest(stream) == b""


async def test_the_time_of_a_head_begins_anew_with_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEAD_S", 0.1)
    async with serving() as (place, _), await anyio.connect_tcp(*place) as stream:
        await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 200")
        await stream.send(b"GET / HTT")

        assert b"HTTP/1.1 4" not in await rest(stream)


async def test_a_slow_body_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEAD_S", 0.05)
    async with serving() as (place, _), await anyio.connect_tcp(*place) as stream:
        await stream.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        with anyio.move_on_after(0.2) as waited:
            await stream.receive()
        assert waited.cancelled_caught, "it was closed, or answered too early"
        await stream.send(b"b")

        assert (await stream.receive()).startswith(b"HTTP/1.1 200")


async def test_an_idle_connection_does_not_keep_the_server_from_ending() -> None:
    with anyio.fail_after(PATIENCE_S):
        async with serving() as (place, stop):
            stream = await anyio.connect_tcp(*place)
            await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.receive()
            stop.set()
            assert await rest(stream) == b""
            await stream.aclose()
