"""The conformance kit: it lets through what is right, finds what is wrong, and our own frontends get through it."""

from __future__ import annotations

import runpy
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from anyio.from_thread import start_blocking_portal

from holdfast.frontends.client.socket import Socket
from holdfast.frontends.client.stream import attached
from holdfast.frontends.conformance.stage import PATIENCE_S, Stage, rehearse
from holdfast.frontends.conformance.watcher import ViolationError, Watcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from holdfast.domain.daemon import DaemonControl

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "frontend" / "holdfast_watch.py"

Frame = dict[str, Any]

HELLO: Frame = {"type": "hello", "client": "x"}
ROSTER: Frame = {"type": "subscribe", "sub": "r", "view": "roster"}
EVENTS: Frame = {"type": "subscribe", "sub": "e", "events": {"after": 0}}
ITEM: Frame = {"id": "m1", "position": 3, "text": "Hello"}
SNAPSHOT: Frame = {"type": "snapshot", "sub": "r", "view": "roster", "position": 5, "items": [ITEM], "before": None}
COMMAND: Frame = {"type": "command", "client_id": "c", "verb": "read", "session": "s"}
OK: Frame = {"type": "ok", "client_id": "c", "result": {}, "position": 6}


def event(position: int) -> Frame:
    return {
        "position": position, "event_id": "e", "session_id": "s", "link_id": None, "version": 1, "type": "t",
        "schema": 1, "recorded_at": "", "occurred_at": None, "cause": None, "actor": {}, "data": {},
    }  # fmt: skip


def events(*positions: int) -> Frame:
    return {"type": "events", "sub": "e", "events": [event(position) for position in positions], "cursor": "x"}


def patch(start: int, end: int, *ops: Frame) -> Frame:
    return {"type": "patch", "sub": "r", "from": start, "position": end, "ops": list(ops)}


def append(at: int, position: int) -> Frame:
    return {"op": "append", "id": "m1", "at": at, "text": "!", "position": position}


def watch(*frames: Frame) -> Watcher:
    watcher = Watcher()
    for frame in frames:
        said = (
            watcher.sent
            if frame["type"] in ("hello", "subscribe", "unsubscribe", "command", "focus")
            else watcher.received
        )
        said(msgspec.json.encode(frame).decode())
    return watcher


def test_what_the_rules_make_of_a_view_is_told() -> None:
    watcher = watch(
        HELLO, ROSTER, SNAPSHOT,
        patch(5, 8, append(5, 7), {"op": "put", "item": {"id": "m2", "position": 8}}),
        patch(8, 9, append(5, 6), {"op": "drop", "id": "m2", "position": 9}),
        patch(9, 9, {"op": "set", "id": "m1", "fields": {"focused": ["x"]}}),
        EVENTS, events(1, 2), events(3), {"type": "caught_up", "sub": "e", "position": 3, "cursor": "x"},
        COMMAND, OK, {"type": "unsubscribe", "sub": "e"}, events(4),
    )  # fmt: skip

    assert watcher.views["r"] == {"m1": {"id": "m1", "position": 7, "text": "Hello!", "focused": ["x"]}}


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        ([ROSTER], "hello"),
        ([HELLO, HELLO], "hello"),
        ([HELLO, ROSTER, ROSTER], "in use"),
        ([HELLO, {"type": "subscribe", "sub": "r"}], "events"),
        ([HELLO, {"type": "subscribe", "sub": "r", "view": "weather"}], "no frame"),
        ([HELLO, {"type": "subscribe", "sub": "r", "view": "roster", "colour": "red"}], "no frame"),
        ([HELLO, OK], "not asked"),
        ([HELLO, COMMAND, OK, OK], "answered before"),
        ([HELLO, SNAPSHOT], "nobody asked"),
        ([HELLO, ROSTER, patch(5, 6, append(0, 6))], "before any snapshot"),
        ([HELLO, ROSTER, SNAPSHOT, SNAPSHOT], "second snapshot"),
        ([HELLO, ROSTER, SNAPSHOT | {"position": 2}], "later than its snapshot"),
        ([HELLO, ROSTER, SNAPSHOT, patch(6, 7, append(0, 7))], "from 6"),
        ([HELLO, ROSTER, SNAPSHOT, patch(5, 7)], "changes something"),
        ([HELLO, ROSTER, SNAPSHOT, patch(5, 5, append(0, 7))], "changes something"),
        ([HELLO, ROSTER, SNAPSHOT, patch(5, 7, append(9, 7))], "something is missing"),
        ([HELLO, ROSTER, SNAPSHOT, patch(5, 7, {"op": "put", "item": {"id": "m2"}})], "position"),
        ([HELLO, EVENTS, events(1, 3)], "missing"),
        ([HELLO, EVENTS, events(1), events(1)], "doubled"),
        ([HELLO, EVENTS, events(*range(1, 66))], "65 events"),
        ([HELLO, EVENTS, SNAPSHOT | {"sub": "e"}], "nothing that"),
        ([HELLO, EVENTS, {"type": "caught_up", "sub": "e", "position": 0, "cursor": "x"}] * 1
         + [{"type": "caught_up", "sub": "e", "position": 0, "cursor": "x"}], "once"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_found(frames: list[Frame], complaint: str) -> None:
    with pytest.raises(ViolationError, match=complaint):
        watch(*frames)


@contextmanager
def performing(backend: str, stage: Stage, frontend: Callable[[DaemonControl], Awaitable[object]]) -> Generator[None]:
    """Run a frontend beside the test."""
    with start_blocking_portal(backend) as portal:
        running = portal.start_task_soon(frontend, stage.control)
        try:
            yield
        finally:
            running.cancel()


@contextmanager
def staged(patience_s: float = PATIENCE_S) -> Generator[Stage]:
    with TemporaryDirectory() as folder, Stage(Path(folder) / "stage", patience_s) as stage:
        stage.views["roster"] = [{"id": "s1", "position": 1, "lifecycle": "unread", "title": "shop", "preview": "…"}]
        yield stage


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_our_client_gets_through_a_rehearsal(backend: str) -> None:
    async def frontend(control: DaemonControl) -> None:
        async with attached(control, "rehearsing") as stream:
            roster = await stream.view("roster")
            async for _ in roster.changes():
                assert roster.items["s1"]["title"] == "shop"

    with staged() as stage, performing(backend, stage, frontend):
        rehearse(stage, "roster")


@pytest.mark.slow
def test_the_example_gets_through_a_rehearsal(capsys: pytest.CaptureFixture[str]) -> None:
    watching = runpy.run_path(str(EXAMPLE))["watch"]

    with staged() as stage, performing("asyncio", stage, watching):
        rehearse(stage, "roster")

    assert "s1  unread  shop" in capsys.readouterr().out


@pytest.mark.slow
def test_a_frontend_that_does_not_look_again_is_found() -> None:
    async def frontend(control: DaemonControl) -> None:
        running = control.running()
        assert running is not None
        async with await anyio.connect_unix(running.socket) as stream:
            deaf = await Socket.over(stream, "ws://localhost/api/v1/stream", "holdfast.v1")
            for frame in (HELLO | {"token": control.token()}, ROSTER):
                await deaf.send(msgspec.json.encode(frame))
            while True:
                await deaf.receive()

    with (
        staged(2.0) as stage,
        performing("asyncio", stage, frontend),
        pytest.raises(ViolationError, match="did not"),
    ):
        rehearse(stage, "roster")
