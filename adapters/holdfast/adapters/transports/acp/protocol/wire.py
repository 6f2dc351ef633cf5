"""The shapes of what an agent sends, as far as we read them. Tolerant: what is missing or null is absent."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from holdfast.domain.content import NOTHING

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")


class Params(Struct, rename="camel"):
    """What all messages about a session have in common."""

    session_id: str | None = None
    update: Raw = NOTHING


class Kind(Struct, rename="camel"):
    """Which kind of update it is, where the rest has another shape."""

    session_update: str = "session/update"


class Update(Struct, rename="camel"):
    """The fields of all kinds of `session/update`, and of the tool that a permission is about."""

    session_update: str = ""
    message_id: str | None = None
    content: Raw = NOTHING
    tool_call_id: str | None = None
    title: str | None = None
    kind: str | None = None
    status: str | None = None
    locations: Raw = NOTHING
    raw_input: Raw = NOTHING
    raw_output: Raw = NOTHING
    entries: Raw = NOTHING
    available_commands: Raw = NOTHING
    current_mode_id: str | None = None
    config_options: Raw = NOTHING
    used: int | None = None
    size: int | None = None
    cost: Raw = NOTHING


class Block(Struct):
    """A content block, as far as it is text."""

    type: str = ""
    text: str | None = None


class Cost(Struct):
    """Money, as reported."""

    amount: float | int = 0
    currency: str = ""


class ConfigOption(Struct, rename="camel"):
    """One option of the agent, with the value it has."""

    id: str
    current_value: Raw = NOTHING
    category: str | None = None
    name: str | None = None
    options: Raw = NOTHING


class Mode(Struct):
    """One way in which the agent can work."""

    id: str
    name: str = ""


class Modes(Struct, rename="camel"):
    """The ways in which the agent can work, in the older form."""

    current_mode_id: str | None = None
    available_modes: Raw = NOTHING


class Models(Struct, rename="camel"):
    """The models of the agent, in a form that left the protocol and that agents still send."""

    current_model_id: str | None = None


class OptionOffered(Struct, rename="camel"):
    """One answer to a permission."""

    option_id: str
    kind: str = ""
    name: str = ""


class PermissionParams(Struct, rename="camel"):
    """What a permission asks."""

    session_id: str | None = None
    tool_call: Raw = NOTHING
    options: Raw = NOTHING


class Usage(Struct, rename="camel"):
    """Tokens of a turn."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None


class PromptResult(Struct, rename="camel"):
    """How a turn ended."""

    stop_reason: str | None = None
    usage: Raw = NOTHING


def parsed(shape: type[T], raw: Raw) -> T | None:
    """Return `raw` as a `shape`; None where it is absent, null, or of another shape."""
    if not raw or bytes(raw) == b"null":
        return None
    try:
        return _decoder(shape).decode(raw)
    except UNREADABLE:
        return None


def each(shape: type[T], raw: Raw) -> list[T]:
    """Return those entries of a list that have the `shape`."""
    found = (parsed(shape, entry) for entry in parsed(list[Raw], raw) or ())
    return [entry for entry in found if entry is not None]


def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """Making a decoder costs more than using it."""
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.json.Decoder(shape)
    return decoder


_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


def given(raw: Raw) -> Raw:
    """Return a copy of `raw` where it says anything; `NOTHING` for what is absent, null or an empty list."""
    return NOTHING if not raw or bytes(raw) in (b"null", b"[]") else raw.copy()
