"""What keeps this session from its agent, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from textual.message import Message

from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.text import Line, Span, cells, clip, flow, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.frontends.tui.session.items import Json

_LINES: Final = 3
_HELD: Final = "\N{NO-BREAK SPACE}"
_RETRY: Final = (("Alt+R", "tries again now"),)


class _Words(NamedTuple):
    """What is said, why, and the keys that do something about it."""

    said: tuple[Span, ...] = ()
    error: Span = Span("")
    keys: tuple[tuple[str, str], ...] = ()


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
        self._words = _Words()
        self._gone = False

    def show(self, row: Json) -> None:
        """Say how the session of a row is connected."""
        self._gone = gone(row)
        words = _words(row)
        if words != self._words:
            self._words = words
            self.redraw()

    def on_click(self) -> None:
        """Try again, where that may help."""
        if not self._gone:
            self.post_message(self.Retry())

    def lines(self, width: int) -> Sequence[Line]:
        """Draw it."""
        return list(_flowed(self._words, width))[:_LINES] if self._words.said else []


def gone(row: Json) -> bool:
    """Return whether the agent has no such session any more: it can be kept or removed, but not gone on with."""
    return row.get("lifecycle") != "ended" and items.text(_connection(row), "code") == "gone"


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


def _words(row: Json) -> _Words:
    """Return what is said of a row's connection; nothing where it is as it should be."""
    connection = _connection(row)
    state, error = items.text(connection, "state"), safe(items.text(connection, "error"))
    if row.get("lifecycle") == "ended":
        return _Words()
    if gone(row):
        # Its reason stands in the transcript.
        keys = (("Alt+K", "keep the copy"), ("Alt+X", "remove it"), ("Alt+R", "retry"))
        return _Words((Span("✗ Its agent no longer has this session", "bad"),), keys=keys)
    match state:
        case "reconnecting":
            left = seconds_left(row)
            due = "" if left is None else f", next in {left}s"
            attempt = f"attempt {items.number(connection, 'attempt')}{due}"
            return _Words((Span("↻ Reconnecting ", "needs"), Span(attempt)), Span(error, "dim"), _RETRY)
        case "failed" | "gave_up":
            word = "✗ Gave up connecting" if state == "gave_up" else "✗ Not connected"
            return _Words((Span(word, "bad"),), Span(error), _RETRY)
        case "hibernated":
            said = (Span("◌ asleep  ", "dim"), Span("a message wakes it", "dim"))
            return _Words(said, Span(error, "bad"))
        case _:
            return _Words()


def _flowed(words: _Words, width: int) -> Iterator[Line]:
    """Yield it in a few lines: what is cut where there is no room is the reason, and never a key."""
    spans = list(words.said)
    keys = [Span(f"{key}{_HELD}{does.replace(' ', _HELD)}") for key, does in words.keys]
    taken = sum(cells(span.text) + 2 for span in (*spans, *keys))
    if words.error.text:
        spans += [Span("  "), Span(clip(words.error.text, max(10, _LINES * (width - 12) - taken)), words.error.style)]
    for key, does in words.keys:
        spans += [Span("   "), Span(f"{key}{_HELD}", "key"), Span(does.replace(" ", _HELD), "dim")]
    for line in flow(spans, width):
        yield Line(tuple(Span(text.replace(_HELD, " "), style) for text, style in line))
