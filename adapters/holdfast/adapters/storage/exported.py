"""Whether an exported file is what was exported. The file's own chain answers that; a bundle brings witnesses too."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from holdfast.adapters.storage.bundle import Bundle, sum_of
from holdfast.adapters.storage.chain import GENESIS, HASH_BYTES, keyed, link
from holdfast.adapters.storage.mapper import ACTOR_KINDS
from holdfast.domain.answers import FirstBad, Verification
from holdfast.domain.attachments import references
from holdfast.domain.compaction import COMPACTED, REDUCIBLE, versions_of
from holdfast.domain.enclosed import FILE_PREFIX, Enclosed, is_piece
from holdfast.domain.enclosed import FORMAT as ENCLOSED
from holdfast.domain.errors import NotFoundError, StoreDamagedError, TranscriptError
from holdfast.domain.exported import EVENTS_NAME, FORMAT, LINE_LIMIT, Header, last_line, read_event, read_header
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path
    from typing import BinaryIO, Literal

    from holdfast.domain.exported import EventLine
    from holdfast.domain.ports import Progress

    Reason = Literal["tampered", "missing", "reordered"]

_CODES = {kind: code for code, kind in enumerate(ACTOR_KINDS)}
_REPORT_EVERY = 1_000


def verify_exported(path: Path, progress: Progress | None = None) -> Verification:
    """Verify an exported JSONL file, or the folder of an evidence bundle. Needs no store.

    Memory for one line, and for the digest of each event that a compaction reduced.

    Raises:
        NotFoundError: It does not exist.
        TranscriptError: It is no export, or cannot be read.
    """
    if not path.exists():
        msg = f"{path} does not exist"
        raise NotFoundError(msg)
    if path.is_dir():
        with _readable(path):
            return _verify_bundle(path, progress)
    with _readable(path), path.open("rb") as file:
        walk = _Walk(path, file, progress)
        bad = walk.run(lambda _position, _hash: None)
        return _verification(walk, bad, [], _cannot_know_alone())


def _verify_bundle(path: Path, progress: Progress | None) -> Verification:
    events = path / EVENTS_NAME
    if not events.is_file():
        msg = f"{path} holds no {EVENTS_NAME}: it is no evidence bundle, or its events were taken out"
        raise TranscriptError(msg)
    with events.open("rb") as file, Bundle(path) as bundle:
        walk = _Walk(events, file, progress)
        if walk.header is not None:
            bundle.begin(walk.header.store)
        bad = walk.run(bundle.saw)
        if bad is None and walk.header is not None:
            wrong = bundle.finish()
            if wrong is not None:
                bad = FirstBad(None, walk.header.session_id, None, "tampered")
                walk.notes.append(wrong)
        elif bad is not None:
            bundle.check_sums()
        if bad is None and bundle.complaints:
            bad = FirstBad(None, walk.session_id, None, bundle.reason)
        return _verification(walk, bad, bundle.complaints, bundle.cannot_know())


def _verification(walk: _Walk, bad: FirstBad | None, notes: list[str], cannot_know: list[str]) -> Verification:
    if walk.header is not None and walk.header.salt is None:
        cannot_know = [*cannot_know, "what the content was: it was erased before the export"]
    return Verification(bad is None, walk.checked, bad, None, cannot_know, [*walk.notes, *notes])


def _cannot_know_alone() -> list[str]:
    return [
        "whether somebody wrote the whole file anew: only an evidence bundle has the signed checkpoints that tell",
        "whether the session went on after the export",
    ]


class _Walk:
    """One pass over the lines, up to the first bad one."""

    def __init__(self, path: Path, file: BinaryIO, progress: Progress | None) -> None:
        self.checked = 0
        self.notes: list[str] = []
        self._file = file
        self._progress = progress
        self._reduced: dict[int, bytes] = {}
        self._enclosed = Enclosed(hold=False)
        self._named: set[str] = set()
        self._folder = path.parent
        first = file.readline(LINE_LIMIT)
        self._sum = sha256(first)
        self.header = _header(first)
        self.session_id = self.header.session_id if self.header is not None else None
        if self.header is None:
            event = read_event(file.readline(LINE_LIMIT))
            if event is None:
                msg = f"{path} is no export of Holdfast; name a JSONL export, or the folder of an evidence bundle"
                raise TranscriptError(msg)
            self.session_id = event.session_id
        elif self.header.holdfast_export not in (FORMAT, ENCLOSED):
            msg = (
                f"{path} has export format {self.header.holdfast_export}, this version knows {FORMAT} and {ENCLOSED}: "
                "use a newer one"
            )
            raise TranscriptError(msg)

    def run(self, saw: Callable[[int, bytes], str | None]) -> FirstBad | None:
        """Follow the chain; return where it breaks first."""
        header = self.header
        if header is None:
            return self._bad(None, None, "tampered", "the first line is not as it was written")
        link_of = _Link(header)
        before = GENESIS
        position = 0
        last = ""
        for line in self._lines():
            if line.startswith(b'{"end":'):
                return self._end(line, header, last)
            self._sum.update(line)
            version = self.checked + 1
            if is_piece(line) and line.endswith(b"\n"):
                wrong = self._enclosed.take(line)
                if wrong is not None:
                    return self._bad(None, version, "tampered", wrong)
                continue
            event = read_event(line)
            if event is None:
                if not line.endswith(b"\n"):
                    return self._bad(None, version, "missing", "the file was cut off here")
                return self._bad(None, version, "tampered", f"line {version + 1} is no event")
            found = link_of(event, before, event.version, event.position)
            if event.version != version or event.position <= position or found is None or found.hex() != event.hash:
                return self._diagnose(link_of, event, before, version)
            wrong = saw(event.position, found)
            if wrong is not None:
                return self._bad(event.position, version, "tampered", wrong)
            bad = self._refer(event, version)
            if bad is not None:
                return bad
            if event.data is None and header.salt is not None:
                self._reduced[version] = bytes.fromhex(event.digest or "")
            elif event.type in COMPACTED:
                self._stand_for(event)
            before, position, last = found, event.position, event.type
            self.checked = version
            if self._progress is not None and version % _REPORT_EVERY == 0:
                self._progress("events", version, None)
        return self._bad(None, self.checked + 1, "missing", "the file ends before its last line")

    def _end(self, line: bytes, header: Header, last: str) -> FirstBad | None:
        if self._file.read(1):
            return self._bad(None, self.checked + 1, "tampered", "something stands behind the end")
        if line != last_line(self.checked, self._sum.hexdigest()):
            claimed = line.removeprefix(b'{"end":{"events":').partition(b",")[0]
            if claimed.isdigit() and int(claimed[:18]) > self.checked:
                return self._bad(None, self.checked + 1, "missing", "the last line counts more events")
            return self._bad(None, None, "tampered", "every event is right, but not every byte of the file")
        if not self.checked or (header.salt is None) != (last == "session-erased"):
            return self._bad(None, self.checked + 1, "missing", "the events after this one are not there")
        if self._enclosed.lacks(None) is not None or self._enclosed.names - self._named:
            return self._bad(None, None, "tampered", "an attachment stands in the file to which no event refers")
        if self._reduced:
            return self._bad(
                None, min(self._reduced), "tampered", "its content was taken away, and nothing stands for it"
            )
        return None

    def _refer(self, event: EventLine, version: int) -> FirstBad | None:
        """See that what an event refers to came before it, or lies beside the file as in a bundle."""
        for reference in references(event.data or ""):
            name = reference.sha256
            self._named.add(name)
            if name not in self._enclosed.names:
                file = self._folder / f"{FILE_PREFIX}{name}"
                if not file.is_file():
                    return self._bad(event.position, version, "missing", f"its attachment {name} is not there")
                if file.stat().st_size != reference.size or sum_of(file) != name:
                    return self._bad(event.position, version, "tampered", f"its attachment {name} was changed")
                self._enclosed.names.add(name)
        return None

    def _stand_for(self, event: EventLine) -> None:
        """Strike out the events that an event of a compaction stands for, if its digest is theirs."""
        try:
            fact = decode(event.type, event.schema, event.data)
        except StoreDamagedError:
            return  # it stands for nothing, then
        if not isinstance(fact, e.MessageCompacted | e.ToolCompacted):
            return
        digests = [self._reduced.get(each, b"") for each in versions_of(fact, event.version) or ()]
        if sha256(b"".join(digests)).hexdigest() == fact.digest:
            for each in versions_of(fact, event.version) or ():
                self._reduced.pop(each, None)

    def _diagnose(self, link_of: _Link, event: EventLine, before: bytes, version: int) -> FirstBad:
        """Say whether what belongs here stands further on, is gone, or was changed."""
        position = event.position if event.version == version else None
        for line in self._lines():
            other = read_event(line)
            if other is None:
                continue
            if other.version == version and event.version != version:
                return self._bad(other.position, version, "reordered", "the event that belongs here stands further on")
            if event.version == version and link_of.moved(event, other, before):
                return self._bad(position, version, "reordered", "the event that belongs here stands further on")
        if event.version > version:
            return self._bad(None, version, "missing", "the event that belongs here is nowhere")
        return self._bad(position, version, "tampered", "its hash does not follow from what stands here")

    def _bad(self, position: int | None, version: int | None, reason: Reason, note: str) -> FirstBad:
        self.notes.append(note)
        return FirstBad(position, self.session_id, version, reason)

    def _lines(self) -> Iterator[bytes]:
        while line := self._file.readline(LINE_LIMIT):
            yield line


class _Link:
    """Computes the hash of an event of one session."""

    def __init__(self, header: Header) -> None:
        self._session_id = header.session_id
        self._erased = header.salt is None
        self._digest = keyed(bytes.fromhex(header.salt or ""))

    def __call__(self, event: EventLine, before: bytes, version: int, position: int) -> bytes | None:
        """Return the hash that `event` has at some place; None where no event looks like this."""
        return self._hash(event, self._digest_of(event), before, version, position)

    def moved(self, here: EventLine, other: EventLine, before: bytes) -> bool:
        """Tell whether the content of `other`, or its payload alone, belongs where `here` stands."""
        for position in {here.position, other.position}:
            found = self(other, before, here.version, position)
            if found is not None and found.hex() in {here.hash, other.hash}:
                return True
        found = self._hash(here, self._digest_of(other), before, here.version, here.position)
        return found is not None and found.hex() == here.hash

    def _digest_of(self, event: EventLine) -> bytes | None:
        if event.data is not None:
            return self._digest(event.data.encode()) if event.digest is None else None
        try:
            digest = bytes.fromhex(event.digest or "")
        except ValueError:
            return None
        return digest if len(digest) == HASH_BYTES and (self._erased or event.type in REDUCIBLE) else None

    def _hash(self, event: EventLine, digest: bytes | None, before: bytes, version: int, position: int) -> bytes | None:
        if digest is None or event.session_id != self._session_id:
            return None
        try:
            return link(
                before, position, event.session_id, version, UUID(event.event_id).bytes, event.type, event.schema,
                event.recorded_at, event.occurred_at, event.cause, _CODES[event.actor], event.device,
                None if event.source is None else bytes.fromhex(event.source), event.source_offset, digest,
            )  # fmt: skip
        except (ValueError, OverflowError, struct.error):
            return None


def _header(line: bytes) -> Header | None:
    header = read_header(line)
    try:
        if header is not None and header.salt is not None:
            bytes.fromhex(header.salt)
    except ValueError:
        return None
    return header


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise TranscriptError(msg) from error
