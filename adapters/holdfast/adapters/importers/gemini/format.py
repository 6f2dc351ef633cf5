"""How chats of Gemini CLI are found, recognised and taken apart into records."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast.adapters.importers.fields import inner, moment, text
from holdfast.adapters.importers.gemini.translate import translate
from holdfast.adapters.importers.lines import is_array, is_object, json_object, mended
from holdfast.adapters.importers.names import session_name
from holdfast.adapters.importers.port import Document
from holdfast.domain.session.commands import Create

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.port import Translation
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_PROJECT = ".project_root"
_LONGEST = 4096


class GeminiChat:
    """Gemini CLI.

    Args:
        cwd: Folder of the project.
    """

    name = "gemini"
    one_session: Literal[True] = True
    rewritten: Literal[True] = True

    def __init__(self, cwd: str = "") -> None:
        self.cwd = cwd

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folder of projects in the home that Gemini CLI uses."""
        return (Path(environ.get("GEMINI_CLI_HOME") or environ.get("HOME", "/"), ".gemini", "tmp"),)

    def recognises(self, record: JsonObject) -> bool:
        """Tell by the first line of a chat that is written in lines."""
        return bool(text(record, "sessionId") and text(record, "projectHash")) and "messages" not in record

    def prepared(self, path: Path, head: Sequence[JsonObject]) -> GeminiChat:
        """Return the kind that knows the folder of the project: it stands in a file beside the chats."""
        del head
        return GeminiChat(_project(path))

    def owner(self, path: Path) -> None:
        """Return nothing: the name of a file holds the beginning of an id only."""
        del path

    def parse(self, line: bytes) -> GeminiRecord | None:
        """Return the record of a line, None for one that is none."""
        fields = json_object(line)
        return None if fields is None else GeminiRecord(fields, self.cwd)

    def document(self, path: Path) -> Document | None:
        """Return the chat that a file holds as one document."""
        content = mended(path.read_bytes())
        fields = json_object(content) if content.lstrip().startswith(b"{") else None
        if fields is None or not text(fields, "projectHash"):
            return None
        session_id, messages = session_name(fields.get("sessionId")), fields.get("messages")
        if session_id is None or not is_array(messages):
            return None
        cwd = _project(path)
        readable = list(filter(is_object, messages))
        about = {name: value for name, value in fields.items() if name != "messages"}
        records = [GeminiRecord(about, cwd, begins=True), *(GeminiRecord(each, cwd) for each in readable)]
        return Document(
            session_id, blake2b(content).digest(), records if readable else [], len(messages) - len(readable)
        )


class GeminiRecord:
    """A message, or what is known about the chat. See `holdfast.adapters.importers.port.Record`."""

    def __init__(self, fields: JsonObject, cwd: str, *, begins: bool = False) -> None:
        self.fields = fields
        self._cwd = cwd
        self._begins = begins

    @property
    def session_id(self) -> str | None:
        """The session it names; the line about the chat alone does."""
        return session_name(self.fields.get("sessionId"))

    @property
    def at(self) -> int | None:
        """When it happened."""
        times = (self.fields, "timestamp"), (self.fields, "startTime"), (inner(self.fields, "$set"), "lastUpdated")
        return next((at for fields, name in times if (at := moment(fields, name)) is not None), None)

    def opening(self) -> Create | None:
        """Return how the session begins: where lines are written with the first message, as many chats have none."""
        if not (self._begins or text(self.fields, "type")):
            return None
        return Create(
            transport="import", target="gemini", agent="gemini", cwd=self._cwd or None, imported_from="gemini"
        )

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return what the record says that `session` does not know yet."""
        return translate(self.fields, session, recent, anchor)


def _project(path: Path) -> str:
    """Return the folder that the chats beside `path` are about, where it is written down."""
    for folder in path.parents[1:3]:
        try:
            with (folder / _PROJECT).open(encoding="utf-8") as file:
                return file.read(_LONGEST).strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""
