"""How recordings of the protocol are recognised and taken apart into records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers.acp.line import AcpLine, find_message
from holdfast.adapters.importers.acp.translate import KNOWN, translate
from holdfast.adapters.importers.fields import inner, text
from holdfast.adapters.importers.lines import json_object
from holdfast.domain.session.commands import Create

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.port import Translation
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.session import Session

_OPENING = frozenset({"session/load", "session/prompt", "session/resume", "session/update"})


class AcpWire:
    """Recordings of the Agent Client Protocol, by whatever recorder.

    Args:
        agent: Name of the agent.
        version: Its version.
        cwd: Folder it works in.
    """

    name = "acp"

    def __init__(self, agent: str = "", version: str = "", cwd: str = "") -> None:
        self.agent = agent
        self.version = version
        self.cwd = cwd

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return no folders: recordings lie wherever a person put them."""
        del environ
        return ()

    def recognises(self, record: JsonObject) -> bool:
        """Tell by a method that no other protocol has; others initialize with a date or a process."""
        _, message = find_message(record)
        method = text(message, "method")
        if method == "initialize":
            return isinstance(inner(message, "params").get("protocolVersion"), int)
        return method.startswith("session/") and method in KNOWN

    def prepared(self, path: Path, head: Sequence[JsonObject]) -> AcpWire:
        """Return the kind that knows what the beginning of a file tells once and for all."""
        del path
        found = AcpWire()
        for _, message in map(find_message, head):
            info = inner(inner(message, "result"), "agentInfo")
            found.agent = found.agent or text(info, "name")
            found.version = found.version or text(info, "version")
            found.cwd = found.cwd or text(inner(message, "params"), "cwd")
        return found

    def owner(self, path: Path) -> None:
        """Return nothing: names of files mean nothing here."""
        del path

    def parse(self, line: bytes) -> AcpRecord | None:
        """Return the record of a line, None for one that is none."""
        fields = json_object(line)
        return None if fields is None else AcpRecord(self, fields, line)


class AcpRecord(AcpLine):
    """A line that knows how it is translated. See `holdfast.adapters.importers.port.Record`."""

    def __init__(self, wire: AcpWire, fields: JsonObject, line: bytes) -> None:
        super().__init__(fields, line)
        self._wire = wire

    def opening(self) -> Create | None:
        """Return how the session begins: when it gets its name, or is first spoken of."""
        if not (self.method in _OPENING or "sessionId" in self.result):
            return None
        return Create(
            transport="import",
            target=f"{self._wire.agent} {self._wire.version}".strip(),
            agent=self._wire.agent or None,
            cwd=text(self.params, "cwd") or self._wire.cwd or None,
            imported_from="acp",
        )

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return what the line says that `session` does not know yet."""
        return translate(self, session, recent, anchor)
