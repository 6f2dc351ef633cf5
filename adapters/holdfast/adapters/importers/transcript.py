"""A file that holds a transcript: how it is recognised, and how it is read from where an import left off."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from msgspec import Struct

from holdfast.adapters.importers.acp import AcpWire
from holdfast.adapters.importers.claude import ClaudeCode
from holdfast.adapters.importers.codex import CodexRollout
from holdfast.adapters.importers.exported import Exported
from holdfast.adapters.importers.gemini import GeminiChat
from holdfast.adapters.importers.lines import CHUNK, LINE_LIMIT, json_object, read_lines
from holdfast.adapters.importers.names import KNOWN_BY
from holdfast.adapters.importers.opencode import OpencodeStore
from holdfast.adapters.importers.port import Document, Documents, Format, OneSession, Prepared, Shelved
from holdfast.domain.errors import TranscriptError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from holdfast.adapters.importers.lines import JsonObject, Line

Kind: TypeAlias = Format | Exported

FORMATS: Sequence[Kind] = (Exported(), ClaudeCode(), CodexRollout(), AcpWire(), GeminiChat(), OpencodeStore())

_DATABASE = b"SQLite format 3\0"

_HEAD_LINES = 50
_HEAD_BYTES = 64 * 1024 * 1024


class Transcript(Struct, frozen=True):
    """A recognised file.

    Attributes:
        path: Where it lies.
        format: What kind it is.
        size: Bytes it had.
        session_id: The session of lines that name none.
        whole: Whether all its lines belong to that session, whatever they name: the tool copies the history of a
            session that is taken up again into the file of the new one.
        first_line: The beginning of it. The file is known by that, wherever it lies.
        document: Whether it is not made of lines, but one whole.
        changed: Where it is one of many in a database: when it was last written to, microseconds since the epoch.
    """

    path: Path
    format: Kind
    size: int
    session_id: str
    whole: bool
    first_line: bytes
    document: bool = False
    changed: int | None = None


def transcripts_in(path: Path) -> Sequence[Transcript]:
    """Return what `path` holds: one transcript, or those of a database.

    Raises:
        TranscriptError: It holds no transcript of a known kind, or cannot be read.
    """
    with open_transcript(path) as file, _readable(path):
        if file.read(len(_DATABASE)) != _DATABASE:
            return (_recognise(path, file),)
        size = os.fstat(file.fileno()).st_size
        for kind in FORMATS:
            if isinstance(kind, Shelved) and (shelf := kind.shelf(path)):
                each = size // len(shelf)
                return [
                    Transcript(path, kind, each, name, whole=True, first_line=b"", document=True, changed=at)
                    for name, at in shelf.items()
                ]
    raise _none_in(path)


def open_transcript(path: Path, *, buffered: bool = False) -> BinaryIO:
    """Open a regular file for reading; anything else, such as a pipe, could keep a reader for ever.

    Raises:
        TranscriptError: It is no regular file, or cannot be opened.
    """
    with _readable(path):
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{path} is not a file; name a transcript or a folder of transcripts"
            raise TranscriptError(msg)
        return path.open("rb") if buffered else path.open("rb", buffering=0)


def read_document(transcript: Transcript) -> Document:
    """Return what a transcript that is not made of lines consists of.

    Raises:
        TranscriptError: It cannot be read, or holds something else by now.
    """
    with _readable(transcript.path):
        found = _read_document(transcript)
    if found is None or found.session_id != transcript.session_id:
        msg = f"{transcript.path} was changed while it was read; import it again"
        raise TranscriptError(msg)
    return found


def _read_document(transcript: Transcript) -> Document | None:
    kind = transcript.format
    if transcript.changed is not None:
        return kind.volume(transcript.path, transcript.session_id) if isinstance(kind, Shelved) else None
    return kind.document(transcript.path) if isinstance(kind, Documents) else None


def lines_from(transcript: Transcript, file: BinaryIO, start: int) -> Iterator[Line]:
    """Yield the lines from the byte `start` on.

    Raises:
        TranscriptError: The file cannot be read.
    """
    with _readable(transcript.path):
        yield from read_lines(file, start)


def goes_on(transcript: Transcript, file: BinaryIO, offset: int) -> bool:
    """Tell whether a line of the file ends at `offset`, as one did when it was imported up to there.

    Raises:
        TranscriptError: The file cannot be read.
    """
    if offset == 0:
        return True
    with _readable(transcript.path):
        file.seek(offset - 1)
        around = file.read(2)
    return around[:1] == b"\n" or (around != b"" and around[1:] in (b"", b"\n", b"\r"))


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise TranscriptError(msg) from error


def _recognise(path: Path, file: BinaryIO) -> Transcript:
    kind: Kind | None = None
    named: str | None = None
    first_line: bytes | None = None
    head: list[JsonObject] = []
    for number, line in enumerate(read_lines(file), 1):
        if first_line is None and line.data != b"":
            first_line = line.data or b""
        fields = json_object(line.data) if line.data else None
        if fields is not None and line.data:
            head.append(fields)
            kind = kind or next((each for each in FORMATS if each.recognises(fields)), None)
            record = kind.parse(line.data) if kind else None
            named = named or (record.session_id if record else None)
        if named or number >= _HEAD_LINES or line.end > _HEAD_BYTES:
            break
    if kind is None or first_line is None:
        if document := _document(path):
            return document
        raise _none_in(path)
    if isinstance(kind, Prepared):
        kind = kind.prepared(path, head)
    owner = kind.owner(path)
    owned = owner is not None and (named is None or _mentions(file, owner.encode()))
    session_id = owner if owner is not None and owned else named or _made_up(first_line)
    whole = owned or isinstance(kind, OneSession)
    size = os.fstat(file.fileno()).st_size
    return Transcript(path, kind, size, session_id, whole, first_line[:KNOWN_BY])


def _none_in(path: Path) -> TranscriptError:
    return TranscriptError(f"{path} holds no transcript of a known kind ({', '.join(each.name for each in FORMATS)})")


def _document(path: Path) -> Transcript | None:
    """Return what `path` holds, where that is not made of lines."""
    size = path.stat().st_size
    for kind in FORMATS if size <= LINE_LIMIT else ():
        if isinstance(kind, Documents) and (found := kind.document(path)) is not None:
            return Transcript(path, kind, size, found.session_id, whole=True, first_line=b"", document=True)
    return None


def _mentions(file: BinaryIO, word: bytes) -> bool:
    """Tell whether `word` occurs in the file. An ordinary transcript names its session in the first lines."""
    file.seek(0)
    tail = b""
    while chunk := file.read(CHUNK):
        if word in tail + chunk:
            return True
        tail = chunk[-len(word) :]
    return False


def _made_up(first_line: bytes) -> str:
    """Return a session id for a transcript that names none; the same one each time."""
    return str(uuid5(NAMESPACE_OID, blake2b(first_line).hexdigest()))
