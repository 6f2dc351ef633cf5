"""Following the log: events in order of position, and a mark each time the reader has caught up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from holdfast.adapters.storage.reading import Feed
    from holdfast.domain.recorded import Recorded


class CaughtUp(Struct, frozen=True):
    """Everything that was committed up to `position` has been delivered."""

    position: int


class Bell(Protocol):
    """What a follower waits on when it has read everything."""

    def arm(self) -> None:
        """Begin to listen: what is committed from here on makes `wait` return."""

    async def wait(self) -> None:
        """Return when something may have been committed since `arm`."""

    def close(self) -> None:
        """Stop listening."""


async def follow(
    read: Callable[[Feed], Awaitable[tuple[list[Recorded], bool]]], feed: Feed, bell: Bell
) -> AsyncGenerator[Recorded | CaughtUp]:
    """Yield events as they come, for ever.

    The bell is armed before the log is read, so that a commit in between rings it. Nothing is buffered for a slow
    consumer: it reads on from its own place whenever it asks.
    """
    marked = -1
    try:
        while True:
            bell.arm()
            at_end = False
            while not at_end:
                events, at_end = await read(feed)
                for event in events:
                    yield event
            if feed.position > marked:
                marked = feed.position
                yield CaughtUp(marked)
            await bell.wait()
    finally:
        bell.close()


class RecorderSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's blocking subscription, woken by the committer of this process."""

    def __init__(
        self,
        recorder: ApplicationRecorder,
        gt: int | None,
        topics: Sequence[str],
        listen: Callable[[Callable[[], None]], Callable[[], None]],
    ) -> None:
        """Start to follow; `listen` registers a callback and returns how to take it back."""
        self._unlisten: Callable[[], None] | None = None
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._unlisten = listen(self._has_been_notified.set)
        self._has_been_notified.set()  # for what was committed before it could hear of it

    def stop(self) -> None:
        """Stop the iteration and the thread behind it."""
        if self._unlisten is not None:
            self._unlisten()
        super().stop()
