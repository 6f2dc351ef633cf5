"""Fields of JSON that anybody may have written, read leniently: one of another shape counts as absent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.adapters.importers.lines import is_object
from holdfast.domain.timestamps import from_text

if TYPE_CHECKING:
    from holdfast.adapters.importers.lines import JsonObject

_MOST = 2**48
_IMAGE = re.compile(r"data:(image/[^;,]{1,100});base64,")


def text(fields: JsonObject, name: str) -> str:
    """Return a field that is a text; an empty one where it is not."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def inner(fields: JsonObject, name: str) -> JsonObject:
    """Return a field that is an object; an empty one where it is not."""
    value = fields.get(name)
    return value if is_object(value) else {}


def count(fields: JsonObject, name: str) -> int:
    """Return a field that counts something; 0 where it does not."""
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else 0


def file_block(address: str, name: str) -> JsonObject:
    """Return the content block of a file: an image where the address spells one out, else a link by that name."""
    spelled = _IMAGE.match(address)
    if spelled is not None:
        return {"type": "image", "mimeType": spelled[1], "data": address[spelled.end() :]}
    return {"type": "resource_link", "name": name, "uri": address}


def moment(fields: JsonObject, name: str) -> int | None:
    """Return a field that is a time in ISO 8601, in microseconds since the epoch."""
    try:
        return from_text(text(fields, name))
    except (ValueError, OverflowError):
        return None
