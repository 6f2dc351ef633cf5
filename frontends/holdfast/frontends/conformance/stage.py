"""A stage to rehearse a frontend on: a server that says what the test wants, and checks what the frontend says.

It takes the place of a daemon. `rehearse` plays what every frontend has to get through.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, unix_serve
from websockets.typing import Subprotocol

from holdfast.domain.daemon import Running
from holdfast.frontends.conformance.frames import ClientFrame, Command, Hello, Json, Ping, Subscribe
from holdfast.frontends.conformance.watcher import ViolationError, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from holdfast.domain.daemon import DaemonControl, Listen

PATIENCE_S: Final = 30.0
TOKEN: Final = "rehearsal"  # noqa: S105 - it opens a stage

_encode = msgspec.json.Encoder().encode


class Stage:
    """A server for one frontend at a time.

    Attributes:
        control: What a frontend is given instead of a daemon's.
        views: The items of each view, as the next snapshot shows them.
        said: Every frame of the frontend so far, over all connections.
    """

    def __init__(self, socket: Path, patience_s: float = PATIENCE_S) -> None:
        """Listen at `socket`, a short path where nothing is yet; wait for the frontend for so many seconds."""
        self._patience_s = patience_s
        self.control = cast("DaemonControl", _Control(str(socket)))
        self.views: dict[str, list[Json]] = {"roster": [], "inbox": [], "transcript": [], "offers": []}
        self.said: list[ClientFrame] = []
        self.position = 1
        self._changed = threading.Condition()
        self._connection: ServerConnection | None = None
        self._subs: dict[str, str] = {}
        self._violation: ViolationError | None = None
        self._server = unix_serve(self._serve, str(socket), subprotocols=[Subprotocol("holdfast.v1")], compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._thread.join(PATIENCE_S)

    def wait_for(self, what: str, happened: Callable[[ClientFrame], bool], after: int = 0) -> int:
        """Wait until the frontend says something; return how much it has said by then.

        Args:
            what: What is waited for, for people.
            happened: Recognises it.
            after: How much it had said before.

        Raises:
            ViolationError: It said something else that is not allowed, or nothing in time.
        """

        def there() -> bool:
            return self._violation is not None or any(happened(frame) for frame in self.said[after:])

        with self._changed:
            in_time = self._changed.wait_for(there, self._patience_s)
            if self._violation is not None:
                raise self._violation
            if not in_time:
                msg = f"the frontend was to {what}, and did not"
                raise ViolationError(msg)
            return len(self.said)

    def tell(self, view: str, ops: list[Json], *, start: int | None = None) -> None:
        """Send a patch to whoever looks at a view; from another position than theirs, where `start` says so."""
        with self._changed:
            before = self.position
            if any(op["op"] != "set" for op in ops):
                self.position += 1
            frame = {"type": "patch", "from": before if start is None else start, "position": self.position, "ops": ops}
            for sub, name in self._subs.items():
                if name == view:
                    self.send(frame | {"sub": sub})

    def send(self, frame: Json) -> None:
        """Send anything."""
        if self._connection is not None:
            with suppress(ConnectionClosed):  # a test that cut it goes on
                self._connection.send(_encode(frame).decode())

    def cut(self, code: int, reason: str = "") -> None:
        """Close the connection."""
        connection = self._connection
        assert connection is not None, "nobody is connected"
        connection.close(code, reason)

    def _serve(self, connection: ServerConnection) -> None:
        watcher = Watcher()
        with self._changed:
            self._connection, self._subs = connection, {}
        with suppress(ConnectionClosed):
            for text in connection:
                with self._changed:
                    try:
                        frame = watcher.sent(text)
                    except ViolationError as violation:
                        self._violation = violation
                    else:
                        self.said.append(frame)
                        self._answer(frame)
                    self._changed.notify_all()

    def _answer(self, frame: ClientFrame) -> None:
        match frame:
            case Hello(token=token) if token != TOKEN:
                threading.Thread(target=partial(self.cut, 4401)).start()
            case Subscribe(sub=sub, view=str(view)):
                self._subs[sub] = view
                items = msgspec.json.decode(_encode(self.views[view]))
                snapshot = {"type": "snapshot", "sub": sub, "view": view, "position": self.position, "items": items}
                self.send(snapshot | {"before": None, "of_a_later_version": True})
            case Subscribe(sub=sub):
                self.send({"type": "caught_up", "sub": sub, "position": self.position, "cursor": str(self.position)})
            case Command(client_id=client_id):
                self.send({"type": "ok", "client_id": client_id, "result": {}, "position": self.position})
            case Ping():
                self.send({"type": "pong"})
            case _:
                pass


def rehearse(stage: Stage, view: str) -> None:
    """Play what a frontend that shows `view` has to get through. It runs beside, in a thread or a process.

    Raises:
        ViolationError: It does not.
    """

    def looks(frame: ClientFrame) -> bool:
        return isinstance(frame, Subscribe) and frame.view == view

    said = stage.wait_for(f"look at its {view}", looks)
    stage.send({"type": "of_a_later_version", "anything": [1, 2, 3]})
    stage.tell(view, [{"op": "of_a_later_version", "id": "x"}, *_ops(stage, view)])
    stage.tell(view, [], start=-7)
    said = stage.wait_for("look again after a patch that does not fit", looks, said)
    for code, reason in ((1013, "cursor=1"), (1012, ""), (4401, "the credential was taken back")):
        stage.cut(code, reason)
        said = stage.wait_for(f"come back after {code}", looks, said)


def _ops(stage: Stage, view: str) -> list[Json]:
    """One of each, the later ones without effect: what was put is later than they are."""
    if not stage.views[view]:
        return []
    item = stage.views[view][0]
    put: Json = {"op": "put", "item": item | {"position": stage.position + 1}}
    stale: Json = {"op": "put", "item": {"id": item["id"], "position": 0}}
    return [put, stale, {"op": "append", "id": item["id"], "at": 0, "text": "stale", "position": 0}]


class _Control:
    """As much of a daemon's control as a frontend needs to attach."""

    def __init__(self, socket: str) -> None:
        self._running = Running(0, "http://127.0.0.1:0", socket, "2026-03-12T09:30:00.000Z")

    def running(self, *, wait_s: float = 0.0) -> Running | None:
        del wait_s
        return self._running

    def start(self, listen: Listen) -> Running:
        del listen
        return self._running

    def token(self) -> str:
        return TOKEN
