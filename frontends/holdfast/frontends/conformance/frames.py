"""Every frame of the stream as a structure. `docs/reference/stream.md` is written from these.

They are strict, unlike clients and servers, which ignore what they do not know: here everything that is said is known.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

Json = dict[str, Any]


class _Frame(Struct, frozen=True, forbid_unknown_fields=True):
    """One frame."""


class Hello(_Frame, frozen=True, tag="hello"):
    """The first frame of a connection, within five seconds.

    Attributes:
        client: What the frontend calls itself; it becomes the device of everything that it does.
        token: The credential, unless a header or a cookie brought one.
    """

    client: str = ""
    token: str | None = None


class EventsWanted(_Frame, frozen=True):
    """Which part of the log to send.

    Attributes:
        after: A cursor, a position of this log, or null for its beginning.
        session: Of one session only.
        types: Of these types only.
    """

    after: str | int | None = None
    session: str | None = None
    types: list[str] | None = None


class Subscribe(_Frame, frozen=True, tag="subscribe"):
    """Ask for events, or for a view; exactly one of `events` and `view` is there.

    Attributes:
        sub: The client's name for it, free to choose.
        events: Which part of the log.
        view: Which view.
        session: The session of a `transcript`, of `offers` or of `frames`.
        limit: Items of the snapshot: the newest of a transcript (50 unless said, 1,000 at the most), the first of a
            roster (all unless said).
        ended: Whether the snapshot of a roster has ended sessions too.
    """

    sub: str
    events: EventsWanted | None = None
    view: Literal["roster", "inbox", "transcript", "offers", "frames"] | None = None
    session: str | None = None
    limit: int | None = None
    ended: bool = False


class Unsubscribe(_Frame, frozen=True, tag="unsubscribe"):
    """Ask for no more of it. One frame may still be on its way.

    Attributes:
        sub: The client's name for it.
    """

    sub: str


class Command(_Frame, frozen=True, tag="command"):
    """Have something done. Answered by `ok` or `error` with the same `client_id`, once it is in the log.

    Attributes:
        client_id: The client's name for the command. The same one again, on whatever connection, is not carried out
            again and answers what the first did.
        verb: The last word of the path of its HTTP operation.
        session: The session it is about.
        body: The body of that operation.
    """

    client_id: str
    verb: str
    session: str | None = None
    body: Json | None = None


class Focus(_Frame, frozen=True, tag="focus"):
    """Say which session the person looks at; null for none, as while a window is hidden.

    Attributes:
        session: The session.
        seen: Position of the newest output that is visible; null for none. Left out, what this connection was sent of
            the session's transcript counts as seen.
    """

    session: str | None
    seen: int | UnsetType | None = UNSET


class Ping(_Frame, frozen=True, tag="ping"):
    """A sign of life. The server sends it every fifteen seconds and wants no answer; a client's is answered."""


class Pong(_Frame, frozen=True, tag="pong"):
    """The answer to a client's `ping`."""


class Event(_Frame, frozen=True):
    """One event, as `holdfast events` prints it.

    Attributes:
        position: Its place in the log.
        event_id: A UUID.
        session_id: The session it is about, or null.
        link_id: The link it is about, or null.
        version: Its place in that stream.
        type: What kind it is.
        schema: The schema version of `data`.
        recorded_at: When it was written.
        occurred_at: When it happened, where that is told by an imported source.
        cause: The `client_id` of the command that led to it.
        actor: Who made it happen.
        data: What happened, by type; null once erased.
    """

    position: int
    event_id: str
    session_id: str | None
    link_id: str | None
    version: int
    type: str
    schema: int
    recorded_at: str
    occurred_at: str | None
    cause: str | None
    actor: Json
    data: Json | None


class Events(_Frame, frozen=True, tag="events"):
    """Events in order of position, up to 64 of them.

    Attributes:
        sub: Whose they are.
        events: The events.
        cursor: Where to go on after them.
    """

    sub: str
    events: list[Event]
    cursor: str


class CaughtUp(_Frame, frozen=True, tag="caught_up"):
    """There is nothing more for now; what comes from here on has just happened. Said once a subscription.

    Attributes:
        sub: Whose it is.
        position: Everything up to here was sent.
        cursor: Where to go on after it.
    """

    sub: str
    position: int
    cursor: str


