"""All keys, in the words of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from holdfast.frontends.tui.cells import Span, clip, fill
from holdfast.frontends.tui.choices import Choice, Choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

KEYS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        "Everywhere",
        (
            ("Ctrl+K", "go to a session, or do something"),
            ("Alt+1 … 9", "open one of the first nine sessions"),
            ("Esc", "back; it never ends anything"),
            ("Ctrl+Q", "leave; every session goes on"),
            ("?", "all keys, where you are not typing"),
        ),
    ),
    (
        "In the list",
        (
            ("↑ ↓  j k", "move; Home and End, PgUp and PgDn"),
            ("Enter", "open"),
            ("Space", "peek at it, and reply from there with r"),
            ("Tab", "next session that needs you"),
            ("u", "next unread session"),
            ("n", "new session"),
            ("/", "search everything that was said or run"),
            ("i", "inbox: whatever needs you, over all sessions"),
            ("e", "inspector: events, approvals, connection, frames"),
            ("m", "mark unread"),
            ("M", "mute for a while, or not any more"),
            ("p", "pin, or not any more"),
            ("R", "rename"),
            ("x", "export to a file in this folder"),
            ("E", "end it, after asking once"),
            ("z", "show the ended ones too, or not"),
            ("q", "leave; every session goes on"),
        ),
    ),
    (
        "In a session",
        (
            ("Enter", "send; while it is busy: put in the queue"),
            ("Shift+Enter  Ctrl+J", "break the line"),
            ("Tab", "from the composer to what needs you, and back"),
            ("a A d z", "on a request that has the focus: allow once, always, deny, later"),
            ("/  @", "at the beginning: the agent's commands; anywhere: files"),
            ("[ ]", "previous and next prompt"),
            ("Ctrl+C", "stop the turn"),
            ("Alt+R", "connect now"),
            ("Ctrl+R", "play it again, with a scrubber"),
            ("Ctrl+O", "mode"),
        ),
    ),
)
"""What the help shows, and the reference too."""

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
        row = [Span(" "), Span(fill(key, size), "bold"), Span(" "), Span(clip(does, width - size - 2), "dim")]
        return [[], [Span(" "), Span(title, "bold accent")], row] if first else [row]

    return Choice(f"{title} {key}", draw)
