"""One operation of the API: method, path, what it takes, what it answers. Routes and OpenAPI are made of these."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar, cast

import anyio
import msgspec
from anyio import to_thread
from msgspec import Meta, Struct
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from holdfast.domain.errors import UsageError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.wire import encode
from holdfast.frontends.gateway.problems import ProblemError
from holdfast.frontends.gateway.unreadable import why

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Send

    from holdfast.frontends.gateway.door import Credential

BODY_BYTES: Final = 1024 * 1024
CONTENT_BYTES: Final = 16 * 1024 * 1024
ND_JSON: Final = "application/x-ndjson"
PREFIX: Final = "/api/v1"

HEARTBEAT_S: Final = 15.0
"""After so long without anything to say a stream says nothing, so that both sides notice when the other is gone."""

_BODY_S = 60.0
_IGNORED_BYTES = 32 * 1024 * 1024
"""Read and thrown away of a body that is too long: most clients hear an answer only once they have sent everything."""

CAUSE: Final = r"^[^\x00-\x1f\x7f-\x9f]{1,200}$"
"""What a client may call a command: any letters that can be seen."""


_DEVICE_LENGTH = 64

G = TypeVar("G", bound=Struct)
T = TypeVar("T")

Method = Literal["GET", "POST", "PATCH", "DELETE"]


class Nothing(Struct, frozen=True):
    """What an operation takes that is told everything by its path."""


class Body(Struct, frozen=True, kw_only=True):
    """What every command takes.

    Attributes:
        client_id: The client's name for this command; the same one again is answered with the first result.
    """

    client_id: Annotated[str, Meta(pattern=CAUSE)] | None = None


@dataclass(frozen=True)
class Call:
    """One request, as far as every operation looks at it alike.

    Attributes:
        path: The variable parts of the path.
        cause: The client id of the command.
        actor: Who asks, with the name of their client as the device.
        lines: Whether the client would rather have lines of JSON, with progress before the result.
    """

    path: dict[str, str]
    cause: str | None
    actor: Actor
    lines: bool

    @property
    def session(self) -> StreamId:
        """The session in the path."""
        return StreamId(self.path["id"])


Handler = Callable[[Call, G], Awaitable[Response]]


@dataclass(frozen=True)
class Operation(Generic[G]):
    """One method of one path.

    Attributes:
        method: The HTTP method. What it takes is the query for GET and DELETE, else the JSON body.
        path: Below `/api/v1`, with `{names}`.
        summary: What it does, one sentence.
        handler: Does it.
        takes: The shape of body or query.
        answers: The type of the JSON answer, or the name of a hand-written schema of `openapi`; None for another kind.
        status: The status of success.
        statuses: What else it may answer beside what every operation may.
        limit_bytes: The longest body.
        media_type: Of the answer.
        changes: Whether it changes anything; a read-only credential is refused then. By default all but GET do.
        credential: Whether it needs one.
        own: Whether it needs that of the home: who was given a token must not get others by it, which outlive it.
    """

    method: Method
    path: str
    summary: str
    handler: Handler[G]
    takes: type[G]
    answers: object
    status: int = 200
    statuses: tuple[int, ...] = ()
    limit_bytes: int = BODY_BYTES
    media_type: str = "application/json"
    changes: bool | None = None
    credential: bool = True
    own: bool = False

    def route(self) -> Route:
        """Return the route that carries it out."""
        return Route(PREFIX + self.path, self._respond, methods=[self.method])

    @property
    def writes(self) -> bool:
        """Whether a read-only credential is refused."""
        return self.method != "GET" if self.changes is None else self.changes

    async def _respond(self, request: Request) -> Response:
        credential: Credential | None = request.scope["state"].get("credential")
        if self.writes and credential is not None and credential.read_only:
            raise ProblemError(403, "denied", f"the token {credential.name!r} may only read")
        if self.own and credential is not None and not credential.own:
            raise ProblemError(403, "denied", f"only the home's own token opens this, not {credential.name!r}")
        if any("\0" in value for value in request.path_params.values()):
            raise ProblemError(404, "not_found", "no name holds a zero byte")
        if self.method in ("GET", "DELETE"):
            given = _query(request, self.takes)
        else:
            given = await _body(request, self.takes, self.limit_bytes)
        cause = given.client_id if isinstance(given, Body) else None
        key = _cause(request.headers.get("idempotency-key"))
        call = Call(
            dict(request.path_params),
            _cause(cause) or key,
            Actor("human", _device(request.headers.get("holdfast-client"))),
            ND_JSON in request.headers.get("accept", ""),
        )
        return await self.handler(call, given)


Operations = list[Operation[Any]]
"""What a module of routes offers; each takes something else."""


def found(what: object, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(encode(what), status, media_type="application/json")


def listed(items: object, after: str | None = None) -> Response:
    """Return the answer of everything that lists."""
    return found({"items": items, "after": after})


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Run what blocks on a worker thread."""
    return await to_thread.run_sync(work, *arguments)


