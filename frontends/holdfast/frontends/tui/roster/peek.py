"""A session in passing: its last words, and a line to answer with. Looking at it so reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import move_on_after, sleep
from textual import work
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.cells import Span, strip
from holdfast.frontends.tui.gist import gist
from holdfast.frontends.tui.palette import Palette, app_of
from holdfast.frontends.tui.words import SHAPES

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.strip import Strip

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source

_ITEMS = 12
_ASIDE = "r to reply"
_TYPING = "Enter sends · Esc back to the list"
_PAUSE_S = 0.1


class Peek(Vertical):
    """The lower part of the roster while it is open."""

    app: HoldfastApp

    DEFAULT_CSS = """
    Peek { dock: bottom; height: 45%; min-height: 5; max-height: 20; background: $surface;
        margin-bottom: 1; padding-top: 1; }
    """

    def __init__(self, source: Source, sessions: Sessions) -> None:
        super().__init__()
        self._source = source
        self._sessions = sessions
        self._session: str | None = None

    def compose(self) -> ComposeResult:
        """The words, and the line."""
        yield Words()
        if not self._source.read_only:
            yield Input(placeholder=_ASIDE)

    @property
    def typing(self) -> bool:
        """Whether somebody types a reply."""
        return self._source.read_only is False and self.query_one(Input).has_focus

    def look(self, session: str | None) -> None:
        """Look at a session, and on as it goes on."""
        if session == self._session:
            return
        self._session = session
        if not self._source.read_only:
            self.query_one(Input).value = ""
        if session is None:
            self.remove()
        else:
            self._follow(session)

    def reply(self) -> None:
        """Take what is typed from here on."""
        if not self._source.read_only:
            self.screen.set_focus(self.query_one(Input))  # at once: the next key is a letter of it

    def on_descendant_focus(self) -> None:
        """Say what Enter does now."""
        self.query_one(Input).placeholder = _TYPING

    def on_descendant_blur(self) -> None:
        """Say how to get back."""
        self.query_one(Input).placeholder = _ASIDE

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send it, and empty the line once it is in the log."""
        event.stop()
        entry = None if self._session is None else self._sessions.get(self._session)
        if entry is None or not event.value.strip():
            return
        line = self.query_one(Input)
        line.disabled = True
        if await self.app.command("prompts", entry, {"content": event.value}, said="sent") is not None:
            line.value = ""
        line.disabled = False
        line.focus()

    @work(exclusive=True)
    async def _follow(self, session: str) -> None:
        await sleep(_PAUSE_S)  # who moves through the list looks at nothing in between
        words = self.query_one(Words)
        try:
            view = await self._source.view("transcript", session, limit=_ITEMS)
        except HoldfastError as error:
            words.show([], [Span(f" {error}", "failed")])
            return
        try:
            async for _ in view.changes():
                entry = self._sessions.get(session)
                if entry is not None:
                    shape, word, style = SHAPES[entry.word]
                    head = [Span(f" {shape} ", style), Span(f"{word}  ", "dim")]
                    words.show(list(view.items.values()), head)
                await sleep(_PAUSE_S)
        finally:
            with move_on_after(1, shield=True):
                await self._source.leave(view)


class Words(Widget):
    """The last lines that fit."""

    DEFAULT_CSS = "Words { height: 1fr; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._items: list[Json] = []
        self._head: list[Span] = []
        self._lines: list[list[Span]] = []

    def show(self, items: list[Json], head: list[Span]) -> None:
        """Show the end of these."""
        self._items, self._head = items, head
        self.on_resize()

    def on_resize(self) -> None:
        """Break the lines anew."""
        room = max(1, self.size.height - 1)
        self._lines = [self._head, *gist(self._items, max(8, self.size.width - 2))[-room:]]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line on the widget's own ground."""
        return self._line(y).apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        spans = self._lines[y] if y < len(self._lines) else []
        return strip([Span(" "), *spans] if y else spans, Palette(app_of(self)), self.size.width, "surface")
