"""What one reads of a session: its items as they come, pages above them, and what has been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import anyio

from holdfast.frontends.tui.palette import app_of
from holdfast.frontends.tui.presence import leaving
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.bars import Answered, PlanBar

if TYPE_CHECKING:
    from holdfast.frontends.client.views import View
    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.view import SessionView

_FIRST: Final = 100
_PAGE: Final = 200
_SEEKING: Final = 1_000
_REPORT_S: Final = 0.3


class Reading:
    """Feeds the transcript of a view.

    Attributes:
        answered_here: Requests that this person answered on this screen, who is not told.
    """

    def __init__(self, view: SessionView, item: str | None) -> None:
        """Begin at an item, or where the person left off."""
        self._view = view
        self._item = item
        self._transcript_view: View | None = None
        self._details_known = False
        self._placed = False
        self._paging = anyio.Lock()
        self._reported: tuple[str | None, int] | None = None
        self._due = False
        self._pending: set[str] = set()
        self.answered_here: set[str] = set()

    async def follow(self) -> None:
        """Show the transcript, and go on as it changes."""
        view = self._view
        known = self._transcript_view = await view.source.view("transcript", view.session, limit=_FIRST)
        try:
            async for changed in known.changes():
                view.transcript.take(known.items, changed, known.before)
                self._look(known.items, changed)
                self.row_changed()
                if not self._placed:
                    self._place()
                self.report()
        finally:
            with anyio.move_on_after(1, shield=True):
                await view.source.focus(None, 0)
                await view.source.leave(known)

    def _look(self, known: dict[str, Json], changed: frozenset[str]) -> None:
        """Tell what came of a question, keep the plan in sight, and remember what was sent."""
        view = self._view
        for item_id in changed:
            item = known.get(item_id, {})
            if item.get("kind") != "permission":
                continue
            if item.get("status") == "pending":
                self._pending.add(item_id)
            elif item_id in self._pending:
                self._pending.discard(item_id)
                if item_id not in self.answered_here and item.get("status") == "answered":
                    view.query_one(Answered).show(item)
        kinds = {known.get(item_id, {}).get("kind") for item_id in changed}
        if kinds & {"plan", "message"}:
            view.query_one(PlanBar).show(plan_of_now(known))
        if "message" in kinds:
            view.writing.remember()

    def row_changed(self) -> None:
        """Know which item is being written now."""
        view = self._view
        last = view.transcript.listing.last
        kind = view.transcript.listing.get(last).get("kind") if last is not None else None
        role = view.transcript.listing.get(last).get("role") if last is not None else None
        writes = view.row.get("lifecycle") == "streaming" and kind in ("message", "thought") and role != "user"
        view.transcript.streaming(last if writes else None)

    def details_known(self) -> None:
        """Know where the person left off."""
        self._details_known = True
        self._place()

    def _place(self) -> None:
        """Go to the item that is wanted, or to what is new, once everything is known that this needs."""
        view = self._view
        if self._transcript_view is None or self._placed:
            return
        if self._item is not None:
            self._placed = True
            item = self._item
            view.start(lambda: self.seek(item))
            return
        unread = items.number(view.row, "unread")
        if not view.row or (unread and not self._details_known):
            return
        self._placed = True
        if unread and view.details.read:
            view.start(self._to_unread)

    async def _to_unread(self) -> None:
        transcript = self._view.transcript
        read = self._view.details.read
        last = transcript.listing.read_position(read)
        while last is None and transcript.listing.before is not None and len(transcript.listing) < _SEEKING:
            await self.older()
            last = transcript.listing.read_position(read)
        if last is not None:
            transcript.unread_after(last)
            transcript.jump("unread")

    async def older(self, limit: int = _PAGE) -> None:
        """Load the page before the first item. Raises `HoldfastError`."""
        view = self._view
        before = view.transcript.listing.before
        async with self._paging:
            if before is None or view.transcript.listing.before != before:
                return  # somebody else loaded it meanwhile
            page = await view.source.page(view.session, before=before, limit=limit)
            if view.transcript.listing.before == before:  # else it began anew, elsewhere
                view.transcript.older(cast("list[Json]", page["items"]), cast("str | None", page.get("before")))

    async def to_top(self) -> None:
        """Load everything, and go to the first item. Raises `HoldfastError`."""
        transcript = self._view.transcript
        while transcript.listing.before is not None and not transcript.viewport.follow:
            await self.older(_SEEKING)
            if not transcript.viewport.follow:
                transcript.to_top()

    async def seek(self, item: str) -> None:
        """Load pages until an item is there, and go to it. Raises `HoldfastError`."""
        view = self._view
        transcript = view.transcript
        while item not in transcript.listing and transcript.listing.before is not None:
            await self.older(_SEEKING)
        at = transcript.listing.row_of(item)
        if at is None:
            view.post_message(view.Said("that place is not in this session any more", "warning"))
            return
        row = transcript.listing.rows[at]
        if row.kind == "tools":
            transcript.scene.opened[row.key] = 1
        transcript.selected = row.key
        transcript.jump(row.key)

    # What was seen

    def report(self) -> None:
        """Say soon what can be seen; many changes make one report."""
        if not self._due and self._view.is_mounted and not leaving(self._view):
            self._due = True
            self._view.set_timer(_REPORT_S, self._report)

    def _report(self) -> None:
        self._due = False
        view = self._view
        known = self._transcript_view
        if leaving(view) or known is None or not view.live:
            return
        attentive = app_of(view).app_focus and view.screen.is_current
        newest = known.position if attentive and self._placed and view.transcript.at_end else 0
        now = (view.session if attentive else None, newest)
        if now != self._reported:
            self._reported = now
            view.start(lambda: view.source.focus(*now))

    def resumed(self) -> None:
        """Say it again: somebody else said something since, or nobody heard it."""
        self._reported = None
        self.report()


def plan_of_now(known: dict[str, Json]) -> Json | None:
    """Return the plan since the person spoke last."""
    for item in reversed(known.values()):
        if item.get("kind") == "plan":
            return item
        if item.get("kind") == "message" and item.get("role") == "user":
            return None
    return None
