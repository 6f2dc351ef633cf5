"""Where a person writes. Enter sends; what is sent while the agent is busy waits in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from holdfast.frontends.tui.session.completion import Choice, Wanted, wanted
from holdfast.frontends.tui.session.drafts import Draft
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.text import Line, Span, cells, clip, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

LARGE_PASTE: Final = 20_000
"""Characters beyond which what is pasted is kept beside the text: a text area of a megabyte freezes with every key."""


class Composer(TextArea):
    """A few lines of text with a history; it says what is to be done, and does nothing itself."""

    DEFAULT_CSS = """
    Composer {
        height: auto; min-height: 1; max-height: 8; width: 1fr; padding: 0 1; border: none;
        border-left: outer $border; background: $surface;
    }
    Composer:focus { border: none; border-left: outer $primary; }
    Composer .text-area--placeholder { text-style: dim; }
    """
    BINDINGS: ClassVar = [Binding("ctrl+z", "undo", "Undo", show=False), Binding("ctrl+y", "redo", "Redo", show=False)]

    class Send(Message):
        """The draft is to be sent."""

    class Changed_(Message):  # noqa: N801  # `Changed` is the text area's own
        """The draft changed, or where the cursor stands in it."""

    class Key(Message):
        """A key that is for somebody else."""

        def __init__(self, name: str) -> None:
            """Pass a key on, by what it is to do."""
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None) -> None:
        """Begin empty."""
        super().__init__("", soft_wrap=True, show_line_numbers=False, tab_behavior="focus", id=id)
        self.cursor_blink = False  # a screen at which nobody types costs nothing
        self.draft = Draft()
        self.completing = False
        self._history: list[str] = []
        self._back = 0
        self._kept = ""
        self.blocked = False

    @property
    def empty(self) -> bool:
        """Whether nothing is written."""
        return not self.text

    def restore(self, draft: Draft) -> None:
        """Go on with a draft."""
        self.draft = draft
        self.load_text(draft.text)
        self.move_cursor(self.document.end)
        self._back = 0

    def know_sent(self, prompts: Sequence[str]) -> None:
        """Know what was sent before, the oldest first."""
        self._history = list(dict.fromkeys(reversed(prompts)))[::-1]

    def before_cursor(self) -> str:
        """Return what stands before the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)

    def complete(self, wanted_: Wanted, choice: Choice) -> None:
        """Put a choice in the place of what was written of it."""
        row, column = self.cursor_location
        self.replace(choice.insert, (row, max(0, column - len(wanted_.word) - 1)), (row, column))
        if wanted_.kind == "file":
            self.draft.files.append(choice.label)

    async def _on_key(self, event: events.Key) -> None:
        name = self._meaning(event)
        if name is None:
            if event.key.startswith("alt+"):
                event.prevent_default()  # Textual writes the letter; what it does here is for others to say
            return
        event.stop()
        event.prevent_default()
        match name:
            case "send":
                self.post_message(self.Send())
            case "break":
                self.insert("\n")
            case "older":
                self._recall(1)
            case "newer":
                self._recall(-1)
            case "unpaste":
                self.draft.pasted.pop()
                self.post_message(self.Changed_())
            case _:
                self.post_message(self.Key(name))

    def _meaning(self, event: events.Key) -> str | None:
        """Return what a key is to do, None where it is only written."""
        key = event.key
        if self.completing and key in ("up", "down", "tab", "enter", "escape"):
            return f"choice-{key}"
        row, _ = self.cursor_location
        match key:
            case "enter":
                return "send"
            case "shift+enter" | "ctrl+j" | "alt+enter":
                return "break"
            case "up" if self.empty and not self._back and self.queued:
                return "queue"
            case "up" if row == 0 and (self.empty or self._back or self.cursor_location == (0, 0)):
                return "older"
            case "down" if self._back and row == self.document.line_count - 1:
                return "newer"
            case "backspace" if self.draft.pasted and self.cursor_location == (0, 0) and self.selection.is_empty:
                return "unpaste"
            case "home" | "end" if self.empty:
                return key
            case "pageup" | "pagedown" | "tab" | "shift+tab" | "escape" | "alt+up" | "alt+down" | "ctrl+r":
                return key
            case "ctrl+c":
                return None if not self.selection.is_empty else key
            case _:
                return None

    queued = 0
    """How many messages wait: then the key that goes back through history goes to them first."""

    async def _on_paste(self, event: events.Paste) -> None:
        if len(event.text) > LARGE_PASTE and not self.read_only:
            event.stop()
            event.prevent_default()
            self.draft.pasted.append(event.text.replace("\r\n", "\n").replace("\r", "\n"))
            self.post_message(self.Changed_())

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Say that the draft changed."""
        event.stop()
        self.draft.text = self.text
        self.post_message(self.Changed_())

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """Say that the cursor moved."""
        event.stop()
        if self.completing:
            self.post_message(self.Changed_())

    def _recall(self, way: int) -> None:
        """Go through what was sent before."""
        to = self._back + way
        if not 0 <= to <= len(self._history):
            return
        if not self._back:
            self._kept = self.text
        self._back = to
        text = self._history[-to] if to else self._kept
        self.load_text(text)
        self.move_cursor((0, 0) if way > 0 else self.document.end)
        self.draft.text = text

    def wants(self) -> Wanted | None:
        """Return what can be completed here."""
        return wanted(self.before_cursor()) if self.has_focus and self.selection.is_empty else None


class Chips(Panel):
    """Long texts that go with the draft."""

    pasted: Sequence[str] = ()

    def show(self, pasted: Sequence[str]) -> None:
        """Show what was pasted."""
        if list(pasted) != list(self.pasted):
            self.pasted = list(pasted)
            self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """One line a text."""
        return [
            Line(
                (
                    Span("▣ ", "link"),
                    Span(
                        f"Pasted text, {len(text.encode(errors='replace')):,} bytes, {text.count(chr(10)) + 1:,} lines"
                    ),
                    Span(f"  {clip(safe(text[:200]), inside_of(width))}", "dim"),
                )
            )
            for text in self.pasted
        ] + (
            [Line((Span("  Backspace", "key"), Span(" at the beginning of the text takes the last one out", "dim")))]
            if self.pasted
            else []
        )


def inside_of(width: int) -> int:
    """Return how much of a pasted text is shown beside its size."""
    return max(0, width - 50)


class Offer(Panel):
    """The choices above the composer."""

    DEFAULT_CSS = """
    Offer { background: $panel; display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Offer nothing yet."""
        super().__init__(id=id)
        self.wanted: Wanted | None = None
        self.choices: list[Choice] = []
        self.at = 0

    def show(self, wanted_: Wanted | None, choices: Sequence[Choice]) -> None:
        """Offer choices for what is being written."""
        if wanted_ == self.wanted and list(choices) == self.choices:
            return
        self.wanted, self.choices, self.at = wanted_, list(choices), 0
        self.redraw()

    def move(self, way: int) -> None:
        """Choose another one."""
        self.at = (self.at + way) % max(1, len(self.choices))
        self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """One line a choice."""
        size = max((cells(safe(each.label)) for each in self.choices), default=0)
        drawn: list[Line] = []
        for at, each in enumerate(self.choices):
            label = clip(safe(each.label), width - 4)
            gap = " " * max(2, min(size, width // 2) - cells(label) + 2)
            note = clip(safe(each.note), max(0, width - cells(label) - len(gap) - 3)) if each.note else ""
            chosen = at == self.at
            spans = (
                Span("› " if chosen else "  ", "key"),
                Span(label, "bold" if chosen else ""),
                Span(gap + note, "dim"),
            )
            drawn.append(Line(spans, "mark" if chosen else ""))
        return drawn
