"""Transcripts in pages: the stored items, with what is not folded into them yet folded on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.storage.views import transcript
from holdfast.adapters.storage.views.source import Stream, stream_named, tail
from holdfast.adapters.storage.views.tables import tracked

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from holdfast.domain.projections.items import Item
    from holdfast.domain.recorded import StreamId


def page(
    connection: Connection, session_id: StreamId, *, below: int | None, limit: int
) -> tuple[list[Item], int | None]:
    """Return the newest `limit` items, or those below an ordinal, ascending, and what the page before is below.

    Costs one index range for the page, and the fold of the events that the stored view has not seen.
    """
    stream = stream_named(connection, session_id)
    if stream is None:
        return [], None
    fresh, cleared = _fresh(connection, stream)
    stored = [] if cleared else transcript.newest(connection, stream.number, below=below, limit=limit + 1)
    items = {item.id: item for item in stored}
    oldest = stored[0].ordinal if len(stored) > limit else 0
    items |= {item.id: item for item in fresh if item.ordinal >= oldest and (below is None or item.ordinal < below)}
    ascending = sorted(items.values(), key=lambda item: item.ordinal)
    shown = ascending[-limit:] if limit else []
    transcript.date(connection, shown)
    return shown, shown[0].ordinal if shown and len(ascending) > limit else None


def following(connection: Connection, session_id: StreamId, *, after: int, limit: int) -> list[Item]:
    """Return the first items after an ordinal, at most `limit` and those that no stored view has yet, ascending."""
    stream = stream_named(connection, session_id)
    if stream is None:
        return []
    fresh, cleared = _fresh(connection, stream)
    stored = [] if cleared else transcript.oldest(connection, stream.number, above=after, limit=limit)
    last = stored[-1].ordinal if len(stored) == limit else None
    items = {item.id: item for item in stored}
    items |= {item.id: item for item in fresh if item.ordinal > after and (last is None or item.ordinal <= last)}
    return sorted(items.values(), key=lambda item: item.ordinal)


def around(
    connection: Connection, session_id: StreamId, item_id: str, *, each_side: int
) -> tuple[list[Item], int | None] | None:
    """Return an item with those on each side of it, ascending, and what the page before is below; None without it."""
    stream = stream_named(connection, session_id)
    if stream is None:
        return None
    fresh, cleared = _fresh(connection, stream)
    changed = next((item.ordinal for item in fresh if item.id == item_id), None)
    stored = None if cleared else transcript.place_of(connection, stream.number, item_id)
    at = stored if changed is None else changed
    if at is None:
        return None
    after = following(connection, session_id, after=at, limit=each_side)[:each_side] if each_side else []
    below = after[-1].ordinal + 1 if after else at + 1
    return page(connection, session_id, below=below, limit=len(after) + 1 + each_side)


def since_last_prompt(connection: Connection, session_id: StreamId, *, limit: int) -> tuple[list[Item], int | None]:
    """Return the items since the person spoke last, at most `limit`, and what the page before is below."""
    shown, earlier = page(connection, session_id, below=None, limit=limit)
    start = next((at for at in range(len(shown) - 1, -1, -1) if shown[at].role == "user"), 0)
    return shown[start:], shown[start].ordinal if start else earlier


def chosen(connection: Connection, session_id: StreamId, item_ids: Collection[str]) -> list[Item]:
    """Return those of these items that there are, in no order."""
    stream = stream_named(connection, session_id)
    if stream is None:
        return []
    fresh, cleared = _fresh(connection, stream)
    items = {} if cleared else {item.id: item for item in transcript.some(connection, stream.number, item_ids)}
    items |= {item.id: item for item in fresh if item.id in item_ids}
    transcript.date(connection, list(items.values()))
    return list(items.values())


def _fresh(connection: Connection, stream: Stream) -> tuple[list[Item], bool]:
    """Return the items that changed since the stored view was folded, and whether all before them is gone."""
    events = tail(connection, stream, after=tracked(connection, transcript.NAME))
    items, changed, cleared = transcript.replay(transcript.fetch(connection, stream.number, events), events)
    return [items[item_id].settled() for item_id in changed], cleared
