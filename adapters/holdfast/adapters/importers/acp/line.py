"""One line of a recording: a JSON-RPC message, and what the recorder wrote around it. Read leniently.

The direction is not looked at: methods and results tell it, and recorders name it as they like.
"""

from __future__ import annotations

from functools import cached_property

from msgspec import MsgspecError, Raw, Struct, json

from holdfast.adapters.importers.fields import inner, moment, text
from holdfast.adapters.importers.lines import JsonObject, is_object, json_object
from holdfast.adapters.importers.names import item_name, session_name
from holdfast.domain.content import NOTHING

_TIMES = ("timestamp", "time", "ts", "at", "t")
_UNITS = ((1e17, 1e-3), (1e14, 1), (1e11, 1e3), (1e8, 1e6))
"""From which number on a time counts nano-, micro-, milliseconds or seconds, and how many microseconds each has."""


class _Message(Struct):
    params: Raw = NOTHING
    result: Raw = NOTHING


class Verbatim(Struct, rename="camel"):
    """What the log keeps of a message as it was sent."""

    prompt: Raw = NOTHING
    update: Raw = NOTHING
    tool_call: Raw = NOTHING
    content: Raw = NOTHING
    raw_input: Raw = NOTHING
    raw_output: Raw = NOTHING
    locations: Raw = NOTHING
    entries: Raw = NOTHING
    available_commands: Raw = NOTHING


class AcpLine:
    """One line of a recording, parsed. The message is empty, where the line holds none."""

    def __init__(self, fields: JsonObject, line: bytes) -> None:
        self.line = line
        self._around = fields
        name, message = find_message(fields)
        self.message = message
        self._raw = line if name is None else _inside(line, name)

    @property
    def method(self) -> str:
        """What is asked or told; empty in answers."""
        return text(self.message, "method")

    @property
    def params(self) -> JsonObject:
        """With what."""
        return inner(self.message, "params")

    @property
    def result(self) -> JsonObject:
        """The answer."""
        return inner(self.message, "result")

    @property
    def rpc_id(self) -> str:
        """Names the request; a number and a text are never the same name."""
        value = self.message.get("id")
        return (item_name(f"s{value}" if isinstance(value, str) else json.encode(value).decode())) or ""

    @property
    def session_id(self) -> str | None:
        """The session it names; most answers name none."""
        return session_name(self.params.get("sessionId")) or session_name(self.result.get("sessionId"))

    @property
    def at(self) -> int | None:
        """When it was recorded, where the recorder says so."""
        if self._around is self.message:
            return None
        return next((at for name in _TIMES if (at := _time(self._around, name)) is not None), None)

    @cached_property
    def verbatim(self) -> Verbatim:
        """The parts of the parameters as they were sent."""
        try:
            return parts_of(json.decode(self._raw, type=_Message).params)
        except MsgspecError:
            return Verbatim()


def parts_of(raw: Raw) -> Verbatim:
    """Return the parts of an object as they were sent; those that are null are absent."""
    try:
        found = json.decode(raw, type=Verbatim)
    except MsgspecError:
        return Verbatim()
    for name in found.__struct_fields__:
        if bytes(getattr(found, name)) == b"null":
            setattr(found, name, NOTHING)
    return found


def find_message(fields: JsonObject) -> tuple[str | None, JsonObject]:
    """Return the JSON-RPC message in a line, and under which name it stands there, where it is not the line itself."""
    if is_message(fields):
        return None, fields
    for name, value in fields.items():
        found = json_object(value.encode()) if isinstance(value, str) and value.startswith("{") else value
        if is_object(found) and is_message(found):
            return name, found
    return None, {}


def is_message(fields: JsonObject) -> bool:
    """Tell whether an object is a JSON-RPC message."""
    return fields.get("jsonrpc") == "2.0"


def _inside(line: bytes, name: str) -> bytes:
    raw = bytes(json.decode(line, type=dict[str, Raw])[name])
    return json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw


def _time(fields: JsonObject, name: str) -> int | None:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return moment(fields, name)
    return next((int(value * unit) for least, unit in _UNITS if least <= value < least * 1e3), None)
