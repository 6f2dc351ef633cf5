"""One attachment: its hello, what it asks for, and what it is sent. Reads and writes go on beside each other."""

from __future__ import annotations

from collections import deque
from logging import getLogger
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import anyio
from anyio.lowlevel import checkpoint
from msgspec import UNSET

from holdfast.domain.errors import HoldfastError, UsageError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.frontends.codes import code_of
from holdfast.frontends.gateway.stream import frames
from holdfast.frontends.gateway.stream.gate import RefusedError
from holdfast.frontends.gateway.stream.overheard import FramesSubscription
from holdfast.frontends.gateway.stream.subscriptions import EventsSubscription, Subscription, ViewSubscription

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from holdfast.frontends.gateway.stream.gate import Commands, Credential
    from holdfast.frontends.gateway.stream.seen import Seen
    from holdfast.frontends.gateway.stream.socket import Socket
    from holdfast.frontends.gateway.views.hub import Hub

STALLED_S: Final = 5.0
"""A reader that takes nothing for this long is cut off."""

_SUBSCRIPTIONS = 256
"""How many one connection may have at a time."""

_COMMANDS = 64
"""How many one connection may have under way, and how many answers may wait for it; then nothing more is read."""

_SLOW = frozenset({"mode", "sessions", "reconnect"})
"""What may wait for a peer: the commands after it do not wait for them."""

_log = getLogger(__name__)


class CutOffError(Exception):
    """The reader takes nothing."""


