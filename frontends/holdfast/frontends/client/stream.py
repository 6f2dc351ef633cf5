"""The stream for frontends in Python: an attachment that comes back by itself, on asyncio and on trio.

Views stay readable while the daemon is away, events go on at their cursor, and a command that was on its way is sent
again under the same client id, which the daemon answers with the first result.
"""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from time import time
from typing import TYPE_CHECKING, Final, Literal, cast
from uuid import uuid4

import anyio
from anyio import to_thread
from msgspec import MsgspecError, json

from holdfast.domain.errors import CursorError, HoldfastError, NotRunningError, UsageError
from holdfast.domain.policy import ReconnectPolicy, delay
from holdfast.frontends.client.following import Delivery, Following
from holdfast.frontends.client.pulse import SILENT_S, watch
from holdfast.frontends.client.socket import GoneError, Socket
from holdfast.frontends.client.views import Json, View, ViewName
from holdfast.frontends.codes import rebuilt

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from holdfast.domain.daemon import DaemonFinder

POLICY: Final = ReconnectPolicy(base_s=0.1, factor=2.0, cap_s=5.0, jitter_s=0.2, jitter_kind="proportional")

_URI: Final = "ws://localhost/api/v1/stream"
_SUBPROTOCOL: Final = "holdfast.v1"
_DENIED: Final = 4401
_MESSAGE_BYTES: Final = 1024 * 1024

_encode = json.Encoder().encode
_decode = json.Decoder(Json).decode

State = Literal["connecting", "live", "silent", "waiting", "denied"]


@dataclass(frozen=True)
class Address:
    """Where the daemon is, and how to get in."""

    socket: str
    token: str


@dataclass(eq=False)
class _Pending:
    """A command that has no answer yet."""

    frame: Json
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Json = field(default_factory=dict[str, object])


