"""What keeps this session from its agent, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from textual.message import Message

from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.text import Line, Span, flow, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.frontends.tui.session.items import Json


class ConnectionBanner(Panel):
    """There while the session's connection is not what it should be."""

    DEFAULT_CSS = """
    ConnectionBanner { background: $surface; display: none; }
    """

    class Retry(Message):
        """It is to be tried again now."""

    def __init__(self, *, id: str | None = None) -> None:
        """Say nothing yet."""
        super().__init__(id=id)
        self._spans: tuple[Span, ...] = ()

    def show(self, row: Json) -> None:
        """Say how the session of a row is connected."""
        spans = tuple(_words(row))
        if spans != self._spans:
            self._spans = spans
            self.redraw()

    def on_click(self) -> None:
        """Try again."""
        self.post_message(self.Retry())

    def lines(self, width: int) -> Sequence[Line]:
        """Draw it."""
        return [Line(each) for each in flow(self._spans, width)][:3] if self._spans else []


def seconds_left(row: Json) -> int | None:
    """Return the seconds until the next attempt; None where none is due."""
    due = items.text(_connection(row), "next_retry_at")
    try:
        when = datetime.fromisoformat(due)
    except ValueError:
        return None
    return max(0, round((when - datetime.now(UTC)).total_seconds()))


def _connection(row: Json) -> Json:
    connection = row.get("connection")
    return cast("Json", connection) if isinstance(connection, dict) else {}


def _words(row: Json) -> list[Span]:
    connection = _connection(row)
    state, error = items.text(connection, "state"), safe(items.text(connection, "error"))
    if row.get("lifecycle") == "ended":
        return []
    retry = [Span("  Alt+R", "key"), Span(" tries again now", "dim")]
    match state:
        case "reconnecting":
            left = seconds_left(row)
            due = "" if left is None else f", next in {left}s"
            attempt = items.number(connection, "attempt")
            return [
                Span("↻ Reconnecting ", "needs"),
                Span(f"attempt {attempt}{due}"),
                Span(f"  {error}" if error else "", "dim"),
                *retry,
            ]
        case "failed" | "gave_up":
            word = "Gave up connecting " if state == "gave_up" else "Not connected "
            return [Span("✗ ", "bad"), Span(word, "bad"), Span(error or ""), *retry]
        case "hibernated":
            return [
                Span("◌ asleep  ", "dim"),
                Span("a message wakes it", "dim"),
                Span(f"  {error}" if error else "", "bad"),
            ]
        case _:
            return []
