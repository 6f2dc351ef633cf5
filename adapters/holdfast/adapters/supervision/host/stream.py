"""A Unix socket that may be cancelled while something arrives; bytes only.

The one that anyio brings reports that coincidence as an error of asyncio's loop, seen with anyio 4.16: its reader sets
the result of a future that was cancelled in the same turn. Waiting for a bare socket does not.
"""

from __future__ import annotations

import socket

import anyio
from anyio.lowlevel import checkpoint, checkpoint_if_cancelled

_READ_BYTES = 1 << 16


class UnixStream:
    """One end of a connection, used by one reader and one writer at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock

    async def receive(self) -> bytes:
        """Return the next bytes.

        Raises:
            anyio.EndOfStream: The other side has closed it.
            anyio.ClosedResourceError: This side has.
            anyio.BrokenResourceError: It broke.
        """
        await checkpoint_if_cancelled()
        data = None
        while data is None:
            try:
                data = self.sock.recv(_READ_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self.sock)
            except OSError as error:
                raise self._lost() from error
        await checkpoint()
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            anyio.ClosedResourceError: This side has closed it.
            anyio.BrokenResourceError: It broke.
        """
        await checkpoint_if_cancelled()
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self.sock.send(rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self.sock)
            except OSError as error:
                raise self._lost() from error
        await checkpoint()

    def close(self) -> None:
        """Close it; whoever waits for it is told so. Closing twice is harmless."""
        if self.sock.fileno() >= 0:
            anyio.notify_closing(self.sock)
            self.sock.close()

    def _lost(self) -> anyio.BrokenResourceError | anyio.ClosedResourceError:
        return anyio.ClosedResourceError() if self.sock.fileno() < 0 else anyio.BrokenResourceError()


async def connect_unix(path: str) -> UnixStream:
    """Connect to a listener on this machine, which happens at once or not at all.

    Raises:
        OSError: Nobody listens there, or its queue is full.
    """
    await checkpoint_if_cancelled()
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return UnixStream(sock)
