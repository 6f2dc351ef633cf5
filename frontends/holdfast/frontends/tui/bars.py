"""The first and the last line of a screen: what it is about, and the keys that do something here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from holdfast.frontends.tui.cells import Span, clip, harmless, strip
from holdfast.frontends.tui.palette import Palette, app_of
from holdfast.frontends.tui.words import SHAPES
from holdfast.frontends.wording import count, folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.frontends.tui.roster.entries import Entry


class Bar(Widget):
    """One line, drawn from spans: those on the left, and those on the right as far as there is room."""

    DEFAULT_CSS = "Bar { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.left: list[Span] = []
        self.right: list[Span] = []

    def say(self, left: Sequence[Span], right: Sequence[Span] = ()) -> None:
        """Show this."""
        self.left, self.right = list(left), list(right)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line on the widget's own ground."""
        return self._line(y).apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        del y
        width, palette = self.size.width, Palette(app_of(self))
        size = sum(cell_len(span.text) for span in self.right)
        if not size or sum(cell_len(span.text) for span in self.left) + size > width:
            return strip(self.left, palette, width)
        return Strip.join([strip(self.left, palette, width - size), strip(self.right, palette, size)])


class TopBar(Bar):
    """The name of the program, and how many sessions there are."""

    def on_mount(self) -> None:
        """Say at least the name."""
        self.say([Span(" Holdfast", "bold accent")])

    def tell(self, entries: Sequence[Entry]) -> None:
        """Count the sessions."""
        words = Counter(each.word for each in entries)
        spans = [Span(" Holdfast", "bold accent"), Span("  ")]
        if words["needs_you"]:
            spans += [Span(f"{words['needs_you']} need{'s' * (words['needs_you'] == 1)} you", "bold needs"), Span("  ")]
        if words["failed"]:
            spans += [Span(f"{words['failed']} failed", "failed"), Span("  ")]
        if words["working"]:
            spans += [Span(f"{words['working']} working", "working"), Span("  ")]
        self.say(spans, [Span(f"{count(len(entries), 'session')} ", "dim")])


class Hints(Bar):
    """The keys that do something here, as many as there is room for."""

    DEFAULT_CSS = "Hints { dock: bottom; }"

    def __init__(self, hints: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.hints = hints

    def on_resize(self) -> None:
        """Fit the width."""
        self.show(self.hints)

    def show(self, hints: Sequence[tuple[str, str]]) -> None:
        """Show these, the first ones where there is no room for all."""
        self.hints = hints
        spans, used = [Span(" ")], 1
        for key, does in hints:
            used += len(key) + len(does) + 3
            if used > self.size.width:
                break
            spans += [Span(key, "bold accent"), Span(f" {does}  ", "dim")]
        self.say(spans)


class SessionBar(Bar):
    """What the open session is called, how it is, and how many others need a person."""

    def tell(self, entry: Entry, waiting: int) -> None:
        """Say it."""
        shape, word, style = SHAPES[entry.word]
        others = waiting - (entry.word == "needs_you")
        right = [Span(f"{others} need{'s' * (others == 1)} you elsewhere ", "bold needs")] if others > 0 else []
        where = harmless(folder(entry.cwd or ""))
        note = "  ·  ".join(filter(None, (word, harmless(entry.agent or entry.transport), where)))
        room = max(0, self.size.width - sum(cell_len(span.text) for span in right) - 5)
        name = clip(harmless(entry.name), room)
        rest = clip(note, room - cell_len(name) - 3)
        self.say([Span(f" {shape} ", style), Span(name, "bold"), Span("   "), Span(rest, "dim")], right)
