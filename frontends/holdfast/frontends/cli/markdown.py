"""Markdown as its author typed it, with a little colour. Every character stays: what is copied is what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.frontends.cli.cells import wrap
from holdfast.frontends.cli.escaping import block
from holdfast.frontends.cli.terminal import Line, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROSE = 100
"""Cells of a line of prose; code takes the whole width."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6} ")
_INLINE = re.compile(r"(`[^`\n]+`|\*\*[^*\n]+\*\*)")


def markdown(text: str, limit: int | None) -> Iterator[Line]:
    """Yield the lines of `text`, wrapped to `limit` cells."""
    prose = limit if limit is None else min(limit, _PROSE)
    fence = ""
    for line in block(text).expandtabs(4).split("\n"):
        found = _FENCE.match(line)
        if fence:
            closes = found is not None and found[1].startswith(fence) and not line.strip(" `~")
            fence = "" if closes else fence
            yield from _whole(line, limit, "dim" if closes else "cyan")
        elif found:
            fence = found[1]
            yield from _whole(line, limit, "dim")
        elif _HEADING.match(line):
            yield from _whole(line, prose, "bold")
        else:
            for piece in wrap(line, prose):
                yield tuple(map(_inline, _INLINE.split(piece)))


def _whole(line: str, limit: int | None, style: str) -> Iterator[Line]:
    for piece in wrap(line, limit):
        yield (Span(piece, style),)


def _inline(piece: str) -> Span:
    if piece.startswith("`"):
        return Span(piece, "cyan")
    return Span(piece, "bold" if piece.startswith("**") and len(piece) > 4 else "")
