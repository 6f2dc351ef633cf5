"""The one message that agents send by the thousand, read in one step: a piece of text.

Everything else, and every piece that is unusual in any way, is left to `envelope`, which says the same in more steps.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from holdfast.adapters.transports.acp.protocol.envelope import DEPTH

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
