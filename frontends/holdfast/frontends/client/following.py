"""A subscription to events as a frontend holds it: its place in the log, and what came and was not taken yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import anyio
from msgspec import Struct

from holdfast.frontends.client.views import Json

if TYPE_CHECKING:
    from holdfast.domain.errors import HoldfastError

AHEAD: Final = 16
"""Frames that are read ahead of whoever takes them."""

PATIENCE_S: Final = 0.5
"""How long everything else on the connection waits for who takes nothing. The other end counts as silent only later."""


class Delivery(Struct, frozen=True):
    """Events in order of position.

    Attributes:
        cursor: Where to go on after them, also in another process and after a restart of either side.
        caught_up: Whether these were all there are for now; then there are none in it.
    """

    events: Sequence[Json]
    cursor: str
    caught_up: bool = False


class Following:
    """One of them. Whoever is too slow for it is left behind, and asks again from `after`: so nothing is skipped.

    Attributes:
        after: Cursor of the latest that was put here.
    """

    def __init__(self, after: str | int | None, session: str | None, types: Sequence[str] | None) -> None:
        """Begin after a cursor, None for all there is."""
        self.after = after
        self._session = session
        self._types = types
        self._ahead: deque[Delivery] = deque()
        self._error: HoldfastError | None = None
        self._left_behind = self._closed = False
        self._changed = anyio.Event()

    def subscription(self, sub: str) -> Json:
        """Return the frame that asks for it, from where it has come to."""
        self._left_behind = False
        wanted = {"after": self.after, "session": self._session, "types": self._types}
        return {"type": "subscribe", "sub": sub, "events": wanted}

    async def put(self, delivery: Delivery) -> bool:
        """Keep what came until it is taken; False where there is no room for it, and it has to be asked for again."""
        with anyio.move_on_after(PATIENCE_S):
            while len(self._ahead) >= AHEAD and not self._closed:
                await self._changed.wait()
        if len(self._ahead) >= AHEAD and not self._closed:
            self._left_behind = True
            return False
        self._ahead.append(delivery)
        self.after = delivery.cursor
        self._ring()
        return True

    def fail(self, error: HoldfastError) -> None:
        """Nothing comes any more, for this reason."""
        self._error = error
        self._ring()

    async def take(self) -> Delivery | None:
        """Return what came next; None where it was left behind, and everything before that was taken.

        Raises:
            HoldfastError: The daemon refuses it.
        """
        while not self._ahead:
            if self._error is not None:
                raise self._error
            if self._left_behind:
                return None
            await self._changed.wait()
        delivery = self._ahead.popleft()
        self._ring()
        return delivery

    def close(self) -> None:
        """Nobody takes anything any more."""
        self._closed = True
        self._ring()

    def _ring(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
