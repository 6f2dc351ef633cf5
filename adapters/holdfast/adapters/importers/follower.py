"""A file of lines, read from where an import left off to where it ends now, as often as it grows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast.adapters.importers.lines import CHUNK
from holdfast.adapters.importers.names import source_id
from holdfast.adapters.importers.transcript import goes_on, lines_from
from holdfast.domain.recorded import StreamId

if TYPE_CHECKING:
    from typing import BinaryIO

    from holdfast.adapters.importers.feed import Feed
    from holdfast.adapters.importers.lines import Line
    from holdfast.adapters.importers.port import Format
    from holdfast.adapters.importers.run import Run
    from holdfast.adapters.importers.transcript import Transcript

_FEEDS = 16
"""Sessions of one file that are held at once; a file with more of them is read all the same."""

_SEAM = 256
"""How many bytes before the place where reading stopped must still be there when it goes on."""


class Follower:
    """One file of lines and the sessions it feeds.

    Attributes:
        feeds: What feeds them, by session; the one that was fed last is the last.
        offset: How far the file was read. What is committed of it may end a little earlier.
        is_held_up: Whether reading stopped because Holdfast is about to connect to the session.
    """

    def __init__(self, transcript: Transcript, kind: Format, run: Run) -> None:
        """Begin where the log is."""
        self._transcript = transcript
        self._parse = kind.parse
        self._run = run
        self._session_id = transcript.session_id
        source = source_id(kind.name, self._session_id, transcript.first_line)
        self.offset: int = run.log.offset(StreamId(self._session_id), source)
        self.feeds: dict[str, Feed] = {}
        self.is_held_up = False
        self._seam = b""
        self._searched: int | None = None

    def read(self, file: BinaryIO, *, end_turn: bool = True) -> bool:
        """Import what is new in the file; False, where it is not the one that was read before.

        Args:
            file: Open for reading.
            end_turn: Whether nobody goes on with the file: a turn without an end is over, and so is a line.

        Raises:
            TranscriptError: The file cannot be read.
        """
        size = os.fstat(file.fileno()).st_size
        if 0 < self.offset == size and (not end_turn or self._run.is_settled(self._session_id)):
            return True  # without reading the session, so that importing everything again is quick
        if self._seam != self._before(file, len(self._seam)) or not goes_on(self._transcript, file, self.offset):
            return False
        if self._searched is None or self._is_done(file, self._searched if self._searched <= size else self.offset):
            self._read(file, end_turn=end_turn)
        for each in self.feeds.values():
            self._run.finish(each, end_turn=end_turn)
        self._seam = self._before(file, min(self.offset, _SEAM))
        return True

    def _read(self, file: BinaryIO, *, end_turn: bool) -> None:
        self._searched = None
        self.is_held_up = False
        feed = self._feed(self._session_id)
        for line in lines_from(self._transcript, file, self.offset):
            record = self._parse(line.data) if line.data else None
            if record is None and not (line.ended or end_turn):
                self._searched = line.end
                return  # whoever writes it is not done
            self.offset = line.end
            if line.data == b"":
                continue
            if record is None:
                self._run.malformed += 1
                continue
            named = self._session_id if self._transcript.whole else record.session_id or self._session_id
            if named != self._session_id:
                # In the order of the file, so that the offset of one session never passes what waits for another.
                self._run.finish(feed, end_turn=False)
                self._session_id = named
                feed = self._feed(named)
            if feed.is_busy and not end_turn:
                self.is_held_up = True
                self.offset = line.start
                return
            if line.end <= feed.offset or feed.refusal is not None:
                continue
            self._run.skipped += not feed.take(record, line)
            if feed.appended:
                self._told(feed, line)

    def _told(self, feed: Feed, line: Line) -> None:
        self._run.count(feed.session.id, feed.appended)
        feed.appended = 0
        self._run.tell(line.end)

    def _feed(self, session_id: str) -> Feed:
        feed = self.feeds.pop(session_id, None)
        if feed is None or not feed.current:
            if len(self.feeds) >= _FEEDS:
                self._run.finish(self.feeds.pop(next(iter(self.feeds))), end_turn=not self._run.live)
            feed = self._run.open(self._transcript, session_id, self._transcript.first_line)
        feed.live = self._run.live
        self.feeds[session_id] = feed
        return feed

    def _is_done(self, file: BinaryIO, start: int) -> bool:
        """Tell by what came since `start` whether a line is done that was not: it has a newline, or ends like JSON."""
        file.seek(start)
        last = b""
        while chunk := file.read(CHUNK):
            if b"\n" in chunk:
                return True
            start += len(chunk)
            last = chunk
        self._searched = start
        return last.rstrip().endswith(b"}")

    def _before(self, file: BinaryIO, count: int) -> bytes:
        return os.pread(file.fileno(), count, self.offset - count) if count else b""
