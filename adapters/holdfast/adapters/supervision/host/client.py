"""The daemon's side of an agent host: one connection that writes, acknowledges, asks and ends, on anyio."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import anyio
import msgspec
from anyio import to_thread
from anyio.lowlevel import checkpoint_if_cancelled

from holdfast.adapters.supervision.host import folder
from holdfast.adapters.supervision.host.folder import Ending, Exit, Status
from holdfast.adapters.supervision.host.processes import look, peer_uid, strike
from holdfast.adapters.supervision.host.protocol import Decoder, WireError, encode
from holdfast.adapters.supervision.host.reader import Reader
from holdfast.adapters.supervision.host.stream import UnixStream, connect_unix
from holdfast.domain.errors import (
    AgentError,
    AgentExitedError,
    HostFencedError,
    HostFullError,
    HostGoneError,
    HostProtocolError,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator, Iterable

    from holdfast.adapters.supervision.host.folder import Host

CONNECT_S = 5.0
SOCKET_S = 1.0
UNHEARD_S = 0.5
"""How long a host may talk while nobody waits for anything of it."""

ANSWER_S = 30.0
"""A host answers at once; one that does not is stuck, and the connection is given up."""

_REFUSALS: dict[str, type[AgentError]] = {
    "stale": HostFencedError,
    "exited": AgentExitedError,
    "full": HostFullError,
}


async def connect(host: Host, *, epoch: int) -> Connection:
    """Connect to a living host and become the one who drives it. Start `run` in a nursery before anything else.

    Args:
        host: As `folder.describe` or `launch` returned it.
        epoch: Grows from daemon to daemon. The newest wins: an older one is closed, and refused from then on.

    Raises:
        HostGoneError: Nobody listens, or not in time.
        HostFencedError: A newer daemon has been here.
        HostProtocolError: Whoever listens is not this host.
    """
    try:
        with anyio.fail_after(CONNECT_S):
            try:
                stream = await connect_unix(str(host.socket))
            except FileNotFoundError:
                await _have_socket_made(host)
                stream = await connect_unix(str(host.socket))
    except (OSError, TimeoutError) as error:
        raise HostGoneError(f"no host of agent {host.incarnation} listens on {host.socket}: {error}") from error
    connection = Connection(host, stream)
    try:
        _check_peer(host, stream)
        with anyio.fail_after(CONNECT_S):
            await connection.hello(epoch)
    except BaseException as error:
        stream.close()
        if isinstance(error, TimeoutError):
            raise HostGoneError(f"the host of agent {host.incarnation} does not answer") from error
        raise
    return connection


async def _have_socket_made(host: Host) -> None:
    """Ask a living host for a new socket; folders for sockets are emptied behind its back."""
    process = look(host.host.pid)
    if process is None or process.start != host.host.start or not strike(process, signal.SIGHUP):
        return
    with anyio.move_on_after(SOCKET_S):
        while not await anyio.Path(host.socket).exists():  # noqa: ASYNC110 # a file that appears wakes nobody
            await anyio.sleep(0.02)


def _check_peer(host: Host, stream: UnixStream) -> None:
    if peer_uid(stream.sock) != os.getuid():
        raise HostProtocolError(f"{host.socket} belongs to another user")


class _Question:
    """A request on its way, until its answer is there or never will be."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.answer: dict[str, Any] | None = None


