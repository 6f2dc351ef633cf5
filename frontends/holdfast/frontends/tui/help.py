"""All keys, over the screen."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from holdfast.frontends.tui.cells import Span, fill
from holdfast.frontends.tui.choices import Choice, Choices
from holdfast.frontends.tui.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

_KEY = 20


class Help(ModalScreen[None]):
    """The keys, to be scrolled through."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 55%; }
    Help > Vertical { width: 78; max-width: 100%; height: 90%; background: $surface; padding: 1 1 0 1;
        border-left: outer $primary; }
    Help Choices { background: $surface; }
    """
    BINDINGS: ClassVar = [Binding("escape,question_mark,q", "back", "Back")]

    def compose(self) -> ComposeResult:
        """Show the list."""
        with Vertical():
            yield Choices()

    def on_mount(self) -> None:
        """Fill it."""
        choices = self.query_one(Choices)
        entries: list[Choice] = []
        for title, keys in KEYS:
            entries += [_key(title, key, does, first=number == 0) for number, (key, does) in enumerate(keys)]
        choices.show(entries)
        choices.focus()

    def action_back(self) -> None:
        """Close it."""
        self.dismiss(None)


def _key(title: str, key: str, does: str, *, first: bool) -> Choice:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        size = min(_KEY, max(8, width // 3))
        says = wrap(does, max(8, width - size - 3)) or [""]
        rows = [[Span(" "), Span(fill(key, size), "bold"), Span(" "), Span(says[0], "dim")]]
        rows += [[Span(" " * (size + 2)), Span(each, "dim")] for each in says[1:]]
        return [[], [Span(" "), Span(title, "bold accent")], *rows] if first else rows

    return Choice(f"{title} {key}", draw)
