"""How rollouts of Codex are found, recognised and taken apart into records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from holdfast.adapters.importers.codex.line import ENVELOPES, CodexLine
from holdfast.adapters.importers.codex.translate import translate
from holdfast.adapters.importers.fields import text
from holdfast.adapters.importers.lines import is_object, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.port import Translation
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_FILE = re.compile(r"rollout-.*-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_FOLDERS = ("sessions", "archived_sessions")


class CodexRollout:
    """Codex: the command line, the editors' extension, and whatever else writes rollouts."""

    name = "codex"
    one_session: Literal[True] = True

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folders of sessions in `CODEX_HOME`, by default in `~/.codex`."""
        home = environ.get("CODEX_HOME")
        folder = Path(home) if home else Path(environ.get("HOME", "/"), ".codex")
        return tuple(folder / each for each in _FOLDERS)

    def recognises(self, record: JsonObject) -> bool:
        """Tell by the envelope; the first versions began with an id, a time and the instructions, bare."""
        if text(record, "type") in ENVELOPES:
            return is_object(record.get("payload"))
        return "type" not in record and {"id", "timestamp", "instructions"} <= record.keys()

    def owner(self, path: Path) -> str | None:
        """Return the session whose id ends the name of the file."""
        found = _FILE.fullmatch(path.stem)
        return found[1] if found else None

    def parse(self, line: bytes) -> CodexRecord | None:
        """Return the record of a line, None for one that is none."""
        fields = json_object(line)
        if fields is None or not (text(fields, "type") or text(fields, "record_type") or text(fields, "id")):
            return None
        return CodexRecord(fields, line)


class CodexRecord(CodexLine):
    """A line that knows how it is translated. See `holdfast.adapters.importers.port.Record`."""

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return what the line says that `session` does not know yet."""
        return translate(self, session, recent, anchor)
