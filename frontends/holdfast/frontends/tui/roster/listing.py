"""The list itself: any number of sessions, drawn line by line, with a cursor that stays on its session."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from holdfast.frontends.tui.cells import Span, strip
from holdfast.frontends.tui.moves import MOVES
from holdfast.frontends.tui.palette import Palette, app_of
from holdfast.frontends.tui.roster.entries import Entry, group_of
from holdfast.frontends.tui.roster.lines import Columns, columns, first_line, height, second_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events

_TURN_S = 0.25


class Line(NamedTuple):
    """A line of the list: a heading, or one of an entry's; a blank one where there is neither."""

    heading: str = ""
    entry: Entry | None = None
    part: int = 0


class RosterList(ScrollView, can_focus=True):
    """Shows entries in groups.

    The cursor is on a session, not on a line: it goes where the session goes.

    Attributes:
        nothing: What it says where there are none, line by line.
    """

    DEFAULT_CSS = """
    RosterList { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar = [
        *MOVES,
        Binding("enter", "open", "Open", show=False),
        Binding("space", "peek", "Peek", show=False),
    ]

    class Opened(Message):
        """A session is to be opened."""

        def __init__(self, session: str) -> None:
            self.session = session
            super().__init__()

    class Peeked(Message):
        """A session is to be looked at in passing."""

        def __init__(self, session: str) -> None:
            self.session = session
            super().__init__()

    class Moved(Message):
        """The cursor is on another session, or on none."""

        def __init__(self, session: str | None) -> None:
            self.session = session
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._questions: Mapping[str, str] = {}
        self._lines: list[Line] = []
        self._starts: list[int] = []
        self._order: list[str] = []
        self._cursor: str | None = None
        self._columns: Columns = columns(80)
        self._palette: Palette | None = None
        self._turn = 0
        self._known = False
        self.nothing: Sequence[str] = ("no sessions yet",)

    def on_mount(self) -> None:
        """Begin to turn what turns."""
        self.set_interval(_TURN_S, self._turned)
        app_of(self).theme_changed_signal.subscribe(self, lambda _: self._repaint())

    def show(self, entries: Sequence[Entry], questions: Mapping[str, str]) -> None:
        """Show these, in this order; `questions` are what sessions wait for, by session."""
        self._known = True
        before = self._cursor
        index = self._order.index(before) if before in self._order else 0
        self._entries, self._questions = entries, questions
        self._arrange()
        if before not in self._order:
            self._cursor = self._order[min(index, len(self._order) - 1)] if self._order else None
            self.post_message(self.Moved(self._cursor))
        self.refresh()

    @property
    def cursor(self) -> Entry | None:
        """The entry that the cursor is on."""
        return next((each for each in self._entries if each.id == self._cursor), None)

    @property
    def order(self) -> Sequence[str]:
        """The sessions from top to bottom."""
        return self._order

    def go_to(self, session: str) -> None:
        """Put the cursor on a session."""
        if session in self._order and session != self._cursor:
            self._cursor = session
            self.post_message(self.Moved(session))
        self._reveal()
        self.refresh()

    def on_resize(self) -> None:
        """Fit the new width."""
        self._arrange()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line on the widget's own ground."""
        return self._line(y).apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        palette = self._palette = self._palette or Palette(app_of(self))
        at = self.scroll_offset.y + y
        if not self._lines and self._known and 0 <= (said := y - self.size.height // 3) < len(self.nothing):
            return strip(_centred(self.nothing[said], width), palette, width)
        if not 0 <= at < len(self._lines):
            return Strip.blank(width)
        line = self._lines[at]
        if line.entry is None:
            return strip(_heading(line.heading, width), palette, width)
        entry, now = line.entry, time()
        question = self._questions.get(entry.id)
        chosen = entry.id == self._cursor
        if line.part == 0:
            spans = first_line(entry, self._columns, now, question=question, turn=self._turn)
        else:
            spans = second_line(entry, width, now, question=question)
        if chosen:
            spans = [Span("▌", "accent"), *spans[1:]] if line.part == 0 else [Span("▌   ", "accent"), *spans[1:]]
        return strip(spans, palette, width, "cursor" if chosen and self.has_focus else "surface" if chosen else "")

    def action_move(self, by: int) -> None:
        """Go up or down."""
        if self._order:
            now = self._order.index(self._cursor) if self._cursor in self._order else 0
            self.go_to(self._order[max(0, min(len(self._order) - 1, now + by))])

    def action_page(self, direction: int) -> None:
        """Go a screen up or down."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, direction: int) -> None:
        """Go to the first or the last one."""
        self.action_move(direction * len(self._order))

    def action_open(self) -> None:
        """Open the session under the cursor."""
        if self._cursor is not None:
            self.post_message(self.Opened(self._cursor))

    def action_peek(self) -> None:
        """Look at it in passing."""
        if self._cursor is not None:
            self.post_message(self.Peeked(self._cursor))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; open what it is on already."""
        at = self.scroll_offset.y + event.y
        entry = self._lines[at].entry if 0 <= at < len(self._lines) else None
        if entry is None:
            return
        if entry.id == self._cursor or event.chain > 1:
            self.action_open()
        else:
            self.go_to(entry.id)

    def _arrange(self) -> None:
        width = self.scrollable_content_region.width or app_of(self).size.width
        self._columns = columns(width)
        lines: list[Line] = []
        heading = None
        for entry in self._entries:
            group = group_of(entry)
            if group != heading:
                if heading is not None:
                    lines.append(Line())
                lines.append(Line(heading=group))
                heading = group
            lines += [Line(entry=entry, part=part) for part in range(height(entry, self._columns))]
        self._lines = lines
        self._order = [each.id for each in self._entries]
        self._starts = [at for at, line in enumerate(lines) if line.entry is not None and line.part == 0]
        self.virtual_size = Size(width, len(lines))

    def _reveal(self) -> None:
        if self._cursor not in self._order:
            return
        at = self._starts[self._order.index(self._cursor)]
        top = at - 1 if at and self._lines[at - 1].entry is None else at
        self.scroll_to_region(Region(0, top, 1, at - top + 2), animate=False, force=True)

    def _turned(self) -> None:
        """Redraw what moves by itself, and only that."""
        self._turn += 1
        top = self.scroll_offset.y
        for at in range(top, min(len(self._lines), top + self.size.height)):
            entry = self._lines[at].entry
            if entry is not None and (entry.word in ("working", "reconnecting") or self._turn % 20 == 0):
                self.refresh_line(at - top)

    def _repaint(self) -> None:
        self._palette = None
        self.refresh()


def _centred(text: str, width: int) -> list[Span]:
    return [Span(" " * max(0, (width - len(text)) // 2)), Span(text, "dim")]


def _heading(text: str, width: int) -> list[Span]:
    if not text:
        return []
    style = "bold needs" if text == "Needs you" else "bold failed" if text == "Failed" else "dim"
    return [Span(" "), Span(text, style), Span(" "), Span("─" * max(0, width - len(text) - 4), "rule")]
