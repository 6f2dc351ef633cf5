"""The first screen: the list, what is said above and below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.screen import Screen

from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import Hints, TopBar
from holdfast.frontends.tui.roster.entries import Entry, entry, ordered
from holdfast.frontends.tui.roster.listing import RosterList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from holdfast.frontends.tui.source import Source

_HINTS = (("Enter", "open"), ("Space", "peek"), ("q", "detach"))


class RosterScreen(Screen[None]):
    """All sessions."""

    BINDINGS: ClassVar = [Binding("q", "app.detach", "Detach")]

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield TopBar()
        yield Banner()
        yield RosterList()
        yield Hints(_HINTS)

    def attend(self, source: Source) -> None:
        """Show what a source has, and go on."""
        self.query_one(Banner).attend(source)
        self.run_worker(self._follow(source))

    async def _follow(self, source: Source) -> None:
        view = await source.view("roster")
        known: dict[str, Entry] = {}
        async for changed in view.changes():
            for each in changed:
                item = view.items.get(each)
                if item is None:
                    known.pop(each, None)
                else:
                    known[each] = entry(item)
            self._show(known)

    def _show(self, known: dict[str, Entry]) -> None:
        entries = ordered(known.values())
        self.query_one(RosterList).show(entries, {})
        self.query_one(TopBar).tell(entries)
