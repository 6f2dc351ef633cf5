"""The narrow ones: the plan that stays in sight, what was answered elsewhere, and the line at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from textual.message import Message

from holdfast.frontends.tui.bars import fitting
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.drawing import outcome, plan_line
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.text import Line, Span, cells, clip, flow, safe
from holdfast.frontends.wording import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.frontends.tui.session.details import Details
    from holdfast.frontends.tui.session.items import Json

_METER: Final = 8
_HIGH: Final = 85


class PlanBar(Panel):
    """The latest plan: how far it is, and what is being done; opened, all of it."""

    DEFAULT_CSS = """
    PlanBar { max-height: 40%; background: $surface; display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._entries: list[tuple[str, str]] = []
        self._open = False

    def show(self, plan: Json | None) -> None:
        """Show a plan; one that is done leaves."""
        entries = items.plan(plan) if plan is not None else []
        if all(status == "completed" for status, _ in entries):
            entries = []
        if entries != self._entries:
            self._entries = entries
            self.redraw()

    def toggle(self) -> None:
        """Open it, or close it."""
        self._open = not self._open
        self.redraw()

    def on_click(self) -> None:
        """Open it, or close it."""
        self.toggle()

    def lines(self, width: int) -> Sequence[Line]:
        """Draw the plan."""
        if not self._entries:
            return []
        done = sum(status == "completed" for status, _ in self._entries)
        now = next((what for status, what in self._entries if status == "in_progress"), "")
        now = now or next(what for status, what in self._entries if status != "completed")
        head = f"{'▾' if self._open else '▸'} Plan  "
        count = f"{done} of {len(self._entries)}"
        text = "" if self._open else f"  {clip(safe(now), max(0, width - len(head) - len(count) - 2))}"
        drawn = [Line((Span(head, "key"), Span(count, "dim"), Span(text)))]
        if self._open:
            for entry in self._entries:
                drawn += plan_line(entry, width)
        return drawn


class Answered(Panel):
    """For some seconds, that a question was answered, by whom, and where."""

    SHOWN_S = 6.0

    DEFAULT_CSS = """
    Answered { display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._line: list[Span] | None = None
        self._serial = 0

    def show(self, item: Json) -> None:
        """Say what became of a request."""
        sign, word, style = outcome(item)
        by = items.text(item, "decided_by")
        where = f" in {safe(by)}" if by else ""
        self._line = [
            Span(f"{sign} ", style),
            Span(f"Answered{where}: ", "bold"),
            Span(f"{safe(word)}  "),
            Span(safe(items.text(item, "title")), "dim"),
            Span(f"  {items.decided(item) or items.now()}", "time"),
        ]
        self._serial += 1
        self.set_timer(self.SHOWN_S, lambda serial=self._serial: self._over(serial))
        self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """Draw the line."""
        return [] if self._line is None else [Line(each) for each in flow(self._line, width)][:2]

    def _over(self, serial: int) -> None:
        if serial == self._serial:
            self._line = None
            self.redraw()


class Footer(Panel):
    """One line: what goes on, the mode, how full the context is, what it cost, and the keys of the moment."""

    DEFAULT_CSS = """
    Footer { height: 1; }
    """

    class Modes(Message):
        """The modes are wanted."""

    def __init__(self, *, id: str | None = None) -> None:
        """Say nothing yet."""
        super().__init__(id=id)
        self._facts: list[Span] = []
        self._keys: list[tuple[str, str]] = []

    def show(
        self, row: Json, details: Details, keys: Sequence[tuple[str, str]], seconds: int | None, state: str
    ) -> None:
        """Say how it stands."""
        facts: list[Span] = []
        if state:
            facts.append(Span(state, "needs"))
        if items.number(row, "pending"):
            facts += [Span("  " if facts else ""), Span("● waits for you", "needs")]
        elif row.get("lifecycle") == "streaming":
            facts += [Span("  " if facts else ""), Span(f"{_turning(seconds)} working {_span(seconds)}", "running")]
        for text, style in _facts(row, details):
            facts += [Span("  " if facts else "", ""), Span(text, style)]
        if facts != self._facts or list(keys) != self._keys:
            self._facts, self._keys = facts, list(keys)
            self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """Draw the facts at the left and as many keys as there is room for at the right."""
        left: list[Span] = []
        used = 0
        for span in self._facts:
            size = cells(span.text)
            if used + size > width:
                break
            left.append(span)
            used += size
        keys: list[Span] = []
        room = width - used - 2
        for key, word in fitting(self._keys, room):
            keys += [Span(key, "key"), Span(f" {word}  ", "dim")]
        gap = width - used - sum(cells(span.text) for span in keys)
        return [Line((*left, Span(" " * max(1, gap)), *keys))]


def _facts(row: Json, details: Details) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if mode := items.text(row, "mode"):
        found.append((safe(mode), "key"))
    if model := items.text(row, "model"):
        found.append((clip(safe(model), 24), "dim"))
    if details.size:
        share = min(100, round(100 * details.used / details.size))
        full = round(_METER * share / 100)
        style = "bad" if share >= _HIGH else "running"
        found.append((f"{'█' * full}{'░' * (_METER - full)}", style))
        found.append((f"{share}% of {amount(details.size)}", "dim"))
    metadata = row.get("metadata")
    tokens = items.number(cast("Json", metadata), "total_tokens") if isinstance(metadata, dict) else 0
    if tokens:
        found.append((f"{amount(tokens)} tokens", "dim"))
    if details.cost:
        found.append((safe(details.cost), "dim"))
    return found


def _turning(seconds: int | None) -> str:
    return "◐◓◑◒"[(seconds or 0) % 4]


def _span(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds}s" if seconds < 60 else f"{seconds // 60}m {seconds % 60:02}s"
