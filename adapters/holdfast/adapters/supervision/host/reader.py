"""Reading an agent's output from the spool, exactly from an offset on, while the host writes it and after its death."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from anyio import to_thread

from holdfast.adapters.supervision.host.spool import SEGMENT
from holdfast.domain.errors import HostProtocolError, LineTooLongError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

CHUNK_BYTES = 1 << 18


class Feed(Protocol):
    """Who knows how far the spool goes."""

    async def beyond(self, offset: int) -> bool:
        """Wait until there is output beyond an offset; return False when there will never be.

        Raises:
            HostFencedError: A newer daemon drives the agent.
            HostGoneError: The connection broke while the host lives.
        """
        ...


class Line(NamedTuple):
    """One line without its newline, and the offset of the byte after it."""

    data: bytes
    offset: int


class Reader:
    """The bytes of one incarnation from an offset on. Close it, or use it as a context manager.

    Files are read on the loop only where the kernel has the bytes in memory, else in a worker thread.

    Attributes:
        offset: Of the next byte that `read` returns.
    """

    def __init__(self, folder: Path, offset: int, feed: Feed) -> None:
        self.offset = offset
        self._folder, self._feed = folder, feed
        self._file, self._start = -1, 0
        self._buffer = bytearray(CHUNK_BYTES)

    async def read(self) -> bytes:
        """Return the next bytes, at most `CHUNK_BYTES`; empty when the host is dead and everything was read.

        Raises:
            HostProtocolError: The spool does not hold this offset: it was acknowledged, and cut.
            HostFencedError: A newer daemon drives the agent.
            HostGoneError: The connection broke while the host lives: connect again.
        """
        while True:
            if data := await self._read():
                self.offset += len(data)
                return data
            if not await self._feed.beyond(self.offset):
                data = await self._read()  # written after we looked and before it died
                self.offset += len(data)
                return data

    def at_hand(self, most: int) -> bytes:
        """Return the next bytes of the file that is open, as far as they are in memory; `read` does the rest."""
        if self._file < 0:
            return b""
        view = memoryview(self._buffer)[:most]
        try:
            count = os.preadv(self._file, [view], self.offset - self._start, os.RWF_NOWAIT)
        except (OSError, AttributeError):  # as in `_pread`
            return b""
        self.offset += count
        return bytes(view[:count])

    def close(self) -> None:
        """Close the file that is open."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _read(self) -> bytes:
        """Return what is there; at the end of a segment go on with the next, if there is one."""
        while True:
            if self._file >= 0:
                if data := await self._pread():
                    return data
                if self.offset == self._start or not self._next().exists():
                    return b""
            if not await to_thread.run_sync(self._open):
                return b""

    async def _pread(self) -> bytes:
        buffer = self._buffer
        at = self.offset - self._start
        try:
            count = os.preadv(self._file, [buffer], at, os.RWF_NOWAIT)
        except (OSError, AttributeError):  # not in memory, or a file system or a kernel that cannot say so
            count = await to_thread.run_sync(partial(os.preadv, self._file, [buffer], at))
        return bytes(memoryview(buffer)[:count])

    def _next(self) -> Path:
        return self._folder / SEGMENT.format(self.offset)

    def _open(self) -> bool:
        """Open the segment that holds the offset; return whether there is any."""
        starts = sorted(int(path.name.removeprefix("spool-"), 16) for path in self._folder.glob("spool-*"))
        before = [start for start in starts if start <= self.offset]
        if starts and not before:
            raise HostProtocolError(f"{self._folder} holds output from {starts[0]} on: {self.offset} was cut")
        if not before:
            return False
        self.close()
        self._start = before[-1]
        self._file = os.open(self._folder / SEGMENT.format(self._start), os.O_RDONLY)
        return True


class Lines:
    """Whole lines of a spool with their offsets. What follows the last newline when the host died is dropped.

    Takes time linear in the bytes, holds one line at most.
    """

    def __init__(self, reader: Reader, limit_bytes: int) -> None:
        self._reader, self._limit = reader, limit_bytes
        self._buffer, self._searched, self._offset = bytearray(), 0, reader.offset

    async def next(self) -> Line | None:
        """Return the next line, None when the host is dead and there is none.

        Raises:
            LineTooLongError: A line passed the limit; nothing after it can be read.
        """
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > self._limit:
                raise LineTooLongError(f"the agent sent a line of more than {self._limit} bytes")
            data = await self._reader.read()
            if not data:
                return None
            self._buffer += data
        if end > self._limit:
            raise LineTooLongError(f"the agent sent a line of {end} bytes, {self._limit} are allowed")
        data = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        self._offset += end + 1
        return Line(data, self._offset)
