"""Who asks the daemon for something right now: work that nobody waits for gives way to them."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

_RECENT_S: Final = 0.25
"""Who has been answered will often ask again at once."""

_LONG_S: Final = 2.0
"""Whoever waits for longer follows something, and is not kept waiting by anybody."""


class Callers:
    """Counts requests over HTTP. Frontends on the stream are not among them: what they follow is told from memory."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        """Know of nobody yet; `now` is a clock in seconds."""
        self._now = now
        self._open = 0
        self._came_at = self._went_at = -inf

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for an answer, or had one a moment ago."""
        now = self._now()
        return (self._open > 0 and now - self._came_at < _LONG_S) or now - self._went_at < _RECENT_S

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, whose callers are noticed."""

        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            self._open += 1
            self._came_at = self._now()
            try:
                await app(scope, receive, send)
            finally:
                self._open -= 1
                self._went_at = self._now()

        return called
