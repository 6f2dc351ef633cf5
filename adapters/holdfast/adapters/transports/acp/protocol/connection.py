"""One peer without I/O: which answers belong to which requests, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from holdfast.adapters.transports.acp.protocol.envelope import (
    Garbage,
    Message,
    Notification,
    Request,
    Response,
    RpcError,
    RpcId,
    canonical_id,
    read,
    rpc_id,
)
from holdfast.adapters.transports.acp.protocol.framing import Frame, FrameTooLongError, Framing, Lines
from holdfast.adapters.transports.acp.protocol.pieces import PieceParams, Run, piece
from holdfast.domain.content import NOTHING
from holdfast.domain.recorded import Source
from holdfast.domain.transport import Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
REQUEST_CANCELLED: Final = -32800
AUTH_REQUIRED: Final = -32000
NOT_FOUND: Final = -32002

SERVED: Final = frozenset({"session/request_permission"})
"""What an agent may ask of us. Files and terminals are not among it: they are neither offered nor served."""

IN_PASSING: Final = "passing:"
"""How the keys of requests begin whose answers no log has to hold. A daemon that died may have heard such an answer
already; the next one hears it again, and it means nothing any more."""

OPEN_LIMIT: Final = 1000
"""How many questions a peer may have open; more are refused."""

_PASSED: Final = b'"' + IN_PASSING.encode()
_CANCEL: Final = "$/cancel_request"
_NO_SUCH_METHOD: Final = RpcError(METHOD_NOT_FOUND, "Method not found")
_TOO_MANY: Final = RpcError(INTERNAL_ERROR, "Too many requests wait for an answer")


class Notified(Struct, frozen=True):
    """The peer told something."""

    source: Source
    method: str
    params: Raw


class Spoke(Struct, frozen=True):
    """The peer said pieces of one text, one after the other: notifications, already understood.

    Attributes:
        source: The end of the last one.
        piece: What all of them say together.
        frames: The messages.
    """

    source: Source
    piece: PieceParams
    frames: tuple[Frame, ...]

    def told(self) -> Iterator[Notified]:
        """Yield the same as any other notifications."""
        for frame in self.frames:
            (message,) = read(frame.data)
            assert isinstance(message, Notification)
            yield Notified(Source(self.source.id, frame.offset), message.method, message.params)


class Asked(Struct, frozen=True):
    """The peer waits for an answer, which is to be given under `key`. `verbatim` is its id of the request."""

    source: Source
    key: str
    verbatim: Raw
    method: str
    params: Raw


class Refused(Struct, frozen=True):
    """The peer asked for what we do not serve. `write` tells it so; it is to be sent, and needs no log."""

    source: Source
    method: str
    write: Write


class Withdrawn(Struct, frozen=True):
    """The peer does not want the answer to what it asked under `key` any more."""

    source: Source
    key: str


class Answered(Struct, frozen=True):
    """The peer answered our request `key`: with a result, or with an error."""

    source: Source
    key: str
    method: str
    result: Raw
    error: RpcError | None = None


class Unreadable(Struct, frozen=True):
    """The peer sent something that means nothing: no message, or an answer that nobody waits for."""

    source: Source
    reason: str
    data: bytes


class TooLong(Struct, frozen=True):
    """The peer sent a message over the limit. Always the last observation; the connection is of no use any more."""

    source: Source
    error: FrameTooLongError


Observation = Notified | Spoke | Asked | Refused | Withdrawn | Answered | Unreadable | TooLong


class _Waiting(Struct, frozen=True):
    key: str
    id: RpcId
    verbatim: Raw


class Connection:
    """One ACP peer without I/O: bytes in, observations out; requests, notifications and answers in, bytes out.

    The caller must append what `receive` returns before it calls `receive` again: that order is the log's order. All
    observations of one frame carry the same source, and must be appended together.

    What is open survives in the log, not here: after a restart the caller says so by `expect` and `recall`.
    """

    def __init__(self, incarnation: bytes, framing: Framing | None = None) -> None:
        """Take up the stream `incarnation` (eight bytes) where `framing` begins."""
        self._incarnation = incarnation
        self._framing: Framing = Lines() if framing is None else framing
        self._ours: dict[RpcId, tuple[str, str]] = {}
        self._theirs: dict[str, _Waiting] = {}

    @property
    def offset(self) -> int:
        """The offset after the last whole message."""
        return self._framing.offset

    def expects(self, key: str) -> bool:
        """Return whether our request `key` has no answer yet."""
        return rpc_id(key) in self._ours

    def receive(self, data: bytes) -> list[Observation]:
        """Take bytes in any slices; return what they complete, in order.

        Nothing that a peer sends raises. After `TooLong` every call returns `TooLong`.
        """
        frames, error = self._framing.feed(data)
        observations: list[Observation] = []
        run = Run()
        for frame in frames:
            spoken = piece(frame.data)
            if spoken is not None and run.takes(spoken):
                run.add(spoken, frame)
                continue
            if run.frames:
                observations.append(self._spoke(run))
                run = Run()
            if spoken is not None:
                run.add(spoken, frame)
                continue
            source = Source(self._incarnation, frame.offset)
            for index, message in enumerate(read(frame.data)):
                observations += self._observed(message, source, index)
        if run.frames:
            observations.append(self._spoke(run))
        if error is not None:
            observations.append(TooLong(Source(self._incarnation, self._framing.offset), error))
        return observations

    def _spoke(self, run: Run) -> Spoke:
        return Spoke(Source(self._incarnation, run.frames[-1].offset), run.whole(), tuple(run.frames))

    def _observed(self, message: Message, source: Source, index: int) -> Iterable[Observation]:
        match message:
            case Notification(method=method, params=params) if method == _CANCEL:
                return self._withdrawn(source, params)
            case Notification(method=method, params=params):
                return (Notified(source, method, params),)
            case Request() if message.method in SERVED and len(self._theirs) < OPEN_LIMIT:
                key = answer_key(source, index)
                self._theirs[key] = _Waiting(key, message.id, message.verbatim.copy())
                return (Asked(source, key, message.verbatim.copy(), message.method, message.params),)
            case Request(verbatim=verbatim, method=method):
                error = _TOO_MANY if method in SERVED else _NO_SUCH_METHOD
                return (Refused(source, method, self._wrap(answer_key(source, index), _failure(verbatim, error))),)
            case Response(id=name, result=result, error=error):
                asked = self._ours.pop(name, None)
                if asked is None and name.startswith(_PASSED):
                    return ()
                if asked is None:
                    return (Unreadable(source, f"an answer to {_shown(name)}, which nobody waits for", message.data),)
                return (Answered(source, *asked, result, error),)
            case Garbage(reason=reason, data=data):
                return (Unreadable(source, reason, data),)

    def _withdrawn(self, source: Source, params: Raw) -> Iterable[Observation]:
        try:
            name = canonical_id(_decode_cancel(params).request_id)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            name = None
        key = next((waiting.key for waiting in reversed(self._theirs.values()) if waiting.id == name), None)
        return (Notified(source, _CANCEL, params),) if key is None else (Withdrawn(source, key),)

    def request(self, key: str, method: str, params: Raw) -> Write:
        """Return the bytes of a request. Its id is `key`, by which a restarted daemon knows the answer."""
        self.expect(key, method)
        return self._wrap(key, _encode(_Call(rpc_id(key), method, params)))

    def expect(self, key: str, method: str) -> None:
        """Wait for the answer to a request that was, or may have been, sent before."""
        self._ours[rpc_id(key)] = (key, method)

    def notify(self, key: str, method: str, params: Raw) -> Write:
        """Return the bytes of a notification."""
        return self._wrap(key, _encode(_Call(None, method, params)))

    def cancel(self, key: str) -> Write:
        """Return the bytes that tell the peer that the answer to our request is not wanted. It will still come."""
        params = Raw(b'{"requestId":' + rpc_id(key) + b"}")
        return self.notify(f"cancel:{key}", _CANCEL, params)

    def recall(self, key: str, verbatim: Raw) -> None:
        """Know again what the peer asked before a restart, from the log."""
        name = canonical_id(verbatim)
        if name is not None:
            self._theirs[key] = _Waiting(key, name, verbatim.copy())

    def answer(self, key: str, result: Raw) -> Write | None:
        """Return the bytes that answer what the peer asked; None where it does not wait for that."""
        waiting = self._theirs.pop(key, None)
        return None if waiting is None else self._wrap(key, _success(waiting.verbatim, result))

    def refuse(self, key: str, code: int, message: str) -> Write | None:
        """Return the bytes that say why there is no answer; None where the peer does not wait for one."""
        waiting = self._theirs.pop(key, None)
        return None if waiting is None else self._wrap(key, _failure(waiting.verbatim, RpcError(code, message)))

    def _wrap(self, key: str, message: bytes) -> Write:
        return Write(key, self._framing.wrap(message))


def answer_key(source: Source, index: int = 0) -> str:
    """Return the key of the answer to what was asked in the frame that ends at `source`, at `index` of a batch.

    The same frame always gives the same key, so it also names the request in the log.
    """
    key = f"r:{source.id.hex()}:{source.offset}"
    return f"{key}.{index}" if index else key


class _Call(Struct, frozen=True):
    id: RpcId | None
    method: str
    params: Raw


class _CancelParams(Struct, rename="camel"):
    request_id: Raw = NOTHING


_encode_string = msgspec.json.Encoder().encode
_decode_cancel = msgspec.json.Decoder(_CancelParams).decode


def _encode(call: _Call) -> bytes:
    name = b"" if call.id is None else b'"id":' + call.id + b","
    params = bytes(call.params)
    if b"\n" in params or b"\r" in params:
        params = msgspec.json.format(params, indent=-1)  # what a person sends may stand on many lines; a frame may not
    return b'{"jsonrpc":"2.0",%b"method":%b,"params":%b}' % (name, _encode_string(call.method), params)


def _success(verbatim: Raw, result: Raw) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (verbatim, result)


def _failure(verbatim: Raw, error: RpcError) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"error":{"code":%d,"message":%b}}' % (
        verbatim,
        error.code,
        _encode_string(error.message),
    )


def _shown(name: RpcId) -> str:
    return name[:80].decode("utf-8", "replace")
