"""Lines of a screen before they have colours: text with the names of its styles, and how it is wrapped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from holdfast.domain.escaping import block, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TAB = 4

_LONGEST_LINE = 20_000
"""Characters of one line of the source that are shown: what has more is data, and wrapping it would take seconds."""

_STEP = 5_000

_WORD = re.compile(r"[^ ]+ *| +")


class Span(NamedTuple):
    """A piece of text and its style: names of the palette, apart by blanks; the later ones count more."""

    text: str
    style: str = ""


class Line(NamedTuple):
    """One line of the screen.

    Attributes:
        spans: What stands in it.
        fill: The style of what is empty to the right of it.
        bar: The style of the bar at its left; none without.
    """

    spans: tuple[Span, ...] = ()
    fill: str = ""
    bar: str = ""

    @property
    def text(self) -> str:
        """What can be read in it."""
        return "".join(span.text for span in self.spans)


def safe(text: str) -> str:
    """Return text from outside on one line, harmless."""
    return one_line(text[:_LONGEST_LINE])


def source_line(line: str, *, whole: bool = False) -> str:
    """Return one line of a text from outside, harmless, tabs as blanks; what is absurdly long is cut, and says so.

    Args:
        line: The line.
        whole: Never cut it: somebody is to decide upon it.
    """
    if len(line) > _LONGEST_LINE and not whole:
        more = len(line) - _LONGEST_LINE
        line = f"{line[:_LONGEST_LINE]} … {more:,} more characters (copy has all)"
    if line.isascii() and line.isprintable():
        return line
    return block(line.removesuffix("\r")).expandtabs(TAB)


def newest(line: str) -> str:
    """Return the end of a line that is still being written, where it is absurdly long, and what is left out in words.

    It begins at the same place for thousands of letters: what can be seen does not move with each one that comes.
    """
    before = (len(line) - _LONGEST_LINE) // _STEP * _STEP + _STEP
    return f"{before:,} characters before this … {line[before:]}" if len(line) > _LONGEST_LINE else line


def inside(width: int, taken: int) -> int:
    """Return how many cells are left of a width, a few in any case."""
    return max(8, width - taken)


def cells(text: str) -> int:
    """Return how many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def slice_of(text: str, begin: int, end: int) -> str:
    """Return the cells of a text from `begin` to before `end`; a wide character is taken where it begins in them."""
    if text.isascii():
        return text[begin:end]
    kept: list[str] = []
    at = 0
    for character in text:
        if begin <= at < end or (kept and not cells(character)):
            kept.append(character)
        at += cells(character)
    return "".join(kept)


def clip(text: str, width: int, dots: str = "…") -> str:
    """Return a text in at most `width` cells, with dots where it is cut."""
    if len(text) <= width and cells(text) <= width:
        return text
    room = width - cells(dots)
    return text[: _fitting(text, room)].rstrip() + dots if room > 0 else text[: _fitting(text, width)]


def flow(
    spans: Sequence[Span], width: int, first: Sequence[Span] = (), rest: Sequence[Span] = ()
) -> Iterator[tuple[Span, ...]]:
    """Yield spans in lines of at most `width` cells, broken at blanks.

    Args:
        spans: The text, without line ends.
        width: Cells in a line.
        first: What the first line begins with.
        rest: What every other line begins with.
    """
    text = "".join(span.text for span in spans)
    room = max(1, width - sum(cells(span.text) for span in first))
    below = max(1, width - sum(cells(span.text) for span in rest))
    lead = tuple(first)
    for begin, end in _breaks(text, room, below):
        yield (*lead, *_cut(spans, begin, end))
        lead = tuple(rest)


def hard(spans: Sequence[Span], width: int) -> Iterator[tuple[Span, ...]]:
    """Yield spans in lines that are broken wherever they are full, as code is."""
    text = "".join(span.text for span in spans)
    if cells(text) <= width:
        yield tuple(spans)
        return
    begin = 0
    while begin < len(text):
        size = width if text.isascii() else _fitting(text[begin : begin + width], width)
        end = begin + max(1, size)
        yield _cut(spans, begin, end)
        begin = end


def _breaks(text: str, first: int, rest: int) -> Iterator[tuple[int, int]]:
    """Yield where each line begins and ends; blanks at an end are left out."""
    if len(text) <= first and cells(text) <= first:
        yield 0, len(text)
        return
    plain = text.isascii()
    begin = end = used = 0
    room = first
    for found in _WORD.finditer(text):
        start, end = found.span()
        bare = found[0].rstrip(" ")
        size = len(bare) if plain else cells(bare)
        if used + size > room:
            if size <= rest:
                yield begin, begin + len(text[begin:start].rstrip(" "))
                begin, used, room = start, 0, rest
            else:  # fits no line: goes on where it is, and is broken where a line is full
                at, last = start, start + len(bare)
                while (taken := _fitting(text[at : min(last, at + room - used)], room - used)) < last - at:
                    if not taken and not used:
                        taken = 1  # one character is wider than the whole line
                    yield begin, at + taken if taken else begin + len(text[begin:at].rstrip(" "))
                    begin = at = at + taken
                    used, room = 0, rest
                size = cells(text[at:last])
        used += size + end - start - len(bare)
    if begin < end:
        yield begin, begin + len(text[begin:end].rstrip(" "))


def _cut(spans: Sequence[Span], begin: int, end: int) -> tuple[Span, ...]:
    """Return the spans of a part of their text."""
    found: list[Span] = []
    at = 0
    for text, style in spans:
        if at >= end:
            break
        piece = text[max(0, begin - at) : end - at]
        if piece:
            found.append(Span(piece, style))
        at += len(text)
    return tuple(found)


def _fitting(text: str, room: int) -> int:
    """Return how many characters fit into `room` cells."""
    if text.isascii():
        return min(len(text), max(0, room))
    used = 0
    for at, character in enumerate(text):
        used += cells(character)
        if used > room:
            return at
    return len(text)
