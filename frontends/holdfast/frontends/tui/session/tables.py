"""Tables of Markdown, drawn to fit: columns give way in the order of how much room they take."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from holdfast.frontends.tui.session.inline import inline
from holdfast.frontends.tui.session.text import Line, Span, cells, flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CELL = re.compile(r"(?:\\\||`[^`]*`|[^|])*")
_RULE_CELL = re.compile(r"\s*:?-+:?\s*")
_NARROWEST = 4
_GAP = 3


def cells_of(row: str) -> list[str]:
    """Return the cells of a row that begins with a bar."""
    body = row.strip().removeprefix("|")
    body = body[:-1] if body.endswith("|") and not body.endswith("\\|") else body
    found: list[str] = []
    at = 0
    while True:
        match = _CELL.match(body, at)
        end = match.end() if match else at
        found.append(body[at:end].strip().replace("\\|", "|"))
        if end >= len(body):
            return found
        at = end + 1


def is_rule(row: str) -> bool:
    """Whether a row is the line below the head of a table."""
    return all(_RULE_CELL.fullmatch(cell) for cell in cells_of(row))


def table(rows: Sequence[str], room: int, style: str) -> Iterator[Line]:
    """Yield a table: its head, a line, its rows."""
    aligned = [cell.startswith(":") * 1 + cell.endswith(":") * 2 for cell in cells_of(rows[1])]
    body = [[list(inline(cell, style)) for cell in cells_of(row)] for row in (rows[0], *rows[2:])]
    columns = max(map(len, body))
    widths = _widths([max((_size(row[at]) for row in body if at < len(row)), default=1) for at in range(columns)], room)
    bar = Span(" │ ", "rule")
    for number, row in enumerate(body):
        drawn = [[list(piece) for piece in flow(cell, width)] for cell, width in zip(row, widths, strict=False)]
        for pieces in zip_longest(*drawn, fillvalue=[]):
            yield Line(tuple(_joined(list(pieces), widths, aligned, bar, head=number == 0)))
        if number == 0:
            cross = "─┼─"
            yield Line((Span(cross.join("─" * width for width in widths), "rule"),))


def _joined(
    pieces: list[list[Span]], widths: list[int], aligned: list[int], bar: Span, *, head: bool
) -> Iterator[Span]:
    for at, width in enumerate(widths):
        piece = pieces[at] if at < len(pieces) else []
        gap = max(0, width - _size(piece))
        how = aligned[at] if at < len(aligned) else 0
        before = gap if how == 2 else gap // 2 if how == 3 else 0
        if at:
            yield bar
        yield Span(" " * before)
        yield from (Span(text, f"{style} bold" if head else style) for text, style in piece)
        yield Span(" " * (gap - before))


def _widths(wanted: list[int], room: int) -> list[int]:
    """Return widths that fit, taking from the widest first."""
    widths = [max(1, width) for width in wanted]
    over = sum(widths) + _GAP * (len(widths) - 1) - room
    while over > 0:
        widest = max(range(len(widths)), key=widths.__getitem__)
        second = max((width for at, width in enumerate(widths) if at != widest), default=_NARROWEST)
        less = min(over, max(1, widths[widest] - max(second, _NARROWEST)))
        if widths[widest] - less < _NARROWEST:
            break  # too many columns for this screen: they are cut at its edge
        widths[widest] -= less
        over -= less
    return widths


def _size(spans: Sequence[Span]) -> int:
    return sum(cells(span.text) for span in spans)
