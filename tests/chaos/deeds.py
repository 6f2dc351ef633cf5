"""What a store does, one deed a process and in one thread, so that its system calls can be counted and cut.

It says what `writer` says; `done` comes last.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from holdfast.adapters.exporters import export
from holdfast.adapters.storage.compact import compact
from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.sqlite_log import SqliteLog
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.rebuild import rebuild
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.bootstrap.exporting import StoreSource
from holdfast.domain.errors import HoldfastError
from holdfast.domain.recorded import Actor
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, record
from holdfast.frontends.cli.output import save
from tests.chaos.load import history, loaded, name_of, next_events, shown
from tests.chaos.mutants import apply_mutant
from tests.chaos.writer import STOPPED, acknowledged, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.exported import Format
    from holdfast.domain.recorded import Recorded

SESSIONS = 3

OWN = 100
"""Number of a picture that the first session alone shows."""


def append(store: Store) -> None:
    """A few more requests of sessions that are there, and a new one."""
    random = Random("append")
    sessions = [loaded(store, name_of(number)) for number in range(SESSIONS + 1)]
    for turn in range(6):
        session = sessions[turn % len(sessions)]
        events = next_events(session, random)
        sessions[turn % len(sessions)] = session = fold(session, events)
        acknowledged(events, store.append_now(events, roster_row(session)))


def attach(store: Store) -> None:
    """Say with pictures what has words elsewhere: some that are kept already, some twice, one in a job."""
    for turn in range(3):
        session = loaded(store, name_of(turn))
        events = _pictured(session, turn, OWN + turn)
        acknowledged(events, store.append_now(events, roster_row(fold(session, events))))
    session = loaded(store, name_of(0))
    events = _pictured(session, OWN + 7, OWN + 7)
    row = roster_row(fold(session, events))
    acknowledged(events, store.write(lambda transaction: transaction.append(events, row)))


def _pictured(session: Session, *numbers: int) -> tuple[Recorded, ...]:
    fact = e.MessageReceived(f"pictures-{session.version}", shown(*numbers))
    context = Context(now_us(), new_event_id, Actor("human", "chaos"), new_event_id().hex())
    return record(session, (fact,), context)


def checkpoint(store: Store) -> None:
    """Append, copy the write-ahead log into the database, append again; leaving signs the head."""
    append(store)
    log = store._writer._log if store._writer else None  # pyright: ignore[reportPrivateUsage] # it decides when
    assert isinstance(log, SqliteLog)
    log._checkpoint("PASSIVE")  # pyright: ignore[reportPrivateUsage] # this is the moment
    append(store)


def catch_up(store: Store) -> None:
    """Fold what is new into the views."""
    while store.write(lambda transaction: projector.step(transaction.connection, 40)):
        pass


def build_anew(store: Store) -> None:
    """Drop every view and build it from the log."""
    store.write(lambda transaction: rebuild(transaction.connection, transaction.connection))


def erase_one(store: Store) -> None:
    """Erase the first session."""
    erase(store, name_of(0), actor=Actor("human", "chaos"))
    say("erased", name_of(0))


def compact_all(store: Store) -> None:
    """Compact every session, whatever that saves."""
    for number in range(SESSIONS):
        compact(store, name_of(number))


def export_all(store: Store, home: Path) -> None:
    """Export one session as a file and another as a bundle."""
    source = StoreSource(store, home / "checkpoints")
    kinds: tuple[Format, ...] = ("jsonl", "bundle")
    for number, kind in enumerate(kinds):
        save(home / kind, export(source, name_of(number), kind, redact=None, environ={}).files)


def fill(store: Store) -> None:
    """Write what the other deeds find."""
    for number in range(SESSIONS):
        for session, events in history(name_of(number), Random(f"fill-{number}"), 60):
            acknowledged(events, store.append_now(events, roster_row(session)))
    session = loaded(store, name_of(0))
    events = _pictured(session, OWN)
    acknowledged(events, store.append_now(events, roster_row(fold(session, events))))
    store.write(lambda transaction: projector.step(transaction.connection, 100))


def migrate(store: Store) -> None:
    """Nothing: opening did it."""


DEEDS: dict[str, Callable[[Store], None]] = {
    "append": append,
    "attach": attach,
    "checkpoint": checkpoint,
    "catch-up": catch_up,
    "rebuild": build_anew,
    "erase": erase_one,
    "compact": compact_all,
    "migrate": migrate,
    "upgrade": migrate,
    "fill": fill,
}


def main(arguments: Sequence[str]) -> int:
    """Open the store, do one deed, close it."""
    parser = ArgumentParser()
    parser.add_argument("deed", choices=[*DEEDS, "export"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--mutant")
    parser.add_argument("--leave", action="store_true", help="exit without closing, as a kill would")
    options = parser.parse_args(arguments)
    apply_mutant(options.mutant)
    try:
        store = open_store(
            StoreSettings.from_url(options.url, wait_s=5), checkpoints=options.home / "checkpoints", inline=True
        )
        say("ready")
        DEEDS[options.deed](store) if options.deed in DEEDS else export_all(store, options.home)
        if not options.leave:
            store.close()
    except (HoldfastError, OSError) as error:
        say("stopped", type(error).__name__, error)
        return STOPPED
    say("done")
    return 0
