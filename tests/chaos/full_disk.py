"""The program that meets a full disk: it appends until nothing goes any more, reads, gets space back and goes on.

It says `full`, `read EVENTS`, `recovered SECONDS` and, for each thing that does not hold, `violation …`.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.errors import StoreError, StoreFullError
from holdfast.domain.session.session import Session, fold
from tests.chaos.invariants import check
from tests.chaos.load import loaded, name_of, next_events
from tests.chaos.mutants import apply_mutant
from tests.chaos.words import Ack, Words
from tests.chaos.writer import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.store import Store

SESSIONS = 4
REFUSALS = 5
"""Refusals in a row after which the disk counts as really full: the first ones may free what was held back."""

PATIENCE_S = 30.0


class Filling:
    """Sessions that append in turn, and what was acknowledged to them."""

    def __init__(self, store: Store, seed: str) -> None:
        self._store = store
        self._random = Random(seed)
        self._sessions = [loaded(store, name_of(number)) for number in range(SESSIONS)]
        self.acks: list[Ack] = []

    def append(self) -> None:
        """Append one request, or raise what stands in its way."""
        session = self._sessions.pop(0)
        try:
            events = next_events(session, self._random)
            after: Session = fold(session, events)
            positions = self._store.append_now(events, roster_row(after))
        except StoreError:
            self._sessions.append(session)
            raise
        self._sessions.append(after)
        self.acks += [
            Ack(event.originator_id, event.originator_version, position, event.event_id.hex(), event.cause or "")
            for event, position in zip(events, positions, strict=True)
        ]

    def fill_up(self) -> None:
        """Append until the store says again and again that it is full."""
        refused = 0
        while refused < REFUSALS:
            try:
                self.append()
            except StoreFullError:
                refused += 1
            else:
                refused = 0

    def recover(self) -> float:
        """Append until it goes again; return how many seconds that took."""
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE_S:
            try:
                self.append()
            except StoreFullError:
                continue
            return time.monotonic() - began
        message = f"still full {PATIENCE_S} s after space came back"
        raise TimeoutError(message)


def main(arguments: Sequence[str]) -> int:
    """Fill the disk that the home lies on."""
    parser = ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--spare", type=int, required=True, help="bytes that are given back")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--mutant")
    options = parser.parse_args(arguments)
    apply_mutant(options.mutant)
    home: Path = options.home
    spare = home / "spare"
    spare.write_bytes(bytes(options.spare))
    settings = StoreSettings.from_url(f"sqlite:///{home}/log.db")
    store = open_store(settings, checkpoints=home / "checkpoints")
    filling = Filling(store, options.seed)
    try:
        filling.fill_up()
        say("full", len(filling.acks))
        say("read", sum(1 for _ in store.log()))
        spare.unlink()
        say("recovered", f"{filling.recover():.4f}")
        for _ in range(50):
            filling.append()
    except (StoreError, TimeoutError) as error:
        say("violation", type(error).__name__, error)
    store.close()
    for violation in check(settings, home, [Words(acks=filling.acks)]).violations:
        say("violation", violation)
    say("done")
    return 0
