"""Facts to and from the JSON that the log stores. Old schema versions are upcast here, unknown ones kept raw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from holdfast.domain.content import NOTHING
from holdfast.domain.errors import StoreDamagedError, UsageError
from holdfast.domain.link import events as link_events
from holdfast.domain.session import events
from holdfast.domain.session.facts import BY_CLASS, BY_TAG, Fact, Registration, Unknown
from holdfast.domain.session.upcasters import UPCASTERS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Encoded", "decode", "encode", "events", "link_events"]


class Encoded(Struct, frozen=True, gc=False):
    """A fact as the log stores it: its type tag, its schema version, its payload as UTF-8 JSON."""

    tag: str
    schema: int
    data: bytes


_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError)

_encode_json = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decoders: dict[tuple[str, int], Callable[[bytes | str], Fact]] = {
    (tag, registration.schema): msgspec.json.Decoder(registration.fact).decode for tag, registration in BY_TAG.items()
}


def encode(fact: Fact) -> Encoded:
    """Return `fact` as it is stored. An `Unknown` one goes back exactly as it was.

    Raises:
        UsageError: A text in it is not valid Unicode, or JSON that it must hold is empty.
        KeyError: The class of the fact is not registered.
    """
    registration = BY_CLASS.get(type(fact))
    if registration is None:
        if isinstance(fact, Unknown):
            return Encoded(fact.tag, fact.schema, (fact.data or "").encode())
        raise KeyError(type(fact))
    if registration.needs_json or registration.may_hold_json:
        fact = _without_empty_json(fact, registration)
    try:
        return Encoded(registration.tag, registration.schema, _encode_json(fact))
    except UnicodeEncodeError as error:
        msg = f"a text for a {registration.tag!r} event is not valid Unicode: {error.reason}"
        raise UsageError(msg) from error


def _without_empty_json(fact: Fact, registration: Registration) -> Fact:
    """What would be written as nothing after a colon could never be read again."""
    for name in registration.needs_json:
        if not getattr(fact, name):
            msg = f"a {registration.tag!r} event needs JSON as its {name}"
            raise UsageError(msg)
    empty = [name for name in registration.may_hold_json if not getattr(fact, name)]
    return replace(fact, **dict.fromkeys(empty, NOTHING)) if empty else fact


def decode(tag: str, schema: int, data: bytes | str | None) -> Fact:
    """Return the fact that was stored, in the form of today.

    Args:
        tag: The type tag.
        schema: The schema version it was written with.
        data: The payload; None for content that was erased, which gives an `Unknown` without data.

    Raises:
        StoreDamagedError: The payload is not what its tag and version promise.
    """
    decoder = _decoders.get((tag, schema))
    try:
        return _decode_slowly(tag, schema, data) if decoder is None or data is None else decoder(data)
    except _UNREADABLE as error:
        msg = f"the payload of a {tag!r} event (schema {schema}) cannot be read: {error}"
        raise StoreDamagedError(msg) from error


def _decode_slowly(tag: str, schema: int, data: bytes | str | None) -> Fact:
    registration = BY_TAG.get(tag)
    if data is None or registration is None or schema > registration.schema:
        return Unknown(tag, schema, data.decode() if isinstance(data, bytes) else data)
    payload = _decode_fields(data)
    for version in range(schema, registration.schema):
        payload = UPCASTERS[tag, version](payload)
    return _decoders[tag, registration.schema](_encode_json(payload))
