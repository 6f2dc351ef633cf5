"""Facts to and from the JSON that the log stores. Old schema versions are upcast here, unknown ones kept raw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.session import events
from holdfast.domain.session.facts import BY_CLASS, BY_TAG, Fact, Unknown
from holdfast.domain.session.upcasters import UPCASTERS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Encoded", "decode", "encode", "events"]


class Encoded(Struct, frozen=True, gc=False):
    """A fact as the log stores it: its type tag, its schema version, its payload as UTF-8 JSON."""

    tag: str
    schema: int
    data: bytes


_encode_json = msgspec.json.Encoder().encode
_decoders: dict[tuple[str, int], Callable[[bytes | str], Fact]] = {
    (tag, registration.schema): msgspec.json.Decoder(registration.fact).decode for tag, registration in BY_TAG.items()
}


def encode(fact: Fact) -> Encoded:
    """Return `fact` as it is stored. An `Unknown` one goes back exactly as it was.

    Raises:
        KeyError: The class of the fact is not registered.
    """
    if isinstance(fact, Unknown):
        return Encoded(fact.tag, fact.schema, (fact.data or "").encode())
    registration = BY_CLASS[type(fact)]
    return Encoded(registration.tag, registration.schema, _encode_json(fact))


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
    if decoder is None or data is None:
        return _decode_slowly(tag, schema, data)
    try:
        return decoder(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"the payload of a {tag!r} event (schema {schema}) cannot be read: {error}"
        raise StoreDamagedError(msg) from error


def _decode_slowly(tag: str, schema: int, data: bytes | str | None) -> Fact:
    registration = BY_TAG.get(tag)
    if data is None or registration is None or schema > registration.schema:
        return Unknown(tag, schema, data.decode("utf-8", "replace") if isinstance(data, bytes) else data)
    try:
        payload = msgspec.json.decode(data, type=dict[str, object])
        for version in range(schema, registration.schema):
            payload = UPCASTERS[tag, version](payload)
        return _decoders[tag, registration.schema](_encode_json(payload))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as error:
        msg = f"the payload of a {tag!r} event (schema {schema}) cannot be read: {error}"
        raise StoreDamagedError(msg) from error
