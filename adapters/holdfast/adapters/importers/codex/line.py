"""One line of a rollout: an envelope with a time, a type, and a payload that has a type again. Read leniently."""

from __future__ import annotations

import re
from functools import cached_property

from msgspec import MsgspecError, Raw, Struct, json

from holdfast.adapters.importers.fields import inner, moment, text
from holdfast.adapters.importers.lines import JsonObject, is_array, is_object
from holdfast.adapters.importers.names import session_name
from holdfast.domain.session.commands import Create

ENVELOPES = frozenset({"session_meta", "turn_context", "response_item", "event_msg", "compacted"})
"""Types of the lines that every rollout consists of."""

BARE = frozenset(
    {
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "local_shell_call",
        "custom_tool_call",
        "custom_tool_call_output",
        "web_search_call",
    }
)
"""Types of the items that the first versions wrote without an envelope."""

_FOLDER = re.compile(r"<cwd>([^<]+)</cwd>")


class _Envelope(Struct):
    payload: Raw = Raw()


class _Payload(Struct):
    action: Raw = Raw()
    arguments: Raw = Raw()
    output: Raw = Raw()
    result: Raw = Raw()
    tools: Raw = Raw()


class CodexLine:
    """One line of a rollout, parsed."""

    def __init__(self, fields: JsonObject, line: bytes) -> None:
        self.fields = fields
        self.line = line
        self.bare = "payload" not in fields
        self.type = "response_item" if self.bare and text(fields, "type") in BARE else text(fields, "type")
        self.payload = fields if self.bare else inner(fields, "payload")

    @property
    def kind(self) -> str:
        """What kind of item or event it is."""
        return text(self.payload, "type")

    @property
    def session_id(self) -> str | None:
        """The session it names; the line at the beginning alone does."""
        begins = self.type == "session_meta" or (self.bare and not self.type)
        return session_name(self.payload.get("id")) if begins else None

    @property
    def at(self) -> int | None:
        """Its time, where it has one; a session begins when its first line says, and was written later."""
        began = moment(self.payload, "timestamp") if self.type == "session_meta" else None
        return moment(self.fields, "timestamp") if began is None else began

    @cached_property
    def verbatim(self) -> _Payload:
        """What the log keeps as the source wrote it."""
        try:
            payload = self.line if self.bare else json.decode(self.line, type=_Envelope).payload
            return json.decode(payload, type=_Payload)
        except MsgspecError:
            return _Payload()

    def opening(self) -> Create | None:
        """Return how the session begins with this line."""
        cwd = ""
        match self.type, self.kind:
            case (("session_meta" | "turn_context"), _):
                cwd = text(self.payload, "cwd")
            case "response_item", "message" if text(self.payload, "role") == "user":
                found = _FOLDER.search("".join(parts(self.payload.get("content"))))
                cwd = found[1] if found else ""
            case "event_msg", "user_message":
                pass
            case _:
                return None
        return Create(
            transport="import",
            target=f"codex {text(self.payload, 'cli_version')}".strip(),
            agent="codex",
            cwd=cwd or None,
            imported_from="codex",
        )


def parts(content: object) -> list[str]:
    """Return the texts among the parts of a message, of a thought or of an output."""
    if isinstance(content, str):
        return [content]
    if not is_array(content):
        return []
    return [said for each in content if is_object(each) and (said := text(each, "text"))]
