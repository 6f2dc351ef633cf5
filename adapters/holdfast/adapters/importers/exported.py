"""Our own exports, back into a log: the same events with the same ids, times and payloads, at new positions.

Nothing is translated here. What the file says was checked before; what it could do to a log is checked line by line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from holdfast.adapters.importers.lines import json_object
from holdfast.adapters.importers.names import session_name
from holdfast.domain.attachments import CONTENT_LIMIT
from holdfast.domain.compaction import COMPACTED, REDUCIBLE, Compactions
from holdfast.domain.enclosed import FILE_PREFIX, Enclosed, is_piece
from holdfast.domain.errors import ConflictError, StoreDamagedError, TranscriptError
from holdfast.domain.exported import LINE_LIMIT, EventLine, read_event, read_header
from holdfast.domain.recorded import Actor, EventId, Recorded, Source, StreamId
from holdfast.domain.session.codec import decode
from holdfast.domain.session.facts import Reduced, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.log import ImportLog
    from holdfast.domain.session.session import Session

BATCH_EVENTS = 500
BATCH_BYTES = 4 * 1024 * 1024

_LARGEST_SCHEMA = 2**15 - 1


class Exported:
    """Recognises exports among other transcripts. Their lines are no records to translate: `restore` reads them."""

    name = "holdfast-export"

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return no folders: exports lie wherever a person put them."""
        del environ
        return ()

    def recognises(self, record: JsonObject) -> bool:
        """Tell whether a line is the header of an export."""
        return "holdfast_export" in record

    def owner(self, path: Path) -> None:
        """Return nothing: names of files mean nothing here."""
        del path

    def parse(self, line: bytes) -> Named | None:
        """Return which session a line is of."""
        found = read_header(line) or read_event(line)
        name = None if found is None else session_name(found.session_id)
        return None if name is None else Named(name)


class Named(NamedTuple):
    """A line, for the little that is asked before it is restored."""

    session_id: str


def restore(path: Path, file: BinaryIO, log: ImportLog, say: Callable[[str], None]) -> int:
    """Append what `log` does not have yet of an exported session; return how many events that were.

    Killed in between, it goes on there the next time.

    Raises:
        TranscriptError: A line is no event, or holds what no log may.
        ConflictError: The session is in the log, and went another way there. Nothing is appended.
        StoreError: The log cannot take it.
    """
    header = read_header(file.readline(LINE_LIMIT))
    if header is None or session_name(header.session_id) is None:
        msg = f"{path} names no session that could be imported"
        raise TranscriptError(msg)
    session_id = StreamId(header.session_id)
    session = log.load(session_id)
    if session.state.erased or header.salt is None:
        say(f"{path}: session {session_id} was erased; nothing was added to it")
        return 0
    compactions = _compactions(path, file, session_id)
    enclosed = Enclosed(hold=True)
    incoming = _events(path, file, session_id, enclosed)
    for known in log.history(session_id):
        event = next(incoming, None)
        enclosed.drain()  # what a known event refers to is known as well
        if event is None:
            return 0  # it went on here after it was exported
        if not _same(known, event):
            msg = (
                f"session {session_id} is here already and differs from {path} from version "
                f"{event.originator_version} on; nothing was imported"
            )
            raise ConflictError(msg)
    return _append(path, log, session, incoming, compactions, enclosed=enclosed)


def _same(known: Recorded, event: Recorded) -> bool:
    """Tell whether two are one event, though the payload of either may have been reduced since."""
    ours, theirs = known.event, event.event
    assert isinstance(ours, Unknown)
    assert isinstance(theirs, Unknown)
    same = (ours.tag, ours.schema) == (theirs.tag, theirs.schema)
    same = same and (ours.data == theirs.data or None in (ours.data, theirs.data))
    return same and replace(known, position=None, event=ours) == replace(event, position=None, event=ours)


def _compactions(path: Path, file: BinaryIO, session_id: StreamId) -> Compactions:
    """Return what the compacted events of the file say, and stand at its first event again.

    Raises:
        TranscriptError: One of them cannot be read.
    """
    begin = file.tell()
    found = Compactions()
    for event in _events(path, file, session_id, Enclosed(hold=False)):
        fact = event.event
        assert isinstance(fact, Unknown)
        if fact.tag in COMPACTED:
            found.add(_decoded(path, event).event, event.originator_version)
    file.seek(begin)
    return found


