"""A beat that all busy links share: what comes in between two beats is read, written and shown together."""

from __future__ import annotations

from typing import Final

import anyio

BEAT_S: Final = 0.01
"""How long pieces of text may gather. A commit costs about the same for one event and for a hundred of them."""


class Pulse:
    """Wakes everybody who rests at the same moment. While nobody does, nothing happens."""

    def __init__(self, beat_s: float = BEAT_S) -> None:
        """Beat every `beat_s` seconds once `run` is at work."""
        self._beat_s = beat_s
        self._beat = anyio.Event()
        self._wanted = anyio.Event()

    async def rest(self) -> None:
        """Return at the next beat."""
        self._wanted.set()
        await self._beat.wait()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._wanted.wait()
            await anyio.sleep(self._beat_s - anyio.current_time() % self._beat_s)
            self._wanted = anyio.Event()
            beat, self._beat = self._beat, anyio.Event()
            beat.set()
