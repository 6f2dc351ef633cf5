"""The subject of the append figures: a store, and sessions whose callers wait for each event before the next."""

from __future__ import annotations

from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING

import anyio

from tests.benchmarks.material import new_session, piece, row_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import StreamId


class Callers:
    """Coroutines on one event loop, one a session.

    Attributes:
        latencies_s: How long each append took, as its caller saw it.
    """

    def __init__(self, store: Store, sessions: int) -> None:
        """Append to `store`, which the caller closes."""
        self._store = store
        self._versions: dict[StreamId, int] = {new_session(): 0 for _ in range(sessions)}
        self._row = row_of(new_session())
        self.latencies_s: list[float] = []

    def append_for(self, seconds: float) -> float:
        """Let every session append one event after the other; return how many a second that were."""
        return anyio.run(self._run, seconds)

    async def _run(self, seconds: float) -> float:
        before = len(self.latencies_s)
        begin = perf_counter()
        async with anyio.create_task_group() as tasks:
            for session in self._versions:
                tasks.start_soon(self._call, session, begin + seconds)
        return (len(self.latencies_s) - before) / (perf_counter() - begin)

    async def _call(self, session: StreamId, end: float) -> None:
        version = self._versions[session]
        begin = perf_counter()
        while begin < end:
            version += 1
            await self._store.append([piece(session, version)], self._row)
            now = perf_counter()
            self.latencies_s.append(now - begin)
            begin = now
        self._versions[session] = version


def p99_ms(seconds: Sequence[float]) -> float:
    """Return the time that one in a hundred takes longer than."""
    return quantiles(seconds, n=100)[98] * 1000 if len(seconds) > 1 else sum(seconds) * 1000
