"""Views kept up in the background, so that whoever opens a session does not fold what came since."""

from __future__ import annotations

import logging
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.views.live import Bites, Next
from holdfast.bootstrap.daemon import memory
from holdfast.domain.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.subscription import Bell
    from holdfast.bootstrap.daemon.callers import Callers

_GATHER_S: Final = 1.0
"""How long events gather before they are folded: the text that a piece belongs to is written anew each time."""

_QUIET_S: Final = 0.25
"""Nothing was committed for so long: whatever is left is done at once."""

_SHARE: Final = 4
"""After a bite while others are at work, the writer is left to them for so many times as long."""

_PAUSE: Final = 6
"""And the interpreter after what was folded beside the writer: the event loop wants it, and has text to pass on."""

_LOOKED_AT: Final = 8_000
"""Events in which references to attachments are looked for in one bite."""

_log = logging.getLogger("holdfast.views")


async def keep_up(store: Store, callers: Callers) -> None:
    """Fold what is committed into the stored views, until cancelled or until the store writes no more.

    Whoever appends, or is among `callers`, goes first.
    """
    bites = Bites()
    bell, others = store.bell(), _Others(store.bell(), callers)
    try:
        while store.stopped is None:
            bell.arm()
            try:
                await _keep_up(store, bites, bell, others)
            except HoldfastError as error:
                # Readers fold what the views lack; nothing is lost while they are behind. What of it was undone with
                # its transaction is asked of the log.
                _log.warning("views cannot be kept up", exc_info=error)
                bites = Bites()
                await bell.wait()
    finally:
        bell.close()
        others.close()


async def _keep_up(store: Store, bites: Bites, bell: Bell, others: _Others) -> None:
    """Fold what is there, and return when there is more."""

    async def bite(work: Callable[[Connection], int | bool]) -> bool:
        begun = monotonic()
        left = await store.fold_async(work)
        await make_way(begun, _SHARE if left else 0)
        return bool(left)

    async def make_way(begun: float, share: float) -> None:
        spent = monotonic() - begun
        wanted = await others.at_work()
        bites.make_way(wanted=wanted)
        if share and wanted:
            await anyio.sleep(share * spent)

    async def gathered() -> Next:
        begun = monotonic()
        what = await store.read_async(bites.gather)
        await make_way(begun, _PAUSE if what == "more" else 0)
        return what

    while (what := await gathered()) != "nothing":
        if what == "fold" or (what == "write" and not await store.fold_async(bites.write)):
            await bite(bites.fold)
        while bites.crowded and await bite(lambda connection: bites.index(connection, everything=True)):
            pass
    while await bite(lambda connection: bites.index(connection, everything=False)):
        pass
    while await bite(lambda connection: referred.refresh(connection, most=_LOOKED_AT)):
        pass
    await anyio.sleep(_GATHER_S)
    with anyio.move_on_after(_QUIET_S) as silence:
        await bell.wait()
    if silence.cancelled_caught:  # nothing happens, so nothing of it will soon change again
        while await bite(lambda connection: bites.index(connection, everything=True)):
            pass
        await anyio.to_thread.run_sync(memory.give_back)
        await bell.wait()


class _Others:
    """Who else wants the writer, or the interpreter.

    A bite is over before most of those who are at work come again, so that it counts who came a moment ago.
    """

    def __init__(self, bell: Bell, callers: Callers) -> None:
        self._bell = bell
        self._callers = callers
        self._heard_at = -inf
        bell.arm()

    async def at_work(self) -> bool:
        """Tell whether somebody appends, or asks for something."""
        with anyio.move_on_after(0) as silence:
            await self._bell.wait()
        if not silence.cancelled_caught:
            self._bell.arm()
            self._heard_at = monotonic()
        return self._callers.waiting or monotonic() - self._heard_at < _QUIET_S

    def close(self) -> None:
        """Stop listening."""
        self._bell.close()
