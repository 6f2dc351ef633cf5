"""What is not in memory any more, read from the store once for all who come by: readers fall behind together."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import anyio
from msgspec import Struct

from holdfast.domain import wire
from holdfast.frontends.gateway.views.recent import FRAME_BYTES, FRAME_EVENTS, Piece, joined

if TYPE_CHECKING:
    from holdfast.domain.tail import Tail

_CHUNK: Final = 4 * FRAME_EVENTS
"""Positions that are read together; they begin at multiples of it, so that readers at different places meet."""

_KEPT_BYTES: Final = 8 * 1024 * 1024


class _Chunk(Struct, frozen=True):
    positions: list[int]
    lines: list[bytes]
    pieces: dict[int, Piece]
    size: int


class History:
    """The whole log in frames of events, the latest asked for kept."""

    def __init__(self, tail: Tail) -> None:
        """Read from `tail`."""
        self._tail = tail
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()
        self._bytes = 0
        self._lock = anyio.Lock()

    async def piece(self, after: int, floor: int) -> Piece:
        """Return what follows a position at or before `floor`, up to which the log does not change any more."""
        number = after // _CHUNK
        end = min((number + 1) * _CHUNK, floor)
        chunk = self._chunks.get(number)
        if chunk is None or (chunk.positions[-1:] or [0])[0] < end:
            async with self._lock:
                chunk = self._chunks.get(number)
                if chunk is None or (chunk.positions[-1:] or [0])[0] < end:
                    chunk = await self._read(number, end)
        self._chunks.move_to_end(number)
        piece = chunk.pieces.get(after)
        if piece is None or piece.end > floor:
            piece = chunk.pieces[after] = self._make(chunk, after, end)
        return piece

    async def _read(self, number: int, end: int) -> _Chunk:
        before = self._chunks.pop(number, None)
        self._bytes -= 0 if before is None else before.size
        start = number * _CHUNK
        stretch = await self._tail.stretch(start, limit=end - start)
        events = [event for event in stretch.events if (event.recorded.position or 0) <= end]
        lines = [wire.event(event) for event in events]
        size = sum(map(len, lines))
        chunk = _Chunk([event.recorded.position or 0 for event in events], lines, {}, 2 * size)
        self._chunks[number] = chunk
        self._bytes += chunk.size
        while self._bytes > _KEPT_BYTES and len(self._chunks) > 1:
            self._bytes -= self._chunks.popitem(last=False)[1].size
        return chunk

    def _make(self, chunk: _Chunk, after: int, end: int) -> Piece:
        first = bisect_right(chunk.positions, after)
        last, size = first, 0
        while last < len(chunk.lines) and last - first < FRAME_EVENTS and size <= FRAME_BYTES:
            if last > first and chunk.positions[last] % FRAME_EVENTS == 1:
                break  # frames begin at the same places for everybody
            size += len(chunk.lines[last])
            last += 1
        if last == first:
            return Piece(end, None)
        reached = chunk.positions[last - 1] if last < len(chunk.lines) else end
        return Piece(reached, joined(chunk.lines[first:last], self._tail.cursor(reached)))
