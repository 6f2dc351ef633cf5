"""Sessions in memory, each of them once: who is loaded, who waits for that, and who makes room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from holdfast.adapters.supervision.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Collection

    from holdfast.adapters.supervision.keeper import Ledger
    from holdfast.domain.journal import Journal
    from holdfast.domain.recorded import StreamId

RESTING: Final = 512
"""Sessions that are kept in memory although nothing carries them."""


class Keepers:
    """The keepers of a fleet.

    Attributes:
        surveyed: Set once it is known which sessions need recovery; those wait for it, all others do not.
    """

    def __init__(self, journal: Journal, ledger: Ledger, carried: Collection[StreamId]) -> None:
        """Load from `journal`; sessions that are `carried` make no room."""
        self.surveyed = anyio.Event()
        self._journal = journal
        self._ledger = ledger
        self._carried = carried
        self._of: dict[StreamId, Keeper] = {}
        self._loading: dict[StreamId, anyio.Event] = {}

    async def get(self, session_id: StreamId) -> Keeper:
        """Return the keeper of a session once it is recovered; of version 0 where there is no such session."""
        keeper = self._of.get(session_id)
        if keeper is None:
            await self.surveyed.wait()
            keeper = self._of.get(session_id) or await self._load(session_id)
        await keeper.recovered.wait()
        return keeper

    def known(self, session_id: StreamId) -> Keeper | None:
        """Return the keeper of a session that is in memory."""
        return self._of.get(session_id)

    def held(self, keeper: Keeper) -> Keeper:
        """Return the one keeper of a session: this one, also where it has just made room, or one that came since."""
        return self._of.setdefault(keeper.id, keeper)

    def adopt(self, keeper: Keeper) -> None:
        """Keep a session in memory; the oldest that nothing carries makes room."""
        self._of[keeper.id] = keeper
        for pending in keeper.session.state.pending:
            self._ledger.remember(pending.request_id, keeper.id)
        if len(self._of) > RESTING + len(self._carried):
            for name, each in self._of.items():
                if (
                    each is not keeper
                    and name not in self._carried
                    and each.recovered.is_set()
                    and not each.lock.locked()
                ):
                    self.drop(name)
                    break

    def expect(self, keeper: Keeper) -> bool:
        """Take in a session that is about to be recovered; False for one that is here already."""
        return self._of.setdefault(keeper.id, keeper) is keeper

    def drop(self, session_id: StreamId) -> None:
        """Keep a session in memory no longer."""
        self._of.pop(session_id, None)

    async def _load(self, session_id: StreamId) -> Keeper:
        if (loading := self._loading.get(session_id)) is not None:
            await loading.wait()
            return self._of.get(session_id) or await self._load(session_id)
        loaded = self._loading[session_id] = anyio.Event()
        try:
            keeper = Keeper(await self._journal.load(session_id))
            keeper.recovered.set()
            if keeper.session.version:
                self.adopt(keeper)
            return keeper
        finally:
            del self._loading[session_id]
            loaded.set()
