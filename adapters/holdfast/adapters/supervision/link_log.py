"""The stream of one link: attempts, delays, what the peer says of itself; and where the link stands after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from holdfast.adapters.supervision.gathering import PASSING
from holdfast.domain.errors import StoreError
from holdfast.domain.journal import Batch
from holdfast.domain.link.state import LinkState, evolve
from holdfast.domain.recorded import DAEMON, Recorded, StreamId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.adapters.supervision.keeper import Ledger
    from holdfast.domain.journal import Journal
    from holdfast.domain.session.facts import Fact

AGAIN_S = 1.0


class LinkLog:
    """Writes one link's stream.

    Attributes:
        id: What the log calls the link.
        state: Where it stands.
    """

    def __init__(self, journal: Journal, ledger: Ledger) -> None:
        self.id = StreamId("")
        self.state = LinkState()
        self._version = 0
        self._journal = journal
        self._ledger = ledger

    async def resume(self, link_id: StreamId) -> None:
        """Go on with a stream that may be there."""
        self.id = link_id
        self._version, self.state = await self._journal.link(link_id)

    def begin(self, link_id: StreamId) -> None:
        """Begin a stream for a link that is the successor of this one."""
        self.id, self._version = link_id, 0
        self.state = LinkState(ever_opened=self.state.ever_opened, error=self.state.error)

    async def record(self, facts: Iterable[Fact]) -> None:
        """Append facts; wait while the log has no room.

        Raises:
            StoreError: The log takes nothing more.
        """
        journal = self._journal
        events = tuple(
            Recorded(self.id, version, journal.new_event_id(), journal.now(), fact, None, DAEMON)
            for version, fact in enumerate(facts, self._version + 1)
        )
        while events:
            try:
                with anyio.CancelScope(shield=True):
                    await journal.append([Batch(events)])
            except PASSING:
                await anyio.sleep(AGAIN_S)
            except StoreError as error:
                self._ledger.give_up(error)
                raise
            else:
                break
        for recorded in events:
            self._version = recorded.originator_version
            self.state = evolve(self.state, recorded.event)
