"""What must hold of a store after any fault, checked against what processes said before they died."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.check import fresh_digests
from holdfast.domain.errors import ViewsDifferError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from holdfast.adapters.storage.settings import StoreSettings
    from holdfast.adapters.storage.store import Store
    from tests.chaos.words import Ack, Words

Log = dict[int, tuple[str, int, str, str | None]]
"""By position: session, version, event id, cause."""


@dataclass
class Findings:
    """What was found of one store.

    Attributes:
        violations: What does not hold; empty when all is well.
        events: How long the log is.
        ready_s: How long opening it took.
    """

    violations: list[str] = field(default_factory=list[str])
    events: int = 0
    ready_s: float = 0.0


def check(settings: StoreSettings, home: Path, words: Sequence[Words], *, views: bool = True) -> Findings:
    """Open the store as its next writer would and return what does not hold.

    Args:
        settings: Where the store is.
        home: The folder with its `checkpoints`.
        words: What every process that ever wrote to it has said.
        views: Whether to compare the views with a rebuild and to verify the chain, which take most of the time.
    """
    before = time.monotonic()
    try:
        store = open_store(settings, checkpoints=home / "checkpoints")
    except Exception as error:  # noqa: BLE001 - whatever it is, a writer could not go on
        return Findings([f"the store cannot be opened: {error!r}"])
    findings = Findings(ready_s=time.monotonic() - before)
    try:
        if store.regressed is not None:
            findings.violations.append(f"the log is said to have gone backwards: {store.regressed}")
            return findings
        with store.reading() as connection:
            log = read_log(connection)
        findings.events = len(log)
        findings.violations += compare(log, words)
        if views:
            findings.violations += _derived(store, settings, home)
    finally:
        store.close()
    return findings


def told(store: Store) -> dict[str, str]:
    """Return a digest for each view, as the log alone makes it."""
    with store.reading() as connection:
        return fresh_digests(connection)


def otherwise_told(settings: StoreSettings, before: dict[str, str]) -> list[str]:
    """Return which views are not what they were, whatever was compacted of the log."""
    with open_store(settings, write=False) as store:
        after = told(store)
    return [f"{name} is not what it was" for name in after if after[name] != before[name]]


def read_log(connection: Connection) -> Log:
    """Return every event's name tag by its position."""
    events, keys = schema.events.c, schema.keys.c
    statement = (
        select(events.position, keys.id, events.version, events.event_id, events.cause)
        .join_from(schema.events, schema.keys, events.stream == keys.stream)
        .order_by(events.position)
    )
    return {
        position: (name, version, bytes(event_id).hex(), cause)
        for position, name, version, event_id, cause in connection.execute(statement)
    }


def compare(log: Log, words: Iterable[Words]) -> list[str]:
    """Return what a log contradicts: itself, or what was said of it."""
    violations = [*_gapless(log), *_once(log)]
    for each in words:
        violations += lost(log, each.acks)
        violations += _slice(log, each.saw)
    return violations


def lost(log: Log, acks: Iterable[Ack]) -> list[str]:
    """Return which acknowledged events the log does not hold where they were said to be."""
    return [
        f"acknowledged, but not in the log: {ack}"
        for ack in acks
        if log.get(ack.position, ())[:3] != (ack.session, ack.version, ack.event_id)
    ]


def _gapless(log: Log) -> list[str]:
    violations: list[str] = []
    ends: dict[str, int] = {}
    for expected, (position, (name, version, _, _)) in enumerate(log.items(), 1):
        if position != expected:
            return [*violations, f"position {expected} is missing, {position} follows"]
        if version != ends.get(name, 0) + 1:
            violations.append(f"version {version} of {name} follows {ends.get(name, 0)}")
        ends[name] = version
    return violations


def _once(log: Log) -> list[str]:
    ids = [event_id for _, _, event_id, _ in log.values()]
    violations = [] if len(set(ids)) == len(ids) else ["an event id stands in the log twice"]
    closed: dict[str, int] = {}
    for position, (name, _, _, cause) in log.items():
        if cause is None:
            continue
        key = f"{name} {cause}"
        if key in closed and closed[key] != position - 1:
            violations.append(f"command {cause} of {name} was carried out twice, at {closed[key]} and {position}")
        closed[key] = position
    return violations


def _slice(log: Log, saw: Sequence[tuple[int, str]]) -> list[str]:
    if not saw:
        return []
    first = saw[0][0]
    for expected, (position, event_id) in enumerate(saw, first):
        if position != expected:
            return [f"a reader that had seen {expected - 1} got {position} next"]
        found = log.get(position)
        if found is None or found[2] != event_id:
            return [f"a reader saw an event at {position} that the log does not hold"]
    return []


def _derived(store: Store, settings: StoreSettings, home: Path) -> list[str]:
    """Compare what is computed from the log with the log: views and hashes."""
    while store.write(lambda transaction: projector.step(transaction.connection)):
        pass
    violations: list[str] = []
    with store.reading() as connection:
        try:
            fresh_digests(connection)
        except ViewsDifferError as error:
            violations.append(f"views: {error}")
    verdict = verify(store.readers, home / "checkpoints", settings.label, attachments=store.attachments)
    if not verdict.ok:
        violations.append(f"verify: {verdict}")
    return violations
