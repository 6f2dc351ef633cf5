"""What a message is: request, notification, answer, several at once, or garbage. What it is about is not looked at.

Nothing that a peer can send makes this raise. What the log could not keep as JSON text is replaced by U+FFFD where the
message is readable otherwise: a lone half of a surrogate pair, and bytes that are no UTF-8.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Final, NewType

import msgspec
from msgspec import Raw, Struct

from holdfast.domain.content import NOTHING
from holdfast.domain.surrogates import without_halves

DEPTH: Final = 128
"""How deep JSON may nest. A reader of the log must manage it, too, whatever else is on its stack."""

BATCH: Final = 1000
"""How many messages may come as one."""

RpcId = NewType("RpcId", bytes)
"""The id of a request as canonical JSON: `1` and `"1"` are different."""


class RpcError(Struct, frozen=True):
    """Why a request failed, as the peer says it."""

    code: int
    message: str = ""
    data: Raw = NOTHING


class Request(Struct, frozen=True):
    """The peer wants an answer. `verbatim` is its id as it stood there."""

    id: RpcId
    verbatim: Raw
    method: str
    params: Raw


class Notification(Struct, frozen=True):
    """The peer tells something."""

    method: str
    params: Raw


class Response(Struct, frozen=True):
    """The peer answers: with a result, which may be `null`, or with an error."""

    id: RpcId
    result: Raw
    error: RpcError | None
    data: bytes


class Garbage(Struct, frozen=True):
    """Not a message, and why."""

    reason: str
    data: bytes


Message = Request | Notification | Response | Garbage


def rpc_id(name: str) -> RpcId:
    """Return the id under which a request with this name is sent: always a string."""
    return RpcId(_encode(name))


def read(data: bytes) -> list[Message]:
    """Return the messages that `data` holds: none for blank lines, several for a batch."""
    data = data.strip()
    if not data:
        return []
    text, reason = _readable(data)
    if reason:
        return [Garbage(reason, data)]
    try:
        if text[:1] != b"[":
            return [_message(text, data)]
        batch = _decode_batch(text)
        if not 0 < len(batch) <= BATCH:
            return [Garbage(f"a batch of {len(batch)} messages", data)]
        return [_message(bytes(each), bytes(each)) for each in batch]
    except _UNREADABLE as error:
        return [Garbage(_why(error), data)]


def canonical_id(verbatim: Raw) -> RpcId | None:
    """Return what an id is compared by; None for what cannot be one."""
    text = bytes(verbatim)
    if text == b"null" or text[:1] in b"-0123456789":
        return RpcId(text)
    if text[:1] != b'"':
        return None
    try:
        return RpcId(_encode(_decode_string(text)))
    except _UNREADABLE:
        return None


class _Envelope(Struct):
    id: Raw = NOTHING
    method: str | None = None
    params: Raw = NOTHING
    result: Raw = NOTHING
    error: Raw = NOTHING


_encode = msgspec.json.Encoder().encode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_batch = msgspec.json.Decoder(list[Raw]).decode
_decode_string = msgspec.json.Decoder(str).decode
_decode_error = msgspec.json.Decoder(RpcError).decode

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def _message(text: bytes, data: bytes) -> Message:
    try:
        envelope = _decode_envelope(text)
    except _UNREADABLE as error:
        return Garbage(_why(error), data)
    result, failure = _present(envelope.result, envelope.error), _present(envelope.error, envelope.result)
    answers = bool(result or failure)
    if envelope.method is not None and not answers:
        if not envelope.id:
            return Notification(envelope.method, envelope.params)
        called = canonical_id(envelope.id)
        if called is None:
            return Garbage("the id of a request is neither a string nor a number", data)
        return Request(called, envelope.id, envelope.method, envelope.params)
    if envelope.method is not None or not answers or (result and failure):
        return Garbage("neither a request nor an answer", data)
    name = canonical_id(envelope.id) if envelope.id else None
    if name is None or name == b"null":
        return Garbage("an answer without an id", data)
    return Response(name, result, _error(failure) if failure else None, data)


def _present(raw: Raw, other: Raw) -> Raw:
    """Some peers send both fields of an answer and set the one that does not count to null."""
    return NOTHING if other and bytes(raw) == b"null" else raw


def _error(raw: Raw) -> RpcError:
    try:
        return _decode_error(raw)
    except _UNREADABLE:
        return RpcError(0, "", raw)


def _readable(data: bytes) -> tuple[bytes, str]:
    """Return `data` as JSON that every reader of the log can read, or why it cannot be."""
    if not data.isascii():
        data = data.decode("utf-8", "replace").encode()
    if b"\\u" in data:
        data = without_halves(data)
    if data.count(b"[") + data.count(b"{") > DEPTH and _depth(data) > DEPTH:
        return data, f"nested deeper than {DEPTH} levels"
    return data, ""


_STRINGS: Final = re.compile(rb'"(?:[^"\\]+|\\.)*+["\\]?', re.DOTALL)  # with no end, too: else linear no more
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _depth(data: bytes) -> int:
    brackets = _STRINGS.sub(b"", data).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else f"no JSON message: {error}"
