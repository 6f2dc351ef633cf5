"""The state of a store and its home in a few lines, each with what to do where something is not well."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from holdfast.adapters.storage import schema, usage
from holdfast.adapters.storage.attachments.reclaim import survey
from holdfast.adapters.storage.compact import savings
from holdfast.adapters.storage.guard import regression
from holdfast.adapters.storage.opening import now_us
from holdfast.adapters.storage.reading import head_position
from holdfast.adapters.storage.views.projector import FOLDS
from holdfast.adapters.storage.views.tables import tracked
from holdfast.domain.answers import Check
from holdfast.domain.sizes import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.adapters.storage.settings import StoreSettings
    from holdfast.adapters.storage.store import Store

_DAY_US: Final = 86_400_000_000
_LOW_BYTES: Final = 256 * 1024 * 1024
_SHOWN: Final = 3
_ID: Final = 36
_LOOKED_AT: Final = 200_000
"""Events of the largest sessions that are read to tell what compacting them would save."""

_SAFE_SQLITE: Final = (3, 51, 3)


def checks(store: Store, settings: StoreSettings, home: Path, checkpoints: Path) -> Iterator[Check]:
    """Yield what can be told without verifying the log. What takes room is counted, which reads all of it once."""
    yield _store(store, settings)
    yield _witness(store, settings, checkpoints)
    yield _permissions(home)
    if settings.dialect == "sqlite":
        yield _sqlite_version()
    yield _disk(settings.path.parent if settings.path is not None else home)
    yield _growth(store)
    yield from _room(store)
    yield _attachments(store)
    yield _views(store)


def _store(store: Store, settings: StoreSettings) -> Check:
    with store.reading() as connection:
        sessions = connection.scalar(select(func.count()).select_from(schema.sessions)) or 0
        events = head_position(connection)
        kept = connection.scalar(select(schema.store.c.position)) or 0
    what = f"{_count(sessions, 'session')}, {_count(events, 'event')}"
    detail = f"{settings.label}: {what}, schema {schema.SCHEMA_VERSION}"
    if events < kept:
        return Check("store", ok=False, detail=f"{detail}; {kept - events} events are missing: run `holdfast verify`")
    return Check("store", ok=True, detail=detail)


def _witness(store: Store, settings: StoreSettings, checkpoints: Path) -> Check:
    events = schema.events.c
    with store.reading() as connection:
        head = head_position(connection)

        def hash_at(position: int) -> bytes | None:
            return connection.scalar(select(events.hash).where(events.position == position))

        found = regression(checkpoints, settings.label, store.id, head, hash_at)
    if found is not None:
        return Check("witness", ok=False, detail=str(found))
    return Check("witness", ok=True, detail=f"nothing is known of events after position {head}")


def _permissions(home: Path) -> Check:
    wrong: list[str] = []
    for path in (home, *sorted(home.rglob("*"))):
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:
            continue  # a daemon that runs makes and removes files
        if not path.is_symlink() and mode & 0o077:
            wrong.append(f"{path.name} is {mode:04o}")
    if wrong:
        return Check("permissions", ok=False, detail=f"open to others: {', '.join(wrong[:5])}; run chmod -R go= {home}")
    return Check("permissions", ok=True, detail=f"{home} is private")


def _sqlite_version() -> Check:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= _SAFE_SQLITE:
        return Check("sqlite", ok=True, detail=version)
    detail = f"{version}; its bug with two writing connections on one log cannot strike: only one connection writes"
    return Check("sqlite", ok=True, detail=detail)


def _disk(folder: Path) -> Check:
    usage = shutil.disk_usage(folder)
    detail = f"{usage.free // 2**20} MiB free at {folder}"
    return Check("disk", ok=usage.free >= _LOW_BYTES, detail=detail)


def _growth(store: Store) -> Check:
    """Say what the last day brought. Halves the log until it finds where the day begins: a look at 40 rows at most."""
    events = schema.events.c
    since = now_us() - _DAY_US
    with store.reading() as connection:
        head = head_position(connection)
        low, high = 0, head  # the day begins somewhere in (low, high + 1]
        while low < high:
            middle = (low + high) // 2
            at_or_before = select(events.recorded_at).where(events.position <= middle + 1)
            recorded = connection.scalar(at_or_before.order_by(events.position.desc()).limit(1))
            if recorded is None or recorded < since:
                low = middle + 1
            else:
                high = middle
        grown = usage.bytes_after(connection, low)
    return Check("growth", ok=True, detail=f"{_count(head - low, 'event')} in the last 24 hours, {in_words(grown)}")


def _room(store: Store) -> Iterator[Check]:
    """Say which sessions take most, and what could be had back. Reads the log once, and the largest sessions again."""
    with store.reading() as connection:
        sessions = usage.largest(connection)
        total = in_words(usage.file_bytes(connection))
        free = usage.free_bytes(connection)
    shown = ", ".join(f"{each.id[:_ID]} {in_words(each.bytes)}" for each in sessions[:_SHOWN])
    yield Check("room", ok=True, detail=f"{total} in the database{f'; the largest sessions: {shown}' if shown else ''}")
    saved = left = 0
    budget = _LOOKED_AT
    for each in sessions:
        budget -= each.events
        if budget < 0 and each is not sessions[0]:
            left += 1
            continue
        with store.reading() as connection:
            saved += savings(connection, each.number)
    detail = f"{'' if not left else 'at least '}{in_words(saved)} by `holdfast compact`"
    if left:
        detail += f" ({_count(left, 'smaller session')} not looked at)"
    if free:
        detail += f"; {in_words(free)} of the file are free, for what is written next or by `holdfast compact`"
    yield Check("reclaimable", ok=True, detail=detail)


def _attachments(store: Store) -> Check:
    """Say what lies beside the events, by names and sizes; whether it is what it was, `verify` tells."""
    with store.reading() as connection:
        found = survey(store.attachments, connection)
    if found.missing:
        lost = f"{_count(found.missing, 'attachment')} missing or cut short: `holdfast verify` names the first"
        return Check("attachments", ok=False, detail=f"{lost}; they belong to {store.attachments.place}")
    detail = f"{_count(len(found.kept), 'attachment')}, {in_words(sum(found.kept.values()))}"
    if found.orphans:
        orphans = f"{_count(len(found.orphans), 'attachment')} that no event refers to"
        detail += f"; {in_words(sum(found.orphans.values()))} in {orphans}, for `holdfast compact` to remove"
    return Check("attachments", ok=True, detail=detail)


def _views(store: Store) -> Check:
    with store.reading() as connection:
        head = head_position(connection)
        behind = {name: head - tracked(connection, name) for name in FOLDS}
        keys = schema.keys.c
        known = select(func.count()).where(keys.kind == "session", keys.salt.is_not(None))
        lost = (connection.scalar(known) or 0) - (connection.scalar(select(func.count(schema.sessions.c.stream))) or 0)
    if lost > 0:
        detail = f"the roster lacks {_count(lost, 'session')} of the log: run `holdfast rebuild`"
        return Check("views", ok=False, detail=detail)
    late = {name: count for name, count in behind.items() if count > 0}
    if late:
        detail = ", ".join(f"{name} is {count} events behind" for name, count in late.items())
        return Check("views", ok=True, detail=f"{detail}; readers fold the rest themselves")
    return Check("views", ok=True, detail="up to date")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
