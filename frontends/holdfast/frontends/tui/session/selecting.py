"""What is marked with the mouse in a transcript, and the words of it. Pure: places are of rows, which come and move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.frontends.tui.session.text import cells, slice_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.frontends.tui.session.text import Line
    from holdfast.frontends.tui.session.viewport import Viewport

_EDGES: Final = ("│", "▌")
"""What is drawn before a line of a tool's output or of a quotation, and is no part of it."""


class Spot(NamedTuple):
    """A cell: the key of its row, the line within that, the cell within that."""

    row: str
    line: int
    cell: int


class Selection:
    """From where the button was pressed to where the mouse is."""

    def __init__(self, viewport: Viewport) -> None:
        """Mark nothing."""
        self._viewport = viewport
        self._begin: Spot | None = None
        self._end: Spot | None = None

    @property
    def made(self) -> bool:
        """Whether anything is marked."""
        return self._begin is not None and self._begin != self._end

    def begin(self, cell: int, y: int) -> None:
        """Begin at a cell of a line of the screen."""
        self._begin = self._end = self._spot(cell, y)

    def reach(self, cell: int, y: int) -> bool:
        """Go to a cell of a line of the screen; return whether that is another one."""
        before, self._end = self._end, self._spot(cell, y)
        return before != self._end

    def clear(self) -> bool:
        """Mark nothing; return whether anything was marked."""
        made = self.made
        self._begin = self._end = None
        return made

    def on_screen(self, y: int) -> tuple[int, int] | None:
        """Return from which cell to which a line of the screen is marked."""
        ends = self._ends() if self.made else None
        if ends is None:
            return None
        (first, begin), (last, end) = ends
        at = self._viewport.top + y
        if not first <= at <= last:
            return None
        return (begin if at == first else 0, end + 1 if at == last else self._viewport.scene.width)

    def text(self) -> str:
        """Return what is marked, line by line as it is drawn, without what is drawn around it."""
        return "\n".join(self._lines()).strip("\n") if self.made else ""

    def _lines(self) -> Iterator[str]:
        ends = self._ends()
        if ends is None:
            return
        (first, begin), (last, end) = ends
        viewport, geometry = self._viewport, self._viewport.listing.geometry
        at = geometry.at(first)
        while at < len(geometry):
            lines = viewport.drawn(at)
            for number, line in enumerate(lines, geometry.top(at)):
                if first <= number <= last:
                    yield _words(line, begin if number == first else 0, end + 1 if number == last else None)
            at += 1
            if at < len(geometry) and geometry.top(at) > last:
                return

    def _ends(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return line of the transcript and cell of both ends; None where a row is not there any more."""
        found: list[tuple[int, int]] = []
        for spot in (self._begin, self._end):
            at = None if spot is None else self._viewport.listing.find(spot.row)
            if spot is None or at is None:
                return None
            found.append((self._viewport.listing.geometry.top(at) + spot.line, spot.cell))
        return min(found), max(found)

    def _spot(self, cell: int, y: int) -> Spot | None:
        viewport = self._viewport
        at = viewport.row_at(y)
        if at is None:
            return None
        geometry = viewport.listing.geometry
        line = min(viewport.top + y, geometry.total - 1) - geometry.top(at)
        return Spot(viewport.listing.rows[at].key, line, max(0, cell))


def _words(line: Line, begin: int, end: int | None) -> str:
    edge = 0
    for span in line.spans:
        if span.text.strip() and span.text.strip() not in _EDGES:
            break
        edge += cells(span.text)
        if span.text.strip():
            begin = max(begin, edge)
    return slice_of(line.text, begin, cells(line.text) if end is None else end).rstrip()
