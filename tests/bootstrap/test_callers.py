"""Whoever waits for an answer of the daemon is noticed, and who only follows something is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from holdfast.bootstrap.daemon.callers import Callers

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio

HTTP: dict[str, Any] = {"type": "http"}
STREAM: dict[str, Any] = {"type": "websocket"}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def waits(callers: Callers) -> bool:
    return callers.waiting


class Answering:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        self.go = anyio.Event()
        self.asked = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.go.wait()


async def nothing() -> Message:
    raise AssertionError


async def nowhere(message: Message) -> None:
    raise AssertionError(message)


async def call(callers: Callers, app: Answering, scope: Scope) -> None:
    await callers.around(app)(scope, nothing, nowhere)


async def test_somebody_waits_from_the_question_until_a_moment_after_the_answer() -> None:
    clock, app = Clock(), Answering()
    callers = Callers(clock)
    assert not waits(callers)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, callers, app, HTTP)
        await app.asked.wait()
        clock.now += 1.9
        assert waits(callers)
        app.go.set()
    assert waits(callers)
    clock.now += 0.3
    assert not waits(callers)


async def test_who_follows_something_waits_for_nobody_and_the_next_one_does() -> None:
    clock, following, app = Clock(), Answering(), Answering()
    callers = Callers(clock)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, callers, following, HTTP)
        await following.asked.wait()
        clock.now += 60.0
        assert not waits(callers)
        tasks.start_soon(call, callers, app, HTTP)
        await app.asked.wait()
        assert waits(callers)
        app.go.set()
        following.go.set()


async def test_a_frontend_on_the_stream_is_no_caller() -> None:
    app = Answering()
    callers = Callers(Clock())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, callers, app, STREAM)
        await app.asked.wait()
        assert not waits(callers)
        app.go.set()
    assert not waits(callers)
