"""The first and the last line of a screen: what it is about, and the keys that do something here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

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

_ALWAYS: Final = ("Esc", "?")


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
        spans = [Span(" ")]
        for key, does in fitting(hints, self.size.width - 1):
            spans += [Span(key, "bold accent"), Span(f" {does}  ", "dim")]
        self.say(spans)


def fitting(hints: Sequence[tuple[str, str]], room: int) -> list[tuple[str, str]]:
    """Return as many as there is room for, in their order; the ways out and to all keys go before all others."""
    kept: list[tuple[str, str]] = []
    for hint in sorted(hints, key=lambda each: each[0] not in _ALWAYS):
        size = cell_len(hint[0]) + cell_len(hint[1]) + 3
        if size > room:
            break
        room -= size
        kept.append(hint)
    return [each for each in hints if each in kept]


class SessionBar(Bar):
    """What the open session is called, how it is, and how many others need a person."""

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[Entry, int] | None = None

    def on_resize(self) -> None:
        """Fit the width, which is not known before the first line is drawn."""
        if self._told is not None:
            self.tell(*self._told)

    def tell(self, entry: Entry, waiting: int) -> None:
        """Say it."""
        self._told = (entry, waiting)
        if self.size.width:
            self.say(*head(entry, waiting, self.size.width))


def head(entry: Entry, waiting: int, width: int) -> tuple[list[Span], list[Span]]:
    """Return what stands above a session, left and right: its name before all else, how it is, who waits elsewhere."""
    shape, word, style = SHAPES[entry.word]
    others = waiting - (entry.word == "needs_you")
    name, state = harmless(entry.name), f"   {word}"
    room = width - 4 - cell_len(name)
    right = ""
    if others > 0:
        says = (f"{others} need{'s' * (others == 1)} you elsewhere ", f"{others} elsewhere ", f"●{others} ")
        right = next((each for each in says if cell_len(each) + cell_len(state) <= room), says[-1])
    room -= cell_len(right)
    name = clip(name, max(1, room + cell_len(name)))
    beside = filter(None, (harmless(entry.peer), harmless(folder(entry.cwd or ""))))
    note = "".join((state, *(f"  ·  {each}" for each in beside)))
    rest = clip(note, room) if room >= cell_len(state) else ""
    return [Span(f" {shape} ", style), Span(name, "bold"), Span(rest, "dim")], [Span(right, "bold needs")]