class Connection:
    """One connection to a host.

    Attributes:
        host: Whom it goes to.
        head: Offset after the last byte of output that is known to be on disk.
        full: Whether the host waits for room on the disk.
        exit: How the agent ended, None while it lives.
        lost: Why the connection is over, None while it is not.
    """

    def __init__(self, host: Host, stream: UnixStream) -> None:
        self.host = host
        self.head, self.full = 0, False
        self.exit: Exit | None = None
        self.lost: AgentError | None = None
        self._stream = stream
        self._decoder = Decoder()
        self._sending = anyio.Lock()
        self._changed = anyio.Event()
        self._questions: dict[int, _Question] = {}
        self._number, self._closed = 0, False
        self._waiting = 0
        self._need = anyio.Event()

    async def run(self) -> None:
        """Move what comes from the host, until the connection is over; close it then. Never raises for that.

        A host tells of every piece that its agent says. While nobody waits for an answer or for output, that may lie.
        """
        try:
            while self.lost is None:
                await self._receive()
                if not self._needed:
                    with anyio.move_on_after(UNHEARD_S):
                        await self._need.wait()
        finally:
            self._over(HostGoneError(f"the connection to the host of agent {self.host.incarnation} was closed"))
            self._stream.close()

    async def hello(self, epoch: int) -> None:
        """Become the one who drives; `connect` has done that."""
        await self._send(0, {"verb": "hello", "epoch": epoch, "version": 1}, b"")
        question = self._questions[0] = _Question()
        while not question.done.is_set():
            await self._receive()
        self._learn(self._result(question))

    async def write(self, key: str, data: bytes) -> bool:
        """Hand data to the agent, once for each key, however often it is asked for.

        Returns:
            Whether it was accepted now; False if the key was known already.

        Raises:
            AgentExitedError: The agent has ended; this was not accepted.
            HostFullError: There is no room for it at present; this was not accepted.
            HostGoneError: The connection broke: whether it was accepted is to be asked again.
            HostProtocolError: It is longer than any host takes; this was not accepted.
            HostFencedError: A newer daemon drives the agent.
        """
        return not (await self._ask({"verb": "write", "key": key}, data))["known"]

    async def ack(self, offset: int, settled: Iterable[str] = ()) -> None:
        """Say that all output before an offset is committed, so that the host can let it go.

        Args:
            offset: The byte after the last committed line.
            settled: Keys whose outcome is committed. The host still knows them, but no longer where their bytes are.
        """
        await self._ask({"verb": "ack", "offset": offset, "settled": list(settled)})

    async def status(self, keys: Iterable[str] = ()) -> Status:
        """Return what the host knows, about these keys too."""
        return msgspec.convert(await self._ask({"verb": "status", "keys": list(keys)}), Status)

    async def stop(self, reason: str) -> Ending:
        """End the agent: end of input, then SIGTERM, then SIGKILL to all that belongs to it; return how it ended."""
        try:
            return msgspec.convert(await self._ask({"verb": "stop", "reason": reason}), Ending)
        except HostGoneError:
            await self.beyond(self.head)
            if ended := await to_thread.run_sync(folder.ending, self.host.folder):
                return ended
            raise

    async def beyond(self, offset: int) -> bool:
        """Wait until there is output beyond an offset; see `reader.Feed`."""
        with self._listening():
            while self.head <= offset and self.lost is None:
                await self._changed.wait()
        if self.head > offset:
            return True
        if self.lost and (self._closed or isinstance(self.lost, HostFencedError)):
            raise self.lost
        if not await gone(self.host):
            raise HostGoneError(f"the connection to the host of agent {self.host.incarnation} broke") from self.lost
        return False

    async def news(self) -> None:
        """Wait until `head`, `full`, `exit` or `lost` changes."""
        with self._listening():
            await self._changed.wait()

    def reader(self, offset: int) -> Reader:
        """Return what reads the agent's output from an offset on."""
        return Reader(self.host.folder, offset, self)

    @property
    def _needed(self) -> bool:
        return self._waiting > 0

    @contextmanager
    def _listening(self) -> Generator[None]:
        """Have what the host says heard at once for as long as the context lasts."""
        self._waiting += 1
        self._need.set()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._need = anyio.Event()

    async def aclose(self) -> None:
        """Close the connection; the agent goes on."""
        self._closed = True
        self._over(HostGoneError("the connection was closed from this side"))
        self._stream.close()

    async def _ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        await checkpoint_if_cancelled()
        if self.lost:
            raise self.lost
        self._number += 1
        number = self._number
        question = self._questions[number] = _Question()
        try:
            await self._send(number, header, body)
            with self._listening(), anyio.fail_after(ANSWER_S):
                await question.done.wait()
            if question.answer is None:
                await checkpoint_if_cancelled()  # the connection may be over because all of this is being cancelled
            return self._result(question)
        except TimeoutError as error:
            self._over(HostGoneError(f"the host of agent {self.host.incarnation} does not answer"))
            raise HostGoneError(f"the host of agent {self.host.incarnation} does not answer") from error
        finally:
            del self._questions[number]

    async def _send(self, number: int, header: dict[str, Any], body: bytes) -> None:
        try:
            message = encode({"id": number, **header}, body)
        except WireError as error:
            raise HostProtocolError(f"what was to be written is too long: {error}") from error
        async with self._sending:
            try:
                # Half a message would make the rest unreadable, so it is sent whole, cancelled or not.
                with anyio.CancelScope(shield=True), anyio.fail_after(ANSWER_S):
                    await self._stream.send(message)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                await checkpoint_if_cancelled()  # it may be closed because all of this is being cancelled
                raise self.lost or HostGoneError("the host has closed the connection") from error

    async def _receive(self) -> None:
        try:
            for header, _ in self._decoder.feed(await self._stream.receive()):
                self._take(header)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._over(HostGoneError(f"the host of agent {self.host.incarnation} closed the connection"))
        except (WireError, msgspec.ValidationError) as error:
            self._over(HostProtocolError(f"the host of agent {self.host.incarnation} is not understood: {error}"))

    def _take(self, header: dict[str, Any]) -> None:
        match header.get("notice"):
            case None:
                question = self._questions.get(header.get("id", -1))
                if question:
                    question.answer = header
                    question.done.set()
            case "fenced":
                self._over(HostFencedError(f"a daemon of epoch {header.get('epoch')} drives this agent now"))
            case "state":
                self._learn(header)
            case _:  # a newer host's, and of no meaning to us
                return

    def _learn(self, told: dict[str, Any]) -> None:
        self.head = max(self.head, msgspec.convert(told.get("head", 0), int))
        self.full = bool(told.get("full"))
        self.exit = msgspec.convert(told.get("exit"), Exit | None)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _over(self, why: AgentError) -> None:
        if self.lost is None:
            self.lost = why
            for question in self._questions.values():
                question.done.set()
            self._wake()

    def _result(self, question: _Question) -> dict[str, Any]:
        if question.answer is None:
            raise self.lost or HostGoneError("the host did not answer")
        answer = question.answer
        if "ok" in answer:
            return cast("dict[str, Any]", answer["ok"])
        refusal = _REFUSALS.get(str(answer.get("error")), HostProtocolError)
        raise refusal(f"the host of agent {self.host.incarnation}: {answer.get('detail')}")


class Remains:
    """What reads the spool of a host that is dead: there is never more than what is on disk."""

    async def beyond(self, offset: int) -> bool:
        """Return at once that nothing will come."""
        return offset < 0


async def gone(host: Host, within_s: float = 2.0) -> bool:
    """Return whether a host whose connection broke is dead, waiting a moment for it to be."""
    if not await to_thread.run_sync(folder.is_alive, host.folder):
        return True
    with suppress(OSError):  # it is gone by now
        handle = os.pidfd_open(host.host.pid)
        try:
            with anyio.move_on_after(within_s):
                await anyio.wait_readable(cast("socket.socket", handle))
        finally:
            os.close(handle)
    return not await to_thread.run_sync(folder.is_alive, host.folder)
