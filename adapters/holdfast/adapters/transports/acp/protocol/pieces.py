"""The one message that agents send by the thousand, read in one step: a piece of text.

Everything else, and every piece that is unusual in any way, is left to `envelope`, which says the same in more steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from holdfast.adapters.transports.acp.protocol.envelope import DEPTH

if TYPE_CHECKING:
    from holdfast.adapters.transports.acp.protocol.framing import Frame

PieceKind = Literal["agent_message_chunk", "agent_thought_chunk"]


class Text(Struct, frozen=True, gc=False):
    """A content block that is text."""

    type: Literal["text"]
    text: str


class PieceUpdate(Struct, frozen=True, gc=False, rename="camel"):
    """What was said."""

    session_update: PieceKind
    content: Text
    message_id: str | None = None


class PieceParams(Struct, frozen=True, gc=False, rename="camel"):
    """Where it was said."""

    session_id: str
    update: PieceUpdate


class _Message(Struct, frozen=True):
    method: Literal["session/update"]
    params: PieceParams
    id: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Message).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def piece(data: bytes) -> PieceParams | None:
    """Return the piece of text that a message is, None where it is anything else or where that is not certain."""
    if b"_chunk" not in data or b"\\u" in data or data.count(b"[") + data.count(b"{") > DEPTH:
        return None
    try:
        message = _decode(data)
    except _UNREADABLE:
        return None
    if message.id is not UNSET or message.result is not UNSET or message.error is not UNSET:
        return None
    return message.params


RUN_LIMIT: Final = 64 * 1024
"""Characters of pieces that are taken for one."""


class Run:
    """Pieces of one text that came one after the other: what is said of each of them can be said of all at once.

    Attributes:
        frames: The messages they came in.
    """

    __slots__ = ("_first", "_size", "_texts", "frames")

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._first: PieceParams | None = None
        self._texts: list[str] = []
        self._size = 0

    def takes(self, spoken: PieceParams) -> bool:
        """Whether a piece belongs to the same text; any does where there is none yet."""
        first = self._first
        if first is None:
            return True
        one, other = first.update, spoken.update
        return (
            one.session_update == other.session_update
            and one.message_id == other.message_id
            and first.session_id == spoken.session_id
            and self._size + len(other.content.text) <= RUN_LIMIT
        )

    def add(self, spoken: PieceParams, frame: Frame) -> None:
        """Take it in."""
        if self._first is None:
            self._first = spoken
        text = spoken.update.content.text
        self._texts.append(text)
        self._size += len(text)
        self.frames.append(frame)

    def whole(self) -> PieceParams:
        """Return all of it as if it had come in one piece."""
        first = self._first
        assert first is not None
        if len(self._texts) == 1:
            return first
        update = first.update
        text = Text("text", "".join(self._texts))
        return PieceParams(first.session_id, PieceUpdate(update.session_update, text, update.message_id))
