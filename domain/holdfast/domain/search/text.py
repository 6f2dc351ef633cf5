"""What of an item can be found: its title, what was said, what went into a tool and what came out, as one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from msgspec import MsgspecError, json

from holdfast.domain.attachments import KEY
from holdfast.domain.projections.bodies import plan
from holdfast.domain.search.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from msgspec import Raw

    from holdfast.domain.projections.items import Item

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

PASSAGE: Final = 4_000
"""Words in a passage. Longer items are searched in several, which bounds what any one of them costs."""

OVERLAP: Final = 40
"""Words that a passage shares with the next one, so that phrases across the border are found."""

_SHORT: Final = 8_000
"""Characters of a text that is one passage for sure."""

_BLOCKS = frozenset({"text", "content", "diff", "image", "audio", "resource", "resource_link", "terminal"})
_FRAME = frozenset({"type", "data", "blob", "mimeType"})
"""Fields of content blocks that nobody said: the kind of block, and bytes."""


def text_of(item: Item) -> str:
    """Return everything of `item` that can be found, each part on a line of its own, as it was said."""
    item.settled()
    return _joined(item, item.title or "", _leaves(item.input))


def shown_of(item: Item, part: int = 0) -> str:
    """Return the text that shows a hit in a passage of `item`.

    What the title of a tool says of its input stands there once, and of a plan what is to be done.

    Long items say it twice, as they are indexed, so that the place of a passage is the same in both.
    """
    text = text_of(item)
    if part or len(text) > _SHORT:
        return text
    if item.kind == "plan":
        return "\n".join(entry for _, entry in plan(item.content))
    if not item.title:
        return text
    title = " ".join(item.title.split())
    tool, colon, hint = title.partition(": ")
    begun = hint[:-1] if hint.endswith("…") else ""
    arguments: list[str] = []
    for argument in _leaves(item.input):
        plain = " ".join(argument.split())
        if begun and plain.startswith(begun):
            title = tool + colon.rstrip()  # the argument says all that the title had no room for
        if not _says(title, plain):
            arguments.append(argument)
    return _joined(item, title, arguments)


def _joined(item: Item, title: str, arguments: Iterable[str]) -> str:
    same = bytes(item.content) == bytes(item.output)
    parts = (
        title,
        item.text,
        *arguments,
        *_leaves(item.output),
        *(() if same else _leaves(item.content)),
        item.reason or "",
    )
    return "\n".join(part for part in parts if part)


def _says(title: str, argument: str) -> bool:
    """Tell whether an argument stands in a title as a whole, and not within a word of it."""
    at = title.find(argument)
    end = at + len(argument)
    return at >= 0 and not (title[max(0, at - 1) : at].isalnum() or title[end : end + 1].isalnum())


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
