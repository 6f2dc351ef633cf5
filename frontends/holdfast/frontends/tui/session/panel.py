"""A widget that shows lines as they were drawn, and the way from such lines to the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from holdfast.frontends.tui.palette import app_of
from holdfast.frontends.tui.session.palette import Palette
from holdfast.frontends.tui.session.text import Line, cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from textual.geometry import Size

GUTTER: Final = 2
"""Cells at the left for bars and the mark of what is selected."""


def strip_of(line: Line, palette: Palette, ground: Style, width: int, *, mark: str = "", gutter: int = GUTTER) -> Strip:
    """Return a line of the screen, `width` cells wide, with its gutter."""
    style = palette.style
    fill = ground + style(line.fill)
    edge = fill if line.bar else ground
    if mark:
        left = Segment("┃ ", edge + style(mark))
    elif line.bar:
        left = Segment("▌ ", edge + style(line.bar))
    else:
        left = Segment(" " * gutter, ground)
    body = [Segment(text, fill + style(names) if names else fill) for text, names in line.spans if text]
    room = max(0, width - gutter - sum(cells(span.text) for span in line.spans))
    return Strip([left, *body, Segment(" " * room, fill)]).crop(0, width)


class Panel(Widget):
    """Lines, drawn for the width that there is; as high as they are, and not there where there are none."""

    DEFAULT_CSS = """
    Panel { height: auto; width: 1fr; }
    """

    gutter_cells = GUTTER
    """Cells left free at the left."""

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._palette: Palette | None = None
        self._drawn: tuple[int, list[Line]] | None = None
        self._offset = 0
        self._height = -1

    def lines(self, width: int) -> Sequence[Line]:
        """Return what is shown in lines of at most `width` cells; nothing, until a panel says what."""
        del width
        return ()

    def redraw(self) -> None:
        """Show what there is now."""
        self._drawn = None
        height = len(self._in(max(8, (self.size.width or app_of(self).size.width) - self.gutter_cells - 1)))
        # A layout draws the whole screen anew, which over a slow line takes seconds, and this may be a clock.
        grown, self._height = height != self._height, height
        self.display = height > 0
        self.refresh(layout=grown)

    def on_mount(self) -> None:
        """Follow the theme."""
        app_of(self).theme_changed_signal.subscribe(self, lambda _: self._recoloured())
        self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return as many lines as there are."""
        del container, viewport
        return len(self._in(max(8, width - self.gutter_cells - 1)))

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        width = self.size.width
        lines = self._in(max(8, width - self.gutter_cells - 1))
        palette = self._palette = self._palette or Palette(app_of(self))
        at = y + self._offset
        line = lines[at] if at < len(lines) else Line()
        return strip_of(line, palette, palette.ground(self), width, gutter=self.gutter_cells)

    def _in(self, width: int) -> list[Line]:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, list(self.lines(width)))
        return self._drawn[1]

    def _recoloured(self) -> None:
        self._palette = None
        self.refresh()
