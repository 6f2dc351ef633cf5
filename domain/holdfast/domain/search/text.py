"""What of an item can be found: its title, what was said, what went into a tool and what came out, as one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from msgspec import MsgspecError, json

from holdfast.domain.attachments import KEY
from holdfast.domain.search.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgspec import Raw

    from holdfast.domain.projections.items import Item

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

PASSAGE: Final = 4_000
"""Words in a passage. Longer items are searched in several, which bounds what any one of them costs."""

OVERLAP: Final = 40
"""Words that a passage shares with the next one, so that phrases across the border are found."""

_BLOCKS = frozenset({"text", "content", "diff", "image", "audio", "resource", "resource_link", "terminal"})
_FRAME = frozenset({"type", "data", "blob", "mimeType"})
"""Fields of content blocks that nobody said: the kind of block, and bytes."""


def text_of(item: Item) -> str:
    """Return everything of `item` that can be found, each part on a line of its own, as it was said."""
    item.settled()
    same = bytes(item.content) == bytes(item.output)
    parts = (
        item.title or "",
        item.text,
        *_leaves(item.input),
        *_leaves(item.output),
        *(() if same else _leaves(item.content)),
        item.reason or "",
    )
    return "\n".join(part for part in parts if part)


def passages(text: str) -> list[list[str]]:
    """Return the words of `text` in passages; most texts are one, and a text without a word has none."""
    found = words(text)
    if len(found) <= PASSAGE:
        return [found] if found else []
    step = PASSAGE - OVERLAP
    return [found[start : start + PASSAGE] for start in range(0, len(found) - OVERLAP, step)]


def first_word(part: int) -> int:
    """Return the place in the text of the first word of a passage."""
    return part * (PASSAGE - OVERLAP)


def _leaves(raw: Raw) -> Iterator[str]:
    """Yield the texts and numbers in a JSON document; one that cannot be read is taken as the text it is."""
    if not raw:
        return
    try:
        value = cast("Json", json.decode(raw))
    except (MsgspecError, RecursionError, UnicodeDecodeError):
        yield bytes(raw).decode("utf-8", "replace")
        return
    waiting: list[Json] = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case bool() | None:
                pass
            case int() | float() as number:
                yield str(number)
            case list(values):
                waiting.extend(reversed(values))
            case dict(fields):
                waiting.extend(reversed(list(_said(fields))))


def _said(fields: Mapping[str, Json]) -> Iterator[Json]:
    if KEY in fields:
        return iter(())  # what an attachment holds is never read for this
    kind = fields.get("type")
    is_block = isinstance(kind, str) and kind in _BLOCKS
    return (value for name, value in fields.items() if not (is_block and name in _FRAME))
