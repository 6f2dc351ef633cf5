"""A session as it was at any moment: its events folded once more, up to there. The same folds as the live views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from holdfast.domain.answers import Page
from holdfast.domain.compaction import COMPACTED, of_events
from holdfast.domain.errors import CursorError, NotFoundError
from holdfast.domain.projections import roster
from holdfast.domain.projections.items import Item, apply
from holdfast.domain.projections.transcript import project
from holdfast.domain.session.codec import decode
from holdfast.domain.session.facts import Unknown
from holdfast.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.compaction import Compactions
    from holdfast.domain.projections.items import Change
    from holdfast.domain.recorded import Recorded, StreamId


class Moment:
    """One session after the events that were taken so far.

    Attributes:
        session: Its state.
        items: Its transcript.
        position: Where its latest event stands in the log.
    """

    def __init__(self, session_id: StreamId) -> None:
        """Stand before the first event of a session."""
        self.session = Session(session_id)
        self.items: dict[str, Item] = {}
        self.position = 0

    def take(self, recorded: Recorded) -> tuple[Change, ...]:
        """Go on by one event, and return what it changes in the transcript."""
        self.session = self.session.after(recorded)
        self.position = recorded.position or self.position
        changes = project(self.items, recorded)
        for change in changes:
            apply(self.items, change)
        return changes

    def page(self, *, before: str | None = None, limit: int | None = None) -> Page:
        """Return the transcript as it is now, or the last items of it before a cursor.

        Raises:
            NotFoundError: The session had not begun.
            CursorError: The cursor is none.
        """
        if not self.session.version:
            msg = f"session {self.session.id} had not begun then"
            raise NotFoundError(msg)
        if before is not None and not (before.isascii() and before.isdecimal()):
            msg = f"{before[:80]!r} is not a place in a transcript: use the `before` of an earlier answer"
            raise CursorError(msg)
        below = None if before is None else int(before)
        items = [item.settled() for item in self.items.values() if below is None or item.ordinal < below]
        shown = items if limit is None else items[-limit:]
        earlier = str(shown[0].ordinal) if len(shown) < len(items) else None
        return Page(replace(roster.row(self.session), position=self.position), shown, self.position, earlier)


class Told(Protocol):
    """Where the events of a session are, each with its payload as it is stored."""

    def events(self, *, session_id: StreamId | None = None, types: Sequence[str] = ()) -> Iterator[LogEvent]:
        """Yield them in order, of some types or of all."""
        ...


def story(log: Told, session_id: StreamId, *, until: int | None = None, at: int | None = None) -> Iterator[Recorded]:
    """Yield the events of a session, decoded, up to a moment.

    Of a compacted message nobody knows any more what stood there in its midst: its first piece is all of it.

    Args:
        log: Where the session is.
        session_id: The session.
        until: The last position that counts.
        at: A time, in microseconds since the epoch: the first event that happened later ends the story. Order is
            position, so what comes after that one does not count, whatever its time.

    Raises:
        StoreDamagedError: A payload is not what its type promises.
    """
    compactions = of_events(
        (logged.recorded.originator_version, decoded(logged).event)
        for logged in log.events(session_id=session_id, types=COMPACTED)
    )
    for logged in log.events(session_id=session_id):
        recorded = logged.recorded
        if (until is not None and (recorded.position or 0) > until) or (at is not None and recorded.at > at):
            return
        yield decoded(logged, compactions)


def decoded(logged: LogEvent, compactions: Compactions | None = None) -> Recorded:
    """Return an event of the log with its payload decoded, or with what a compaction says of it.

    Raises:
        StoreDamagedError: The payload is not what its type promises.
    """
    recorded = logged.recorded
    fact = recorded.event
    if not isinstance(fact, Unknown):
        return recorded
    data = fact.data
    if data is None and compactions is not None:
        data = compactions.whole(recorded.originator_version, fact.tag)
    return replace(recorded, event=decode(fact.tag, fact.schema, data))
