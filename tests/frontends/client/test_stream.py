"""The stream's client against a real daemon that is killed under it, on both event loops."""

from __future__ import annotations

import os
import signal
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import anyio
import pytest
from anyio import to_thread

from holdfast.bootstrap.daemon.control import LocalDaemon
from holdfast.domain.daemon import Listen
from holdfast.domain.errors import CursorError, NotFoundError, UsageError
from holdfast.frontends.client.following import AHEAD
from holdfast.frontends.client.stream import Stream, attached
from tests.frontends.daemon import PATIENCE_S, Daemon

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.frontends.client.views import View

pytestmark = pytest.mark.slow


def control(daemon: Daemon) -> LocalDaemon:
    return LocalDaemon(daemon.environ, lambda line: None)


def spoken(folder: Path) -> str:
    """A transcript to import: a session that needs no agent."""
    line = (
        '{"type":"user","uuid":"u1","sessionId":"aaaa1111","timestamp":"2026-03-12T09:30:00.000Z",'
        '"cwd":"/srv/shop","message":{"role":"user","content":"a question"}}'
    )
    path = folder / "aaaa1111.jsonl"
    path.write_text(line + "\n")
    return str(path)


async def imported(daemon: Daemon, folder: Path) -> str:
    answer = await to_thread.run_sync(lambda: daemon.post("/imports", {"sources": [spoken(folder)]}))
    assert answer.status == 200, answer
    listed = await to_thread.run_sync(daemon.get, "/sessions")
    (row,) = listed.json()["items"]
    return str(row["id"])


def live(view: View) -> bool:
    return view.live


async def drained(stream: Stream, after: str) -> None:
    async with aclosing(stream.events(after)) as deliveries:
        async for _ in deliveries:
            pass


async def restart(daemon: Daemon) -> None:
    await to_thread.run_sync(daemon.kill)
    await to_thread.run_sync(daemon.start, Listen(port=0))


async def until_state(stream: Stream, *states: str) -> None:
    while stream.state not in states:
        await stream.turned()


async def test_a_view_stays_readable_while_the_daemon_is_away_and_goes_on(daemon: Daemon, tmp_path: Path) -> None:
    session = await imported(daemon, tmp_path)
    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream:
            roster = await stream.view("roster")
            assert list(roster.items) == [session]
            assert live(roster)

            await to_thread.run_sync(daemon.kill)
            await until_state(stream, "waiting", "connecting")
            assert not live(roster)
            assert roster.as_of > 0
            assert list(roster.items) == [session]

            await to_thread.run_sync(daemon.start, Listen(port=0))
            await stream.command("rename", session, {"title": "afterwards"})
            async with aclosing(roster.changes()) as changes:
                async for _ in changes:
                    if roster.items[session]["title"] == "afterwards":
                        break
            assert live(roster)


async def test_events_come_once_and_in_order_whatever_is_killed(daemon: Daemon, tmp_path: Path) -> None:
    session = await imported(daemon, tmp_path)
    titles: list[str] = []
    positions: list[int] = []

    async def rename(stream: Stream) -> None:
        for number in range(30):
            await stream.command("rename", session, {"title": f"title {number}"})
            if number % 10 == 5:
                await restart(daemon)

    with anyio.fail_after(PATIENCE_S * 2):
        async with attached(control(daemon), "test") as stream, anyio.create_task_group() as tasks:
            tasks.start_soon(rename, stream)
            async with aclosing(stream.events()) as deliveries:
                async for delivery in deliveries:
                    for event in delivery.events:
                        positions.append(cast("int", event["position"]))
                        if event["type"] == "session-renamed":
                            titles.append(cast("dict[str, str]", event["data"])["title"])
                    if titles[-1:] == ["title 29"]:
                        break

    assert titles == [f"title {number}" for number in range(30)]
    assert positions == list(range(1, len(positions) + 1))


async def test_who_takes_events_slowly_holds_nothing_up_and_misses_none(daemon: Daemon, tmp_path: Path) -> None:
    session = await imported(daemon, tmp_path)
    positions: list[int] = []

    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream, aclosing(stream.events()) as deliveries:
            first = await anext(deliveries)
            positions += [cast("int", event["position"]) for event in first.events]
            for number in range(3 * AHEAD):
                await stream.command("rename", session, {"title": f"title {number}"})
            head = await stream.command("rename", session, {"title": "the last one"})
            assert cast("dict[str, object]", head)["title"] == "the last one"
            async for delivery in deliveries:
                positions += [cast("int", event["position"]) for event in delivery.events]
                if any(event["data"] == {"title": "the last one"} for event in delivery.events):
                    break
            assert stream.state == "live"

    assert positions == list(range(1, len(positions) + 1))


async def test_a_command_waits_for_a_daemon_that_is_away(daemon: Daemon, tmp_path: Path) -> None:
    session = await imported(daemon, tmp_path)
    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream:
            await until_state(stream, "live")
            await to_thread.run_sync(daemon.kill)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: stream.command("pin", session, {"pinned": True}, client_id="once"))
                await to_thread.run_sync(daemon.start, Listen(port=0))
            again = await stream.command("pin", session, {"pinned": False}, client_id="once")

    assert cast("dict[str, object]", again)["pinned"] is True


async def test_what_is_refused_is_raised_as_what_it_is(daemon: Daemon, tmp_path: Path) -> None:
    session = await imported(daemon, tmp_path)
    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream:
            with pytest.raises(NotFoundError):
                await stream.command("read", "nobody")
            with pytest.raises(UsageError):
                await stream.command("dance", session)
            with pytest.raises(UsageError, match="1048576"):
                await stream.command("rename", session, {"title": "x" * 2**20})
            with pytest.raises(NotFoundError):
                await stream.view("transcript", "nobody")
            with pytest.raises(CursorError):
                await drained(stream, "0" * 32 + ".7")
            assert stream.state == "live"


async def test_a_rotated_token_is_read_anew(daemon: Daemon, tmp_path: Path) -> None:
    session = await imported(daemon, tmp_path)
    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream:
            view = await stream.view("transcript", session)
            assert [item["text"] for item in view.items.values()] == ["a question"]
            await to_thread.run_sync(control(daemon).tokens().rotate)
            await until_state(stream, "denied", "waiting", "connecting")
            await until_state(stream, "live")
            await view.until_known()


async def test_without_a_daemon_it_waits_and_says_why(tmp_home: Path) -> None:
    daemon = Daemon(tmp_home)
    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream:
            await until_state(stream, "waiting")
            assert stream.error is not None
            assert "holdfast up" in stream.error
            try:
                await to_thread.run_sync(daemon.start)
                assert (await stream.view("roster")).items == {}
            finally:
                await to_thread.run_sync(daemon.close)


async def test_a_daemon_that_is_frozen_is_noticed_in_seconds_and_goes_on_where_it_was(
    daemon: Daemon, tmp_path: Path
) -> None:
    session = await imported(daemon, tmp_path)
    with anyio.fail_after(PATIENCE_S):
        async with attached(control(daemon), "test") as stream:
            roster = await stream.view("roster")
            running = control(daemon).running()
            assert running is not None
            heard_at = stream.heard_at

            os.kill(running.pid, signal.SIGSTOP)
            try:
                await until_state(stream, "silent")
                assert stream.error == "it does not answer"
                assert stream.heard_at >= heard_at
            finally:
                os.kill(running.pid, signal.SIGCONT)
            await until_state(stream, "live")
            await stream.command("rename", session, {"title": "afterwards"})

            async with aclosing(roster.changes()) as changes:
                async for _ in changes:
                    if roster.items[session]["title"] == "afterwards":
                        break
