"""The first screen: the list, what is said above and below it, and a look at one session in passing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding
from textual.screen import Screen

from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import Hints, TopBar
from holdfast.frontends.tui.roster.listing import RosterList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.roster.peek import Peek
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source

_HINTS = (
    ("Enter", "open"),
    ("Space", "peek"),
    ("n", "new"),
    ("Tab", "needs you"),
    ("/", "search"),
    ("i", "inbox"),
    ("Ctrl+K", "go to"),
    ("?", "keys"),
    ("q", "leave"),
)
_BEGINNING = (
    "no sessions yet",
    "",
    "n begins one; demo is always there",
    "`holdfast import` finds those that you had elsewhere",
)


class RosterScreen(Screen[None]):
    """All sessions."""

    app: HoldfastApp

    BINDINGS: ClassVar = [
        Binding("q", "app.detach", "Leave"),
        Binding("escape", "back", "Back"),
        Binding("tab", "next('needs_you')", "Next that needs you"),
        Binding("u", "next('unread')", "Next unread"),
        Binding("n", "app.go('new')", "New session"),
        Binding("slash", "app.go('search')", "Search"),
        Binding("i", "app.go('inbox')", "Inbox"),
        Binding("e", "app.go('inspect')", "Inspect"),
        Binding("ctrl+r", "app.go('replay')", "Play again"),
        Binding("z", "ended", "Ended ones too"),
        Binding("r", "reply", "Reply"),
        Binding("m", "act('unread')", "Mark unread"),
        Binding("M", "act('mute')", "Mute"),
        Binding("p", "act('pin')", "Pin"),
        Binding("R", "act('rename')", "Rename"),
        Binding("x", "act('export')", "Export"),
        Binding("E", "act('end')", "End"),
        Binding("X", "act('remove')", "Remove"),
        Binding("alt+r", "act('reconnect')", "Connect now"),
    ]

    def __init__(self, sessions: Sessions) -> None:
        super().__init__()
        self._sessions = sessions
        self._source: Source | None = None
        self._peek: Peek | None = None

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield TopBar()
        yield Banner()
        yield RosterList()
        yield Hints(_HINTS)

    def on_mount(self) -> None:
        """Follow the sessions."""
        self._sessions.listen(self._show)
        self.query_one(RosterList).focus()

    def attend(self, source: Source) -> None:
        """Know where what is shown comes from."""
        self._source = source
        self.query_one(Banner).attend(source)
        if not source.read_only:
            self.query_one(RosterList).nothing = _BEGINNING

    def on_screen_resume(self) -> None:
        """Tell that no session is looked at any more: what comes while the list is shown stays unread."""
        if self._source is not None:
            self.run_worker(self._source.focus(None), group="focus", exclusive=True)

    @property
    def session(self) -> str | None:
        """The session that the cursor is on."""
        entry = self.query_one(RosterList).cursor
        return None if entry is None else entry.id

    def _show(self) -> None:
        if self._sessions.known:
            self.query_one(RosterList).show(self._sessions.ordered, self._sessions.questions())
            self.query_one(TopBar).tell(self._sessions.ordered)

    @on(RosterList.Opened)
    def _open(self, event: RosterList.Opened) -> None:
        self.app.open(event.session)

    @on(RosterList.Peeked)
    async def _look(self, event: RosterList.Peeked) -> None:
        if self._peek is not None:
            await self._look_away()
        elif self._source is not None:
            from holdfast.frontends.tui.roster.peek import Peek  # after the first screen is up

            self._peek = Peek(self._source, self._sessions)
            await self.mount(self._peek, before=self.query_one(Hints))
            self._peek.look(event.session)

    @on(RosterList.Moved)
    def _moved(self, event: RosterList.Moved) -> None:
        if self._peek is not None:
            self._peek.look(event.session)

    async def _look_away(self) -> None:
        if self._peek is not None:
            await self._peek.remove()
            self._peek = None
        self.query_one(RosterList).focus()

    async def action_back(self) -> None:
        """Close what is open over the list."""
        if self._peek is not None and self._peek.typing:
            self.query_one(RosterList).focus()
        else:
            await self._look_away()

    def action_reply(self) -> None:
        """Type into the reply of what is looked at."""
        if self._peek is not None:
            self._peek.reply()

    def action_next(self, word: str) -> None:
        """Go to the next session that is so."""
        entry = self._sessions.after(self.session, word)
        if entry is not None:
            self.query_one(RosterList).go_to(entry.id)
        self.query_one(RosterList).focus()

    def action_ended(self) -> None:
        """Show ended sessions too, or not any more."""
        self._sessions.with_ended(not self._sessions.ended)
        self.app.say("ended sessions are shown too" if self._sessions.ended else "ended sessions are not shown")

    @work
    async def action_act(self, name: str) -> None:
        """Do something to the session under the cursor."""
        from holdfast.frontends.tui.acts import BY_NAME  # after the first screen is up

        entry = self.query_one(RosterList).cursor
        if entry is not None and BY_NAME[name].fits(entry):
            await BY_NAME[name].do(self.app, entry)
