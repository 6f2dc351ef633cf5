"""The line that says when what is shown is not live, and what to do about it."""

from __future__ import annotations

from time import localtime, strftime, time
from typing import TYPE_CHECKING

from textual import work

from holdfast.frontends.tui.bars import Bar
from holdfast.frontends.tui.cells import Span, harmless

if TYPE_CHECKING:
    from holdfast.frontends.tui.source import Source


class Banner(Bar):
    """Hidden while a daemon is heard."""

    DEFAULT_CSS = """
    Banner { display: none; background: $warning 18%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._source: Source | None = None
        self._since = time()

    def attend(self, source: Source) -> None:
        """Speak of a source from here on."""
        self._source = source
        self.set_interval(0.5, self._look)
        self._look()
        self._follow(source)

    @work
    async def _follow(self, source: Source) -> None:
        while True:
            await source.turned()
            self._since = time()
            self._look()

    def _look(self) -> None:
        source = self._source
        spans = [] if source is None else _said(source, time(), self._since)
        self.display = bool(spans)
        if spans:
            self.say(spans)


def _said(source: Source, now: float, since: float) -> list[Span]:
    if source.state == "live":
        return []
    if source.state == "stored":
        return [Span(" read-only ", "bold needs"), Span(f" {harmless(source.label)}", "dim")]
    if source.attempt == 0 and source.state != "silent":
        return [Span(" connecting to the daemon …", "dim")] if now - since > 1 else []
    at = strftime("%H:%M:%S", localtime(source.as_of))
    if source.state == "denied":
        return [Span(" the daemon does not take our token ", "bold failed"), Span(f" as of {at}", "dim")]
    if source.state == "silent":
        return [Span(" daemon unreachable ", "bold needs"), Span(f" as of {at}, read-only: it does not answer", "")]
    due = "" if source.retry_at is None else f", next attempt in {max(0, round(source.retry_at - now))}s"
    return [
        Span(" daemon unreachable ", "bold needs"),
        Span(f" as of {at}, read-only{due}", ""),
        Span("  Ctrl+K starts it", "dim"),
    ]
