"""Images in what a peer sent: as addresses that hold all of the image, and only of kinds that cannot do anything."""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from msgspec import MsgspecError, json

from holdfast.domain.attachments import KEY, media_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Raw

    from holdfast.domain.projections.items import Item

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_DATA_URI: Final = re.compile(r"data:[^,]{0,200};base64,")
_KINDS: Final = frozenset({"image", "audio", "input_image", "image_url"})


def shown(item: Item) -> list[str]:
    """Return the images of an item that a page can show, each as a `data:` address, the same one once."""
    found = (_address(data) for data in _files(item) if isinstance(data, str))
    return list(dict.fromkeys(address for address in found if address is not None))


def count(item: Item) -> int:
    """Return how many images and sounds an item holds, wherever they are kept."""
    return sum(1 for _ in _files(item))


def _address(data: str) -> str | None:
    uri = _DATA_URI.match(data)
    encoded = data[uri.end() :] if uri is not None else data
    if _BASE64.fullmatch(encoded) is None:
        return None
    try:
        kind = media_type(a2b_base64(encoded[:24]), text=False)
    except (NotBase64, ValueError):
        return None
    return f"data:{kind};base64,{encoded}" if kind.startswith("image/") else None


def _files(item: Item) -> Iterator[Json]:
    held = [item.content]
    if bytes(item.output) != bytes(item.content):
        held.append(item.output)
    for raw in held:
        if raw:
            yield from _within(_decoded(raw))


def _decoded(raw: Raw) -> Json:
    try:
        return cast("Json", json.decode(raw))
    except (MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def _within(value: Json) -> Iterator[Json]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case list(values):
                waiting.extend(reversed(values))
            case dict(fields) if fields.get("type") in _KINDS:
                data = _data_of(fields)
                if data:
                    yield data
            case dict(fields) if KEY not in fields:
                waiting.extend(reversed(list(fields.values())))
            case _:
                pass


def _data_of(block: dict[str, Json]) -> Json:
    for name in ("data", "image_url", "source"):
        match block.get(name):
            case {"data": data} | {"url": data}:
                return data
            case None | "":
                pass
            case data:
                return data
    return None
