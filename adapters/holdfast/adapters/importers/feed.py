"""What one file adds to one session: records become facts, facts become events, events are appended in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.adapters.importers.draft import UNRECORDED
from holdfast.adapters.importers.known import KnownItems
from holdfast.adapters.importers.names import source_id
from holdfast.adapters.importers.recent import LIMIT, RecentItems
from holdfast.domain.recorded import DAEMON, PEER, EventId, Recorded, Source, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode
from holdfast.domain.session.commands import Command, MarkRead, MarkUnread, Observe
from holdfast.domain.session.session import Context, fold, handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.adapters.importers.lines import Line
    from holdfast.adapters.importers.log import ImportLog
    from holdfast.adapters.importers.port import Record
    from holdfast.domain.recorded import Actor
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.session import Session

BATCH_LINES = 500
BATCH_BYTES = 4 * 1024 * 1024

_WAITING = 64
"""How many facts wait for a session that has not begun yet."""


class Clock(NamedTuple):
    """Where times and ids come from.

    Attributes:
        now: Microseconds since the epoch, UTC.
        new_event_id: Gives a fresh event id at each call.
    """

    now: Callable[[], int]
    new_event_id: Callable[[], EventId]


class Feed:
    """One session as one file feeds it.

    Attributes:
        offset: How far the file was consumed for this session, by what is committed.
        appended: How many events were appended.
        live: Whether what is taken has just come in, and is no history.
    """

    def __init__(
        self, log: ImportLog, clock: Clock, kind: str, session_id: str, first_line: bytes, *, rewritten: bool = False
    ) -> None:
        """Take up where the log is.

        Args:
            log: Where sessions are kept.
            clock: Gives times and ids.
            kind: Which kind of transcript it is.
            session_id: The session.
            first_line: What the file is known by.
            rewritten: Whether the file says things again, so that each is to be compared with all that is known.
        """
        self._log = log
        self._clock = clock
        self._source = source_id(kind, session_id, first_line)
        # What is rewritten is known by all its content, and its items must keep their names all the same.
        self._anchor = source_id(kind, session_id, b"").hex() if rewritten else self._source.hex()
        self.offset = log.offset(StreamId(session_id), self._source)
        self.appended = 0
        self.live = False
        self._session = log.load(StreamId(session_id))
        self._driver = None if self._session.state.ever_attached else log.driver(self._session.id, kind)
        self._erased = not self._session.state.created and log.is_erased(self._session.id)
        # A session that is begun at this moment has no name there yet, and this may be it.
        self._unsure = self._driver is None and not self._session.state.created and log.is_connecting(kind)
        if rewritten:
            self._recent: RecentItems = KnownItems(_facts(log, self._session.id))
        else:
            self._recent = RecentItems(each.event for each in log.recent(self._session.id, LIMIT))
        # A person who wants to be reminded of a session still is when its transcript is imported once more.
        self._keep_read = not self._session.state.unread()
        self._waiting: list[Fact] = []
        self._batch: list[Recorded] = []
        self._lines = self._bytes = 0
        self._end = self.offset

    @property
    def refusal(self) -> str | None:
        """Why nothing can be added to the session; None where it can."""
        if self._session.state.erased or self._erased:
            return "was erased"
        if self._driver is not None:
            return f"is recorded live by Holdfast as {self._driver}"
        state = self._session.state
        if state.ever_attached or (state.created and self._session.summary.transport != "import"):
            return "is recorded live by Holdfast"
        return "is being connected to its agent" if self.is_busy else None

    @property
    def is_busy(self) -> bool:
        """Whether it is not known yet if something can be added: Holdfast is about to connect."""
        return self._unsure or (self._session.state.attachment == "requested" and not self._session.state.ever_attached)

    @property
    def session(self) -> Session:
        """The session after all that was taken."""
        return self._session

    @property
    def current(self) -> bool:
        """Whether the log says of the session what is known here. Other files, and people, add to it as well."""
        return not self._unsure and self._log.load(self._session.id).version == self._session.version

    def take(self, record: Record, line: Line) -> bool:
        """Add the record of a line; False where it carries nothing that is known."""
        if self._lines >= BATCH_LINES or self._bytes >= BATCH_BYTES:
            self.flush()  # not before there is more, so that the last batch always closes the turn as well
        self._end = line.end
        anchor = f"{self._anchor}-{line.start}"
        if not self._session.state.created and (opening := record.opening()) is not None:
            self._handle(opening, record.at)
        translation = record.translate(self._session, self._recent, anchor)
        if not self._session.state.created:
            self._waiting = [*self._waiting, *translation.facts][-_WAITING:]
        elif facts := (*self._waiting, *translation.facts):
            self._waiting = []
            self._handle(Observe(facts), record.at)
        self._lines += 1
        self._bytes += line.end - line.start
        return not translation.skipped

    def flush(self) -> None:
        """Append what was collected. History starts read; what has just come in is news."""
        if self._batch:
            if self.live:
                self._remind()
            elif self._keep_read:
                self._handle(MarkRead(), None, DAEMON)
            self._log.append(self._session, self._batch)
            self.appended += len(self._batch)
            self.offset = self._end
        self._batch = []
        self._lines = self._bytes = 0

    def _remind(self) -> None:
        """Mark what was said as unread, also in a turn of which the person has read the beginning: it counts once."""
        if self._session.state.ended is None and any(
            isinstance(each.event, e.TextAppended) and each.event.thread is None and each.event.text.strip()
            for each in self._batch
        ):
            self._handle(MarkUnread(), None, DAEMON)

    def close(self) -> None:
        """Append the rest, and end the turn that the file leaves open: nobody goes on with it here."""
        turn = self._session.state.turn
        if turn is not None and self.refusal is None:
            self._handle(Observe((e.TurnEnded(turn.turn_id, UNRECORDED),)), None)
        self.flush()

    def _handle(self, command: Command, at: int | None, actor: Actor = PEER) -> None:
        """Fold and keep what `command` leads to; without a time of its own it happened when the latest event did."""
        context = Context(
            self._clock.now(),
            self._clock.new_event_id,
            actor,
            occurred_at=at if at is not None else self._session.summary.updated_at or None,
            source=Source(self._source, self._end),
        )
        events = handle(self._session, command, context)
        self._session = fold(self._session, events)
        self._batch.extend(events)


def close_turn(log: ImportLog, clock: Clock, session_id: StreamId) -> int:
    """End the turn that an import left open; return how many events that took."""
    session = log.load(session_id)
    turn = session.state.turn
    if turn is None or session.state.ever_attached or session.summary.transport != "import":
        return 0
    context = Context(clock.now(), clock.new_event_id, PEER, occurred_at=session.summary.updated_at or None)
    events = handle(session, Observe((e.TurnEnded(turn.turn_id, UNRECORDED),)), context)
    log.append(fold(session, events), events)
    return len(events)


def _facts(log: ImportLog, session_id: StreamId) -> Iterator[Fact]:
    for each in log.history(session_id):
        stored = each.event
        yield decode(stored.tag, stored.schema, stored.data) if isinstance(stored, e.Unknown) else stored
