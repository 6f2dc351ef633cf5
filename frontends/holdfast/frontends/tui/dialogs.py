"""Small questions over the screen: yes or no, one line of text, one of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from holdfast.frontends.tui.cells import Span, harmless
from holdfast.frontends.tui.choices import Choices, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

_BOX = """
{0} {{ align: center middle; background: $background 55%; }}
{0} > Vertical {{
    width: 64; max-width: 100%; height: auto; max-height: 100%; padding: 1 2; background: $surface;
    border-left: outer $primary;
}}
{0} Label {{ width: 100%; }}
{0} .title {{ text-style: bold; }}
{0} .dim {{ color: $text-dim; }}
{0} Input {{ margin-top: 1; }}
"""


class Sure(ModalScreen[bool]):
    """Asks once before something that cannot be taken back."""

    DEFAULT_CSS = _BOX.format("Sure")
    BINDINGS: ClassVar = [
        Binding("y", "say(True)", "Yes"),
        Binding("enter", "enter", "Yes"),
        Binding("n,escape", "say(False)", "No"),
    ]

    def __init__(self, question: str, what: str, yes: str, *, key: Literal["Enter", "y"] = "Enter") -> None:
        """Ask.

        Args:
            question: In a few words.
            what: What it would mean.
            yes: What the key for yes does.
            key: The key for yes; `y` alone where Enter is too easily pressed once too often.
        """
        super().__init__()
        self._key = key
        self._question = question
        self._what = what
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical():
            yield Label(harmless(self._question), classes="title", markup=False)
            yield Label(harmless(self._what), classes="dim", markup=False)
            yield Label(f"\n{self._key} {self._yes}   Esc back", markup=False)

    def action_say(self, answer: bool) -> None:
        """Answer."""
        self.dismiss(answer)

    def action_enter(self) -> None:
        """Answer yes, where that is the key for it."""
        if self._key == "Enter":
            self.dismiss(True)


class OneLine(ModalScreen[str | None]):
    """Asks for one line of text; None when the person goes back."""

    DEFAULT_CSS = _BOX.format("OneLine")
    BINDINGS: ClassVar = [Binding("escape", "back", "Back")]

    def __init__(self, question: str, value: str = "", *, hint: str = "Enter does it   Esc back") -> None:
        """Ask, with `value` to begin with."""
        super().__init__()
        self._question = question
        self._value = value
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Show the line."""
        with Vertical():
            yield Label(harmless(self._question), classes="title", markup=False)
            yield Input(harmless(self._value))
            yield Label(f"\n{self._hint}", classes="dim", markup=False)

    def on_mount(self) -> None:
        """Take what is typed, from the first key on."""
        self.set_focus(self.query_one(Input))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.value)

    def action_back(self) -> None:
        """Answer nothing."""
        self.dismiss(None)


class OneOf(ModalScreen[str | None]):
    """Asks for one of a few; None when the person goes back."""

    DEFAULT_CSS = (
        _BOX.format("OneOf")
        + """
    OneOf Choices { height: auto; max-height: 16; margin-top: 1; background: $surface; }
    """
    )
    BINDINGS: ClassVar = [Binding("escape", "back", "Back")]

    def __init__(self, question: str, options: Sequence[tuple[str, str]]) -> None:
        """Ask; options are a name and what it is called."""
        super().__init__()
        self._question = question
        self._options = options

    def compose(self) -> ComposeResult:
        """Show the list."""
        with Vertical():
            yield Label(harmless(self._question), classes="title", markup=False)
            yield Choices()

    def on_mount(self) -> None:
        """Fill it."""
        choices = self.query_one(Choices)
        choices.styles.height = len(self._options)
        choices.show([line(key, Span(" "), Span(harmless(label))) for key, label in self._options])
        choices.focus()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.key)

    def action_back(self) -> None:
        """Answer nothing."""
        self.dismiss(None)
