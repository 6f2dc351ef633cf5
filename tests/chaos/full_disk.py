"""The program that meets a full disk: it appends until nothing goes any more, reads, gets space back and goes on.

With `--compact` it compacts everything on the full disk, and again when there is space.

It says `full`, `read EVENTS`, `recovered SECONDS` and, for each thing that does not hold, `violation …`.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from holdfast.adapters.storage.compact import compact
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.errors import StoreError, StoreFullError
from holdfast.domain.session.session import Session, fold
from tests.chaos.invariants import check, told
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
        self._sessions: list[Session] = []
        self.read_anew()
        self.acks: list[Ack] = []

    def read_anew(self) -> None:
        """Take the sessions as the log has them."""
        self._sessions = [loaded(self._store, name_of(number)) for number in range(SESSIONS)]

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


def compact_on_a_full_disk(store: Store) -> None:
    """Compact every session; say which error that met, if any."""
    try:
        for number in range(SESSIONS):
            done = compact(store, name_of(number))
            if done.remains:
                say("trouble", "Remains")
    except StoreFullError as error:
        say("trouble", type(error).__name__)


def compact_with_space(store: Store) -> None:
    """Compact what is left to compact, and see that nothing of it is left anywhere."""
    for number in range(SESSIONS):
        compact(store, name_of(number))
    again = compact(store)
    if again.messages or again.remains:
        say("violation", "something was left to compact:", again)


def main(arguments: Sequence[str]) -> int:
    """Fill the disk that the home lies on."""
    parser = ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--spare", type=int, required=True, help="bytes that are given back")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--mutant")
    parser.add_argument("--compact", action="store_true")
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
        before = told(store) if options.compact else {}
        if options.compact:
            compact_on_a_full_disk(store)
        spare.unlink()
        if options.compact:
            compact_with_space(store)
            filling.read_anew()
            for name, digest in told(store).items():
                if digest != before[name]:
                    say("violation", name, "is not what it was")
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
