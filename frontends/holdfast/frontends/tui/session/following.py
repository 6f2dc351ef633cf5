"""What is told of a session beside its transcript: its row, its questions, its usage; and the line that sums it up."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from holdfast.frontends.tui.presence import leaving
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.banner import ConnectionBanner, seconds_left
from holdfast.frontends.tui.session.bars import Footer
from holdfast.frontends.tui.session.details import TYPES

if TYPE_CHECKING:
    from holdfast.frontends.client.views import View
    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.view import SessionView


class Following:
    """Tells a view what the source says."""

    def __init__(self, view: SessionView, roster: View, inbox: View) -> None:
        """Listen to a list of sessions, and to what waits anywhere."""
        self._view = view
        self._roster = roster
        self._inbox = inbox
        self._ticking = False

    def begin(self) -> None:
        """Listen, until the view has gone."""
        for follow in (self._follow_roster, self._follow_inbox, self._follow_details, self._follow_state):
            self._view.start(follow)

    async def _follow_roster(self) -> None:
        view = self._view
        row = self._roster.items.get(view.session)
        if row is None:  # one that ended is in no list
            row = cast("Json", (await view.source.page(view.session, limit=1))["session"])
        self.take_row(row)
        async for changed in self._roster.changes():
            if view.session in changed and (row := self._roster.items.get(view.session)) is not None:
                self.take_row(row)

    def take_row(self, row: Json) -> None:
        """Show what the list of sessions says of this one."""
        view = self._view
        if row == view.row or not view.is_mounted or leaving(view):
            return
        before, view.row = view.row, {**row}  # the list changes its own in place
        view.transcript.scene.agent = items.text(row, "agent") or "Agent"
        view.reading.row_changed()
        view.writing.row_changed()
        if row.get("queued") != before.get("queued"):
            view.start(view.writing.load_queue)
        self.tell()

    async def _follow_inbox(self) -> None:
        async for _ in self._inbox.changes():
            self._show_card()

    def _show_card(self) -> None:
        view = self._view
        if leaving(view):
            return
        waiting = [each for each in self._inbox.items.values() if each.get("session_id") == view.session]
        view.card.read_only = view.source.read_only
        view.card.show(waiting, live=view.live and not view.source.read_only)
        self.tell()

    async def _follow_details(self) -> None:
        view, details = self._view, self._view.details
        async with aclosing(view.source.events(view.session, types=TYPES)) as deliveries:
            async for delivery in deliveries:
                queue = details.queue
                for event in delivery.events:
                    details.take(event)
                if delivery.caught_up:
                    view.reading.details_known()
                if details.queue != queue:
                    await view.writing.load_queue()
                self.tell()

    async def _follow_state(self) -> None:
        view = self._view
        while True:
            await view.source.turned()
            self._show_card()
            view.reading.resumed()
            view.writing.row_changed()
            self.tell()

    # The line at the bottom, which also counts seconds

    def tell(self) -> None:
        """Say how it stands."""
        view = self._view
        if not view.is_mounted or leaving(view):
            return
        turn = self._seconds()
        state = "" if view.live or view.source.read_only else "daemon unreachable"
        view.query_one(Footer).show(view.row, view.details, self._keys(), turn, state)
        view.query_one(ConnectionBanner).show(view.row)
        if (turn is not None or seconds_left(view.row) is not None) and not self._ticking:
            self._ticking = True
            view.set_timer(1.0, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        self.tell()

    def _seconds(self) -> int | None:
        view = self._view
        if view.row.get("lifecycle") != "streaming" or not view.details.turn_at:
            return None
        begun = datetime.fromisoformat(view.details.turn_at)
        return max(0, round((datetime.now(UTC) - begun).total_seconds()))

    def _keys(self) -> list[tuple[str, str]]:
        view = self._view
        found: list[tuple[str, str]] = []
        if view.transcript.has_focus:
            found = [("Enter", "unfold"), ("[ ]", "prompts"), ("c", "copy"), ("i", "inspect"), ("l", "link")]
        elif view.card.display and not view.card.has_focus and not view.source.read_only:
            found = [("Tab", "answer")]
        if view.transcript.selection.made:
            return [("Ctrl+C", "copy what is marked"), ("Esc", "mark nothing")]
        if view.row.get("lifecycle") == "streaming" and view.writable:
            found.append(("Ctrl+C", "stop"))
        if not view.transcript.at_end:
            found.append(("End", "newest"))
        if not view.transcript.has_focus:
            found += [("Shift+Tab", "transcript"), *([("Ctrl+O", "mode")] if view.writable else [])]
        return [*found, ("Ctrl+K", "go to"), ("Esc", "back")]
