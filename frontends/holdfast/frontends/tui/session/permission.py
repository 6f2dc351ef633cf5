"""The card of a permission request: its exact command, and the keys that answer it, while it has the focus.

It never takes the focus by itself, and does not listen in the first moment: what is typed can never approve.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from textual.message import Message

from holdfast.frontends.tui.answers import keys, lettered, numbered
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.text import Line, Span, flow, hard, inside, safe, source_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events

    from holdfast.frontends.tui.session.items import Json

NOT_BEFORE_S: Final = 0.3
"""How long a card, or its focus, is too young for a key to be meant for it."""

_FOLDED: Final = 8
"""Lines of a command that are shown before it is unfolded."""

_REASON: Final = 500


class PermissionCard(Panel, can_focus=True):
    """The request that waits longest, and how many wait behind it."""

    DEFAULT_CSS = """
    PermissionCard { max-height: 60%; background: $surface; border-left: outer $warning; display: none; }
    PermissionCard:focus { background: $panel; border-left: outer $primary; }
    """

    gutter_cells = 1  # the border takes the other one

    class Answered(Message):
        """A person chose; None refuses without an option of the agent's."""

        def __init__(self, request: Json, option: str | None, reason: str) -> None:
            """Answer a request."""
            super().__init__()
            self.request = request
            self.option = option
            self.reason = reason

    class Later(Message):
        """Somebody wants to go on writing."""

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._requests: list[Json] = []
        self._sending: str | None = None
        self._since = 0.0
        self._asked = 0.0
        self._whole = False
        self._reason: str | None = None
        self._drawn_of: Json | None = None
        self._drawn_for = 0
        self._asked_lines: list[Line] = []
        self.live = True
        self.read_only = False

    @property
    def request(self) -> Json | None:
        """What is asked now."""
        return self._requests[0] if self._requests else None

    def show(self, requests: Sequence[Json], *, live: bool) -> None:
        """Show what waits, the oldest first."""
        before = self.request
        requests = sorted(requests, key=lambda each: items.text(each, "requested_at"))
        if list(requests) == self._requests and live == self.live:
            return
        self._requests, self.live = list(requests), live
        now = self.request
        if now is None or before is None or _id(before) != _id(now):
            self._asked = monotonic()
            self._whole, self._reason, self._sending, self._offset = False, None, None, 0
            if self.has_focus:  # a key that is on its way was not meant for another request
                self.post_message(self.Later())
        self.redraw()

    def failed(self) -> None:
        """The answer did not arrive: it can be given again."""
        self._sending = None
        self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """Draw the card."""
        if self.request is None:
            return []
        return list(self._lines_of(self.request, width))

    def _lines_of(self, request: Json, width: int) -> Iterator[Line]:
        behind = len(self._requests) - 1
        head = [Span("Needs you  ", "needs"), Span(safe(items.text(request, "title") or "permission"), "bold")]
        if behind:
            head.append(Span(f"  and {behind} more", "dim"))
        yield from (Line(each) for each in flow(head, width, (Span("● ", "needs"),), (Span("  "),)))
        yield from self._asked_for(request, width)
        yield from self._keys(request, width)

    def _asked_for(self, request: Json, width: int) -> Iterator[Line]:
        if self._drawn_of is not request or self._drawn_for != width:  # it may be long, and every key draws the card
            self._drawn_of, self._drawn_for = request, width
            self._asked_lines = list(_exact(request.get("input"), width))
        drawn = self._asked_lines
        if self._whole or len(drawn) <= _FOLDED:
            yield from drawn
        else:
            yield from drawn[:_FOLDED]
            yield Line(
                (
                    Span(f"  … {len(drawn) - _FOLDED:,} more lines hidden  ", "needs"),
                    Span("f", "key"),
                    Span(" shows all", "dim"),
                )
            )

    def _keys(self, request: Json, width: int) -> Iterator[Line]:
        if self._sending == _id(request):
            yield Line((Span("  Answering …", "dim"),))
        elif not self.live:
            why = "here: this is read-only" if self.read_only else "now: the daemon is away"
            yield Line((Span(f"  cannot be answered {why}", "dim"),))
        elif self._reason is not None:
            text = [Span("Why not?  ", "label"), Span(safe(self._reason)), Span("█", "cursor")]
            yield from (Line(each) for each in flow(text, width, (Span("  "),), (Span("  "),)))
            yield Line(
                (Span("  Enter", "key"), Span(" denies   ", "dim"), Span("Esc", "key"), Span(" goes back", "dim"))
            )
        elif self.has_focus:
            spans: list[Span] = []
            for key, word in self._offered(request):
                spans += [Span(key, "key"), Span(f" {word}   ", "dim")]
            yield from (Line(each) for each in flow(spans, width, (Span("  "),), (Span("  "),)))
        else:
            yield Line((Span("  Tab", "key"), Span(" to answer with keys", "dim")))

    def _offered(self, request: Json) -> Iterator[tuple[str, str]]:
        yield from keys(request)
        if self._whole:
            yield "f", "fold"

    # Keys

    def watch_has_focus(self, has_focus: bool) -> None:  # Textual's own
        """Count from now; a reason that was begun is forgotten."""
        super().watch_has_focus(has_focus)
        self._since = monotonic()
        self._reason = None
        self.redraw()

    def on_paste(self, event: events.Paste) -> None:
        """Take a reason; nothing else here takes text."""
        event.stop()
        if self._reason is not None:
            self._reason = f"{self._reason}{event.text.splitlines()[0] if event.text else ''}"[:_REASON]
            self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Answer, where the card has been there long enough."""
        if self._reason is not None:
            self._write(event)
            return
        if event.key in ("up", "down", "pageup", "pagedown"):
            event.stop()
            self._scroll({"up": -1, "down": 1, "pageup": -6, "pagedown": 6}[event.key])
            return
        key = event.character if event.character is not None and event.is_printable else event.key
        if key not in ("a", "A", "d", "z", "f", *"123456789"):
            return
        event.stop()
        request = self.request
        if request is None or self._sending is not None:
            return
        if monotonic() - max(self._since, self._asked) < NOT_BEFORE_S:
            return  # meant for something else
        self._act(key, request)

    def _act(self, key: str, request: Json) -> None:
        others = [option for option, _ in numbered(request)]
        match key:
            case "z":
                self.post_message(self.Later())
            case "f":
                self._whole = not self._whole
                self._offset = 0
                self.redraw()
            case _ if not self.live:
                return
            case "a" | "A":
                option = lettered(request).get(key)
                if option is not None:
                    self._answer(request, option, "")
            case "d":
                self._reason = ""
                self.redraw()
            case _ if int(key) <= len(others):
                self._answer(request, others[int(key) - 1], "")
            case _:
                pass

    def _write(self, event: events.Key) -> None:
        """Write the reason."""
        assert self._reason is not None
        request = self.request
        if event.key == "enter" and request is not None:
            event.stop()
            self._answer(request, lettered(request).get("d"), self._reason.strip())
        elif event.key == "escape":
            event.stop()
            self._reason = None
        elif event.key == "backspace":
            event.stop()
            self._reason = self._reason[:-1]
        elif event.key == "ctrl+u":
            event.stop()
            self._reason = ""
        elif event.is_printable and event.character is not None:
            event.stop()
            self._reason = f"{self._reason}{event.character}"[:_REASON]
        self.redraw()

    def _answer(self, request: Json, option: str | None, reason: str) -> None:
        if not self.live:
            return
        self._sending, self._reason = _id(request), None
        self.redraw()
        self.post_message(self.Answered(request, option, reason))

    def _scroll(self, lines: int) -> None:
        most = max(0, len(self.lines(max(8, self.size.width - 3))) - self.size.height)
        self._offset = max(0, min(most, self._offset + lines))
        self.refresh()


def _exact(given: object, width: int) -> Iterator[Line]:
    """Yield all of what would be allowed, to the last letter: its command line by line, then what goes with it."""
    command = items.command(given)
    if command is not None:
        for source in command.split("\n"):
            for each in hard([Span(source_line(source, whole=True))], inside(width, 2)):
                yield Line((Span("  "), *each), "code.block")
    for name, value in items.arguments(given):
        if command is not None and name == "command":
            continue
        label = [Span(f"{safe(name)}: ", "label")] if name else []
        first, *others = (Span(source_line(source, whole=True)) for source in value.split("\n"))
        yield from (Line(each) for each in flow([*label, first], width, (Span("  "),), (Span("    "),)))
        for other in others:
            yield from (Line(each) for each in flow([other], width, (Span("    "),), (Span("    "),)))


def _id(request: Json) -> str:
    return items.text(request, "request_id") or items.text(request, "id")
