"""Imports transcripts: finds the files, and brings what is new in them into the log."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from holdfast.adapters.importers.discovery import plan
from holdfast.adapters.importers.exported import Exported
from holdfast.adapters.importers.feed import Clock
from holdfast.adapters.importers.follower import Follower
from holdfast.adapters.importers.run import Run
from holdfast.adapters.importers.transcript import open_transcript
from holdfast.domain.errors import TranscriptError, VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from holdfast.adapters.importers.log import ImportLog
    from holdfast.adapters.importers.port import Format
    from holdfast.adapters.importers.transcript import Transcript
    from holdfast.domain.answers import ImportReport, Verification
    from holdfast.domain.ports import Progress
    from holdfast.domain.recorded import EventId

_ATTEMPTS = 5


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
    say = say or say_nothing
    todo = plan(sources, environ, say)
    run = Run(log, Clock(now, new_event_id), say, check, progress, total=todo.bytes)
    read: set[Path] = set()  # a database holds many transcripts
    for transcript in todo.transcripts:
        try:
            _take(run, transcript)
            read.add(transcript.path)
        except TranscriptError as error:
            if transcript.path in todo.named:
                raise
            say(str(error))
        run.done += transcript.size
        run.tell(0)
    run.files = len(read)
    return run.report()


def say_nothing(_line: str) -> None:
    """Take what nobody wants to hear."""


def follow(run: Run, transcript: Transcript, kind: Format, file: BinaryIO, *, end_turn: bool) -> Follower | None:
    """Import what is new in a file of lines; None, where it does not go on from what was imported of it."""
    follower = Follower(transcript, kind, run)
    if follower.read(file, end_turn=end_turn):
        return follower
    change = "is shorter than" if os.fstat(file.fileno()).st_size < follower.offset else "does not go on from"
    run.say(f"{transcript.path} {change} what was imported of it; nothing was added")
    return None


def _take(run: Run, transcript: Transcript) -> None:
    """Import one file. Where somebody writes to its session meanwhile, go on from what stands there then."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(VersionConflictError):  # nothing of what conflicts was appended
            return _try(run, transcript)
    return _try(run, transcript)


def _try(run: Run, transcript: Transcript) -> None:
    kind = transcript.format
    if isinstance(kind, Exported):
        run.restore(transcript)
    elif transcript.document:
        run.compare(transcript)
    else:
        with open_transcript(transcript.path) as file:
            follow(run, transcript, kind, file, end_turn=True)
