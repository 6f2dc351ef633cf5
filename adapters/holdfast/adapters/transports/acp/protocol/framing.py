"""Bytes to messages. Lines for stdio, where a message ends with a newline; whole messages for WebSocket."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from holdfast.domain.errors import LineTooLongError

FRAME_LIMIT_BYTES = 16 * 1024 * 1024


class FrameTooLongError(LineTooLongError):
    """The peer sent a message over the limit; the connection cannot be used any more.

    Attributes:
        offset: Where that message begins.
        limit_bytes: What a message may have.
    """

    def __init__(self, offset: int, limit_bytes: int) -> None:
        self.offset = offset
        self.limit_bytes = limit_bytes
        super().__init__(
            f"the agent sent a message of more than {limit_bytes} bytes; set frame_limit_bytes if that is meant to be"
        )


class Frame(Struct, frozen=True, gc=False):
    """One message as it came, and the offset of the byte after it."""

    data: bytes
    offset: int


class Framing(Protocol):
    """How messages are told apart on a transport."""

    @property
    def offset(self) -> int:
        """The offset after the last whole message."""
        ...

    def feed(self, data: bytes) -> tuple[list[Frame], FrameTooLongError | None]:
        """Take what was received; return the messages it completes, and the error that ends the connection."""
        ...

    def wrap(self, message: bytes) -> bytes:
        """Return a message as it goes over the wire."""
        ...


class Lines:
    """One message a line.

    Takes time proportional to the bytes, however they are sliced, and holds at most one line of the allowed length.
    What is left at the end of the stream is half a line and no message; `offset` stays before it.
    """

    def __init__(self, offset: int = 0, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        """Begin at `offset`, which must be the beginning of a line."""
        self._offset = offset
        self._limit = limit_bytes
        self._parts: list[bytes] = []
        self._held = 0
        self._error: FrameTooLongError | None = None

    @property
    def offset(self) -> int:
        """The offset after the last whole line."""
        return self._offset

    @property
    def held_bytes(self) -> int:
        """How many bytes of the line that has not ended yet are held."""
        return self._held

    def feed(self, data: bytes) -> tuple[list[Frame], FrameTooLongError | None]:
        """Take bytes in any slices; return the lines they complete, and the error once one is too long."""
        frames: list[Frame] = []
        if self._error is not None:
            return frames, self._error
        *ended, rest = data.split(b"\n")
        for piece in ended:
            if not self._hold(piece):
                return frames, self._error
            line = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._offset += self._held + 1
            self._parts.clear()
            self._held = 0
            frames.append(Frame(line, self._offset))
        self._hold(rest)
        return frames, self._error

    def _hold(self, piece: bytes) -> bool:
        self._held += len(piece)
        if self._held > self._limit:
            self._error = FrameTooLongError(self._offset, self._limit)
            self._parts.clear()
            self._held = 0
            return False
        if piece:
            self._parts.append(piece)
        return True

    def wrap(self, message: bytes) -> bytes:
        """Return the message as a line. Compact JSON holds no newline of its own."""
        return message + b"\n"


class Messages:
    """One message a WebSocket text frame. The offset counts bytes of messages, so that order has a number."""

    def __init__(self, offset: int = 0, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self._offset = offset
        self._limit = limit_bytes
        self._error: FrameTooLongError | None = None

    @property
    def offset(self) -> int:
        """The offset after the last message."""
        return self._offset

    def feed(self, data: bytes) -> tuple[list[Frame], FrameTooLongError | None]:
        """Take one whole message; binary frames must be left out by the caller."""
        if self._error is None and len(data) > self._limit:
            self._error = FrameTooLongError(self._offset, self._limit)
        if self._error is not None:
            return [], self._error
        self._offset += max(len(data), 1)
        return [Frame(data, self._offset)], None

    def wrap(self, message: bytes) -> bytes:
        """Return the message itself."""
        return message
