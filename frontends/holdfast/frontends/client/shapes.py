"""The JSON of the contract, read back into what the ports speak of. The other direction is `domain.wire`."""

from __future__ import annotations

from typing import TypeVar

from msgspec import DecodeError, Raw, Struct, json
from msgspec.structs import replace

from holdfast.domain.answers import Hit, LogEvent, Page
from holdfast.domain.content import NOTHING
from holdfast.domain.errors import DaemonError
from holdfast.domain.projections.inbox import Request
from holdfast.domain.projections.items import Item
from holdfast.domain.projections.roster import Row
from holdfast.domain.recorded import Actor, EventId, Recorded, StreamId
from holdfast.domain.session.facts import Unknown
from holdfast.domain.timestamps import from_text


class _Page(Struct):
    session: Row
    items: list[dict[str, Raw]]
    position: int
    before: str | None


class _Event(Struct):
    position: int
    event_id: str
    session_id: StreamId | None
    link_id: StreamId | None
    version: int
    type: str
    recorded_at: str
    cause: str | None
    actor: Actor
    data: Raw
    occurred_at: str | None = None
    schema: int = 1


class _Rows(Struct):
    items: list[Row]
    after: str | None = None


class _Listed(Struct):
    items: list[dict[str, Raw]]


_page = json.Decoder(_Page)
_row = json.Decoder(Row)
_rows = json.Decoder(_Rows)
_listed = json.Decoder(_Listed)
_hit = json.Decoder(Hit)
_request = json.Decoder(Request)
_event = json.Decoder(_Event)
_entry = json.Decoder(Item)
_text = json.Decoder(str)

T = TypeVar("T")


def read(decoder: json.Decoder[T], body: bytes) -> T:
    """Return what an answer holds.

    Raises:
        DaemonError: It holds something else; so for everything here.
    """
    try:
        return decoder.decode(body)
    except (DecodeError, UnicodeDecodeError) as error:
        raise not_understood(error) from error


def row(body: bytes) -> Row:
    """Return a row of the roster."""
    return read(_row, body)


def rows(body: bytes) -> tuple[list[Row], str | None]:
    """Return a piece of the roster, and the cursor of what follows it."""
    listed = read(_rows, body)
    return listed.items, listed.after


def page(body: bytes) -> Page:
    """Return a piece of a transcript."""
    found = read(_page, body)
    return Page(found.session, [_item(each) for each in found.items], found.position, found.before)


def hits(body: bytes) -> list[Hit]:
    """Return what a search found."""
    return [read(_hit, _with_numbers(each, "at")) for each in read(_listed, body).items]


def requests(body: bytes) -> list[Request]:
    """Return the inbox."""
    found = (read(_request, _with_numbers(each, "requested_at")) for each in read(_listed, body).items)
    return [replace(each, input=_present(each.input)) for each in found]


def event(line: bytes) -> LogEvent:
    """Return one event of the log, its payload as it is stored."""
    found = read(_event, line)
    data = _present(found.data)
    try:
        event_id = EventId(bytes.fromhex(found.event_id.replace("-", "")))  # a UUID, whose module is slow to import
    except ValueError as error:
        raise not_understood(error) from error
    recorded = Recorded(
        found.session_id or found.link_id or StreamId(""),
        found.version,
        event_id,
        _time(found.recorded_at),
        Unknown(found.type, found.schema, bytes(data).decode() if data else None),
        found.cause,
        found.actor,
        None if found.occurred_at is None else _time(found.occurred_at),
        position=found.position,
    )
    return LogEvent(recorded, "link" if found.session_id is None else "session", found.type, data or None)


def not_understood(error: Exception) -> DaemonError:
    """Return what to raise for an answer that is not as the contract says."""
    return DaemonError(f"the daemon answered something else than expected ({error}): it may be of another version")


def _item(told: dict[str, Raw]) -> Item:
    """Return an entry as projections have it: the same members, but for times in microseconds and nothing for null."""
    present = {name: value for name, value in told.items() if bytes(value) != b"null"}
    found = read(_entry, _with_numbers(present, "at", *({"decided_at"} & present.keys())))
    found.length = len(found.text)
    return found


def _with_numbers(told: dict[str, Raw], *times: str) -> bytes:
    """Return an object with its times, texts in the contract, as the microseconds that ports speak of."""
    numbers = {name: _time(read(_text, bytes(told.get(name, b"")))) for name in times}
    return json.encode({**told, **numbers})


def _present(raw: Raw) -> Raw:
    """Return JSON that is null as none at all."""
    return NOTHING if len(raw) == 4 and bytes(raw) == b"null" else raw


def _time(text: str) -> int:
    try:
        return from_text(text)
    except ValueError as error:
        raise not_understood(error) from error