class Stream:
    """One attachment, made by `attached`.

    Attributes:
        state: `live` while connected; `silent` while the daemon does not answer; `waiting` for the next attempt;
            `denied`: the credential is not taken, and is read anew for each attempt.
        heard_at: When the daemon was last heard, seconds since the epoch.
        attempt: Attempts since it was last live.
        error: Why it is not live, for people.
        retry_at: When the next attempt is due, seconds since the epoch; None while there is none to wait for.
    """

    def __init__(self, find: Callable[[], Address], name: str, policy: ReconnectPolicy = POLICY) -> None:
        """Be a frontend of this name.

        Args:
            find: Finds the daemon. Blocks; called before each attempt, on a worker thread.
            name: What stands in the log as the device.
            policy: When to try again.
        """
        self.state: State = "connecting"
        self.attempt = 0
        self.error: str | None = None
        self.retry_at: float | None = None
        self.heard_at = time()
        self._find = find
        self._name = name
        self._policy = policy
        self._socket: Socket | None = None
        self._names = count(1)
        self._views: dict[str, View] = {}
        self._followings: dict[str, Following] = {}
        self._pending: dict[str, _Pending] = {}
        self._focus: Json | None = None
        self._turned = anyio.Event()

    # What frontends ask for

    async def view(
        self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False
    ) -> View:
        """Look at a view, and return it once it is known; `ended` is for a roster with the ended sessions too.

        Raises:
            HoldfastError: The daemon refuses it.
        """
        view = View(name, session, limit=limit, ended=ended)
        sub = f"v{next(self._names)}"
        self._views[sub] = view
        await self._send(view.subscription(sub))
        try:
            await view.until_known()
        except BaseException:  # refused, or nobody waits for it any more
            with anyio.move_on_after(1, shield=True):
                await self.leave(view)
            raise
        return view

    async def leave(self, view: View) -> None:
        """Look away; what is in the view stays as it is."""
        for sub in [sub for sub, each in self._views.items() if each is view]:
            del self._views[sub]
            view.lose()
            await self._send({"type": "unsubscribe", "sub": sub})

    async def events(
        self, after: str | int | None = None, *, session: str | None = None, types: Sequence[str] | None = None
    ) -> AsyncGenerator[Delivery]:
        """Yield what is in the log after a cursor (None: all of it), and go on for ever; close it with `aclosing`.

        Whoever takes them slowly is left behind after a while, and goes on from there: nothing else waits for it, and
        nothing is skipped.

        Raises:
            CursorError: The cursor is of another log: begin without one.
            HoldfastError: The daemon refuses it, or cannot read its log.
        """
        following, sub = Following(after, session, types), ""
        try:
            while True:
                sub = f"e{next(self._names)}"
                self._followings[sub] = following
                await self._send(following.subscription(sub))
                while (delivery := await following.take()) is not None:
                    yield delivery
        finally:
            following.close()
            self._followings.pop(sub, None)
            with anyio.move_on_after(1, shield=True):
                await self._send({"type": "unsubscribe", "sub": sub})

    async def command(
        self, verb: str, session: str | None = None, body: Json | None = None, *, client_id: str | None = None
    ) -> object:
        """Have something done, and return the result once it is in the log; waits for a daemon that is away.

        Args:
            verb: The last word of its HTTP path.
            session: The session it is about.
            body: The body of the HTTP request.
            client_id: Our name for it; the same one again returns the first result.

        Raises:
            HoldfastError: It is refused.
        """
        client_id = client_id or uuid4().hex
        frame: Json = {
            "type": "command", "client_id": client_id, "verb": verb, "session": session, "body": body or {},
        }  # fmt: skip
        if len(_encode(frame)) > _MESSAGE_BYTES:
            msg = f"a command has at most {_MESSAGE_BYTES} bytes: send it over HTTP"
            raise UsageError(msg)
        pending = self._pending[client_id] = _Pending(frame)
        try:
            await self._send(frame)
            await pending.done.wait()
        finally:
            self._pending.pop(client_id, None)
        if pending.answer["type"] == "error":
            raise _error(pending.answer)
        return pending.answer["result"]

    async def focus(self, session: str | None, *, seen: int | None = None) -> None:
        """Say what the person looks at, None for nothing.

        Args:
            session: The session.
            seen: Position of the newest output that is visible; None leaves it to what a transcript view was sent.
        """
        self._focus = {"type": "focus", "session": session, **({} if seen is None else {"seen": seen})}
        await self._send(self._focus)

    async def turned(self) -> None:
        """Return when `state` has changed."""
        await self._turned.wait()

    # Being attached

    async def run(self) -> None:
        """Stay attached until cancelled."""
        try:
            while True:
                self._turn("connecting")
                try:
                    await self._attach()
                except GoneError as gone:
                    self._lose("denied" if gone.code in (_DENIED, 401, 403) else "waiting", str(gone))
                except TimeoutError:
                    self._lose("waiting", "it does not answer")
                except (HoldfastError, OSError) as error:
                    self._lose("waiting", str(error))
                self.attempt += 1
                pause_s = delay(self._policy, self.attempt, random.random) or 0.0
                self.retry_at = time() + pause_s
                await anyio.sleep(pause_s)
                self.retry_at = None
        finally:
            self._lose("waiting", "detached")

    async def _attach(self) -> None:
        address = await to_thread.run_sync(self._find, abandon_on_cancel=True)
        async with await anyio.connect_unix(address.socket) as stream:
            with anyio.fail_after(SILENT_S):
                socket = await Socket.over(stream, _URI, _SUBPROTOCOL)
            try:
                await socket.send(_encode({"type": "hello", "client": self._name, "token": address.token}))
                await self._stay(socket)
            finally:
                await socket.aclose()

    async def _stay(self, socket: Socket) -> None:
        """Take what comes until the connection is over, or the daemon has been silent for too long."""
        why: Exception = GoneError(1006, "the daemon has gone silent")
        async with anyio.create_task_group() as tasks:
            ask = partial(self._send, {"type": "ping"})
            tasks.start_soon(watch, socket, ask, self._fell_silent, tasks.cancel_scope.cancel)
            try:
                await self._take_up(socket)
                while True:
                    await self._take(await socket.receive())
            except (GoneError, HoldfastError, OSError) as error:
                why = error
                tasks.cancel_scope.cancel()
        raise why

    def _fell_silent(self) -> None:
        if self.state == "live":
            self.error = "it does not answer"
            self._turn("silent")

    async def _take_up(self, socket: Socket) -> None:
        """Ask for everything again that was asked for before."""
        asked: list[Json] = [view.subscription(sub) for sub, view in self._views.items()]
        asked += [following.subscription(sub) for sub, following in self._followings.items()]
        asked += [pending.frame for pending in self._pending.values()]
        if self._focus is not None:
            asked.append(self._focus)
        asked.append({"type": "ping"})  # the answer says that we are in
        self._socket = socket
        for frame in asked:
            await socket.send(_encode(frame))

    async def _send(self, frame: Json) -> None:
        """Send a frame if there is a connection; else it goes out with the next one."""
        if self._socket is not None:
            try:
                await self._socket.send(_encode(frame))
            except GoneError:
                self._socket = None

    def _lose(self, state: State, error: str) -> None:
        self._socket = None
        for view in self._views.values():
            view.lose()
        self.error = error
        self._turn(state)

    def _turn(self, state: State) -> None:
        self.state = state
        self._turned.set()
        self._turned = anyio.Event()

    # Frames

    async def _take(self, text: str) -> None:
        try:
            frame = _decode(text)
        except MsgspecError as error:
            raise GoneError(1002, f"the daemon sent no JSON: {error}") from error
        self.heard_at = time()
        if self.state != "live":
            self.attempt, self.error = 0, None
            self._turn("live")
        sub = cast("str", frame.get("sub"))
        match frame.get("type"):
            case "snapshot" if sub in self._views:
                self._views[sub].take_snapshot(frame)
            case "patch" if sub in self._views:
                if not self._views[sub].take_patch(frame):
                    await self._look_again(sub)
            case "events" | "caught_up" if sub in self._followings:
                await self._deliver(sub, frame)
            case "reset" if sub in self._views:
                await self._look_again(sub)
            case "reset" if sub in self._followings:
                self._followings.pop(sub).fail(CursorError(str(frame.get("detail"))))
            case "ok" | "error":
                self._answer(frame)
            case _:
                pass  # what a later daemon says beside this

    async def _look_again(self, sub: str) -> None:
        view = self._views.pop(sub)
        again = f"v{next(self._names)}"
        self._views[again] = view
        await self._send({"type": "unsubscribe", "sub": sub})
        await self._send(view.subscription(again))

    async def _deliver(self, sub: str, frame: Json) -> None:
        events, cursor = cast("list[Json]", frame.get("events", [])), cast("str", frame["cursor"])
        if not await self._followings[sub].put(Delivery(events, cursor, caught_up=frame["type"] == "caught_up")):
            self._followings.pop(sub, None)
            await self._send({"type": "unsubscribe", "sub": sub})

    def _answer(self, frame: Json) -> None:
        sub, client_id = frame.get("sub"), frame.get("client_id")
        pending = self._pending.get(client_id) if isinstance(client_id, str) else None
        if pending is not None:
            pending.answer = frame
            pending.done.set()
        elif isinstance(sub, str) and sub in self._views:
            self._views.pop(sub).take_refusal(_error(frame))
        elif isinstance(sub, str) and sub in self._followings:
            self._followings.pop(sub).fail(_error(frame))


@asynccontextmanager
async def attached(control: DaemonFinder, name: str) -> AsyncGenerator[Stream]:
    """Be attached to the daemon of a home until the context is left; it may come, go and come back meanwhile."""
    stream = Stream(partial(find, control), name)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.run)
        try:
            yield stream
        finally:
            tasks.cancel_scope.cancel()


def find(control: DaemonFinder) -> Address:
    """Return where the daemon is now.

    Raises:
        NotRunningError: None runs.
    """
    running = control.running()
    if running is None:
        msg = "no daemon runs: `holdfast up` starts it"
        raise NotRunningError(msg)
    return Address(running.socket, control.token())


def _error(frame: Json) -> HoldfastError:
    return rebuilt(str(frame.get("code")), str(frame.get("detail")))
