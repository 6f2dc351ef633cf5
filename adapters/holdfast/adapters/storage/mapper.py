"""Events on their way into the log and out of it: `Recorded` ↔ `StoredEvent` ↔ row. Payloads are opaque beyond here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from eventsourcing import persistence

from holdfast.domain.attachments import detach, may_change, refers
from holdfast.domain.recorded import PEER, Actor, ActorKind, EventId, Recorded, Source, StreamId
from holdfast.domain.session.codec import decode, encode
from holdfast.domain.session.facts import BY_CLASS, BY_TAG, Reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing.domain import DomainEventProtocol

    from holdfast.domain.session.facts import Fact

ACTOR_KINDS: Final[tuple[ActorKind, ...]] = ("peer", "human", "policy", "daemon")
"""The column `actor` is an index into this; append only."""

_ACTOR_CODES = {kind: code for code, kind in enumerate(ACTOR_KINDS)}
_ACTORS = tuple(Actor(kind) for kind in ACTOR_KINDS)

Header = tuple[str, int, bytes, str, int, int, int | None, str | None, int, str | None, bytes | None, int | None]
"""Stream, version, event id, type, schema, recorded_at, occurred_at, cause, actor, device, source, source offset."""


class Digest(bytes):
    """What stands in the place of a payload that was reduced before its event came here."""

    __slots__ = ()


class Whole(bytes):
    """A payload with JSON of a peer that may hold attachments, or what looks like a reference to one."""

    __slots__ = ()


class Lightened(bytes):
    """A payload whose attachments were taken out before it came here.

    Attributes:
        contents: The attachments, by name.
    """

    contents: Mapping[str, bytes]


class Referring(bytes):
    """A payload with references, as it is stored: what it names must be there already."""

    __slots__ = ()


Entry = tuple[Header, bytes]
"""An event on its way into the log: its header in the order in which it is hashed and stored, and its payload, as
`Whole` or `Referring` where the writer has to look into it, `Lightened` where that was done, or its `Digest`.
"""

EventRow = tuple[
    int, int, EventId, str, int, int, int | None, str | None, int, str | None, bytes | None, int | None, str | None
]
"""The columns of `ROW_COLUMNS`, as a driver gives them."""

ROW_COLUMNS: Final = (
    "position",
    "version",
    "event_id",
    "type",
    "schema",
    "recorded_at",
    "occurred_at",
    "cause",
    "actor",
    "device",
    "source",
    "source_offset",
    "data",
)


@dataclass(frozen=True, eq=False)
class StoredEvent(persistence.StoredEvent):
    """An event as the recorder takes it: the library's four fields and the rest of its header.

    Equal to any stored event with the same four fields: that is how the library's own tests compare what they wrote
    with what they read.
    """

    event_id: bytes
    recorded_at: int
    schema: int = 1
    occurred_at: int | None = None
    cause: str | None = None
    actor: int = 0
    device: str | None = None
    source: bytes | None = None
    source_offset: int | None = None
    position: int | None = field(default=None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, persistence.StoredEvent):
            return NotImplemented
        return _four(self) == _four(other)

    def __hash__(self) -> int:
        return hash(_four(self))


def _four(event: persistence.StoredEvent) -> tuple[object, int, str, bytes]:
    return (event.originator_id, event.originator_version, event.topic, event.state)


def to_entry(event: Recorded, *, as_stored: bool = False) -> Entry:
    """Return `event` as the writer takes it. Plain tuples: this and what is done with them runs once per event.

    Args:
        event: What is to be written.
        as_stored: Whether its JSON was read from the log, with references where attachments stood.
    """
    fact = event.event
    encoded = encode(fact)
    data = encoded.data
    # Asking a fact whether it is an instance of another struct takes as long as encoding it.
    if as_stored or type(fact) not in BY_CLASS:
        if isinstance(fact, Reduced):
            data = Digest(fact.digest)
        elif may_change(data) and refers(data):
            data = Referring(data)
    elif json_fields(encoded.tag) and may_change(data):
        data = Whole(data)
    source = event.source
    actor = event.actor
    return (
        event.originator_id, event.originator_version, event.event_id, encoded.tag, encoded.schema, event.recorded_at,
        event.occurred_at, event.cause, _ACTOR_CODES[actor.kind], actor.device,
        None if source is None else source.id, None if source is None else source.offset,
    ), data  # fmt: skip


def lightened(entry: Entry) -> Entry:
    """Return `entry` without its attachments: a caller that may take its time does so instead of the writer."""
    header, data = entry
    if type(data) is not Whole:
        return entry
    found = detach(data, json_fields(header[3]))
    lighter = Lightened(found.data)
    lighter.contents = found.contents
    return header, lighter


def json_fields(tag: str) -> tuple[str, ...]:
    """Return the names of the fields that hold JSON of a peer, for events of a type."""
    registration = BY_TAG.get(tag)
    return () if registration is None else registration.needs_json + registration.may_hold_json


def stored_entry(event: persistence.StoredEvent, new_id: Callable[[], bytes], now: int) -> Entry:
    """Return a stored event as the writer takes it; a plain one of the library gets the header that it lacks."""
    if not isinstance(event, StoredEvent):
        header: Header = (
            str(event.originator_id), event.originator_version, new_id(), event.topic, 1, now,
            None, None, 0, None, None, None,
        )  # fmt: skip
        return header, event.state
    return (
        str(event.originator_id), event.originator_version, event.event_id, event.topic, event.schema,
        event.recorded_at, event.occurred_at, event.cause, event.actor, event.device, event.source,
        event.source_offset,
    ), event.state  # fmt: skip


def to_stored(event: Recorded) -> StoredEvent:
    """Return `event` as the library's recorder takes it."""
    header, data = to_entry(event)
    stream, version, event_id, tag, schema, recorded_at, occurred_at, cause, actor, device, source, offset = header
    return StoredEvent(
        stream, version, tag, data, event_id, recorded_at, schema,
        occurred_at, cause, actor, device, source, offset, event.position,
    )  # fmt: skip


