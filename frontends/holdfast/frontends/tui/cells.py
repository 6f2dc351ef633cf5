"""Lines made of text in named styles, cut and padded to cells. Everything from outside is made harmless here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from holdfast.domain.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.frontends.tui.palette import Palette


class Span(NamedTuple):
    """Text in a style of the palette; several are joined by a blank, as in `bold needs`."""

    text: str
    style: str = ""


def harmless(text: str) -> str:
    """Return text from outside on one line, without anything that a terminal would obey or a reader not see."""
    return one_line(text)


def clip(text: str, limit: int) -> str:
    """Return `text` in at most `limit` cells; what is cut off leaves a sign."""
    if limit <= 0:
        return ""
    if cell_len(text) <= limit:
        return text
    return set_cell_size(text, limit - 1).rstrip() + "…"


def fill(text: str, size: int, *, right: bool = False) -> str:
    """Return `text` in exactly `size` cells."""
    text = clip(text, size)
    gap = " " * (size - cell_len(text))
    return gap + text if right else text + gap


def strip(spans: Iterable[Span], palette: Palette, width: int, ground: str = "") -> Strip:
    """Return a line of the screen, filled up to `width`; `ground` is a style that lies under all of it."""
    segments = [Segment(text, palette.style(ground, style)) for text, style in spans if text]
    return Strip(segments).adjust_cell_length(width, palette.style(ground))
