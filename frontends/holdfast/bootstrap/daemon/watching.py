"""Transcripts of other tools that the daemon follows for as long as it runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from holdfast.adapters.importers import Watch
from holdfast.domain.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.frontends.gateway.house import Watching

_log = logging.getLogger("holdfast.watch")


class Watches:
    """All that is followed until the daemon ends. Used in one event loop."""

    def __init__(self, make: Callable[[Sequence[str]], Watching]) -> None:
        """Make what follows sources with `make`."""
        self._make = make
        self._kept: dict[tuple[str, ...], Watching] = {}
        self._more = anyio.Event()

    @property
    def sources(self) -> list[str]:
        """What is followed."""
        return list(dict.fromkeys(source for sources in self._kept for source in sources))

    def keep(self, sources: Sequence[str], watching: Watching) -> None:
        """Go on with what somebody has begun to follow."""
        self._kept.setdefault(tuple(sources), watching)
        self._more.set()

    async def begin(self, sources: Sequence[str]) -> None:
        """Follow what the configuration names. What cannot be followed is told to the log, and stops nothing else."""
        for source in sources:
            watching = self._make([source])
            try:
                await to_thread.run_sync(watching.begin)
            except HoldfastError as error:
                _log.warning("cannot be watched", exc_info=error, extra={"source": source})
            else:
                self.keep([source], watching)

    async def run(self) -> None:
        """Look for news until cancelled. Open turns stay open: whoever follows next goes on with them."""
        while True:
            if not self._kept:
                await self._more.wait()
            for sources, watching in list(self._kept.items()):
                try:
                    await to_thread.run_sync(watching.look)
                except HoldfastError as error:
                    _log.warning("news cannot be imported", exc_info=error, extra={"sources": list(sources)})
            await anyio.sleep(Watch.pause_s)  # no file tells that it was written to
