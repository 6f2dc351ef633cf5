"""The transcript on the screen: 100,000 lines may be open, and only those that can be seen are ever drawn."""

from __future__ import annotations

from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from holdfast.frontends.tui.palette import app_of
from holdfast.frontends.tui.session.drawing import Scene
from holdfast.frontends.tui.session.palette import Palette
from holdfast.frontends.tui.session.panel import GUTTER, strip_of
from holdfast.frontends.tui.session.selecting import Selection
from holdfast.frontends.tui.session.text import Line
from holdfast.frontends.tui.session.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from textual import events

    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.listing import Listing
    from holdfast.frontends.tui.session.viewport import Shown

_MARGIN: Final = 2
_FRAME_S: Final = 1 / 15
_REST: Final = 4
"""So many times as long as drawing took is left to others before the next frame."""

_AHEAD: Final = 40
"""Lines above the screen that ask for the page before them."""

_WHEEL: Final = 3


class Transcript(Widget, can_focus=True):
    """One transcript, at a place in it, with one row selected while it has the focus."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; width: 1fr; }
    """
    ALLOW_SELECT = False  # what Textual marks knows nothing of lines that move
    FOCUS_ON_CLICK = False  # who marks words goes on where they write
    BINDINGS: ClassVar = [
        ("up,k", "select(-1)", "Up"),
        ("down,j", "select(1)", "Down"),
        ("left_square_bracket", "prompt(-1)", "Previous prompt"),
        ("right_square_bracket", "prompt(1)", "Next prompt"),
        ("pageup,ctrl+b", "page(-1)", "Page up"),
        ("pagedown,ctrl+f", "page(1)", "Page down"),
        ("home,g", "top", "To the top"),
        ("end,G", "end", "To the end"),
        ("enter,space", "unfold", "Unfold"),
        ("c,y", "choose('copy')", "Copy"),
        ("i", "choose('inspect')", "Inspect"),
        ("l", "choose('link')", "Link"),
        ("s", "choose('save')", "Save"),
    ]

    class Older(Message):
        """The page before the first item is wanted."""

    class Top(Message):
        """The very first item is wanted."""

    class Seen(Message):
        """What can be seen changed: perhaps the newest output is there now, or is not any more."""

    class Marked(Message):
        """Something was marked with the mouse, or is not any more."""

    class Chosen(Message):
        """Something is to be done with an item."""

        def __init__(self, deed: str, item: Json) -> None:
            """Do `copy`, `inspect`, `link` or `save`."""
            super().__init__()
            self.deed = deed
            self.item = item

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.viewport = Viewport(Scene(80))
        self.selection = Selection(self.viewport)
        self.selected: str | None = None
        self._shown: list[tuple[Line, str]] = []
        self._thumb = (0, 0)
        self._due = False
        self._busy_until = 0.0
        self._dragging = False
        self._asked: str | None = None
        self._palette: Palette | None = None
        self._strip = lru_cache(maxsize=4_096)(self._make_strip)

    @property
    def listing(self) -> Listing:
        """What is loaded."""
        return self.viewport.listing

    @property
    def scene(self) -> Scene:
        """What rows are drawn with."""
        return self.viewport.scene

    @property
    def at_end(self) -> bool:
        """Whether the newest line can be seen."""
        return self.viewport.at_end

    # What it shows

    def take(self, known: Mapping[str, Json], changed: Iterable[str], before: str | None) -> None:
        """Take what a view says now; it is drawn with the next frame."""
        self.viewport.take(known, changed, before)
        self.soon()

    def older(self, page: Iterable[Json], before: str | None) -> None:
        """Take the page before the first item."""
        self.viewport.older(page, before)
        self._asked = None
        self.settle()

    def streaming(self, item_id: str | None) -> None:
        """Say which item is being written."""
        if self.viewport.streaming(item_id):
            self.soon()

    def unread_after(self, item_id: str | None) -> None:
        """Draw the line that says what is new below an item."""
        self.viewport.unread_after(item_id)
        self.settle()

    def soon(self) -> None:
        """Draw with the next frame: many changes make one, and drawing leaves most of the time to others."""
        if not self._due and self.is_mounted:
            self._due = True
            self.set_timer(max(0.001, self._busy_until - monotonic()), self._frame)

    def _frame(self) -> None:
        self._due = False
        begun = monotonic()
        self.settle()
        self._busy_until = monotonic() + max(_FRAME_S, _REST * (monotonic() - begun))

    def settle(self) -> None:
        """Show what there is to be seen now."""
        if not self.is_mounted or not self.size.height:
            return
        viewport = self.viewport
        if self.selected is None and self.has_focus:
            self._select_visible()
        self._show(list(self._marked(viewport.shown())))
        before = self.listing.before
        if viewport.top < _AHEAD and before is not None and self._asked != before and self.listing.rows:
            self._asked = before
            self.post_message(self.Older())
        self.post_message(self.Seen())

    def _marked(self, shown: list[Shown]) -> Iterator[tuple[Line, str]]:
        """Yield the lines of the screen, those of the selected row with its mark, but not the free line above it."""
        chosen = self.selected if self.has_focus else None
        before = ""
        for line, key in shown:
            free = key != before and not line.spans
            yield line, "selected" if key == chosen and not free else ""
            before = key

    def to_end(self) -> None:
        """Go to the end, and stay there."""
        self.viewport.follow = True
        self.settle()

    def to_top(self) -> None:
        """Go to the first item that is here."""
        if self.listing.rows:
            self.viewport.hold(0)
            self.selected = self.listing.rows[0].key
            self.settle()

    def jump(self, key: str) -> None:
        """Bring a row to the top of the screen."""
        if self.viewport.jump(key):
            self.settle()

    def move(self, lines: int) -> None:
        """Scroll."""
        self.viewport.move(lines)
        self.settle()

    # The screen

    def _show(self, shown: list[tuple[Line, str]]) -> None:
        before, self._shown = self._shown, shown
        thumb, self._thumb = self._thumb, self.viewport.thumb
        if len(before) != len(shown) or thumb != self._thumb:
            self.refresh()
            return
        width = self.size.width
        changed = [y for y, (old, new) in enumerate(zip(before, shown, strict=True)) if old != new]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        line, mark = self._shown[y] if y < len(self._shown) else (Line(), "")
        top, size = self._thumb
        bar = "" if not size else "thumb" if top <= y < top + size else "track"
        strip = self._strip(line, mark, bar, self.size.width)
        marked = self.selection.on_screen(y)
        return strip if marked is None else self._marked_strip(strip, *marked)

    def _marked_strip(self, strip: Strip, begin: int, end: int) -> Strip:
        palette = self._palette = self._palette or Palette(app_of(self))
        marked, last = palette.style("marked"), self.size.width - _MARGIN
        before, within, after = list(strip.divide([GUTTER + begin, min(last, GUTTER + end), self.size.width]))
        shown = [Segment(text, (style or marked) + marked) for text, style, _ in within]
        return Strip([*before, *shown, *after])

    def _make_strip(self, line: Line, mark: str, bar: str, width: int) -> Strip:
        palette = self._palette = self._palette or Palette(app_of(self))
        ground = palette.ground(self)
        strip = strip_of(line, palette, ground, max(0, width - _MARGIN), mark=mark)
        edge = Segment(" ▐" if bar == "thumb" else "  ", ground + palette.style(bar))
        return Strip([*strip, edge]).crop(0, width)

    def _coloured(self) -> None:
        self._palette = None
        self._strip.cache_clear()
        self.refresh()

    # What happens to it

    def on_mount(self) -> None:
        """Follow the theme."""
        app_of(self).theme_changed_signal.subscribe(self, lambda _: self._coloured())

    def on_resize(self, event: events.Resize) -> None:
        """Draw for another size."""
        self.viewport.resize(max(8, event.size.width - GUTTER - _MARGIN), event.size.height)
        self._shown = []
        self.settle()

    def watch_has_focus(self, has_focus: bool) -> None:  # Textual's own
        """Have something selected and show it, or show no selection."""
        super().watch_has_focus(has_focus)
        if has_focus and (self.selected is None or self.listing.find(self.selected) is None):
            self._select_visible()
        self.settle()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll."""
        event.stop()
        self.move(-_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll."""
        event.stop()
        self.move(_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to mark words."""
        if self.selection.clear():
            self._tell_marked()
        if event.button == 1 and event.x < self.size.width - _MARGIN:
            self._dragging = True
            self.selection.begin(event.x - GUTTER, event.y)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark as far as here; beyond an edge, scroll."""
        if not self._dragging:
            return
        last = self.size.height - 1
        if not 0 <= event.y <= last:
            self.move(event.y if event.y < 0 else event.y - last)
        before = self.selection.made
        if self.selection.reach(event.x - GUTTER, max(0, min(last, event.y))):
            self.refresh()
        if self.selection.made != before:
            self.post_message(self.Marked())

    def on_mouse_up(self) -> None:
        """Have it marked."""
        self._dragging = False
        self.release_mouse()

    def unmark(self) -> bool:
        """Mark nothing any more; return whether anything was marked."""
        made = self.selection.clear()
        if made:
            self._tell_marked()
        return made

    def _tell_marked(self) -> None:
        self.refresh()
        self.post_message(self.Marked())

    def on_click(self, event: events.Click) -> None:
        """Select a row, and unfold it where it folds; at the right edge, go to that part of all."""
        if self.selection.made:
            return  # that was the end of marking words
        self.focus()
        if event.x >= self.size.width - _MARGIN:
            hidden, height = self.listing.geometry.total - self.size.height, self.size.height
            self.move(round(event.y * hidden / max(1, height - 1)) - self.viewport.top)
            return
        at = self.viewport.row_at(event.y) if event.y < len(self._shown) else None
        if at is not None:
            self.selected = self.listing.rows[at].key
            self.action_unfold()

    # What one does with it

    def action_page(self, way: int) -> None:
        """Scroll by a screen."""
        self.move(way * max(1, self.size.height - 2))
        self._select_visible()
        self.settle()

    def action_top(self) -> None:
        """Go to the first item; what is not loaded is asked for."""
        self.to_top()
        if self.listing.before is not None:
            self.post_message(self.Top())

    def action_end(self) -> None:
        """Go to the end, and stay there."""
        if self.listing.rows:
            self.selected = self.listing.rows[-1].key
        self.to_end()

    def action_select(self, way: int) -> None:
        """Select the row before or after; one that is higher than the screen is scrolled through first."""
        viewport, geometry = self.viewport, self.listing.geometry
        at = self._selected()
        if at is None:
            self._select_visible()
            self.settle()
            return
        top, bottom = geometry.top(at) - viewport.top, geometry.top(at) + geometry.height(at) - viewport.top
        to = viewport.beside(at, way)
        if to is None or (way < 0 and top < 0) or (way > 0 and bottom > self.size.height):
            self.move(way * _WHEEL)
            return
        self.selected = self.listing.rows[to].key
        viewport.reveal(to)
        self.settle()

    def action_prompt(self, way: int) -> None:
        """Go to the prompt before or after."""
        to = self.viewport.prompt(way, self._selected() if self.has_focus else None)
        if to is not None:
            self.selected = self.listing.rows[to].key
            self.viewport.hold(to)
        elif way > 0:
            self.action_end()
        else:
            self.viewport.move(-self.viewport.top)
        self.settle()

    def action_unfold(self) -> None:
        """Unfold the selected row, then all of it, then fold it again."""
        at = self._selected()
        if at is not None and self.viewport.foldable(at):
            self.viewport.unfold(at)
            self.viewport.reveal(at)
        self.settle()

    def action_choose(self, deed: str) -> None:
        """Have something done with the selected item."""
        at = self._selected()
        if at is not None:
            self.post_message(self.Chosen(deed, self.listing.get(self.listing.rows[at].ids[0])))

    def _selected(self) -> int | None:
        return self.listing.find(self.selected) if self.selected is not None else None

    def _select_visible(self) -> None:
        at = self.viewport.visible_row()
        if at is not None:
            self.selected = self.listing.rows[at].key