def to_recorded(stream: StreamId, row: EventRow, read: Callable[[str, int, str | None], Fact] = decode) -> Recorded:
    """Return the event that a row of `ROW_COLUMNS` holds. Called once per event of every bulk read.

    With `Unknown` as `read`, the payload is left as it is, for those who only pass it on.
    """
    (
        position, version, event_id, tag, schema, recorded_at, occurred_at,
        cause, actor, device, source, source_offset, data,
    ) = row  # fmt: skip
    return Recorded(
        stream,
        version,
        event_id,
        recorded_at,
        read(tag, schema, data),
        cause,
        PEER if actor == 0 and device is None else _actor(actor, device),
        occurred_at,
        None if source is None else Source(source, source_offset or 0),
        position,
    )


def to_stored_row(stream: str, row: EventRow) -> StoredEvent:
    """Return a row as the library wants it: undecoded."""
    (
        position, version, event_id, tag, schema, recorded_at, occurred_at,
        cause, actor, device, source, source_offset, data,
    ) = row  # fmt: skip
    return StoredEvent(
        stream, version, tag, b"" if data is None else data.encode(), event_id, recorded_at, schema,
        occurred_at, cause, actor, device, source, source_offset, position,
    )  # fmt: skip


def _actor(code: int, device: str | None) -> Actor:
    return _ACTORS[code] if device is None else Actor(ACTOR_KINDS[code], device)


class Mapper(persistence.Mapper[str]):
    """The library's mapper without transcoder, cipher and import paths: the registry of type tags decides."""

    def __init__(
        self,
        transcoder: persistence.Transcoder | None = None,
        compressor: persistence.Compressor | None = None,
        cipher: persistence.Cipher | None = None,
    ) -> None:
        super().__init__(transcoder or persistence.JSONTranscoder(), compressor, cipher)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return a `Recorded` as it is stored."""
        assert isinstance(domain_event, Recorded)
        return to_stored(domain_event)

    def to_domain_event(self, stored_event: persistence.StoredEvent) -> DomainEventProtocol[str]:
        """Return the `Recorded` behind a stored event of ours."""
        assert isinstance(stored_event, StoredEvent)
        event = stored_event
        return cast(
            "DomainEventProtocol[str]",
            Recorded(
                StreamId(str(event.originator_id)),
                event.originator_version,
                EventId(event.event_id),
                event.recorded_at,
                decode(event.topic, event.schema, event.state or None),
                event.cause,
                _actor(event.actor, event.device),
                event.occurred_at,
                None if event.source is None else Source(event.source, event.source_offset or 0),
                event.position,
            ),
        )