def _decoded(path: Path, event: Recorded, data: str | None = None) -> Recorded:
    fact = event.event
    assert isinstance(fact, Unknown)
    try:
        return replace(event, event=decode(fact.tag, fact.schema, fact.data if data is None else data))
    except StoreDamagedError as error:
        msg = f"{path} holds an event that cannot be read: {error}"
        raise TranscriptError(msg) from error


def _append(
    path: Path,
    log: ImportLog,
    session: Session,
    incoming: Iterator[Recorded],
    compactions: Compactions,
    *,
    enclosed: Enclosed,
) -> int:
    batch: list[Recorded] = []
    contents: dict[str, bytes] = {}
    size = appended = 0
    for event in incoming:
        fact = event.event
        assert isinstance(fact, Unknown)
        told = None if fact.data is not None else compactions.payload(event.originator_version, fact.tag)
        if fact.data is None and told is None:
            msg = f"{path} lacks the content of version {event.originator_version}, and nothing in it stands for that"
            raise TranscriptError(msg)
        session = session.after(_decoded(path, event, told))
        batch.append(event)
        came = enclosed.drain()
        contents |= came
        size += len(fact.data or "") + sum(map(len, came.values()))
        if len(batch) >= BATCH_EVENTS or size >= BATCH_BYTES:
            log.append(session, batch, contents)
            appended += len(batch)
            batch, contents, size = [], {}, 0
    if batch:
        log.append(session, batch, contents)
    return appended + len(batch)


def _events(path: Path, file: BinaryIO, session_id: StreamId, enclosed: Enclosed) -> Iterator[Recorded]:
    """Yield the events, their payloads as they are; `enclosed` has what they refer to."""
    version = 0
    while (line := file.readline(LINE_LIMIT)) and not line.startswith(b'{"end":'):
        if is_piece(line):
            wrong = enclosed.take(line)
            if wrong is not None:
                msg = f"{path} cannot be imported: {wrong}"
                raise TranscriptError(msg)
            continue
        version += 1
        event = read_event(line)
        recorded = None
        if event is not None and event.session_id == session_id and event.version == version and _fits(event):
            recorded = _recorded(session_id, event)
        if recorded is None:
            msg = f"{path} holds no event of session {session_id} in line {version + 1}"
            raise TranscriptError(msg)
        assert event is not None
        while (name := enclosed.lacks(event.data)) is not None:
            _read_beside(path, name, enclosed)
        yield recorded


def _read_beside(path: Path, name: str, enclosed: Enclosed) -> None:
    """Take an attachment from a file beside this one, as a bundle has them.

    Raises:
        TranscriptError: There is none, or it is another one.
    """
    beside = path.with_name(f"{FILE_PREFIX}{name}")
    try:
        if not 0 < beside.stat().st_size <= CONTENT_LIMIT:
            msg = f"{beside} cannot be an attachment: it is empty, or too large"
            raise TranscriptError(msg)
        content = beside.read_bytes()
    except OSError as error:
        msg = f"{path} refers to attachment {name}, which is neither in it nor beside it"
        raise TranscriptError(msg) from error
    if not enclosed.put(name, content):
        msg = f"{beside} is not as it was written"
        raise TranscriptError(msg)


def _fits(event: EventLine) -> bool:
    """Tell whether any log can hold the event: text without NUL, numbers that fit, a payload that is an object."""
    texts = (event.type, event.cause or "", event.device or "")
    numbers = (event.recorded_at, event.occurred_at or 0, event.source_offset or 0)
    payload = json_object(event.data.encode()) if event.data is not None else event.digest
    return (
        payload is not None
        and (event.data is not None or event.type in REDUCIBLE)
        and not any("\0" in text for text in texts)
        and not any(abs(number) >= 2**63 for number in numbers)
        and 0 < event.schema <= _LARGEST_SCHEMA
        and (event.source is None) == (event.source_offset is None)
    )


def _recorded(session_id: StreamId, event: EventLine) -> Recorded | None:
    """Return the event as a log takes it; None, where its names are none."""
    try:
        event_id = UUID(event.event_id)
        source = None
        if event.source is not None and event.source_offset is not None:
            source = Source(bytes.fromhex(event.source), event.source_offset)
        payload = _payload(event)
    except ValueError:
        return None
    return Recorded(
        session_id,
        event.version,
        EventId(event_id.bytes),
        event.recorded_at,
        payload,
        event.cause,
        Actor(event.actor, event.device),
        event.occurred_at,
        source,
    )


def _payload(event: EventLine) -> Unknown:
    if event.data is not None:
        return Unknown(event.type, event.schema, event.data)
    return Reduced(event.type, event.schema, None, bytes.fromhex(event.digest or ""))
