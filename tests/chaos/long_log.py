"""A log as years leave it behind, made in a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, handle
from tests.chaos.load import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.adapters.storage.settings import StoreSettings

_AT_ONCE = 1_000
_A_SESSION = 10_000


def build_long_log(settings: StoreSettings, home: Path, length: int) -> int:
    """Make a store with about `length` events in sessions of ten thousand; return how many there are.

    The sessions that writers go on with stay short, so that what is measured is the log and not their fold.
    """
    with open_store(settings, checkpoints=home / "checkpoints") as store:
        while store.head() < length:
            session = Session(name_of(1_000 + store.head()))
            context = Context(now_us(), new_event_id)
            events = handle(session, c.Create(transport="acp", title="long"), context)
            while session.version < _A_SESSION:
                session = fold(session, events)
                store.append_now(events, roster_row(session))
                said = tuple(e.TextAppended(f"item-{number}", "word " * 24) for number in range(_AT_ONCE))
                events = handle(session, c.Observe(said), context)
        return store.head()