class Attachment:
    """A frontend on one connection, from its hello on."""

    def __init__(
        self, hub: Hub, socket: Socket, commands: Commands, seen: Seen, *, client: str, credential: Credential
    ) -> None:
        """Serve a client that has said who it is."""
        self.id = uuid4().hex
        self.credential = credential
        self._hub = hub
        self._socket = socket
        self._commands = commands
        self._client = client
        self._seen = seen
        self._subscriptions: dict[str, Subscription] = {}
        self._replies: deque[bytes] = deque()
        self._looks = False
        self._wake = anyio.Event()
        self._idle = False
        self._running = 0
        # Most attachments never wait for these, and an event takes most of a kilobyte.
        self._replied: anyio.Event | None = None
        self._room: anyio.Event | None = None
        self._in_order: dict[str | None, deque[frames.Command]] = {}

    async def serve(self) -> None:
        """Serve until the client goes, or is cut off."""
        async with self._hub.attached(self.wake), anyio.create_task_group() as tasks:
            try:
                tasks.start_soon(self._writing, tasks)
                await self._read(tasks)
            finally:
                tasks.cancel_scope.cancel()
                for subscription in self._subscriptions.values():
                    subscription.close()
                self._hub.focus(self.id, self._client, None)

    async def _writing(self, tasks: TaskGroup) -> None:
        try:
            await self._write()
        except (ConnectionError, CutOffError):
            tasks.cancel_scope.cancel()

    def ping(self) -> None:
        """Show a sign of life; it is also how a reader is found that has gone quiet while nothing happens."""
        if frames.PING not in self._replies:
            self._reply(frames.PING)

    def wake(self) -> None:
        """Send what is new of views, here and now, to a reader that keeps up; else have the writer look for it."""
        if not (self._idle and self._pass_on()):
            self._idle = False
            self._wake.set()

    def _reply(self, frame: bytes) -> None:
        self._replies.append(frame)
        self._idle = False
        self._wake.set()

    # Reading

    async def _read(self, tasks: TaskGroup) -> None:
        while (text := await self._socket.receive()) is not None:
            if isinstance(text, bytes):
                self._reply(frames.error("usage", "frames are text, in JSON"))
                continue
            try:
                frame = frames.read(text)
                await self._take(frame, tasks)
            except HoldfastError as error:
                self._reply(frames.refused(text, code_of(type(error)), str(error)))
            while len(self._replies) > _COMMANDS:  # who asks on and on reads the answers first
                self._replied = anyio.Event()
                await self._replied.wait()

    async def _take(self, frame: frames.Frame, tasks: TaskGroup) -> None:
        match frame:
            case frames.Subscribe():
                self._subscribe(frame)
            case frames.Unsubscribe(sub=sub):
                subscription = self._subscriptions.pop(sub, None)
                if subscription is not None:
                    subscription.close()
            case frames.Command():
                await self._command(frame, tasks)
            case frames.Focus():
                self._focus(frame, tasks)
            case frames.Ping():
                self._reply(frames.PONG)
            case frames.Hello():
                msg = "hello is the first frame, and said once"
                raise UsageError(msg)

    def _subscribe(self, frame: frames.Subscribe) -> None:
        if frame.sub in self._subscriptions:
            msg = f"there is a subscription {frame.sub!r} already: unsubscribe it, or use another name"
            raise UsageError(msg)
        if len(self._subscriptions) >= _SUBSCRIPTIONS:
            msg = f"there are {_SUBSCRIPTIONS} subscriptions already"
            raise UsageError(msg)
        if (frame.events is None) == (frame.view is None):
            msg = "a subscription is of `events` or of a `view`, and not of both"
            raise UsageError(msg)
        made: Subscription
        if frame.events is not None:
            made = EventsSubscription(self._hub, frame.sub, frame.events, self.wake)
        elif frame.view == "frames":
            made = FramesSubscription(self._hub, frame, self.wake)
        else:
            made = ViewSubscription(self._hub, frame, self.wake)
        self._subscriptions[frame.sub] = made
        self.wake()

    def _focus(self, frame: frames.Focus, tasks: TaskGroup) -> None:
        if not self._looks:
            self._looks = True
            tasks.start_soon(self._seen.run)  # most attachments never say what they look at
        session = None if frame.session is None else StreamId(frame.session)
        self._hub.focus(self.id, self._client, session)
        self._seen.focus(session, frame.seen)
        if session is not None and frame.seen is UNSET:
            self._note_shown()

    def _note_shown(self) -> None:
        """What was sent of the focused session's transcript counts as seen, unless the client says itself what is."""
        for subscription in self._subscriptions.values():
            if isinstance(subscription, ViewSubscription) and subscription.session is not None:
                self._seen.shown(StreamId(subscription.session), subscription.position)

    # Commands

    async def _command(self, frame: frames.Command, tasks: TaskGroup) -> None:
        """Begin a command; those of one session are carried out one after the other, in the order they came."""
        while self._running >= _COMMANDS:
            self._room = anyio.Event()
            await self._room.wait()
        self._running += 1
        if frame.verb in _SLOW:
            tasks.start_soon(self._carry_out, frame)
            return
        waiting = self._in_order.get(frame.session)
        if waiting is not None:
            waiting.append(frame)
            return
        self._in_order[frame.session] = deque([frame])
        tasks.start_soon(self._work_off, frame.session)

    async def _work_off(self, session: str | None) -> None:
        waiting = self._in_order[session]
        while waiting:
            await self._carry_out(waiting.popleft())
        del self._in_order[session]

    async def _carry_out(self, frame: frames.Command) -> None:
        try:
            self._reply(await self._answer(frame))
        finally:
            self._running -= 1
            if self._room is not None:
                self._room.set()

    async def _answer(self, frame: frames.Command) -> bytes:
        client_id = frame.client_id
        try:
            if self.credential.read_only:
                return frames.error("denied", f"the token {self.credential.name!r} may only read", client_id=client_id)
            actor = Actor("human", self._client)
            result = await self._commands(frame.verb, frame.session, frame.body, client_id=client_id, actor=actor)
            return frames.ok(client_id, result, await self._hub.tail.head())
        except RefusedError as refused:
            return frames.error(refused.code, str(refused), client_id=client_id)
        except HoldfastError as error:
            return frames.error(code_of(type(error)), str(error), client_id=client_id)
        except Exception:  # noqa: BLE001 - whatever it was, one command has failed and not the connection
            _log.exception("a command failed", extra={"verb": frame.verb})
            detail = "internal error; `holdfast logs` says where, please report it"
            return frames.error("internal", detail, client_id=client_id)

    # Writing

    async def _write(self) -> None:
        while True:
            self._wake = anyio.Event()
            if await self._round():
                await checkpoint()  # a reader that keeps up never makes the writer wait by itself
            elif not self._wake.is_set():
                self._idle = True
                await self._wake.wait()

    def _pass_on(self) -> bool:
        """Send patches without a turn of the writer, which costs more than they do; tell whether that was all."""
        for subscription in self._subscriptions.values():
            if not isinstance(subscription, ViewSubscription):
                return False
            while self._socket.ready:
                frame = subscription.patch()
                if frame is None:
                    break
                if not self._socket.send_now(frame):
                    return False
                self._note_sent(subscription)
            else:
                return False
            if subscription.waits:
                return False
        return True

    async def _round(self) -> bool:
        """Send the replies, and one frame of each subscription; tell whether anything was sent."""
        sent = False
        while self._replies:
            sent = True
            await self._send(self._replies.popleft())
            if self._replied is not None:
                self._replied.set()
        for sub, subscription in list(self._subscriptions.items()):
            frame = await self._next(sub, subscription)
            if frame is None:
                continue
            sent = True
            await self._send(frame)
            self._note_sent(subscription)
            if subscription.over:
                self._end(sub, subscription)
        return sent

    def _note_sent(self, subscription: Subscription) -> None:
        if isinstance(subscription, EventsSubscription):
            subscription.sent = subscription.position
        elif isinstance(subscription, ViewSubscription) and subscription.session is not None:
            self._seen.shown(StreamId(subscription.session), subscription.position)

    async def _next(self, sub: str, subscription: Subscription) -> bytes | None:
        if self._subscriptions.get(sub) is not subscription:
            return None
        try:
            frame = await subscription.next()
        except HoldfastError as error:
            self._end(sub, subscription)
            return frames.error(code_of(type(error)), str(error), sub=sub)
        return frame if self._subscriptions.get(sub) is subscription else None

    def _end(self, sub: str, subscription: Subscription) -> None:
        subscription.close()
        if self._subscriptions.get(sub) is subscription:
            del self._subscriptions[sub]

    async def _send(self, frame: bytes) -> None:
        if not await self._socket.send(frame, within_s=STALLED_S):
            cursor = self._cursor()
            _log.warning("a reader was cut off", extra={"client": self._client, "cursor": cursor})
            self._socket.cut(1013, f"cursor={cursor}")
            raise CutOffError

    def _cursor(self) -> str:
        """Where a reader that is cut off has come to: everything before it was sent."""
        places = [each.sent for each in self._subscriptions.values() if isinstance(each, EventsSubscription)]
        return self._hub.tail.cursor(min(places, default=self._hub.recent.end))
