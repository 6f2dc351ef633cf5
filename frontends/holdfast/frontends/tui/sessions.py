"""All sessions as every screen sees them: one subscription to the roster and one to the inbox, for all of them."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from anyio import CancelScope, Event, create_task_group, move_on_after, sleep

from holdfast.frontends.tui.roster.entries import Entry, entry, place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.frontends.client.views import Json, View
    from holdfast.frontends.tui.source import Source

_PAUSE_S: Final = 0.05
"""How long to wait before the next change is shown; longer where showing one takes long."""


class Sessions:
    """The roster and the inbox, kept up to date.

    Attributes:
        known: Whether the roster has come.
        ended: Whether ended sessions are among them.
        roster: The view of all sessions, once there is one.
        inbox: The view of what waits for a person, once there is one.
        viewed: Set once there are both.
    """

    def __init__(self) -> None:
        self.known = False
        self.ended = False
        self.roster: View | None = None
        self.inbox: View | None = None
        self.viewed = Event()
        self._entries: dict[str, Entry] = {}
        self._places: dict[str, tuple[object, ...]] = {}
        self._ordered: list[Entry] | None = []
        self._requests: dict[str, Json] = {}
        self._asking: CancelScope | None = None
        self._listeners: list[Callable[[], None]] = []

    def listen(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have `told` called after each change; what is returned ends that."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    def get(self, session: str) -> Entry | None:
        """Return one session."""
        return self._entries.get(session)

    @property
    def ordered(self) -> Sequence[Entry]:
        """All of them, in the order of every list."""
        if self._ordered is None:
            self._ordered = [self._entries[each] for each in sorted(self._entries, key=self._places.__getitem__)]
        return self._ordered

    @property
    def requests(self) -> Sequence[Json]:
        """What waits for a person, the oldest first, as `inbox --json` has it."""
        return list(self._requests.values())

    def questions(self) -> dict[str, str]:
        """Return what sessions wait for, by session."""
        return {str(each["session_id"]): str(each["title"]) for each in reversed(self._requests.values())}

    @property
    def waiting(self) -> int:
        """How many sessions need a person."""
        return sum(each.word == "needs_you" for each in self._entries.values())

    def after(self, session: str | None, word: str) -> Entry | None:
        """Return the next session that is so, after this one and around."""
        fitting = [each for each in self.ordered if _fits(each, word)]
        later = [at for at, each in enumerate(fitting) if each.id == session]
        if not fitting:
            return None
        return fitting[(later[0] + 1) % len(fitting)] if later else fitting[0]

    async def follow(self, source: Source) -> None:
        """Keep up with a source until cancelled."""
        async with create_task_group() as tasks:
            tasks.start_soon(self._follow_roster, source)
            tasks.start_soon(self._follow_inbox, source)

    def with_ended(self, wanted: bool) -> None:
        """Have ended sessions among them, or not."""
        self.ended = wanted
        if self._asking is not None:
            self._asking.cancel()

    async def _follow_roster(self, source: Source) -> None:
        while True:
            with CancelScope() as self._asking:
                await self._show_roster(source)

    async def _show_roster(self, source: Source) -> None:
        view = self.roster = await source.view("roster", ended=self.ended)
        self._viewed()
        self._entries.clear()
        self._places.clear()
        try:
            async for changed in view.changes():
                begun = monotonic()
                self._take(view, changed)
                self.known = True
                self._tell()
                await sleep(max(_PAUSE_S, 3 * (monotonic() - begun)))
        finally:
            with move_on_after(1, shield=True):
                await source.leave(view)

    async def _follow_inbox(self, source: Source) -> None:
        view = self.inbox = await source.view("inbox")
        self._viewed()
        try:
            async for _ in view.changes():
                self._requests = dict(sorted(view.items.items(), key=lambda each: str(each[1]["requested_at"])))
                self._tell()
                await sleep(_PAUSE_S)
        finally:
            with move_on_after(1, shield=True):
                await source.leave(view)

    def _viewed(self) -> None:
        if self.roster is not None and self.inbox is not None:
            self.viewed.set()

    def _take(self, view: View, changed: frozenset[str]) -> None:
        for each in changed:
            item = view.items.get(each)
            if item is None:
                self._entries.pop(each, None)
                self._places.pop(each, None)
            else:
                taken = self._entries[each] = entry(item)
                self._places[each] = place(taken)
        self._ordered = None

    def _tell(self) -> None:
        for told in list(self._listeners):
            told()


def _fits(each: Entry, word: str) -> bool:
    return bool(each.unread) and each.word != "ended" if word == "unread" else each.word == word
