"""What a person has seen of the session in focus. Only that clears its unread count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from holdfast.domain.recorded import StreamId

_PAUSE_S: Final = 0.2
"""Text comes in many pieces; nobody needs each of them to be marked read."""


class Seen:
    """The focus of one attachment, and how far it has come in that session."""

    def __init__(self, mark: Callable[[StreamId, int], Awaitable[None]]) -> None:
        """Call `mark` with a session and the position up to which it was seen."""
        self._mark = mark
        self._session: StreamId | None = None
        self._by_client: int | UnsetType | None = UNSET
        self._shown: dict[StreamId, int] = {}
        self._told: tuple[StreamId, int] | None = None
        self._news = anyio.Event()

    def focus(self, session: StreamId | None, seen: int | UnsetType | None) -> None:
        """The person looks at this session now, and sees what is up to `seen`."""
        self._session = session
        self._by_client = seen
        self._told = None
        self._news.set()

    def shown(self, session: StreamId, position: int) -> None:
        """The session's transcript was sent up to `position`."""
        self._shown[session] = position
        if session == self._session and self._by_client is UNSET:
            self._news.set()

    async def run(self) -> None:
        """Mark what is seen, for ever."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            session = self._session
            if session is None:
                continue
            seen = self._shown.get(session) if self._by_client is UNSET else self._by_client
            if seen is not None and (session, seen) != self._told:
                self._told = (session, seen)
                await self._mark(session, seen)
                await anyio.sleep(_PAUSE_S)
