"""Following the log once for everybody who is attached: recent events, views, and one wake-up a batch."""

from __future__ import annotations

from contextlib import asynccontextmanager
from logging import getLogger
from typing import TYPE_CHECKING, Final

import anyio

from holdfast.domain.errors import NotFoundError, StoreClosedError, StoreError, UsageError
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.commands import MarkRead
from holdfast.frontends.gateway.views.history import History
from holdfast.frontends.gateway.views.inbox import InboxView
from holdfast.frontends.gateway.views.offers import OffersView
from holdfast.frontends.gateway.views.recent import Recent
from holdfast.frontends.gateway.views.roster import RosterView
from holdfast.frontends.gateway.views.transcript import TranscriptView

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.keeping import Keeping, PeerFrame
    from holdfast.domain.projections.roster import Connection
    from holdfast.domain.recorded import Actor
    from holdfast.domain.tail import Tail
    from holdfast.frontends.gateway.views.view import View

_log = getLogger(__name__)

_OF_SESSION: Final = ("transcript", "offers")

_PREFILL: Final = 1_000
"""Events before the head that are read into memory when the first reader comes: others will come back for them."""

_ROSTER_S: Final = 0.1
"""Rows change with every piece of text; nobody reads faster than this."""

_FRAMES_S: Final = 0.1
"""An agent that talks says hundreds of them a second; nobody reads faster than this."""

_AGAIN_S: Final = 0.5
"""How long to wait when the database does not answer."""

_READS: Final = 3
"""Readers that catch up from the store at the same time, so that the one who follows it is never kept waiting."""


