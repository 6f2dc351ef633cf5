"""What one attachment gets of the log or of a view: its own place, and the next frame from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from holdfast.domain.errors import CursorError, UsageError
from holdfast.domain.recorded import StreamId
from holdfast.domain.wire import event as encode_event
from holdfast.frontends.gateway.stream import frames
from holdfast.frontends.gateway.views.recent import FRAME_BYTES, FRAME_EVENTS, Filter, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.frontends.gateway.views.hub import Hub
    from holdfast.frontends.gateway.views.view import View

_CATCH_UP = 256
"""Events read from the store at a time for one reader that is behind."""

_LIMIT = 1_000
_DEFAULT = 50
_WHOLE_ROSTER = 1_000_000


class Subscription(Protocol):
    """Frames in order. Nothing is queued for anybody: the next frame is made when the last one is on its way.

    Attributes:
        over: Whether nothing comes any more.
    """

    over: bool

    async def next(self) -> bytes | None:
        """Return the next frame, None where there is none yet.

        Raises:
            HoldfastError: The subscription is refused or has failed, and is over.
        """
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class EventsSubscription:
    """The log from a cursor on.

    Attributes:
        position: Everything up to here is in a frame.
        sent: Everything up to here is on its way to the peer.
    """

    def __init__(self, hub: Hub, sub: str, wanted: frames.EventsWanted, waker: Callable[[], None]) -> None:
        """Begin after `wanted.after`; have `waker` called when more has come."""
        hub.tell(waker)
        self.over = False
        self._hub = hub
        self._sub = sub
        self._after = wanted.after
        self._filter = Filter(wanted.session, None if wanted.types is None else frozenset(wanted.types))
        self._begun = False
        self._caught_up = False
        self._behind: list[tuple[int, bytes]] = []
        self.position = self.sent = 0

    async def next(self) -> bytes | None:
        """Return the next events, or the word that there are no more for now.

        Raises:
            NotFoundError: There is no such session.
        """
        if not self._begun:
            self._begun = True
            try:
                self.position = 0 if self._after is None else await self._hub.tail.position_of(self._after)
            except CursorError as error:
                self.over = True
                return frames.reset(self._sub, "cursor", str(error))
            if self._filter.session_id is not None:
                await self._hub.require(StreamId(self._filter.session_id))
            self.sent = self.position
        if self._filter.everything:
            frame = await self._from_history()
        else:
            frame = await self._from_store()
        return self._from_memory() if frame is None else frame

    async def _from_history(self) -> bytes | None:
        while self.position < (floor := self._hub.recent.floor):
            piece = await self._hub.history.piece(self.position, floor)
            self.position = piece.end
            if piece.body is not None:
                return frames.events(self._sub, piece.body)
        return None

    def _from_memory(self) -> bytes | None:
        recent = self._hub.recent
        while recent.floor <= self.position < recent.end:
            piece = recent.piece(self.position, self._filter)
            self.position = piece.end
            if piece.body is not None:
                return frames.events(self._sub, piece.body)
        if self._caught_up or self.position < max(recent.end, recent.head):
            return None
        self._caught_up = True
        return frames.caught_up(self._sub, self.position, self._hub.tail.cursor(self.position))

    async def _from_store(self) -> bytes | None:
        """Read some of what is not in memory: a chunk at a time, so that a slow reader holds little."""
        while not self._behind and self.position < self._hub.recent.floor:
            async with self._hub.reads:
                session = None if self._filter.session_id is None else StreamId(self._filter.session_id)
                types = () if self._filter.types is None else sorted(self._filter.types)
                stretch = await self._hub.tail.stretch(self.position, session_id=session, types=types, limit=_CATCH_UP)
            wanted = [each for each in stretch.events if self._filter.admits(each)]
            lines = [(each.recorded.position or 0, encode_event(each)) for each in wanted]
            self._behind = _framed(lines, self._hub.tail.cursor)
            if not self._behind:
                self.position = stretch.end
        if not self._behind:
            return None
        self.position, body = self._behind.pop(0)
        return frames.events(self._sub, body)

    def close(self) -> None:
        """Hold nothing."""
        self._behind.clear()


class ViewSubscription:
    """A view: its snapshot first, then its patches.

    Attributes:
        position: What was sent is the view at this position.
    """

    def __init__(self, hub: Hub, wanted: frames.Subscribe, waker: Callable[[], None]) -> None:
        """Look at a view; have `waker` called when it changes.

        Raises:
            UsageError: There is no such view.
        """
        self.over = False
        self.session = wanted.session if wanted.view == "transcript" else None
        default = _WHOLE_ROSTER if wanted.view == "roster" else _DEFAULT
        self._limit = default if wanted.limit is None else wanted.limit
        if not 1 <= self._limit <= (_LIMIT if wanted.view == "transcript" else _WHOLE_ROSTER):
            msg = f"limit is 1 to {_LIMIT}, not {wanted.limit}"
            raise UsageError(msg)
        self._hub = hub
        self._sub = wanted.sub
        self._ended = wanted.ended
        self._waker = waker
        self._view: View | None = hub.look_at(wanted.view or "", wanted.session, waker)
        self._place: int | None = None
        self.position = 0

    async def next(self) -> bytes | None:
        """Return the snapshot, then one patch after the other.

        Raises:
            NotFoundError: There is no such session.
        """
        view = self._view
        if view is None:
            return None
        if self._place is None:
            async with self._hub.reads:
                made = await view.snapshot(self._limit, ended=self._ended)
            self.position, self._place = made.position, made.place
            return frames.snapshot(self._sub, view.name, made)
        if view.patches.broken is not None:
            self.over = True
            return frames.reset(self._sub, view.patches.broken, _BROKEN[view.patches.broken])
        if self._place < view.patches.first:
            self.over = True
            return frames.reset(self._sub, "behind", "more has changed than is kept: subscribe again")
        return self.patch()

    @property
    def waits(self) -> bool:
        """Whether there is something that `patch` cannot give."""
        view = self._view
        return view is not None and (
            self._place is None or view.patches.broken is not None or self._place < view.patches.next
        )

    def patch(self) -> bytes | None:
        """Return the next patch where one is there, and nothing else is to be said before it."""
        view = self._view
        if view is None or self._place is None or view.patches.broken is not None:
            return None
        while self._place >= view.patches.first and (patch := view.patches.at(self._place)) is not None:
            self._place += 1
            start = self.position
            if patch.end is None:
                return frames.patch(self._sub, start, start, patch.ops)
            if patch.end > start:
                self.position = patch.end
                return frames.patch(self._sub, start, patch.end, patch.ops)
        return None

    def close(self) -> None:
        """Look away."""
        view, self._view = self._view, None
        if view is not None:
            self._hub.leave(view, self._waker)


_BROKEN = {
    "erased": "the content of the session was erased",
    "failed": "the view cannot be read: see `holdfast doctor`",
}


def _framed(lines: list[tuple[int, bytes]], cursor: Callable[[int], str]) -> list[tuple[int, bytes]]:
    """Return frames of lines, each with the position of its last event."""
    made: list[tuple[int, bytes]] = []
    taken: list[bytes] = []
    size = 0
    for at, (position, line) in enumerate(lines):
        taken.append(line)
        size += len(line)
        if len(taken) == FRAME_EVENTS or size > FRAME_BYTES or at == len(lines) - 1:
            made.append((position, joined(taken, cursor(position))))
            taken, size = [], 0
    return made
