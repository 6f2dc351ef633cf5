"""What an agent said, on disk: its output in segments, its errors in a ring. The host's side; standard library only."""

from __future__ import annotations

import os

SEGMENT = "spool-{:016x}"
"""The name of a segment, from the offset of its first byte."""

RING_HEADER = 8
"""Bytes before the ring: how many were ever written to it, big-endian."""


class Spool:
    """Standard output, appended to segments that go once they are acknowledged.

    Nothing here is synced: what is written survives the daemon and the host, and a machine that crashes takes the agent
    with it anyway.

    Attributes:
        head: Offset after the last byte on disk, counted from the agent's first.
        acked: Everything before it is committed elsewhere.
        held: What was read from the pipe and found no room on the disk yet.
    """

    def __init__(self, limit_bytes: int, segment_bytes: int) -> None:
        self.head = self.acked = 0
        self.held = b""
        self._limit, self._segment = limit_bytes, segment_bytes
        self._starts = [0]
        self._file = _create(SEGMENT.format(0))

    def has_room(self) -> bool:
        """Whether more may be read from the agent; if not, its pipe fills and it waits."""
        return not self.held and self.head - self.acked < self._limit

    def append(self, data: bytes) -> None:
        """Write what the disk takes and hold the rest. The caller reads no more while something is held."""
        self.held += data
        self.flush()

    def flush(self) -> None:
        """Try again to bring to disk what is held."""
        try:
            while self.held:
                if self.head - self._starts[-1] >= self._segment:
                    file = _create(SEGMENT.format(self.head))
                    os.close(self._file)
                    self._file = file
                    self._starts.append(self.head)
                written = os.write(self._file, self.held)
                self.held = self.held[written:]
                self.head += written
        except OSError:  # a full disk, most of the time: the agent waits until it is not
            return

    def ack(self, offset: int) -> None:
        """Remove the segments that end before an offset, and use the room."""
        self.acked = max(self.acked, min(offset, self.head))
        while len(self._starts) > 1 and self._starts[1] <= self.acked:
            os.unlink(SEGMENT.format(self._starts.pop(0)))
        self.flush()


class Ring:
    """The newest bytes of standard error, in a file whose whole size is taken at once."""

    def __init__(self, size_bytes: int) -> None:
        self._size, self._total = size_bytes, 0
        self._file = _create("stderr", append=False)
        os.write(self._file, bytes(RING_HEADER + size_bytes))

    def append(self, data: bytes) -> None:
        """Write data over the oldest."""
        self._total += len(data)
        data = data[-self._size :]
        at = (self._total - len(data)) % self._size
        os.pwrite(self._file, data[: self._size - at], RING_HEADER + at)
        os.pwrite(self._file, data[self._size - at :], RING_HEADER)
        os.pwrite(self._file, self._total.to_bytes(RING_HEADER, "big"), 0)


def unroll(ring: bytes) -> bytes:
    """Return what a ring's file holds, the oldest byte first."""
    total, data = int.from_bytes(ring[:RING_HEADER], "big"), ring[RING_HEADER:]
    if total <= len(data):
        return data[:total]
    at = total % len(data)
    return data[at:] + data[:at]


def _create(name: str, *, append: bool = True) -> int:
    return os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | (os.O_APPEND if append else 0), 0o600)
