"""How sessions of opencode are found, recognised and put together from their files."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast.adapters.importers.fields import count, inner, text
from holdfast.adapters.importers.lines import LINE_LIMIT, json_object, mended
from holdfast.adapters.importers.names import session_name
from holdfast.adapters.importers.opencode.database import session_in, sessions_in
from holdfast.adapters.importers.opencode.translate import about, message
from holdfast.adapters.importers.port import Document, Translation
from holdfast.domain.session.commands import Create

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.port import Record
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_LATEST = 2
"""How many messages at the end of a session may still be written to."""


class OpencodeStore:
    """opencode, which kept its sessions in JSON files first, and keeps them in a database now."""

    name = "opencode"
    one_session: Literal[True] = True
    rewritten: Literal[True] = True

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folder of sessions, whose messages lie beside it, and the databases: one for each channel."""
        data = Path(environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", "/"), ".local", "share"), "opencode")
        usual = data / (environ.get("OPENCODE_DB") or "opencode.db")
        return (data / "storage" / "session", *dict.fromkeys((usual, *sorted(data.glob("opencode*.db")))))

    def recognises(self, record: JsonObject) -> bool:
        """Return that no line is of this kind."""
        del record
        return False

    def owner(self, path: Path) -> None:
        """Return nothing: it is asked of files of lines."""
        del path

    def parse(self, line: bytes) -> None:
        """Return nothing: it is asked of files of lines."""
        del line

    def document(self, path: Path) -> Document | None:
        """Return the session that a file describes, with the messages that lie in the folders around it."""
        digest = blake2b()
        fields = _read(path, digest)
        session_id = session_name(fields.get("id")) if fields else None
        if fields is None or session_id is None or not count(inner(fields, "time"), "created"):
            return None
        if not (text(fields, "directory") or text(fields, "projectID")) or len(path.absolute().parents) < 3:
            return None
        store = path.absolute().parents[2]
        messages: list[MessageRecord] = []
        malformed = 0
        for file in _files(store / "message" / session_id):
            head = _read(file, digest)
            if head is None:
                malformed += 1
                continue
            name = session_name(head.get("id")) or file.stem
            parts = [_read(each, digest) for each in _files(store / "part" / name)]
            messages.append(MessageRecord(name, head, [each for each in parts if each is not None]))
            malformed += parts.count(None)
        return _document(session_id, fields, messages, malformed, digest)

    def shelf(self, path: Path) -> dict[str, int] | None:
        """Return the sessions of a database, each with when it was last written to."""
        found = sessions_in(path)
        return found and {name: at * 1000 for name, at in found.items() if session_name(name) == name}

    def volume(self, path: Path, session_id: str) -> Document | None:
        """Return a session of a database."""
        digest = blake2b()
        found = session_in(path, session_id, digest)
        if found is None:
            return None
        fields, messages, malformed = found
        return _document(session_id, fields, [MessageRecord(*each) for each in messages], malformed, digest)

    def around(self, path: Path) -> tuple[int, ...]:
        """Return sizes and times of the files that a session is writing to: those of its latest messages.

        What is written to a database stands in its write-ahead log first.
        """
        if path.suffix == ".db":
            return _state(Path(f"{path}-wal"))
        if not path.name.startswith("ses_") or len(path.absolute().parents) < 3:
            return ()
        store = path.absolute().parents[2]
        latest = [each.stem for each in _files(store / "message" / path.stem)[-_LATEST:]]
        heads = [store / "message" / path.stem / f"{name}.json" for name in latest]
        parts = [part for name in latest for part in _files(store / "part" / name)]
        return (len(parts), *(number for each in (*heads, *parts) for number in _state(each)))


class AboutRecord:
    """What is known about the session as a whole. See `holdfast.adapters.importers.port.Record`."""

    session_id = None

    def __init__(self, fields: JsonObject) -> None:
        self.fields = fields

    @property
    def at(self) -> int | None:
        """When the session began."""
        return _time(self.fields)

    def opening(self) -> Create | None:
        """Return how the session begins."""
        return Create(
            transport="import",
            target=f"opencode {text(self.fields, 'version')}".strip(),
            agent="opencode",
            cwd=text(self.fields, "directory") or None,
            imported_from="opencode",
        )

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return the title, where it is news."""
        del recent, anchor
        return Translation(tuple(about(self.fields, session)))


class MessageRecord:
    """A message and its parts. See `holdfast.adapters.importers.port.Record`."""

    session_id = None

    def __init__(self, name: str, fields: JsonObject, parts: Sequence[JsonObject]) -> None:
        self.name = name
        self.fields = fields
        self.parts = parts

    @property
    def at(self) -> int | None:
        """When the message began."""
        return _time(self.fields)

    def opening(self) -> Create | None:
        """Return nothing: what is known about the session comes before."""

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return what the message says that `session` does not know yet."""
        del anchor
        return Translation(tuple(message(self.name, self.fields, self.parts, session, recent)))


def _document(
    session_id: str, fields: JsonObject, messages: Sequence[MessageRecord], malformed: int, digest: blake2b
) -> Document:
    ordered = sorted(messages, key=lambda each: (each.at or 0, each.name))
    records: list[Record] = [AboutRecord(fields), *ordered] if ordered else []
    return Document(session_id, digest.digest(), records, malformed)


def _time(fields: JsonObject) -> int | None:
    return count(inner(fields, "time"), "created") * 1000 or None


def _files(folder: Path) -> list[Path]:
    """Return the JSON files of a folder by name: names ascend with time."""
    return sorted(folder.glob("*.json"))


def _state(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns


def _read(path: Path, digest: blake2b) -> JsonObject | None:
    content = b"" if path.stat().st_size > LINE_LIMIT else path.read_bytes()
    digest.update(len(content).to_bytes(8))
    digest.update(content)
    return json_object(mended(content))
