"""A session played again, on the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.screen import Screen

from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import SessionBar
from holdfast.frontends.tui.cells import Span, harmless
from holdfast.frontends.tui.session.replay import ReplayView

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source


class PlayedScreen(Screen[None]):
    """What was, as it was.

    Attributes:
        session: Its id.
    """

    app: HoldfastApp

    def __init__(self, source: Source, sessions: Sessions, session: str, *, at: int | None = None) -> None:
        super().__init__()
        self.session = session
        self._source = source
        self._at = at
        self._entry = sessions.get(session)

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield SessionBar()
        yield Banner()
        yield ReplayView(self._source, self.session, at=self._at, agent=(self._entry and self._entry.agent) or "")

    def on_mount(self) -> None:
        """Say what is played."""
        self.query_one(Banner).attend(self._source)
        name = self.session[:8] if self._entry is None else self._entry.name
        self.query_one(SessionBar).say([Span(" ▶ ", "accent"), Span(harmless(name), "bold"), Span("   replay", "dim")])

    @on(ReplayView.Left)
    def _left(self) -> None:
        self.dismiss(None)

    @on(ReplayView.Said)
    def _said(self, event: ReplayView.Said) -> None:
        self.app.say(event.text, bad=True)
