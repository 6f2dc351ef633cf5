"""Follows transcripts as they grow, so that sessions which were started outside are seen live."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from holdfast.adapters.importers.changes import PAUSE_S, Changes
from holdfast.adapters.importers.discovery import plan
from holdfast.adapters.importers.exported import Exported
from holdfast.adapters.importers.feed import Clock, close_turn
from holdfast.adapters.importers.importer import follow, say_nothing
from holdfast.adapters.importers.run import Run
from holdfast.adapters.importers.transcript import open_transcript, transcripts_in
from holdfast.domain.errors import ConflictError, TranscriptError, VersionConflictError
from holdfast.domain.recorded import StreamId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import BinaryIO

    from holdfast.adapters.importers.feed import Feed
    from holdfast.adapters.importers.follower import Follower
    from holdfast.adapters.importers.log import ImportLog
    from holdfast.adapters.importers.transcript import Transcript
    from holdfast.domain.answers import ImportReport, Verification
    from holdfast.domain.ports import Progress
    from holdfast.domain.recorded import EventId

QUIET_US: Final = 3_600_000_000
"""After so long without a word nobody goes on with a turn that was left open: its tool was closed, or crashed."""

_HELD = 64
"""Files whose sessions are held in memory; of others that are written to again, the session is read from the log."""

_PATIENCE_S = 2.0
"""For how long nothing is said of a file that cannot be read: whoever writes it may not be done."""

_SHARE = 0.1
"""Part of the time that may be spent on reading a document again and again."""

_MOMENT_US: Final = 1_000_000
"""A session of a database that was written to since may be written to again at the same time, as its clock has it."""

_REMEMBERED = 1_000
"""Lines that were said, and are not said again."""


class Watch:
    """Follows sources. Blocking, for one thread; whoever calls decides when it looks.

    Call `begin` once, then `look` every `pause_s` seconds. Nothing has to be done to stop: what was read is in the log,
    and the next watch goes on there. `close_turns` says that nobody watches any more.

    Attributes:
        pause_s: How long to wait between two looks.
    """

    pause_s = PAUSE_S

    def __init__(
        self,
        sources: Sequence[str],
        log: ImportLog,
        now: Callable[[], int],
        new_event_id: Callable[[], EventId],
        *,
        environ: Mapping[str, str],
        say: Callable[[str], None] | None = None,
        check: Callable[[Path], Verification] | None = None,
    ) -> None:
        """Take what `import_sources` takes."""
        self._sources = sources
        self._environ = environ
        self._say = say or say_nothing
        self._said: dict[str, None] = {}
        self._run = Run(log, Clock(now, new_event_id), self._once, check)
        self._changes: Changes | None = None
        self._followers: dict[Path, Follower] = {}
        self._known: set[Path] = {Path(source) for source in sources}
        self._open: dict[str, int] = {}
        self._due: dict[Path, float] = {}
        self._not_before: dict[Path, float] = {}
        self._failed: set[Path] = set()
        self._shelf: dict[tuple[Path, str], int] = {}

    def begin(self, progress: Progress | None = None) -> ImportReport:
        """Import what is there. It starts read, and a turn that somebody may be in the middle of stays open.

        Raises:
            NotFoundError: A path does not exist, or a tool has no folder here. Nothing was appended.
            TranscriptError: A named file holds no transcript. Nothing was appended.
            StoreError: The log cannot take more.
        """
        self._changes = Changes(self._sources, self._environ)
        todo = plan(self._sources, self._environ, self._once, empty=True)
        run = self._run
        run.progress, run.total = progress, todo.bytes
        for transcript in todo.transcripts:
            self._take(transcript.path, transcript)
            run.done += transcript.size
            run.tell(0)
        run.files = min(run.files, len({each.path for each in todo.transcripts}))  # a database holds many
        run.progress, run.live = None, True
        return run.report()

    def look(self, *, everywhere: bool = False) -> ImportReport:
        """Import what came in since the last look, and return what that was.

        Args:
            everywhere: Look at every file, and not only at those that changed lately.

        Raises:
            StoreError: The log cannot take more.
        """
        assert self._changes is not None, "begin first"
        for path in self._changes(everywhere=everywhere):
            self._failed.discard(path)
            self._due[path] = self._not_before.get(path, 0.0)
        clock = perf_counter()
        for path in [path for path, due in self._due.items() if due <= clock or everywhere]:
            del self._due[path]
            self._take(path)
        if quiet := [name for name, at in self._open.items() if at + QUIET_US < self._run.clock.now()]:
            self._close(quiet)
        return self._run.report()

    def close_turns(self) -> int:
        """End the turns that are open: nobody sees how they go on. Return how many events that took.

        Raises:
            StoreError: The log cannot take more.
        """
        self._followers.clear()
        self._close(list(self._open))
        return self._run.report().events

    def _take(self, path: Path, transcript: Transcript | None = None) -> None:
        """Import what is new in one file. Nothing that is wrong with it ends the watch."""
        try:
            with open_transcript(path) as file:
                self._read(path, file, transcript)
            self._run.files += 1
        except VersionConflictError:
            self._followers.pop(path, None)  # somebody else wrote to the session: go on from what stands there now
            self._due[path] = 0.0
        except ConflictError as error:
            self._once(str(error))
        except TranscriptError as error:
            self._followers.pop(path, None)
            self._complain(path, error)

    def _complain(self, path: Path, error: TranscriptError) -> None:
        """Say what is wrong with a file that was read before, if it is still so a little later."""
        if path not in self._known:
            return  # as many files in folders are none; this one is looked at again when it changes
        if not path.exists():
            self._known.discard(path)
            self._once(f"{path} is gone; what was imported of it stays")
        elif path in self._failed:
            self._once(str(error))
        else:
            self._failed.add(path)
            self._due[path] = perf_counter() + _PATIENCE_S

    def _read(self, path: Path, file: BinaryIO, transcript: Transcript | None) -> None:
        follower = self._followers.pop(path, None)
        if follower is not None and follower.read(file, end_turn=False):
            self._note(None, follower.feeds.values(), self._run.clock.now())
            self._hold(path, follower)
            return
        begin = perf_counter()
        is_document = False
        for each in (transcript,) if transcript else transcripts_in(path):
            is_document = each.document
            if each.changed is None or each.changed != self._shelf.get((path, each.session_id)):
                self._read_anew(path, file, each)
        if is_document:
            now = perf_counter()
            self._not_before[path] = now + (now - begin) / _SHARE

    def _read_anew(self, path: Path, file: BinaryIO, transcript: Transcript) -> None:
        self._known.add(path)
        kind = transcript.format
        if isinstance(kind, Exported):
            self._run.restore(transcript)
            return
        changed = os.fstat(file.fileno()).st_mtime_ns // 1000 if transcript.changed is None else transcript.changed
        is_over = not self._run.live and changed + QUIET_US < self._run.clock.now()
        if transcript.document:
            feed = self._run.compare(transcript, end_turn=is_over)
            if feed is not None and feed.is_busy:
                self._due[path] = perf_counter() + _PATIENCE_S
            elif changed + _MOMENT_US < self._run.clock.now():
                self._shelf[path, transcript.session_id] = changed
            self._note(transcript.session_id, [feed] if feed else [], changed)
            return
        follower = follow(self._run, transcript, kind, file, end_turn=is_over)
        if follower is None or is_over:
            return
        self._note(transcript.session_id, follower.feeds.values(), changed)
        self._hold(path, follower)

    def _hold(self, path: Path, follower: Follower) -> None:
        """Keep what is known of a file, so that only what is added to it is read.

        Not before its session has begun: until then the beginning of the file may have more to tell.
        """
        if follower.is_held_up:
            self._due[path] = perf_counter() + _PATIENCE_S
        if any(each.session.state.created for each in follower.feeds.values()):
            self._followers[path] = follower
            if len(self._followers) > _HELD:
                del self._followers[next(iter(self._followers))]

    def _note(self, session_id: str | None, feeds: Iterable[Feed], at: int) -> None:
        """Remember which sessions have an open turn, and when somebody last went on with it."""
        feeds = list(feeds)
        for each in feeds:
            if each.session.state.turn is not None and each.refusal is None:
                self._open[each.session.id] = at
            else:
                self._open.pop(each.session.id, None)
        if not feeds and session_id is not None and not self._run.is_settled(session_id):
            self._open[session_id] = at  # as a watch before this one left it

    def _close(self, names: Sequence[str]) -> None:
        for name in names:
            self._open.pop(name, None)
            for _ in range(2):  # what somebody else appends stands there by the second time
                with suppress(VersionConflictError):
                    self._run.count(name, close_turn(self._run.log, self._run.clock, StreamId(name)))
                    break

    def _once(self, line: str) -> None:
        if line not in self._said:
            self._said[line] = None
            if len(self._said) > _REMEMBERED:
                del self._said[next(iter(self._said))]
            self._say(line)