class Hub:
    """Where attachments get what is new. While nobody is attached it follows nothing and holds nothing.

    Attributes:
        tail: The log.
        recent: The latest events.
        history: All others.
        reads: Held while a reader reads from the store by itself.
    """

    def __init__(self, tail: Tail, keeping: Keeping) -> None:
        """Follow `tail`; `keeping` knows how sessions are connected."""
        self.tail = tail
        self.recent = Recent(tail.cursor)
        self.history = History(tail)
        self.reads = anyio.Semaphore(_READS)
        self._keeping = keeping
        self._views: dict[tuple[str, str | None], View] = {}
        self._attached: set[Callable[[], None]] = set()
        self._followers: set[Callable[[], None]] = set()
        self._focus: dict[str, tuple[str, StreamId]] = {}
        self._warm = False
        self._age = 0
        self._warming = anyio.Lock()
        self._rest = anyio.CancelScope()
        self._roster_changed = anyio.Event()
        self._listeners: dict[object, Callable[[], None]] = {}
        self._overheard = anyio.Event()
        self._hush: Callable[[], None] | None = None

    async def run(self) -> None:
        """Follow the log for ever; the daemon runs it in a task of its own."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._flush_rosters)
            tasks.start_soon(self._pass_frames_on)
            bell = self.tail.bell()
            try:
                while True:
                    bell.arm()
                    try:
                        while self._warm and not await self._step():
                            pass
                    except StoreClosedError:
                        return
                    except StoreError as error:
                        _log.warning("the log cannot be followed", extra={"error": str(error)})
                        await anyio.sleep(_AGAIN_S)
                        continue
                    with anyio.CancelScope() as self._rest:
                        await (bell.wait() if self._warm else anyio.sleep_forever())
            finally:
                bell.close()

    async def _step(self) -> bool:
        """Take the next stretch of the log in, and tell whether it was the last."""
        age = self._age
        stretch = await self.tail.stretch(self.recent.end)
        if age != self._age:
            return True  # everybody left meanwhile, and perhaps somebody else came
        self.recent.add(stretch.events, stretch.end)
        if any(event.type == "session-erased" for event in stretch.events):
            self._forget()
        if stretch.events:
            of_session: dict[str, list[LogEvent]] = {}
            for event in stretch.events:
                of_session.setdefault(event.recorded.originator_id, []).append(event)
            for view in list(self._views.values()):
                events = stretch.events if view.session_id is None else of_session.get(view.session_id)
                if events is not None:
                    await self._follow(view, events, stretch.end)
        for waker in self._followers:
            waker()
        return stretch.at_end

    def _forget(self) -> None:
        """Let go of all content that is held: something in it was erased, and what the store has left is read again."""
        self.recent.begin(self.recent.end, self.recent.end)
        self.history = History(self.tail)

    async def _follow(self, view: View, events: Sequence[LogEvent], end: int) -> None:
        before = view.patches.next
        try:
            await view.follow(events, end)
        except Exception:  # noqa: BLE001 - whatever it cannot show, the sessions of the daemon go on
            _log.exception("view given up", extra={"view": view.name, "session": view.session_id})
            view.patches.broken = "failed"
        if view.patches.next != before or view.patches.broken is not None:
            view.wake()

    @asynccontextmanager
    async def attached(self, waker: Callable[[], None]) -> AsyncGenerator[None]:
        """Follow the log as long as anybody is attached; `waker` stands for this attachment."""
        self._attached.add(waker)
        try:
            await self._warm_up()
            yield
        finally:
            self._attached.discard(waker)
            self._followers.discard(waker)
            if not self._attached:
                self._cool_down()

    def tell(self, waker: Callable[[], None]) -> None:
        """Have an attachment woken by every event from now on: it follows the log itself, and not only views."""
        self._followers.add(waker)

    async def _warm_up(self) -> None:
        async with self._warming:
            if self._warm:
                return
            head = await self.tail.head()
            self.recent.begin(max(0, head - _PREFILL), head)
            self._warm = True
            self._rest.cancel()

    def _cool_down(self) -> None:
        self._warm = False
        self._age += 1
        self._views.clear()
        self.history = History(self.tail)
        self.recent.begin(0, 0)

    async def require(self, session_id: StreamId) -> None:
        """Look a session up. One step in the index.

        Raises:
            NotFoundError: There is none, or it was erased.
        """
        if not (await self.tail.roster([session_id])).rows:
            msg = f"there is no session {session_id}"
            raise NotFoundError(msg)

    def look_at(self, name: str, session_id: str | None, waker: Callable[[], None]) -> View:
        """Return the view, folded from here on for as long as somebody looks at it; `leave` it afterwards.

        `waker` is called whenever there is something new in it.

        Raises:
            UsageError: There is no such view, or it lacks its session.
        """
        key = (name, session_id if name in _OF_SESSION else None)
        view = self._views.get(key)
        if view is None or view.patches.broken is not None:  # those who look at a broken one have yet to hear of it
            view = self._views[key] = self._make(name, session_id)
        view.lookers.append(waker)
        return view

    def _make(self, name: str, session_id: str | None) -> View:
        match name:
            case "roster":
                return RosterView(self.tail, self._connection, self.focused, self._note_roster)
            case "inbox":
                return InboxView(self.tail)
            case "transcript" if session_id is not None:
                return TranscriptView(StreamId(session_id), self.tail)
            case "offers" if session_id is not None:
                return OffersView(StreamId(session_id), self.tail)
            case "transcript" | "offers":
                msg = f"the view {name} is of one session: name it"
                raise UsageError(msg)
            case _:
                msg = f"there is no view {name[:40]!r}: there are roster, inbox, transcript, offers and frames"
                raise UsageError(msg)

    def leave(self, view: View, waker: Callable[[], None]) -> None:
        """Give a view of `look_at` back; the last one ends it."""
        view.lookers.remove(waker)
        if not view.lookers:
            self._views = {key: each for key, each in self._views.items() if each is not view}

    # What is not in the log

    def focus(self, attachment: str, client: str, session_id: StreamId | None) -> None:
        """Remember which session an attachment looks at, None for none."""
        if session_id is None:
            self._focus.pop(attachment, None)
        else:
            self._focus[attachment] = (client, session_id)
        self._keeping.focus(attachment, session_id)
        self._look_at_rows()

    async def mark_read(self, session_id: StreamId, position: int, actor: Actor) -> None:
        """Mark a session as read up to a position.

        Raises:
            HoldfastError: It is gone, or nothing can be written.
        """
        version = await self.tail.version_at(session_id, position)
        await self._keeping.execute(session_id, MarkRead(version=version), cause=None, actor=actor)

    def focused(self, session_id: StreamId) -> list[str]:
        """Return the names of the frontends that look at a session, each once."""
        return sorted({client for client, session in self._focus.values() if session == session_id})

    def _connection(self, session_id: StreamId) -> Connection | None:
        return self._keeping.connection(session_id)

    def heard(self, session_id: StreamId, after: int) -> Sequence[PeerFrame]:
        """Return what was said between the daemon and the peer of a session, after the frame with a number."""
        return self._keeping.frames(session_id, after=after)

    def overhear(self, listener: object, waker: Callable[[], None]) -> None:
        """Call `waker` when there are frames, until the listener has gone."""
        self._listeners[listener] = waker
        if self._hush is None:
            self._hush = self._keeping.on_frames(self._note_frame)

    def overhear_no_more(self, listener: object) -> None:
        """One listener has gone."""
        self._listeners.pop(listener, None)
        if not self._listeners and self._hush is not None:
            self._hush()
            self._hush = None

    async def _pass_frames_on(self) -> None:
        while True:
            await self._overheard.wait()
            self._overheard = anyio.Event()
            for waker in self._listeners.values():
                waker()
            await anyio.sleep(_FRAMES_S)

    def _look_at_rows(self) -> None:
        for view in self._views.values():
            if isinstance(view, RosterView):
                view.look()

    def _note_frame(self) -> None:
        self._overheard.set()

    def _note_roster(self) -> None:
        self._roster_changed.set()

    async def _flush_rosters(self) -> None:
        """Send rows at once when they were quiet, and at intervals while they are not."""
        while True:
            await self._roster_changed.wait()
            self._roster_changed = anyio.Event()
            for view in list(self._views.values()):
                if isinstance(view, RosterView):
                    await self._flush(view)
                    view.wake()
            await anyio.sleep(_ROSTER_S)

    async def _flush(self, view: RosterView) -> None:
        try:
            await view.flush()
        except StoreError as error:
            _log.warning("rows cannot be read", extra={"error": str(error)})
            self._roster_changed.set()
            await anyio.sleep(_AGAIN_S)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("view given up", extra={"view": view.name})
            view.patches.broken = "failed"
