"""The frames of the stream: what clients send, as structures, and what they are answered, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from holdfast.domain.errors import NotFoundError, UsageError
from holdfast.domain.wire import encode
from holdfast.frontends.gateway.unreadable import why

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.frontends.gateway.views.view import Snapshot

SUBPROTOCOL: Final = "holdfast.v1"
NOTHING: Final = Raw(b"null")

_ID_LENGTH: Final = 200

Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A place in a log; no store can be asked for one beyond."""


class Hello(Struct, frozen=True, tag="hello"):
    """The first frame of a connection.

    Attributes:
        client: What this frontend calls itself; it becomes the device of what it does.
        token: The credential, unless a header or a cookie brought one.
    """

    client: str = "stream"
    token: str | None = None


class EventsWanted(Struct, frozen=True):
    """Which part of the log to send.

    Attributes:
        after: A cursor, a position of this log, or None for its beginning.
    """

    after: str | int | None = None
    session: str | None = None
    types: list[str] | None = None


class Subscribe(Struct, frozen=True, tag="subscribe"):
    """Begin to send events, or a view. Exactly one of `events` and `view` says which."""

    sub: str
    events: EventsWanted | None = None
    view: str | None = None
    session: str | None = None
    limit: int | None = None
    ended: bool = False


class Unsubscribe(Struct, frozen=True, tag="unsubscribe"):
    """Send no more of it."""

    sub: str


class Command(Struct, frozen=True, tag="command"):
    """Do something; what it takes is what the HTTP route with this last word takes."""

    client_id: str
    verb: str
    session: str | None = None
    body: Raw = NOTHING


class Focus(Struct, frozen=True, tag="focus"):
    """What a person looks at.

    Attributes:
        session: The session, or None for none.
        seen: Position of the newest output that is visible; None for none. Without it, what this connection was sent
            of the session's transcript counts as seen.
    """

    session: str | None = None
    seen: Position | UnsetType | None = UNSET


class Ping(Struct, frozen=True, tag="ping"):
    """Ask for a sign of life."""


Frame = Hello | Subscribe | Unsubscribe | Command | Focus | Ping

_decode: Callable[[str], Frame] = msgspec.json.Decoder(Frame).decode


def read(text: str) -> Frame:
    """Return the frame in a text message.

    Raises:
        UsageError: It is none.
        NotFoundError: It is about a session whose name no session can have.
    """
    try:
        text.encode()
        frame = _decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        msg = f"the frame cannot be used: {why(error, text.encode('utf-8', 'replace'))}"
        raise UsageError(msg) from error
    names = {"sub": getattr(frame, "sub", "-"), "client_id": getattr(frame, "client_id", "-")}
    for field, name in names.items():
        if not 0 < len(name) <= _ID_LENGTH or not name.isprintable():
            msg = f"{field} has 1 to {_ID_LENGTH} characters that can be seen"
            raise UsageError(msg)
    wanted = getattr(frame, "events", None) or EventsWanted()
    if "\0" in (getattr(frame, "session", None) or wanted.session or ""):
        msg = "no session has a zero byte in its id"  # and PostgreSQL cannot even be asked for one
        raise NotFoundError(msg)
    if any("\0" in each for each in wanted.types or ()):
        msg = "no type of events has a zero byte in its name"
        raise UsageError(msg)
    return frame


def ok(client_id: str, result: Raw, position: int) -> bytes:
    """A command was carried out, and what it led to is in the log up to `position`."""
    return encode({"type": "ok", "client_id": client_id, "result": result, "position": position})


def error(code: str, detail: str, *, client_id: str | None = None, sub: str | None = None) -> bytes:
    """A frame was refused; the connection goes on."""
    about = {} if sub is None else {"sub": sub}
    return encode({"type": "error", "client_id": client_id, "code": code, "detail": detail, **about})


class _Names(Struct, frozen=True):
    sub: object = None
    client_id: object = None


def refused(text: str, code: str, detail: str) -> bytes:
    """A frame was refused before anybody looked at what it is about, as far as it says so itself."""
    try:
        names = msgspec.json.decode(text, type=_Names)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        names = _Names()
    sub, client_id = (name[:_ID_LENGTH] if isinstance(name, str) else None for name in (names.sub, names.client_id))
    return error(code, detail, client_id=client_id, sub=sub)


def reset(sub: str, reason: str, detail: str) -> bytes:
    """A subscription has ended because it cannot go on from where it was: subscribe again without a place."""
    return encode({"type": "reset", "sub": sub, "reason": reason, "detail": detail})


def caught_up(sub: str, position: int, cursor: str) -> bytes:
    """Everything up to `position` has been sent."""
    return encode({"type": "caught_up", "sub": sub, "position": position, "cursor": cursor})


def events(sub: str, body: bytes) -> bytes:
    """Events in order; `body` is shared by everybody who gets the same ones."""
    return b'{"type":"events","sub":' + encode(sub) + b"," + body


def snapshot(sub: str, view: str, made: Snapshot) -> bytes:
    """A view as it is at a position."""
    head = encode({"type": "snapshot", "sub": sub, "view": view, "position": made.position})
    return head[:-1] + b"," + made.body


def patch(sub: str, start: int, position: int, ops: bytes) -> bytes:
    """What changed in a view since position `start`."""
    return b'{"type":"patch","sub":%b,"from":%d,"position":%d,"ops":%b}' % (encode(sub), start, position, ops)


PING: Final = encode({"type": "ping"})
PONG: Final = encode({"type": "pong"})
