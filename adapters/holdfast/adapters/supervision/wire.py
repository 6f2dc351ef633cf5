"""The bytes of one link: of a program under its host, alive or dead, or of a connection that was dialled.

Both look the same from above. What differs is what survives: a host keeps what was said and knows what it was told; a
dialled connection takes everything with it.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

import anyio
from anyio import to_thread

from holdfast.adapters.supervision.host import client, folder
from holdfast.adapters.supervision.host.client import Remains
from holdfast.adapters.supervision.host.delivery import Facts, judge, place
from holdfast.adapters.supervision.host.reader import Reader
from holdfast.domain.errors import AgentExitedError, HostFencedError, HostFullError, HostGoneError, HostProtocolError
from holdfast.domain.transport import AtHand, ConnectError, Failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from anyio.abc import TaskGroup

    from holdfast.adapters.supervision.host.client import Connection
    from holdfast.adapters.supervision.host.delivery import Outcome
    from holdfast.adapters.supervision.host.folder import Ending, Host, Status
    from holdfast.domain.transport import Stream, Write

AGAIN_S: Final = 0.2
"""Between two tries to reach a host that lives, or that has no room."""

_STDERR_SHOWN: Final = 300


class Wire(Protocol):
    """One connection, already open.

    Attributes:
        incarnation: Names the stream of bytes that comes from it.
        offset: Where in it reading began.
    """

    incarnation: bytes
    offset: int

    async def receive(self) -> bytes:
        """Return the next bytes; nothing once it is over and everything was read.

        Raises:
            HostFencedError: A newer daemon drives the peer.
        """
        ...

    def at_hand(self, most: int) -> bytes:
        """Return bytes that can be had without waiting, so many at most; nothing where that is not certain."""
        ...

    async def send(self, write: Write) -> None:
        """Hand something over, once for each key. Returns also where the peer is gone: `fate` tells."""
        ...

    async def acknowledge(self, offset: int) -> None:
        """Say that everything before this byte is in the log."""
        ...

    async def stop(self, reason: str) -> None:
        """End the peer, if it is a program; else hang up."""
        ...

    async def fate(self, key: str, *, seen: bool) -> Outcome:
        """Return what became of something that was to be sent, after the connection is over."""
        ...

    async def ended(self) -> Failure:
        """Return why it is over."""
        ...


@asynccontextmanager
async def hosted(host: Host, offset: int | None, *, epoch: int, alive: bool = True) -> AsyncGenerator[HostedWire]:
    """Drive the program of a host for as long as the context lasts; it goes on afterwards.

    Args:
        host: As it described itself.
        offset: Where to read on; None: at the beginning.
        epoch: Of this daemon.
        alive: Whether the host lives; if not, what it left behind is read.

    Raises:
        HostFencedError: A newer daemon drives it.
    """
    async with anyio.create_task_group() as nursery:
        wire = HostedWire(host, offset or 0, epoch, nursery if alive else None)
        try:
            if alive:
                await wire.connect()
            yield wire
        finally:
            await wire.close()
            nursery.cancel_scope.cancel()


class HostedWire:
    """A program under its host."""

    def __init__(self, host: Host, offset: int, epoch: int, nursery: TaskGroup | None) -> None:
        self.incarnation = host.id
        self.offset = offset
        self._host = host
        self._epoch = epoch
        self._nursery = nursery
        self._client: Connection | None = None
        self._reader: Reader | None = None
        self._at = offset
        self._connecting = anyio.Lock()

    async def connect(self) -> None:
        """Reach the host; where it has died meanwhile, what it left is read."""
        status = await self._ask_status()
        if status is not None:
            self.offset = self._at = max(self._at, status.acked)

    async def receive(self) -> bytes:
        """Return the next bytes of the spool; nothing when the host is dead and everything was read."""
        while True:
            reader = self._reader
            if reader is None:
                connection = await self._reach()
                feed = Remains() if connection is None else connection
                reader = self._reader = Reader(self._host.folder, self._at, feed)
            try:
                data = await reader.read()
            except HostGoneError:
                reader.close()
                self._reader = None
                await anyio.sleep(AGAIN_S)
                continue
            self._at = reader.offset
            return data

    def at_hand(self, most: int) -> bytes:
        """Return what the kernel still has in memory of what comes next in the spool."""
        reader = self._reader
        if reader is None:
            return b""
        data = reader.at_hand(most)
        self._at = reader.offset
        return data

    async def send(self, write: Write) -> None:
        """Hand something over; wait while the host has no room."""
        while (connection := await self._reach()) is not None:
            try:
                await connection.write(write.key, write.data)
            except AgentExitedError:
                return
            except (HostFullError, HostGoneError):
                await anyio.sleep(AGAIN_S)
            else:
                return

    async def acknowledge(self, offset: int) -> None:
        """Let the host let go of what is in the log. Only a matter of room, so that nothing waits for it."""
        connection = self._client
        if connection is None or connection.lost is not None:
            return
        try:
            await connection.ack(offset)
        except (HostGoneError, AgentExitedError):
            return

    async def stop(self, reason: str) -> None:
        """End the program and all that belongs to it."""
        connection = await self._reach()
        if connection is None:
            return
        try:
            await connection.stop(reason)
        except HostGoneError:
            return

    async def fate(self, key: str, *, seen: bool) -> Outcome:
        """Judge by what the host says, or said when it ended."""
        status: Status | None = await to_thread.run_sync(folder.ending, self._host.folder, (key,))
        if status is not None:
            return judge(Facts("ended", False, place(status, key), seen))
        status = await self._ask_status(key)
        if status is None:
            return judge(Facts("dead", False, None, seen))
        return judge(Facts("alive", status.exit is None, place(status, key), seen))

    async def ended(self) -> Failure:
        """Return how the program ended, with its last words to standard error."""
        ending = await to_thread.run_sync(folder.ending, self._host.folder)
        said = await to_thread.run_sync(_last_words, self._host)
        if ending is None:
            return Failure("host-dead", f"the agent's host was killed{said}")
        if ending.reason in ("stopped", "abandoned"):
            return Failure(ending.reason, f"the agent was stopped: {ending.detail}")
        return Failure("exited", f"the agent ended {_how(ending)}{said}")

    async def close(self) -> None:
        """Let go of the host."""
        if self._reader is not None:
            self._reader.close()
        if self._client is not None:
            await self._client.aclose()

    async def _reach(self) -> Connection | None:
        """Return a connection to the host, a new one where that is needed; None once it is dead."""
        async with self._connecting:
            while self._nursery is not None:
                if self._client is not None and self._client.lost is None:
                    return self._client
                if self._client is not None and isinstance(self._client.lost, HostFencedError):
                    raise self._client.lost
                if not await to_thread.run_sync(folder.is_alive, self._host.folder):
                    self._nursery = None
                    break
                try:
                    self._client = await client.connect(self._host, epoch=self._epoch)
                except HostGoneError:
                    await anyio.sleep(AGAIN_S)
                else:
                    self._nursery.start_soon(self._client.run)
            return None

    async def _ask_status(self, *keys: str) -> Status | None:
        while (connection := await self._reach()) is not None:
            try:
                return await connection.status(keys)
            except HostGoneError:
                await anyio.sleep(AGAIN_S)
        return None


class DialledWire:
    """A connection to somebody else's program."""

    def __init__(self, stream: Stream, incarnation: bytes) -> None:
        self.incarnation = incarnation
        self.offset = 0
        self._stream = stream
        self._tells = stream if isinstance(stream, AtHand) else None
        self._tried: set[str] = set()
        self._failure: Failure | None = None

    async def receive(self) -> bytes:
        """Return the next bytes; nothing when the connection is over."""
        while self._failure is None:
            try:
                if data := await self._stream.receive():
                    return data
            except anyio.EndOfStream:
                self._over(Failure("lost", "the peer closed the connection"))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
                self._over(Failure("lost", f"the connection broke: {error.__cause__ or type(error).__name__}"))
            except ConnectError as error:
                self._over(error.failure)
        return b""

    def at_hand(self, most: int) -> bytes:
        """Return what the stream has already, where it is one that can tell."""
        return b"" if self._tells is None or self._failure is not None else self._tells.at_hand(most)

    async def send(self, write: Write) -> None:
        """Send something; what breaks here is noticed by whoever reads."""
        if self._failure is not None or write.key in self._tried:
            return
        self._tried.add(write.key)
        try:
            await self._stream.send(write.data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            return

    async def acknowledge(self, offset: int) -> None:
        """Nobody keeps anything for us."""

    async def stop(self, reason: str) -> None:
        """Hang up."""
        self._over(Failure("stopped", reason))
        await self._stream.aclose()

    async def fate(self, key: str, *, seen: bool) -> Outcome:
        """What was never sent was not delivered; of the rest nobody knows."""
        if key not in self._tried:
            return "not_delivered"
        return "interrupted" if seen else "unknown"

    async def ended(self) -> Failure:
        """Return why it is over."""
        return self._failure or Failure("closed", "the connection was closed from this side")

    def _over(self, failure: Failure) -> None:
        self._failure = self._failure or failure


@asynccontextmanager
async def dialled(stream: Stream, incarnation: bytes) -> AsyncGenerator[DialledWire]:
    """Use a connection for as long as the context lasts."""
    try:
        yield DialledWire(stream, incarnation)
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()


def _how(ending: Ending) -> str:
    if ending.exit is None:
        return f"({ending.reason})"
    if ending.exit.signal is not None:
        return f"by signal {ending.exit.signal}"
    return f"with exit code {ending.exit.code}"


def _last_words(host: Host) -> str:
    try:
        lines: Iterable[str] = folder.errors(host.folder).decode("utf-8", "replace").splitlines()
    except (OSError, HostProtocolError):
        return ""
    said = [" ".join(line.split()) for line in lines if line.strip()]
    return f": {said[-1][:_STDERR_SHOWN]}" if said else ""
