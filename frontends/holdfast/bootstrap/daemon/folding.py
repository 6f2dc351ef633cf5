"""Views kept up in the background, so that whoever opens a session does not fold what came since."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from holdfast.adapters.storage.views import projector
from holdfast.domain.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction

_GATHER_S = 0.5
"""How long events gather before they are folded: a chunk of text each would be a transaction each."""

_EVENTS = 500
"""Folded at a time; appends of live sessions wait meanwhile."""

_log = logging.getLogger("holdfast.views")


async def keep_up(store: Store) -> None:
    """Fold what is committed into the stored views, until cancelled or until the store writes no more."""
    bell = store.bell()
    try:
        while store.stopped is None:
            bell.arm()
            try:
                while await store.write_async(_step):
                    pass
            except HoldfastError as error:
                # Readers fold what the views lack; nothing is lost while they are behind.
                _log.warning("views cannot be kept up", exc_info=error)
            await bell.wait()
            await anyio.sleep(_GATHER_S)
    finally:
        bell.close()


def _step(transaction: WriteTransaction) -> int:
    return projector.step(transaction.connection, _EVENTS)
