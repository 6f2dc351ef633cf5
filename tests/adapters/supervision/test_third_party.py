"""A transport of another package: a line-based chat server whose one connection carries many sessions."""

from __future__ import annotations

import importlib
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from holdfast.adapters.transports.finding import transports
from holdfast.domain.errors import SettingsError
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import SocketStream

    from tests.adapters.supervision.town import Town

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).parents[2] / "plugins" / "chat" / "holdfast_chat.py"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, entry: str = "chat = holdfast_chat:Chat") -> None:
    """Put the package where Python finds packages, with what an installer writes beside it."""
    site = folder / "site"
    told = site / "holdfast_chat-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast-chat\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[holdfast.transports]\n{entry}\n")
    shutil.copy(PLUGIN, site)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    importlib.invalidate_caches()


@pytest.fixture
def chatty(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town in which the package is installed."""
    install(tmp_path, monkeypatch)
    town.transports = transports()
    assert sorted(town.transports) == ["acp", "chat"]
    return town


class Server:
    """Repeats what is said in a room, word by word. It remembers what it heard, and how often it was called."""

    def __init__(self) -> None:
        self.port = 0
        self.said: list[str] = []
        self.calls = 0
        self.streams: list[SocketStream] = []
        self.hold = anyio.Event()
        self.hold.set()
        self.sending = anyio.Lock()

    async def serve(self, stream: SocketStream) -> None:
        self.calls += 1
        self.streams.append(stream)
        async with stream, anyio.create_task_group() as nursery:
            stops: dict[str, anyio.Event] = {}
            rest = b""
            try:
                while True:
                    *lines, rest = (rest + await stream.receive()).split(b"\n")
                    for line in lines:
                        verb, room, *words = line.decode().split(" ", 2)
                        if verb == "JOIN":
                            await self.send(stream, f"JOINED {room}\n")
                        elif verb == "STOP":
                            stops[room].set()
                        else:
                            self.said.append(words[0])
                            stops[room] = anyio.Event()
                            nursery.start_soon(self.answer, stream, room, words[0], stops[room])
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                nursery.cancel_scope.cancel()

    async def answer(self, stream: SocketStream, room: str, words: str, stopped: anyio.Event) -> None:
        for word in words.split():
            await self.send(stream, f"WORD {room} {word}\n")
            if word == "wait":
                await stopped.wait()
                break
            if word == "hold":
                await self.hold.wait()
        await self.send(stream, f"DONE {room} {'cancelled' if stopped.is_set() else 'end_turn'}\n")

    async def send(self, stream: SocketStream, line: str) -> None:
        async with self.sending:
            await stream.send(line.encode())

    async def hang_up(self) -> None:
        streams, self.streams = self.streams, []
        for stream in streams:
            await anyio.aclose_forcefully(stream)


@asynccontextmanager
async def serving(port: int = 0) -> AsyncGenerator[Server]:
    server = Server()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener:
        server.port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(listener.serve, server.serve)
            yield server
            nursery.cancel_scope.cancel()


async def test_one_connection_carries_many_sessions(chatty: Town) -> None:
    async with serving() as server, chatty.daemon() as daemon:
        rooms = [await daemon.new(target=f"chat://127.0.0.1:{server.port}/room{n}") for n in range(5)]
        for number, room in enumerate(rooms):
            await daemon.send(room, f"hello from {number}")
        for number, room in enumerate(rooms):
            await daemon.saw(room, e.TurnEnded)
            assert daemon.text(room) == f"hello from {number} "

        assert server.calls == 1
        assert len({fact.link_id for room in rooms for fact in daemon.facts(room) if isinstance(fact, e.Attached)}) == 1


async def test_a_turn_is_cancelled_and_the_queue_goes_on(chatty: Town) -> None:
    async with serving() as server, chatty.daemon() as daemon:
        room = await daemon.new(target=f"chat://127.0.0.1:{server.port}/room")
        await daemon.send(room, "please wait")
        await daemon.send(room, "next")
        await daemon.saw(room, e.TextAppended)
        await daemon.do(room, c.Cancel())
        ended = await daemon.saw(room, e.TurnEnded, 2)

        assert [fact.stop_reason for fact in ended] == ["cancelled", "end_turn"]


async def test_a_cut_connection_is_made_again_and_what_it_cut_off_is_said_once(chatty: Town) -> None:
    async with serving() as server, chatty.daemon() as daemon:
        server.hold = anyio.Event()
        rooms = [await daemon.new(target=f"chat://127.0.0.1:{server.port}/room{n}") for n in range(2)]
        await daemon.send(rooms[0], "on hold for ever")
        await daemon.until(rooms[0], lambda _: "hold" in daemon.text(rooms[0]))
        await daemon.ready(rooms[1])
        await server.hang_up()
        await daemon.saw(rooms[0], e.Attached, 2)
        await daemon.saw(rooms[1], e.Attached, 2)

        cut = [type(fact) for fact in daemon.facts(rooms[0])]
        assert cut.count(e.TurnInterrupted) == 1
        assert cut.count(e.TurnEnded) == 0
        assert [fact.reason for fact in daemon.facts(rooms[1]) if isinstance(fact, e.Detached)] == ["lost"]
        await daemon.send(rooms[0], "again")
        await daemon.saw(rooms[0], e.TurnEnded)
        assert server.said == ["on hold for ever", "again"]
        assert server.calls == 2


async def test_the_daemon_comes_back_and_everything_is_connected_again(chatty: Town) -> None:
    async with serving() as server:
        target = f"chat://127.0.0.1:{server.port}/room"
        async with chatty.daemon() as daemon:
            server.hold = anyio.Event()
            room = await daemon.new(target=target)
            await daemon.send(room, "on hold for ever")
            await daemon.until(room, lambda _: "hold" in daemon.text(room))
            await daemon.send(room, "later")
        async with chatty.daemon() as daemon:
            await daemon.saw(room, e.Attached, 2)
            facts = daemon.facts(room)

            assert [type(fact) for fact in facts].count(e.TurnInterrupted) == 1
            await daemon.do(room, c.ResumeQueue())
            await daemon.saw(room, e.TurnEnded)
            assert server.said == ["on hold for ever", "later"]


async def test_what_is_sent_while_the_server_is_away_waits_for_it(chatty: Town) -> None:
    async with serving() as server:
        port = server.port
        async with chatty.daemon() as daemon:
            room = await daemon.new(target=f"chat://127.0.0.1:{port}/room")
            await daemon.ready(room)
    async with chatty.daemon() as daemon:
        await daemon.send(room, "are you there")
        await daemon.saw(room, e.Detached)
        shown = daemon.keeping.connection(room)
        assert shown is not None
        async with serving(port) as server:
            await daemon.saw(room, e.TurnEnded)
            assert server.said == ["are you there"]


async def test_one_of_several_leaves_and_the_others_stay(chatty: Town) -> None:
    async with serving() as server, chatty.daemon() as daemon:
        rooms = [await daemon.new(target=f"chat://127.0.0.1:{server.port}/room{n}") for n in range(2)]
        for room in rooms:
            await daemon.ready(room)
        await daemon.do(rooms[0], c.End())
        await daemon.send(rooms[1], "still here")
        await daemon.saw(rooms[1], e.TurnEnded)

        assert server.calls == 1


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("chat = holdfast_chat:Nothing", "cannot be loaded"),
        ("chat = holdfast_chat:text_of", "cannot be loaded"),
        ("acp = holdfast_chat:Chat", "two packages"),
        ("chat = holdfast_chat:QueuePolicy", "no Transport"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(
    entry: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, entry)

    with pytest.raises(SettingsError, match=complaint):
        transports()
