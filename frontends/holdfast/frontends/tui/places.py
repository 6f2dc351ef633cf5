"""The screens beside the roster and the session, each made when it is first gone to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.frontends.tui.commands import chosen
from holdfast.frontends.tui.roster.screen import RosterScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.source import Source


def go(app: HoldfastApp, source: Source, where: str) -> None:
    """Go to `new`, `inbox`, `search`, `inspect` or `replay`; `ended` shows ended sessions in the list, or not."""
    if where == "ended":
        roster = app.screen_stack[0]
        assert isinstance(roster, RosterScreen)
        roster.action_ended()
        return
    if where == "new" and source.read_only:
        app.say("this store is only read: no session can begin", bad=True)
        return
    screen = _made(app, source, where)
    if screen is None:
        return
    if type(app.screen) is type(screen):
        return
    app.push_screen(screen)


def _made(app: HoldfastApp, source: Source, where: str) -> Screen[None] | None:
    match where:
        case "inbox":
            from holdfast.frontends.tui.inbox import InboxScreen

            return InboxScreen(source, app.sessions)
        case "search":
            from holdfast.frontends.tui.searching import SearchScreen

            return SearchScreen(source)
        case "new":
            from holdfast.frontends.tui.beginning import NewSession

            return NewSession(source, app.sessions)
        case "inspect":
            from holdfast.frontends.tui.inspector import Inspector

            entry = chosen(app)
            return None if entry is None else Inspector(source, app.sessions, entry.id)
        case "replay":
            from holdfast.frontends.tui.played import PlayedScreen

            entry = chosen(app)
            return None if entry is None else PlayedScreen(source, app.sessions, entry.id)
        case _:
            return None
