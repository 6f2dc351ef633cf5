"""Every view anew from the log, and digests that tell whether two stores show the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, func, inspect, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.views import inbox, passages, roster, transcript
from holdfast.adapters.storage.views.projector import FOLDS
from holdfast.adapters.storage.views.source import batches
from holdfast.adapters.storage.views.tables import track
from holdfast.domain.session.session import Session, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from holdfast.domain.recorded import Recorded

_encode = msgspec.json.Encoder(order="sorted").encode


def rebuild(log: Connection, views: Connection, progress: Callable[[int, int], None] | None = None) -> None:
    """Empty every view behind `views` and fold the whole log behind `log` into them.

    The two may be the same connection; a check gives an empty database as the second.
    Memory grows with the number of sessions, not of events.
    """
    for table in (schema.sessions, schema.links, schema.items, schema.inbox, schema.snapshots):
        views.execute(delete(table))
    # An erasure that a kill interrupted is on record there too, and is still to be finished.
    views.execute(delete(schema.projections).where(schema.projections.c.name.in_(FOLDS)))
    passages.clear(views)
    total = log.scalar(select(func.max(schema.events.c.position))) or 0
    sessions: dict[int, Session] = {}
    for batch in batches(log, after=0):
        by_stream: dict[int, list[Recorded]] = {}
        for stream, recorded in batch.events:
            by_stream.setdefault(stream, []).append(recorded)
        for stream, happened in by_stream.items():
            sessions[stream] = fold(sessions.get(stream) or Session(happened[0].originator_id), happened)
        for name, fold_into in FOLDS.items():
            if name != passages.NAME:  # what it says of an item comes from the item alone, so once is enough
                fold_into(views, batch.events)
        if progress is not None:
            progress(batch.end, total)
    passages.fill(views)
    roster.store(views, {head: sessions[head.stream] for head in heads(log) if head.stream in sessions})
    for name in FOLDS:
        track(views, name, total)
    referred.refill(log, views)


def heads(log: Connection) -> list[roster.Head]:
    """Return the end of every stream, from the events themselves."""
    events = schema.events
    last = select(events.c.stream, func.max(events.c.version).label("version")).group_by(events.c.stream).subquery()
    statement = select(events.c.stream, events.c.version, events.c.hash, events.c.position).join(
        last, (events.c.stream == last.c.stream) & (events.c.version == last.c.version)
    )
    return [roster.Head(*row) for row in log.execute(statement)]


def digests(views: Connection) -> dict[str, str]:
    """Return a SHA-256 for each view over its rows in canonical order, the same for the same log on any dialect.

    A store that only older versions have written to has no view of what is searched.
    """
    keys = schema.keys
    named = dict(views.execute(select(keys.c.stream, keys.c.id)).all())
    found = {
        roster.NAME: _digest(_roster_lines(views)),
        transcript.NAME: _digest(_item_lines(views, named)),
        inbox.NAME: _digest(_inbox_lines(views)),
    }
    if inspect(views).has_table(schema.passages.name):
        found[passages.NAME] = _digest(map(_encode, passages.digest_lines(views, named)))
    return found


def _digest(lines: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line + b"\n")
    return digest.hexdigest()


def _roster_lines(views: Connection) -> Iterable[bytes]:
    """Yield what a list shows; where each session ends in the log is for `verify` to compare, and moves with it."""
    table = schema.sessions
    columns = [table.c.id, table.c.ended, table.c.rank, table.c.row]
    rows = views.execute(select(*columns).order_by(table.c.id)).all()
    for name, ended, rank, text in map(tuple, rows):
        yield _encode([name, bool(ended), rank, msgspec.json.decode(text)])


def _item_lines(views: Connection, named: dict[int, str]) -> Iterable[bytes]:
    table = schema.items
    for stream in sorted(named, key=lambda number: named[number]):
        statement = select(table.c.body).where(table.c.stream == stream).order_by(table.c.ordinal)
        for (body,) in views.execute(statement):
            yield _encode([named[stream], msgspec.json.decode(body)])


def _inbox_lines(views: Connection) -> Iterable[bytes]:
    table = schema.inbox
    for (body,) in views.execute(select(table.c.body).order_by(table.c.request_id, table.c.stream)):
        yield _encode(msgspec.json.decode(body))
