"""Transcripts in pages: the stored items, with what is not folded into them yet folded on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.storage.views import transcript
from holdfast.adapters.storage.views.source import Stream, stream_named, tail
from holdfast.adapters.storage.views.tables import tracked
from holdfast.domain.errors import CursorError

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from holdfast.domain.projections.items import Item
    from holdfast.domain.recorded import StreamId


def page(
    connection: Connection, session_id: StreamId, *, before: str | None, limit: int
) -> tuple[list[Item], str | None]:
    """Return the newest `limit` items, or those before a cursor, ascending, and the cursor of the page before.

    Costs one index range for the page, and the fold of the events that the stored view has not seen.

    Raises:
        CursorError: The cursor is not one of a transcript.
    """
    below = None if before is None else _ordinal(before)
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
    return shown, str(shown[0].ordinal) if shown and len(ascending) > limit else None


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
) -> tuple[list[Item], str | None] | None:
    """Return an item with those on each side of it, ascending, and the cursor of what comes before; None without it."""
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
    below = str(after[-1].ordinal + 1 if after else at + 1)
    return page(connection, session_id, before=below, limit=len(after) + 1 + each_side)


def since_last_prompt(connection: Connection, session_id: StreamId, *, limit: int) -> tuple[list[Item], str | None]:
    """Return the items since the person spoke last, at most `limit`, and the cursor of what came before."""
    shown, before = page(connection, session_id, before=None, limit=limit)
    start = next((at for at in range(len(shown) - 1, -1, -1) if shown[at].role == "user"), 0)
    return shown[start:], str(shown[start].ordinal) if start else before


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


def _ordinal(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        msg = f"{cursor[:80]!r} is not a place in a transcript: use the `before` of an earlier answer"
        raise CursorError(msg)
    return int(cursor)
