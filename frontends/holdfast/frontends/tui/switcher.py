"""One line to type in: go to any session, or do anything."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from holdfast.frontends.tui.cells import Span, clip, fill, harmless
from holdfast.frontends.tui.choices import Choice, Choices
from holdfast.frontends.tui.fuzzy import fits
from holdfast.frontends.tui.words import SHAPES, age
from holdfast.frontends.wording import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from holdfast.frontends.tui.roster.entries import Entry

_MOST = 60


class Command(NamedTuple):
    """Something to do: its name, what it is called, and the key that does it elsewhere."""

    name: str
    label: str
    key: str = ""


class Switcher(ModalScreen[str | None]):
    """Answers `session ID` or `command NAME`; None when the person goes back."""

    DEFAULT_CSS = """
    Switcher { align: center top; background: $background 55%; }
    Switcher > Vertical { width: 84; max-width: 100%; height: auto; max-height: 80%; margin-top: 2;
        background: $surface; border-left: outer $primary; padding: 1 0 0 0; }
    Switcher Input, Switcher Input:focus { padding: 0 2; background: $surface; margin-bottom: 1; }
    Switcher Choices { background: $surface; height: 16; max-height: 100%; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,ctrl+k", "back", "Back", priority=True),
        Binding("down,ctrl+n", "move(1)", "Down", priority=True),
        Binding("up,ctrl+p", "move(-1)", "Up", priority=True),
        Binding("pagedown", "move(10)", "Down", priority=True),
        Binding("pageup", "move(-10)", "Up", priority=True),
    ]

    def __init__(self, sessions: Sequence[Entry], commands: Sequence[Command]) -> None:
        """Offer these."""
        super().__init__()
        self._sessions = sessions
        self._commands = commands

    def compose(self) -> ComposeResult:
        """A line, and what fits it."""
        with Vertical():
            yield Input(placeholder="a session, or > for something to do")
            yield Choices(nothing="nothing fits")

    def on_mount(self) -> None:
        """Show everything there is."""
        self.query_one(Choices).can_focus = False
        self.set_focus(self.query_one(Input))
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        self._show(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what the cursor is on."""
        event.stop()
        self.query_one(Choices).action_choose()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.key)

    def action_move(self, by: int) -> None:
        """Move in the list while the line is typed in."""
        self.query_one(Choices).action_move(by)

    def action_back(self) -> None:
        """Answer nothing."""
        self.dismiss(None)

    def _show(self, typed: str) -> None:
        only_commands = typed.startswith(">")
        typed = typed.lstrip("> ")
        found: list[tuple[int, Choice]] = []
        if not only_commands:
            for entry in self._sessions:
                score = fits(typed, f"{entry.name} {entry.agent or ''} {entry.cwd or ''} {entry.id}")
                if score:
                    found.append((score, _session(entry)))
        for command in self._commands:
            score = fits(typed, command.label)
            if score:
                found.append((score if typed else 0, _command(command)))
        found.sort(key=lambda each: -each[0])
        choices = self.query_one(Choices)
        choices.show([choice for _, choice in found[:_MOST]], keep=False)


def _session(entry: Entry) -> Choice:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        shape, word, style = SHAPES[entry.word]
        note = f"{word} · {entry.peer}"
        if width >= 70 and entry.cwd:
            note += f" · {folder(entry.cwd).rpartition('/')[2]}"
        note = clip(harmless(note), width // 2)
        when = age(entry.updated_at, time())
        name = fill(harmless(entry.name), max(4, width - len(note) - 12))
        bold = "bold" if entry.unread else ""
        return [
            [Span(" "), Span(shape, style), Span(f"  {name}  ", bold), Span(note, "dim"), Span(f" {when:>4} ", "faint")]
        ]

    return Choice(f"session {entry.id}", draw)


def _command(command: Command) -> Choice:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        label = fill(command.label, max(4, width - len(command.key) - 7))
        return [[Span(" "), Span("›", "accent"), Span(f"  {label} "), Span(command.key, "faint")]]

    return Choice(f"command {command.name}", draw)
