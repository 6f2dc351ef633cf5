"""What the tests of this package begin with: events of no particular meaning, and stores that are closed again."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import RosterRow, Store
from holdfast.domain.recorded import EventId, Recorded, StreamId
from holdfast.domain.session.events import TextAppended

if TYPE_CHECKING:
    from pathlib import Path

RECORDED_AT = 1_700_000_000_000_000


def said(stream: str, version: int, text: str = "hello", *, cause: str | None = None) -> Recorded:
    """An event with an id of its own."""
    return Recorded(
        StreamId(stream), version, EventId(uuid.uuid4().bytes), RECORDED_AT, TextAppended("m1", text), cause
    )


def row(text: str = "{}", *, ended: bool = False, updated_at: int = RECORDED_AT) -> RosterRow:
    """A row for the roster."""
    return RosterRow("session", ended, 0, updated_at, text)


@dataclass
class Stores:
    """Opens stores at one address."""

    url: str
    stack: ExitStack = field(default_factory=ExitStack)

    def settings(self, wait_s: float = 0.0) -> StoreSettings:
        """The settings of the address; nobody waits for a lock unless a test is about waiting."""
        return StoreSettings.from_url(self.url, wait_s=wait_s)

    def open(self, *, write: bool = True, inline: bool = False, checkpoints: Path | None = None) -> Store:
        """Open the store; it is closed after the test at the latest."""
        store = open_store(self.settings(), write=write, inline=inline, checkpoints=checkpoints, environ={})
        return self.stack.enter_context(store)
