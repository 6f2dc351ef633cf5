"""A stream over a real store, served by the real server in a thread, and clients that speak to it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import anyio
import msgspec
import uvicorn
from anyio import from_thread, to_thread
from anyio.lowlevel import EventLoopToken, current_token
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import RosterRow
from holdfast.adapters.storage.tail import StoreTail
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.content import of_text
from holdfast.domain.errors import DeniedError, UsageError
from holdfast.domain.keeping import PeerFrame
from holdfast.domain.link.events import ConnectionRequested
from holdfast.domain.recorded import Actor, Recorded, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.frontends.conformance.watcher import Watcher
from holdfast.frontends.gateway.stream import connection
from holdfast.frontends.gateway.stream.endpoint import Stream
from holdfast.frontends.gateway.stream.pipe import PipeProtocol
from holdfast.frontends.gateway.views.hub import Hub

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from msgspec import Raw
    from starlette.types import ASGIApp
    from websockets.sync.client import ClientConnection

    from holdfast.domain.keeping import Keeping
    from holdfast.domain.projections.roster import Connection
    from holdfast.domain.session.commands import Command
    from holdfast.frontends.gateway.stream import gate

Json = dict[str, Any]

ONE = StreamId("aaaa1111-0000-4000-8000-000000000001")
TWO = StreamId("aaaa2222-0000-4000-8000-000000000002")
LINK = StreamId("bbbb1111-0000-4000-8000-000000000001")
TOKEN = "the-right-token"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Credential:
    """What somebody came in with."""

    name: str
    read_only: bool = False


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Gate:
    """Two tokens, one of which may only read."""

    def __init__(self) -> None:
        self.tokens = {TOKEN: Credential("token"), "reader": Credential("reader", read_only=True)}

    def admit(self, token: str, peer: str) -> Credential:
        if token not in self.tokens:
            raise DeniedError("the token is not known")
        return self.tokens[token]

    def holds(self, credential: gate.Credential) -> bool:
        return credential in self.tokens.values()


class Keeper:
    """Whoever keeps sessions, as far as the log goes: it carries commands out and connects to nobody."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.connections: dict[StreamId, Connection] = {}
        self.focuses: dict[str, StreamId | None] = {}
        self.overheard: dict[StreamId, list[PeerFrame]] = {}
        self.listeners: list[Callable[[], None]] = []

    async def execute(
        self, session_id: StreamId, command: Command, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        return await to_thread.run_sync(lambda: self._workspace.execute(session_id, command, cause=cause, actor=actor))

    def connection(self, session_id: StreamId) -> Connection | None:
        return self.connections.get(session_id)

    def frames(self, session_id: StreamId, *, after: int = 0) -> Sequence[PeerFrame]:
        return [each for each in self.overheard.get(session_id, []) if each.number > after]

    def on_frames(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def focus(self, attachment: str, session_id: StreamId | None) -> None:
        self.focuses[attachment] = session_id


class Verbs:
    """Two commands, in the place of the routes."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def __call__(self, verb: str, session: str | None, body: Raw, *, client_id: str, actor: Actor) -> Raw:
        given: Json = msgspec.json.decode(body) or {}
        match verb:
            case "rename":
                command: Command = c.Rename(given["title"])
            case "read":
                command = c.MarkRead()
            case _:
                msg = f"there is no command {verb!r}"
                raise UsageError(msg)
        done = await self._keeper.execute(StreamId(session or ""), command, cause=client_id, actor=actor)
        return msgspec.Raw(msgspec.json.encode({"events": len(done)}))


class Cuts(logging.Handler):
    """Hears of readers that are cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "cut off" in record.getMessage():
            self.heard.set()


class Serving:
    """A running stream."""

    def __init__(self, home: Path, url: str | None = None) -> None:
        self.store = open_store(StoreSettings.from_url(url or f"sqlite:///{home}/log.db"), environ={})
        self.workspace = Workspace(self.store)
        self.keeper = Keeper(self.workspace)
        self.gate = Gate()
        self.url = ""
        self.hub: Hub
        self._ready = threading.Event()
        self._cuts = Cuts()
        logging.getLogger(connection.__name__).addHandler(self._cuts)
        self._link_version = 0
        self._server: Server
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)

    def _run(self) -> None:
        anyio.run(self._serve, backend="asyncio")

    async def _serve(self) -> None:
        keeping = cast("Keeping", self.keeper)
        self.hub = Hub(StoreTail(self.store), keeping)
        stream = Stream(self.hub, Verbs(self.keeper), self.gate)
        config = uvicorn.Config(
            self.app(stream), host="127.0.0.1", port=0, ws=PipeProtocol, ws_max_size=2**20,
            ws_per_message_deflate=False, lifespan="off", log_level="error", access_log=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.hub.run)
            tasks.start_soon(stream.run)
            tasks.start_soon(self._announce)
            await self._server.serve()
            tasks.cancel_scope.cancel()

    async def _announce(self) -> None:
        self._token: EventLoopToken = current_token()
        await self._server.listening.wait()
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/api/v1/stream"
        self._ready.set()

    def app(self, stream: Stream) -> ASGIApp:
        """What is served."""
        return Starlette(routes=[WebSocketRoute("/api/v1/stream", stream)])

    def close(self) -> None:
        logging.getLogger(connection.__name__).removeHandler(self._cuts)
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self.store.close()

    # What happens

    def say(self, session: StreamId, *commands: Command) -> None:
        for command in commands:
            self.workspace.execute(session, command, cause=None, actor=Actor("human", "test"))

    def begin(self, session: StreamId = ONE, title: str = "shop") -> None:
        self.say(session, c.Create("acp", title=title), c.QueuePrompt("p1", of_text("hello")), c.StartTurn("t1"))

    def speak(self, text: str, session: StreamId = ONE, item: str = "m1") -> None:
        self.say(session, c.Observe((e.TextAppended(item, text),)))

    def happen_to_link(self) -> None:
        """Something is written about a link; the log says nothing of it that a row would show."""
        self._link_version += 1
        fact = ConnectionRequested("test", "")
        at = 1_700_000_000_000_000
        event = Recorded(LINK, self._link_version, new_event_id(), at, fact)
        self.store.append_now([event], RosterRow("link", ended=False, rank=0, updated_at=at, row="{}"))

    def overhear(self, session: StreamId, text: str) -> None:
        """The agent of a session says something."""
        heard = self.keeper.overheard.setdefault(session, [])
        heard.append(PeerFrame(len(heard) + 1, 1_700_000_000_000_000, "in", text, len(text)))
        for listener in self.keeper.listeners:
            from_thread.run_sync(listener, token=self._token)

    def look(self, view: str, session: StreamId) -> None:
        """Somebody looks at a view as well, and does not look away: a reader that takes its time."""
        from_thread.run_sync(lambda: self.hub.look_at(view, session, lambda: None), token=self._token)

    def wait_until_cut(self) -> None:
        """Return once a reader was cut off."""
        assert self._cuts.heard.wait(PATIENCE_S)

    def connect(self) -> ClientConnection:
        return connect(
            self.url, subprotocols=[Subprotocol("holdfast.v1")], compression=None, max_size=None, max_queue=None
        )

    @contextmanager
    def client(self, token: str | None = TOKEN, name: str = "test") -> Generator[Client]:
        with self.connect() as opened:
            client = Client(opened)
            client.send(type="hello", client=name, **({} if token is None else {"token": token}))
            yield client


class Client:
    """One end of a stream, in a test. Everything that is said there is checked, unless a test misbehaves on purpose."""

    def __init__(self, connection: ClientConnection, *, behaves: bool = True) -> None:
        self.connection = connection
        self.watcher = Watcher() if behaves else None

    def send(self, **frame: object) -> None:
        text = msgspec.json.encode(frame).decode()
        if self.watcher is not None:
            self.watcher.sent(text)
        self.connection.send(text)

    def receive(self, *kinds: str) -> Json:
        """The next frame, or the next of these kinds."""
        while True:
            text = self.connection.recv(timeout=PATIENCE_S)
            if self.watcher is not None:
                self.watcher.received(text)
            frame: Json = msgspec.json.decode(text)
            if (not kinds or frame["type"] in kinds) and frame["type"] != "ping":
                return frame
