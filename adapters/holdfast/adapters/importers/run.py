"""What an import works with, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.adapters.importers.exported import restore
from holdfast.adapters.importers.feed import Feed
from holdfast.adapters.importers.lines import Line
from holdfast.adapters.importers.names import source_id
from holdfast.adapters.importers.port import Rewritten
from holdfast.adapters.importers.transcript import open_transcript, read_document
from holdfast.domain.answers import ImportReport
from holdfast.domain.errors import TranscriptError
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.adapters.importers.feed import Clock
    from holdfast.adapters.importers.log import ImportLog
    from holdfast.adapters.importers.transcript import Transcript
    from holdfast.domain.answers import Verification
    from holdfast.domain.ports import Progress

_SEEN = 64
"""How many of a session's latest events are looked at for whether a turn is open."""


@dataclass
class Run:
    """One import, and what is counted during it.

    Attributes:
        live: Whether what is read has just come in: it is news, and a turn without an end is open.
        total: Bytes that are to be read.
        done: Bytes of the files that were read.
    """

    log: ImportLog
    clock: Clock
    say: Callable[[str], None]
    check: Callable[[Path], Verification] | None = None
    progress: Progress | None = None
    live: bool = False
    total: int = 0
    done: int = 0
    files: int = 0
    sessions: set[str] = field(default_factory=set[str])
    events: int = 0
    malformed: int = 0
    skipped: int = 0

    def report(self) -> ImportReport:
        """Return what was counted, and begin to count anew."""
        told = ImportReport(self.files, len(self.sessions), self.events, self.malformed, self.skipped)
        self.sessions = set()
        self.files = self.events = self.malformed = self.skipped = 0
        return told

    def count(self, session_id: str, events: int) -> None:
        """Count events that were appended to a session."""
        if events:
            self.sessions.add(session_id)
            self.events += events

    def tell(self, read: int) -> None:
        """Say how many bytes of the file that is read were read."""
        if self.progress is not None:
            self.progress("bytes", min(self.done + read, self.total), self.total)

    def open(self, transcript: Transcript, session_id: str, known_by: bytes) -> Feed:
        """Return what feeds a session from a file, from where the log is."""
        kind = transcript.format
        rewritten = isinstance(kind, Rewritten)
        feed = Feed(self.log, self.clock, kind.name, session_id, known_by, rewritten=rewritten)
        feed.live = self.live
        if feed.refusal is not None and not (feed.is_busy and self.live):
            self.say(f"{transcript.path}: session {session_id} {feed.refusal}; nothing was added to it")
        return feed

    def finish(self, feed: Feed, *, end_turn: bool) -> None:
        """Append what a feed holds, and end its turn where nobody goes on with it here."""
        if end_turn:
            feed.close()
        feed.flush()
        self.count(feed.session.id, feed.appended)
        feed.appended = 0

    def is_settled(self, session_id: str) -> bool:
        """Tell by the session's latest events that no turn of it is open, and that it was not erased."""
        for each in reversed(self.log.recent(StreamId(session_id), _SEEN)):
            match each.event:
                case e.TurnEnded() | e.TurnInterrupted() | e.TurnUnknown():
                    return True
                case e.TurnStarted() | e.SessionErased():
                    return False
                case _:
                    pass
        return False

    def restore(self, transcript: Transcript) -> None:
        """Take an exported session back.

        Raises:
            TranscriptError: It is not as it was exported.
            ConflictError: The session is in the log, and went another way there.
        """
        found = None if self.check is None else self.check(transcript.path)
        if found is not None and not found.ok:
            why = "; ".join(found.notes)
            msg = f"{transcript.path} is not as it was exported: {why}; nothing was imported, export the session again"
            raise TranscriptError(msg)
        with open_transcript(transcript.path, buffered=True) as file:
            self.count(transcript.session_id, restore(transcript.path, file, self.log, self.say))

    def compare(self, transcript: Transcript, *, end_turn: bool = True) -> Feed | None:
        """Import what the log does not have yet of a transcript that is not made of lines.

        Returns:
            What fed its session; None, where the log has all of it.

        Raises:
            TranscriptError: It cannot be read, or holds something else by now.
        """
        session_id = transcript.session_id
        document = read_document(transcript)
        self.malformed += document.malformed
        source = source_id(transcript.format.name, session_id, document.digest)
        known = self.log.offset(StreamId(session_id), source)
        if 0 < len(document.records) <= known and (not end_turn or self.is_settled(session_id)):
            return None
        feed = self.open(transcript, session_id, document.digest)
        for number, record in enumerate(document.records):
            if number >= feed.offset and feed.refusal is None:
                self.skipped += not feed.take(record, Line(None, number, number + 1, ended=True))
        self.finish(feed, end_turn=end_turn)
        return feed
