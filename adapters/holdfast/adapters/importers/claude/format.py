"""How transcripts of Claude Code are found, recognised and taken apart into records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.importers.claude.line import ClaudeLine
from holdfast.adapters.importers.claude.translate import KNOWN, translate
from holdfast.adapters.importers.fields import text
from holdfast.adapters.importers.lines import json_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.port import Translation
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_SESSION_FILE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MARKS = ("sessionId", "session_id", "leafUuid", "messageId")


class ClaudeCode:
    """Claude Code, from version 1 on."""

    name = "claude"

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return `projects` in `CLAUDE_CONFIG_DIR`, by default in `~/.claude`."""
        folder = environ.get("CLAUDE_CONFIG_DIR")
        return (Path(folder, "projects") if folder else Path(environ.get("HOME", "/"), ".claude", "projects"),)

    def recognises(self, record: JsonObject) -> bool:
        """Tell by the type and by a name of a session or of a message, which every line of Claude Code has."""
        return text(record, "type") in KNOWN and any(isinstance(record.get(mark), str) for mark in _MARKS)

    def owner(self, path: Path) -> str | None:
        """Return the session whose id is the name of the file. Files of sub-agents have other names."""
        return path.stem if _SESSION_FILE.fullmatch(path.stem) else None

    def parse(self, line: bytes) -> ClaudeRecord | None:
        """Return the record of a line, None for one that is none."""
        fields = json_object(line)
        return None if fields is None or not text(fields, "type") else ClaudeRecord(fields, line)


class ClaudeRecord(ClaudeLine):
    """A line that knows how it is translated. See `holdfast.adapters.importers.port.Record`."""

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return what the line says that `session` does not know yet."""
        return translate(self, session, recent, anchor)
