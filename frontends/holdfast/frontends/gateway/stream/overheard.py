"""What is said between the daemon and the peer of a session: kept in memory for a while, and in no log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.domain.errors import UsageError
from holdfast.domain.keeping import Direction
from holdfast.domain.recorded import StreamId
from holdfast.domain.timestamps import to_text
from holdfast.domain.wire import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.keeping import PeerFrame
    from holdfast.frontends.gateway.stream import frames
    from holdfast.frontends.gateway.views.hub import Hub

AT_ONCE = 64


class Overheard(Struct, frozen=True):
    """A frame, as it is told."""

    number: int
    at: str
    direction: Direction
    text: str
    size_bytes: int


def told(heard: Sequence[PeerFrame]) -> list[Overheard]:
    """Return frames as they are told to frontends."""
    return [Overheard(each.number, to_text(each.at), each.direction, each.text, each.size_bytes) for each in heard]


class FramesSubscription:
    """The frames of one session: those that are kept first, then those that come. None of them is ever sent again."""

    def __init__(self, hub: Hub, wanted: frames.Subscribe, waker: Callable[[], None]) -> None:
        """Listen to a session; have `waker` called when more was said.

        Raises:
            UsageError: It is not said which.
        """
        if wanted.session is None:
            msg = "frames are of one session: name it"
            raise UsageError(msg)
        self.over = False
        self._session = StreamId(wanted.session)
        self._hub = hub
        self._sub = wanted.sub
        self._number = 0
        self._begun = False
        hub.overhear(self, waker)

    async def next(self) -> bytes | None:
        """Return what was said since; once also that there is nothing yet.

        Raises:
            NotFoundError: There is no such session.
        """
        if not self._begun:
            await self._hub.require(self._session)
        heard = self._hub.heard(self._session, self._number)[:AT_ONCE]
        if not heard and self._begun:
            return None
        self._begun = True
        if heard:
            self._number = heard[-1].number
        return encode({"type": "frames", "sub": self._sub, "frames": told(heard)})

    def close(self) -> None:
        """Listen no more."""
        self._hub.overhear_no_more(self)