def streamed(
    pieces: AsyncGenerator[bytes], media_type: str = ND_JSON, headers: dict[str, str] | None = None
) -> Response:
    """Return an answer that is sent while it is made."""
    return _Streamed(pieces, media_type=media_type, headers={"Cache-Control": "no-store", **(headers or {})})


async def pieces_in_thread(first: bytes | None, pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield pieces that are made by what blocks, `first` before the others."""
    piece = first
    while piece is not None:
        yield piece
        piece = await to_thread.run_sync(next, pieces, None)


class _Streamed(StreamingResponse):
    """Closes what it is made of in the task that read it, also where the client hangs up in between."""

    async def stream_response(self, send: Send) -> None:
        async with aclosing(cast("AsyncGenerator[bytes]", self.body_iterator)):
            await super().stream_response(send)


def _query(request: Request, takes: type[G]) -> G:
    pairs = request.query_params.multi_items()
    fields = {field.name: field for field in msgspec.structs.fields(takes)}
    given: dict[str, Any] = {}
    for name, value in pairs:
        field = fields.get(name)
        if field is None:
            continue
        if "\0" in value:
            msg = f"{name} holds a zero byte"
            raise UsageError(msg)
        if msgspec.inspect.type_info(field.type).__class__ is msgspec.inspect.VarTupleType:
            given.setdefault(name, []).append(value)
        elif value.strip().lower() == "null" and not _takes_text(field.type):
            msg = f"{name} cannot be {value!r}: leave it out"
            raise UsageError(msg)
        elif name in given:
            msg = f"{name} is given twice"
            raise UsageError(msg)
        else:
            given[name] = value
    try:
        return msgspec.convert(given, takes, strict=False)
    except msgspec.ValidationError as error:
        msg = f"the query cannot be used: {error}"
        raise UsageError(msg) from error


def _takes_text(kind: Any) -> bool:
    """Tell whether a parameter may be any text. Of others msgspec would take `null` for nothing."""
    try:
        msgspec.convert("null", kind)
    except msgspec.ValidationError:
        return False
    return True


async def _body(request: Request, takes: type[G], limit_bytes: int) -> G:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _read(request, limit_bytes)
    if kind != "application/json" and (body or kind):
        raise ProblemError(415, "media_type", "send JSON, with Content-Type: application/json")
    return decoded(body or b"{}", takes)


def decoded(body: bytes, takes: type[G]) -> G:
    """Return what a body in JSON says.

    Raises:
        UsageError: It is no JSON, not Unicode, or of another shape.
    """
    try:
        body.decode()  # msgspec looks into what it keeps raw for its nesting, not for its letters
        return msgspec.json.decode(body, type=takes)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"the body cannot be used: {why(error, body)}"
        raise UsageError(msg) from error
    except RecursionError as error:
        msg = "the body is nested too deeply"
        raise UsageError(msg) from error


async def _read(request: Request, limit_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(_BODY_S):
            async for piece in request.stream():
                size += len(piece)
                if size > limit_bytes + _IGNORED_BYTES:
                    break
                if size > limit_bytes:
                    pieces.clear()
                else:
                    pieces.append(piece)
    except TimeoutError as error:
        raise ProblemError(408, "timed_out", f"the body was not complete after {_BODY_S:.0f} s") from error
    except ClientDisconnect as error:
        raise ProblemError(400, "usage", "the body ends too early") from error
    if size > limit_bytes:
        raise _too_large(limit_bytes)
    return b"".join(pieces)


def _too_large(limit_bytes: int) -> ProblemError:
    # What was not read of the body would be taken for the next request.
    return ProblemError(413, "too_large", f"the body has more than {limit_bytes} bytes", {"Connection": "close"})


def _cause(given: str | None) -> str | None:
    if given is None:
        return None
    if re.search(CAUSE, given) is None:
        msg = "a client id has 1 to 200 characters that can be seen"
        raise UsageError(msg)
    return given


def _device(given: str | None) -> str:
    if not given:
        return "http"
    return "".join(letter if letter.isprintable() else "?" for letter in given[:_DEVICE_LENGTH])
