"""Markdown as its author typed it, with a little colour. Every character stays: what is copied is what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.frontends.cli.cells import wrap
from holdfast.frontends.cli.escaping import block
from holdfast.frontends.cli.terminal import Line, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

PROSE = 100
"""Cells of a line of prose; code takes the whole width."""

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}#{1,6} ")
INLINE = re.compile(r"(`[^`\n]+`|\*\*[^*\n]+\*\*)")


def markdown(text: str, limit: int | None) -> Iterator[Line]:
    """Yield the lines of `text`, wrapped to `limit` cells."""
    prose = limit if limit is None else min(limit, PROSE)
    fence = ""
    for line in block(text).expandtabs(4).split("\n"):
        found = FENCE.match(line)
        if fence:
            closes = found is not None and found[1].startswith(fence) and not line.strip(" `~")
            fence = "" if closes else fence
            yield from _whole(line, limit, "dim" if closes else "cyan")
        elif found:
            fence = found[1]
            yield from _whole(line, limit, "dim")
        elif HEADING.match(line):
            yield from _whole(line, prose, "bold")
        else:
            for piece in wrap(line, prose):
                yield tuple(map(inline, INLINE.split(piece)))


def _whole(line: str, limit: int | None, style: str) -> Iterator[Line]:
    for piece in wrap(line, limit):
        yield (Span(piece, style),)


def inline(piece: str) -> Span:
    """Return what stands between two spaces, or between two signs of markup, with its colour."""
    if piece.startswith("`"):
        return Span(piece, "cyan")
    return Span(piece, "bold" if piece.startswith("**") and len(piece) > 4 else "")
