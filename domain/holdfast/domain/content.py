"""Content blocks as agents exchange them: kept verbatim as JSON, read only for their text."""

from __future__ import annotations

from typing import Final

from msgspec import DecodeError, Raw, Struct, json

NOTHING: Final = Raw()
"""JSON that is absent. Fields that hold it are left out of what is stored; any other empty `Raw` would break it."""

_UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for JSON of another shape, for bytes that are not UTF-8, and for absurd nesting."""


class _Elsewhere(Struct):
    """What stands in the place of a text that is kept elsewhere."""


class _Block(Struct):
    """The fields of a content block that a reader of plain text needs."""

    type: str = ""
    text: str = ""
    name: str | None = ""
    uri: str | _Elsewhere | None = ""


_decode_blocks = json.Decoder(list[_Block]).decode


def of_text(text: str) -> Raw:
    """Return the content that consists of one text block."""
    return Raw(json.encode([{"type": "text", "text": text}]))


def text_of(content: Raw) -> str:
    """Return what a person would read of `content`: texts as they are, other blocks named in brackets.

    Content that is not a list of blocks is shown as the JSON it is, so that nothing disappears.
    """
    if not content:
        return ""
    try:
        blocks = _decode_blocks(content)
    except _UNREADABLE:
        return bytes(content).decode("utf-8", "replace")
    return "\n".join(_shown(block) for block in blocks)


def _shown(block: _Block) -> str:
    if block.type == "text":
        return block.text
    uri = block.uri if isinstance(block.uri, str) else ""
    if uri.startswith("data:"):
        uri = ""  # all of it, spelled out
    return f"[{' '.join(part for part in (block.type, block.name, uri) if part)}]"


def beyond_text(content: Raw) -> Raw:
    """Return `content` where it holds more than its text says, such as images; else `NOTHING`."""
    try:
        blocks = _decode_blocks(content)
    except _UNREADABLE:
        return NOTHING
    return NOTHING if all(block.type == "text" for block in blocks) else content.copy()
