"""One line of a transcript of Claude Code, read leniently: a field of another shape counts as absent."""

from __future__ import annotations

from functools import cached_property

from msgspec import MsgspecError, Raw, Struct, json

from holdfast.adapters.importers.fields import moment, text
from holdfast.adapters.importers.lines import JsonObject, is_array, is_object
from holdfast.adapters.importers.names import item_name, session_name
from holdfast.domain.session.commands import Create

CONVERSATION = frozenset({"user", "assistant", "system", "attachment"})
"""Types of the lines that tell where and when the session takes place."""


class _Envelope(Struct):
    message: Raw = Raw()


class _Message(Struct):
    content: Raw = Raw()


class _Block(Struct):
    input: Raw = Raw()
    content: Raw = Raw()


class Block:
    """One block of a message: its fields decoded, and verbatim what the log keeps verbatim."""

    def __init__(self, fields: JsonObject, raw: Raw) -> None:
        self.fields = fields
        self.raw = raw

    @classmethod
    def of_text(cls, said: str) -> Block:
        """Return the block that holds a text alone."""
        fields: JsonObject = {"type": "text", "text": said}
        return cls(fields, Raw(json.encode(fields)))

    @property
    def type(self) -> str:
        """What kind of block it is."""
        return text(self.fields, "type")

    @cached_property
    def verbatim(self) -> _Block:
        """Arguments and result of a tool, as the source wrote them."""
        return json.decode(self.raw, type=_Block)


class ClaudeLine:
    """One line of a transcript, parsed."""

    def __init__(self, fields: JsonObject, line: bytes) -> None:
        self.fields = fields
        self.line = line

    @property
    def type(self) -> str:
        """What kind of line it is."""
        return text(self.fields, "type")

    @property
    def session_id(self) -> str | None:
        """The session it names; sub-agents name the session they work for."""
        return session_name(self.fields.get("sessionId")) or session_name(self.fields.get("session_id"))

    @property
    def at(self) -> int | None:
        """Its time, where it has one."""
        return moment(self.fields, "timestamp")

    @property
    def uuid(self) -> str | None:
        """Its own name."""
        return item_name(self.fields.get("uuid"))

    @property
    def thread(self) -> str | None:
        """The sub-agent it belongs to; None on the main thread. Early versions did not name their sub-agents."""
        if not self.says("isSidechain"):
            return None
        return item_name(self.fields.get("agentId")) or "sidechain"

    @property
    def message(self) -> JsonObject:
        """The message inside, in the shape of the Messages API."""
        message = self.fields.get("message")
        return message if is_object(message) else {}

    def says(self, flag: str) -> bool:
        """Tell whether a flag is set."""
        return self.fields.get(flag) is True

    def content(self) -> str | list[Block] | None:
        """Return what the message consists of: a text, blocks, or None where it is neither."""
        content = self.message.get("content")
        if isinstance(content, str):
            return content
        if not is_array(content):
            return None
        return [Block(*each) for each in zip(map(_as_block, content), self._verbatim(content), strict=True)]

    def _verbatim(self, content: list[object]) -> list[Raw]:
        try:
            message = json.decode(self.line, type=_Envelope).message
            raws = json.decode(json.decode(message, type=_Message).content, type=list[Raw])
        except MsgspecError:
            raws = []
        plain = len(raws) == len(content) and all(map(is_object, content))
        return raws if plain else [Raw(json.encode(_as_block(each))) for each in content]

    def opening(self) -> Create | None:
        """Return how the session begins with this line; only lines of the conversation tell enough."""
        if self.type not in CONVERSATION:
            return None
        version = text(self.fields, "version")
        return Create(
            transport="import",
            target=f"claude {version}".strip(),
            agent="claude",
            cwd=text(self.fields, "cwd") or None,
            imported_from="claude",
            model=model_of(self.message),
        )


def _as_block(value: object) -> JsonObject:
    """Some write a text for a block that holds nothing else."""
    if isinstance(value, str):
        return {"type": "text", "text": value}
    return value if is_object(value) else {"type": "unknown", "value": value}


def model_of(message: JsonObject) -> str | None:
    """Return the model that wrote the message; none wrote those that the tool makes up itself."""
    model = text(message, "model")
    return model if model and model != "<synthetic>" else None
