"""What waits to be sent: in sight, to be changed, to be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.message import Message

from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.text import Line, Span, clip, flow, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from holdfast.frontends.tui.session.items import Json

_SHOWN: Final = 4
_DEEDS: Final = {
    "enter": "edit",
    "e": "edit",
    "d": "drop",
    "x": "drop",
    "delete": "drop",
    "r": "resume",
    "escape": "leave",
    "tab": "leave",
    "shift+tab": "leave",
}


class Queue(Panel, can_focus=True):
    """The messages that wait, and the keys that change them while it has the focus."""

    DEFAULT_CSS = """
    Queue { border-left: outer $border; display: none; }
    Queue:focus { border-left: outer $primary; background: $surface; }
    """

    gutter_cells = 1  # the border takes the other one

    class Deed(Message):
        """Something is to be done: `edit` or `drop` a message, `resume` all, `leave` the queue."""

        def __init__(self, name: str, prompt: Json) -> None:
            """Do it with one of them."""
            super().__init__()
            self.name = name
            self.prompt = prompt

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.waiting: list[Json] = []
        self.held = False
        self._at = 0

    def show(self, queue: Sequence[Json], *, held: bool) -> None:
        """Show what waits; `held` where it goes on only after a word."""
        waiting = [each for each in queue if each.get("state") == "queued"]
        if waiting == self.waiting and held == self.held:
            return
        chosen = self._chosen()
        self.waiting, self.held = waiting, held
        ids = [each.get("prompt_id") for each in waiting]
        self._at = ids.index(chosen.get("prompt_id")) if chosen and chosen.get("prompt_id") in ids else len(ids) - 1
        if not waiting and self.has_focus:
            self.post_message(self.Deed("leave", {}))
        self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """Draw the head, the messages around the chosen one, and the keys."""
        if not self.waiting:
            return []
        head = [Span(f"Queued ({len(self.waiting)})", "bold")]
        if self.held:
            head.append(Span("  waits after the interruption", "needs"))
        head.append(Span("" if self.has_focus else "  ↑ to change", "dim"))
        drawn = [Line(each) for each in flow(head, width)]
        first = max(0, min(self._at - _SHOWN // 2, len(self.waiting) - _SHOWN))
        for at, prompt in list(enumerate(self.waiting))[first : first + _SHOWN]:
            chosen = self.has_focus and at == self._at
            text = clip(safe(items.text(prompt, "text").strip()[:500]), width - 2)
            drawn.append(
                Line((Span("› " if chosen else "∙ ", "key" if chosen else "dim"), Span(text)), "mark" if chosen else "")
            )
        if len(self.waiting) > _SHOWN:
            drawn.append(Line((Span(f"  … {len(self.waiting) - _SHOWN} more", "dim"),)))
        if self.has_focus:
            keys = [("Enter", "edit"), ("d", "drop"), ("r", "send now"), ("Esc", "back")]
            spans = [span for key, word in keys for span in (Span(key, "key"), Span(f" {word}   ", "dim"))]
            drawn += (Line(each) for each in flow(spans, width))
        return drawn

    def watch_has_focus(self, has_focus: bool) -> None:  # Textual's own
        """Choose the last one, or show no choice."""
        super().watch_has_focus(has_focus)
        self._at = len(self.waiting) - 1
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Choose, or do something with what is chosen."""
        if event.key in ("up", "k", "down", "j"):
            event.stop()
            to = self._at + (-1 if event.key in ("up", "k") else 1)
            if to >= len(self.waiting):
                self.post_message(self.Deed("leave", {}))
            self._at = max(0, min(len(self.waiting) - 1, to))
            self.redraw()
        elif (deed := _DEEDS.get(event.key)) is not None:
            event.stop()
            self.post_message(self.Deed(deed, self._chosen() or {}))

    def _chosen(self) -> Json | None:
        return self.waiting[self._at] if 0 <= self._at < len(self.waiting) else None
