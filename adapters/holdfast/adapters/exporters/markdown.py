"""A transcript as Markdown. What was said is quoted, line by line, so that it can never pass for what we say of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.adapters.exporters.document import Entry, counted, entry, facts, pieces, title, told
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.domain.exported import Removed
    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()<>#+!|~&-])")
_TICKS = re.compile(r"`+")


def document(row: Row, items: Iterator[Item], clean: Callable[[str], str], removed: Removed) -> Iterator[bytes]:
    """Yield the document in pieces; memory for one item."""
    lines = [f"# {_plain(title(row, clean))}", ""]
    lines += [f"* {name}: {_plain(value)}" for name, value in facts(row, clean)]
    yield _joined(lines)
    for item in counted(items, removed):
        yield _joined(_entry(entry(item, row, clean)))
    yield _joined(["", "---", "", told(removed)])


def _entry(shown: Entry) -> Iterator[str]:
    yield ""
    level = "##" if shown.kind == "message" else "###"
    notes = "".join(f" · {_plain(note)}" for note in shown.notes)
    yield f"{level} {_plain(shown.who)} · {to_text(shown.at)}{notes}"
    for part in shown.parts:
        yield ""
        if part.label:
            yield f"{part.label}:"
            yield ""
        if part.kind == "code":
            yield from _fenced("", part.text)
        else:
            yield from (f"> {line}".rstrip() for line in _said(part.text))


def _said(text: str) -> Iterator[str]:
    """Yield what was said as Markdown that shows the same, but loads nothing, and is no HTML."""
    for language, piece in pieces(text):
        if language is None:
            yield from map(_inline, piece.split("\n"))
        else:
            yield ""
            yield from _fenced(language, piece)
            yield ""


def _fenced(language: str, text: str) -> Iterator[str]:
    longest = max((len(found[0]) for found in _TICKS.finditer(text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield from text.split("\n")
    yield fence


def _inline(line: str) -> str:
    """Keep code spans as CommonMark finds them; outside, take the power off HTML, images, links and lone backticks."""
    out: list[str] = []
    at = 0
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(line)]
    closers: dict[int, list[int]] = {}
    for index, (start, end) in enumerate(runs):
        closers.setdefault(end - start, []).append(index)
    skip = -1
    for index, (start, end) in enumerate(runs):
        if index <= skip:
            continue
        same = closers[end - start]
        while same and same[0] <= index:
            same.pop(0)
        out.append(_harmless(line[at:start]))
        if same:
            skip = same[0]
            at = runs[skip][1]
            out.append(line[start:at])
        else:
            out.append("&#96;" * (end - start))
            at = end
    out.append(_harmless(line[at:]))
    return "".join(out)


def _harmless(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("![", "&#33;[")
    return text.replace("](", "]&#40;").replace("]:", "]&#58;")


def _plain(text: str) -> str:
    """Return one line with nothing in it that Markdown knows."""
    return _PUNCTUATION.sub(r"\\\1", text)


def _joined(lines: list[str] | Iterator[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
