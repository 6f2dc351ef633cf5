"""Imports transcripts: finds the files, and brings what is new in them into the log."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.adapters.importers.discovery import Plan, plan
from holdfast.adapters.importers.exported import Exported, restore
from holdfast.adapters.importers.feed import Clock, Feed
from holdfast.adapters.importers.lines import Line
from holdfast.adapters.importers.names import source_id
from holdfast.adapters.importers.port import Rewritten
from holdfast.adapters.importers.transcript import goes_on, lines_from, open_transcript, read_document
from holdfast.domain.errors import TranscriptError
from holdfast.domain.ports import ImportReport
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.events import SessionErased

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from holdfast.adapters.importers.log import ImportLog
    from holdfast.adapters.importers.transcript import Transcript
    from holdfast.domain.ports import Progress, Verification
    from holdfast.domain.recorded import EventId

_FEEDS = 16
"""Sessions of one file that are held at once; a file with more of them is read all the same."""


def import_sources(
    sources: Sequence[str],
    log: ImportLog,
    progress: Progress | None,
    now: Callable[[], int],
    new_event_id: Callable[[], EventId],
    *,
    environ: Mapping[str, str],
    say: Callable[[str], None] | None = None,
    check: Callable[[Path], Verification] | None = None,
) -> ImportReport:
    """Import transcripts; what was imported before is not imported again. The files are only read.

    Args:
        sources: Files, folders (searched through), or names of tools for what this user has of them.
        log: Where sessions are kept.
        progress: Told about bytes that were read.
        now: The time, microseconds since the epoch, UTC.
        new_event_id: Gives a fresh event id at each call.
        environ: Environment of the process; it tells where tools keep their transcripts.
        say: Told what a person should know, one line each.
        check: Verifies an export of ours before anything of it is imported.

    Raises:
        NotFoundError: A path does not exist, or a tool has no transcripts here. Nothing was appended.
        TranscriptError: A named file holds no transcript, or a folder none at all. Nothing was appended.
        ConflictError: An exported session is in the log already, and went another way there.
        StoreError: The log cannot take more. What was appended before stays, and the next import goes on there.
    """
    say = say or _say_nothing
    todo = plan(sources, environ)
    if todo.foreign:
        say(f"{todo.foreign} {'file holds' if todo.foreign == 1 else 'files hold'} no transcript")
    run = _Run(todo, log, Clock(now, new_event_id), progress, say, check)
    for transcript in todo.transcripts:
        run.take(transcript)
    return ImportReport(run.files, len(run.sessions), run.events, run.malformed, run.skipped)


def _say_nothing(_line: str) -> None:
    """Take what nobody wants to hear."""


@dataclass
class _Run:
    """One import, and what is counted during it."""

    todo: Plan
    log: ImportLog
    clock: Clock
    progress: Progress | None
    say: Callable[[str], None]
    check: Callable[[Path], Verification] | None
    files: int = 0
    sessions: set[str] = field(default_factory=set[str])
    events: int = 0
    malformed: int = 0
    skipped: int = 0
    done: int = 0

    def take(self, transcript: Transcript) -> None:
        """Import one file. What was appended of it counts, also where it cannot be read to its end."""
        try:
            with open_transcript(transcript.path) as file:
                if isinstance(transcript.format, Exported):
                    self._restore(transcript)
                elif transcript.document:
                    self._compare(transcript)
                else:
                    self._read(transcript, file)
            self.files += 1
        except TranscriptError as error:
            if transcript.path in self.todo.named:
                raise
            self.say(str(error))
        self.done += transcript.size
        self._tell(0)

    def _restore(self, transcript: Transcript) -> None:
        found = None if self.check is None else self.check(transcript.path)
        if found is not None and not found.ok:
            why = "; ".join(found.notes)
            msg = f"{transcript.path} is not as it was exported: {why}; nothing was imported, export the session again"
            raise TranscriptError(msg)
        with transcript.path.open("rb") as file:
            appended = restore(transcript.path, file, self.log, self.say)
        if appended:
            self.sessions.add(transcript.session_id)
            self.events += appended

    def _compare(self, transcript: Transcript) -> None:
        """Import what the log does not have yet of a transcript that is not made of lines."""
        session_id = transcript.session_id
        document = read_document(transcript)
        self.malformed += document.malformed
        source = source_id(transcript.format.name, session_id, document.digest)
        if 0 < len(document.records) <= self.log.offset(StreamId(session_id), source) and not self._erased(session_id):
            return
        feed = self._open(transcript, session_id, document.digest)
        for number, record in enumerate(document.records):
            if number >= feed.offset and feed.refusal is None:
                self.skipped += not feed.take(record, Line(None, number, number + 1, ended=True))
        feed.close()
        self._count(feed, session_id)

    def _read(self, transcript: Transcript, file: BinaryIO) -> None:
        session_id = transcript.session_id
        source = source_id(transcript.format.name, session_id, transcript.first_line)
        start = self.log.offset(StreamId(session_id), source)
        size = os.fstat(file.fileno()).st_size
        if 0 < start == size and not self._erased(session_id):
            return  # without reading the session, so that importing everything again is quick
        if not goes_on(transcript, file, start):
            change = "is shorter than" if size < start else "does not go on from"
            self.say(f"{transcript.path} {change} what was imported of it; nothing was added")
            return
        feeds: dict[str, Feed] = {}
        feed = self._feed(feeds, transcript, session_id)
        for line in lines_from(transcript, file, start):
            if line.data == b"":
                continue
            record = transcript.format.parse(line.data) if line.data is not None else None
            if record is None:
                self.malformed += 1
                continue
            named = session_id if transcript.whole else record.session_id or session_id
            if named != session_id:
                # In the order of the file, so that the offset of one session never passes what waits for another.
                self._flush(feed, session_id)
                session_id = named
                feed = self._feed(feeds, transcript, session_id)
            if line.end <= feed.offset or feed.refusal is not None:
                continue
            self.skipped += not feed.take(record, line)
            if feed.appended:
                self._count(feed, session_id)
                self._tell(line.end)
        for session_id, each in feeds.items():
            each.close()
            self._count(each, session_id)

    def _feed(self, feeds: dict[str, Feed], transcript: Transcript, session_id: str) -> Feed:
        feed = feeds.pop(session_id, None)
        if feed is None:
            if len(feeds) >= _FEEDS:
                oldest = next(iter(feeds))
                closed = feeds.pop(oldest)
                closed.close()
                self._count(closed, oldest)
            feed = self._open(transcript, session_id, transcript.first_line)
        feeds[session_id] = feed
        return feed

    def _open(self, transcript: Transcript, session_id: str, known_by: bytes) -> Feed:
        kind = transcript.format
        rewritten = isinstance(kind, Rewritten)
        feed = Feed(self.log, self.clock, kind.name, session_id, known_by, rewritten=rewritten)
        if feed.refusal is not None:
            self.say(f"{transcript.path}: session {session_id} {feed.refusal}; nothing was added to it")
        return feed

    def _erased(self, session_id: str) -> bool:
        return any(isinstance(each.event, SessionErased) for each in self.log.recent(StreamId(session_id), 1))

    def _flush(self, feed: Feed, session_id: str) -> None:
        feed.flush()
        self._count(feed, session_id)

    def _count(self, feed: Feed, session_id: str) -> None:
        if feed.appended:
            self.sessions.add(session_id)
            self.events += feed.appended
            feed.appended = 0

    def _tell(self, read: int) -> None:
        if self.progress is not None:
            self.progress("bytes", min(self.done + read, self.todo.bytes), self.todo.bytes)
