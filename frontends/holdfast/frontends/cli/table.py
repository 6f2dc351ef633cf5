"""A table that fits the line: flexible columns give way first, then the least important ones go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.frontends.cli.cells import clip, pad, width
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.terminal import Line, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = 2


class Column(NamedTuple):
    """One column.

    Attributes:
        title: What stands above it.
        cells: One a row; text from outside may be in them as it is.
        least: Cells below which it is not narrowed; 0 where it is never narrowed.
        rank: The greater, the sooner it goes where the line is too short; 0 stays.
        right: Whether it is aligned to the right.
    """

    title: str
    cells: Sequence[Span]
    least: int = 0
    rank: int = 0
    right: bool = False


def table(columns: Sequence[Column], limit: int | None, ellipsis: str = "…") -> Iterator[Line]:
    """Yield the lines of a table, its titles first.

    Args:
        columns: At least one. Columns without anything in them are left out.
        limit: Cells in a line; None where lines may be of any length.
        ellipsis: What stands where a cell was cut.
    """
    clean = [column._replace(cells=[Span(one_line(text), style) for text, style in column.cells]) for column in columns]
    sizes = _fitted([(column, _natural(column)) for column in clean if any(cell.text for cell in column.cells)], limit)
    yield _row([(column, size, Span(column.title, "dim")) for column, size in sizes], ellipsis)
    for index in range(len(clean[0].cells)):
        yield _row([(column, size, column.cells[index]) for column, size in sizes], ellipsis)


def _natural(column: Column) -> int:
    return max(width(column.title), *(width(cell.text) for cell in column.cells))


def _fitted(sizes: list[tuple[Column, int]], limit: int | None) -> list[tuple[Column, int]]:
    while limit is not None:
        over = sum(size for _, size in sizes) + _GAP * (len(sizes) - 1) - limit
        if over <= 0:
            break
        if over <= sum(max(0, size - column.least) for column, size in sizes if column.least):
            return _narrowed(sizes, over)
        least = max(sizes, key=lambda sized: sized[0].rank)
        if least[0].rank == 0:
            break  # too narrow for anything; the terminal will wrap
        sizes = [sized for sized in sizes if sized is not least]
    return sizes


def _narrowed(sizes: list[tuple[Column, int]], over: int) -> list[tuple[Column, int]]:
    """Take `over` cells away, each from the flexible column that is widest at that moment."""
    widths = [size for _, size in sizes]
    flexible = [index for index, (column, _) in enumerate(sizes) if column.least]
    for _ in range(over):
        widest = max(
            (index for index in flexible if widths[index] > sizes[index][0].least), key=lambda index: widths[index]
        )
        widths[widest] -= 1
    return [(column, size) for (column, _), size in zip(sizes, widths, strict=True)]


def _row(cells: list[tuple[Column, int, Span]], ellipsis: str) -> Line:
    parts: list[Span] = []
    for index, (column, size, cell) in enumerate(cells):
        text = clip(cell.text, size, ellipsis)
        last = index == len(cells) - 1
        parts.append(Span(text if last and not column.right else pad(text, size, right=column.right), cell.style))
        if not last:
            parts.append(Span(" " * _GAP))
    while parts and not parts[-1].text.strip():
        parts.pop()
    return tuple(parts)
