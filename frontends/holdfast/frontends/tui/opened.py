"""One session on the whole screen: what is said above it. What is inside is `session`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding
from textual.screen import Screen

from holdfast.domain.errors import HoldfastError, NotFoundError
from holdfast.frontends.tui.acts import BY_NAME
from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import SessionBar
from holdfast.frontends.tui.presence import leaving
from holdfast.frontends.tui.session.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source


class OpenedScreen(Screen[None]):
    """A session.

    Attributes:
        session: Its id.
    """

    app: HoldfastApp

    BINDINGS: ClassVar = [
        Binding("escape", "back", "Back"),
        Binding("ctrl+c", "cancel", "Cancel the turn"),
        Binding("u", "next('unread')", "Next unread"),
        Binding("full_stop", "next('needs_you')", "Next that needs you"),
        Binding("n", "app.go('new')", "New session"),
        Binding("slash", "app.go('search')", "Search"),
        Binding("i", "app.go('inbox')", "Inbox"),
        Binding("e", "app.go('inspect')", "Inspect"),
        Binding("m", "act('unread')", "Mark unread"),
        Binding("M", "act('mute')", "Mute"),
        Binding("p", "act('pin')", "Pin"),
        Binding("R", "act('rename')", "Rename"),
        Binding("x", "act('export')", "Export"),
        Binding("X", "act('remove')", "Remove"),
    ]

    def __init__(self, source: Source, sessions: Sessions, session: str, item: str | None) -> None:
        super().__init__()
        self.session = session
        self._source = source
        self._sessions = sessions
        self._item = item
        self._deaf: Callable[[], None] | None = None
        self._listed = False

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        roster, inbox = self._sessions.roster, self._sessions.inbox
        assert roster is not None
        assert inbox is not None
        yield SessionBar()
        yield Banner()
        yield SessionView(
            self._source, self.session, roster=roster, inbox=inbox, drafts=self.app.drafts, item=self._item
        )

    def on_mount(self) -> None:
        """Follow it."""
        self.query_one(Banner).attend(self._source)
        self._deaf = self._sessions.listen(self._show)
        self._show()

    def on_unmount(self) -> None:
        """Follow it no more."""
        if self._deaf is not None:
            self._deaf()

    def _show(self) -> None:
        if leaving(self):
            return
        self._pass_on()
        entry = self._sessions.get(self.session)
        if entry is not None:
            self._listed = True
            self.query_one(SessionBar).tell(entry, self._sessions.waiting)
        elif self._listed:
            self._listed = False
            self._look_whether_erased()

    @work
    async def _look_whether_erased(self) -> None:
        """Go back from what was erased; a session that is only not listed any more stays."""
        try:
            await self._source.page(self.session, limit=1)
        except NotFoundError:
            self.app.say("this session was erased")
            if self.is_current:
                self.action_back()
        except HoldfastError:
            self._listed = True  # the daemon is away, which the banner says: look again when it is back
        self._pass_on()

    def _pass_on(self) -> None:
        """Tell what the list says: it may be another one than when the session was opened, with those that ended."""
        roster = self._sessions.roster
        row = None if roster is None else roster.items.get(self.session)
        if row is not None and not leaving(self):
            self.query_one(SessionView).take_row(row)

    def on_screen_suspend(self) -> None:
        """Nobody looks at it while another screen is over it."""
        self._attend()

    def on_screen_resume(self) -> None:
        """Somebody looks at it again."""
        self._attend()

    def _attend(self) -> None:
        for view in self.query(SessionView):  # none before the screen is complete
            view.attend()

    @on(SessionView.Left)
    def _left(self) -> None:
        self.action_back()

    @on(SessionView.Said)
    def _said(self, event: SessionView.Said) -> None:
        self.app.say(event.text, bad=event.severity != "information")

    @on(SessionView.Remove)
    def _remove(self) -> None:
        self.action_act("remove")

    @on(SessionView.Inspect)
    def _inspect(self, event: SessionView.Inspect) -> None:
        from holdfast.frontends.tui.inspector import Inspector

        self.app.push_screen(Inspector(self._source, self._sessions, event.session, item=str(event.item["id"])))

    @on(SessionView.Replay)
    def _replay(self) -> None:
        self.app.action_go("replay")

    def action_cancel(self) -> None:
        """Stop the turn, also where nothing has the focus."""
        for view in self.query(SessionView):
            view.action_cancel()

    def action_back(self) -> None:
        """Go back to where one came from."""
        self.dismiss(None)

    def action_next(self, word: str) -> None:
        """Open the next session that is so."""
        entry = self._sessions.after(self.session, word)
        if entry is not None and entry.id != self.session:
            self.app.open(entry.id)

    @work
    async def action_act(self, name: str) -> None:
        """Do something to the session."""
        entry = self._sessions.get(self.session)
        if entry is not None and BY_NAME[name].fits(entry):
            await BY_NAME[name].do(self.app, entry)
