"""A list to choose from, drawn line by line: what the switcher, the inbox, the search and every menu consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from holdfast.frontends.tui.cells import Span, strip
from holdfast.frontends.tui.moves import MOVES
from holdfast.frontends.tui.palette import Palette, app_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events


class Choice(NamedTuple):
    """One entry.

    Attributes:
        key: What names it.
        draw: Returns its lines for a width; the first cell of each is left to the cursor.
    """

    key: str
    draw: Callable[[int], Sequence[Sequence[Span]]]


class Choices(ScrollView, can_focus=True):
    """Shows entries of one line or more. The cursor is on an entry, not on a line."""

    DEFAULT_CSS = """
    Choices { height: 1fr; scrollbar-size-vertical: 1; }

    """
    BINDINGS: ClassVar = [
        *MOVES,
        Binding("enter", "choose", "Choose", show=False),
    ]

    class Chosen(Message):
        """An entry was chosen."""

        def __init__(self, choices: Choices, key: str) -> None:
            self.choices = choices
            self.key = key
            super().__init__()

    class Moved(Message):
        """The cursor is on another entry, or on none."""

        def __init__(self, choices: Choices, key: str | None) -> None:
            self.choices = choices
            self.key = key
            super().__init__()

    def __init__(self, *, nothing: str = "", id: str | None = None) -> None:
        """Begin empty.

        Args:
            nothing: What stands there while there is nothing to choose.
            id: The widget's name.
        """
        super().__init__(id=id)
        self.nothing = nothing
        self._choices: list[Choice] = []
        self._lines: list[tuple[int, Sequence[Span]]] = []
        self._starts: list[int] = []
        self._at = 0
        self._palette: Palette | None = None

    @property
    def key(self) -> str | None:
        """The entry that the cursor is on."""
        return self._choices[self._at].key if self._choices else None

    @property
    def keys(self) -> list[str]:
        """All entries from top to bottom."""
        return [each.key for each in self._choices]

    def on_mount(self) -> None:
        """Follow the theme."""
        app_of(self).theme_changed_signal.subscribe(self, lambda _: self._repaint())

    def show(self, choices: Sequence[Choice], *, keep: bool = True) -> None:
        """Show these; the cursor stays on its entry, with `keep` and where that is still there."""
        before = self.key
        self._choices = list(choices)
        keys = self.keys
        if keep and before in keys:
            self._at = keys.index(before)
        else:
            self._at = min(self._at, max(0, len(keys) - 1)) if keep else 0
        self._arrange()
        if self.key != before:
            self.post_message(self.Moved(self, self.key))

    def redraw(self) -> None:
        """Draw all of them anew."""
        self._arrange()

    def go_to(self, key: str) -> None:
        """Put the cursor on an entry."""
        if key in self.keys:
            self._set(self.keys.index(key))

    def on_resize(self) -> None:
        """Fit the new width."""
        self._arrange()

    def render_line(self, y: int) -> Strip:
        """Draw a line on the widget's own ground."""
        return self._line(y).apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        palette = self._palette = self._palette or Palette(app_of(self))
        at = self.scroll_offset.y + y
        if not self._choices and y == min(1, self.size.height - 1):
            return strip([Span("  "), Span(self.nothing, "dim")], palette, width)
        if not 0 <= at < len(self._lines):
            return Strip.blank(width)
        index, spans = self._lines[at]
        if index != self._at or not spans:
            return strip([Span(" "), *spans], palette, width)
        return strip([Span("▌", "accent"), *spans], palette, width, "cursor")

    def action_move(self, by: int) -> None:
        """Go up or down."""
        self._set(self._at + by)

    def action_page(self, direction: int) -> None:
        """Go a screen up or down."""
        height = max(1, len(self._lines) // max(1, len(self._choices)))
        self._set(self._at + direction * max(1, self.size.height // height - 1))

    def action_edge(self, direction: int) -> None:
        """Go to the first or the last one."""
        self._set(direction * len(self._choices))

    def action_choose(self) -> None:
        """Choose what the cursor is on."""
        if self.key is not None:
            self.post_message(self.Chosen(self, self.key))

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        at = self.scroll_offset.y + event.y
        if 0 <= at < len(self._lines):
            self._set(self._lines[at][0])
            self.action_choose()

    def _set(self, at: int) -> None:
        at = max(0, min(len(self._choices) - 1, at))
        if self._choices and at != self._at:
            self._at = at
            self.post_message(self.Moved(self, self.key))
            self.refresh()
        self._reveal()

    def _reveal(self) -> None:
        if self._choices:
            start = self._starts[self._at]
            end = self._starts[self._at + 1] if self._at + 1 < len(self._starts) else len(self._lines)
            self.scroll_to_region(Region(0, start, 1, end - start), animate=False, force=True)

    def _arrange(self) -> None:
        width = max(1, (self.scrollable_content_region.width or self.size.width) - 1)
        self._lines, self._starts = [], []
        for index, choice in enumerate(self._choices):
            self._starts.append(len(self._lines))
            self._lines += [(index, spans) for spans in choice.draw(width)]
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def _repaint(self) -> None:
        self._palette = None
        self.refresh()


def line(key: str, *spans: Span) -> Choice:
    """Return an entry of one line that is the same at every width."""

    def draw(width: int) -> Sequence[Sequence[Span]]:
        del width
        return [spans]

    return Choice(key, draw)