class Snapshot(Struct, frozen=True, tag="snapshot"):
    """A view as it is at a position.

    Attributes:
        sub: Whose it is.
        view: Which view.
        position: Where the patches begin.
        items: Its items; each has `id` and `position`.
        before: Cursor of the page before the first item of a transcript.
        session: The row of a transcript's session, as the log has it.
    """

    sub: str
    view: Literal["roster", "inbox", "transcript", "offers"]
    position: int
    items: list[Json]
    before: str | None
    session: Json | None = None


class Put(_Frame, frozen=True, tag="put", tag_field="op"):
    """The item is new, or takes the place of the one with its id.

    Attributes:
        item: The item, with `id` and `position`.
    """

    item: Json


class Append(_Frame, frozen=True, tag="append", tag_field="op"):
    """The text of an item is now `text[:at] + text`.

    Attributes:
        id: The item.
        at: Where the text goes, in Unicode code points.
        text: The text.
        position: Position of the event that added it.
    """

    id: str
    at: int
    text: str
    position: int


class Drop(_Frame, frozen=True, tag="drop", tag_field="op"):
    """The item is gone.

    Attributes:
        id: The item.
        position: Position of the event that took it away.
    """

    id: str
    position: int


class Set(_Frame, frozen=True, tag="set", tag_field="op"):
    """Fields that are in no event: how a session is connected, who looks at it. Always applied.

    Attributes:
        id: The item.
        fields: The fields, whole; others stay as they are.
    """

    id: str
    fields: Json


class Patch(_Frame, frozen=True, tag="patch"):
    """What changed in a view.

    Attributes:
        sub: Whose it is.
        from_: The position it begins at; where that is not the client's, subscribe again.
        position: The position it leads to.
        ops: The changes, in order.
    """

    sub: str
    position: int
    ops: list[Put | Append | Drop | Set]
    from_: int = field(name="from")


class PeerFrame(_Frame, frozen=True):
    """One frame between the daemon and a peer.

    Attributes:
        number: Grows from frame to frame, over all sessions, for as long as the daemon runs.
        at: When it came or went.
        direction: `in` from the peer, `out` to it.
        text: Its first 4 KB, with known values of credentials replaced by asterisks.
        size_bytes: How long the whole of it was.
    """

    number: int
    at: str
    direction: Literal["in", "out"]
    text: str
    size_bytes: int


class Frames(_Frame, frozen=True, tag="frames"):
    """What was said between the daemon and the peer of a session. The first one comes at once, with what is kept.

    Attributes:
        sub: Whose they are.
        frames: The frames, in order; up to 64 of them.
    """

    sub: str
    frames: list[PeerFrame]


class Reset(_Frame, frozen=True, tag="reset"):
    """The subscription is over, because it cannot go on from where it was.

    Attributes:
        sub: Whose it was.
        reason: `cursor`: it is not of this log. `behind`: more has changed than is kept. `erased`: the content of the
            session is gone. `failed`: the view cannot be read.
        detail: The reason for people.
    """

    sub: str
    reason: Literal["cursor", "behind", "erased", "failed"]
    detail: str


class Ok(_Frame, frozen=True, tag="ok"):
    """A command was carried out.

    Attributes:
        client_id: Which.
        result: The body of the HTTP answer.
        position: What it led to is in the log up to here.
    """

    client_id: str
    result: Any
    position: int


class Error(_Frame, frozen=True, tag="error"):
    """A frame was refused, and nothing changed. The connection goes on.

    Attributes:
        client_id: The command it is about, or null.
        code: The stable code, as over HTTP.
        detail: The reason for people.
        sub: The subscription it is about, which is over.
    """

    client_id: str | None
    code: str
    detail: str
    sub: str | None = None


ClientFrame = Hello | Subscribe | Unsubscribe | Command | Focus | Ping
ServerFrame = Snapshot | Patch | Events | CaughtUp | Frames | Reset | Ok | Error | Ping | Pong

OPS = (Put, Append, Drop, Set)
OF_CLIENTS = (Hello, Subscribe, EventsWanted, Unsubscribe, Command, Focus, Ping)
OF_SERVERS = (Snapshot, Patch, Events, Event, CaughtUp, Frames, PeerFrame, Reset, Ok, Error, Ping, Pong)
