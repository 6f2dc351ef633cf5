"""The envelope of every event: who, when, why, and where it stands. What happened is the fact inside."""

from __future__ import annotations

from typing import Literal, NewType

from msgspec import Struct

from holdfast.domain.session.facts import Fact

StreamId = NewType("StreamId", str)
"""Name of a session or of a link. Live ones are random UUIDs; an imported session keeps its own."""

EventId = NewType("EventId", bytes)
"""Sixteen bytes of a UUID, version 7 for live events."""

ActorKind = Literal["peer", "human", "policy", "daemon"]


class Actor(Struct, frozen=True, gc=False):
    """Who made an event happen, and with which device where a person did."""

    kind: ActorKind
    device: str | None = None


PEER = Actor("peer")
DAEMON = Actor("daemon")
POLICY = Actor("policy")


class Source(Struct, frozen=True, gc=False):
    """Where the bytes behind an event came from, so that they are consumed exactly once.

    Attributes:
        id: Eight bytes: the incarnation of an agent host, or the identity of an imported file.
        offset: The byte after the frame or line.
    """

    id: bytes
    offset: int


class Recorded(Struct, frozen=True, gc=False):
    """One event as it stands in the log.

    It has the shape that `eventsourcing` asks of a domain event, without importing it.

    Attributes:
        originator_id: The session or link.
        originator_version: 1 for the first event of a stream, without gaps.
        event_id: Unique over all stores.
        recorded_at: Microseconds since the epoch, UTC, by the clock of the process that wrote it.
        event: What happened.
        cause: The client id of the command that led to it, or None for what a peer did by itself.
        actor: Who did it.
        occurred_at: When it happened by the word of an imported source; None means `recorded_at`.
        source: Where its bytes came from, for what was read from an agent or a file.
        position: Its place in the whole log, known once it is committed.
    """

    originator_id: StreamId
    originator_version: int
    event_id: EventId
    recorded_at: int
    event: Fact
    cause: str | None = None
    actor: Actor = PEER
    occurred_at: int | None = None
    source: Source | None = None
    position: int | None = None

    @property
    def at(self) -> int:
        """When it happened, in microseconds since the epoch, as far as anyone knows."""
        return self.recorded_at if self.occurred_at is None else self.occurred_at
