"""The transcript of every session as rows, one an item, kept by the fold in `domain.projections.transcript`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import and_, delete, func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views.tables import upsert
from holdfast.domain.projections.items import Append, Clear, Item, apply
from holdfast.domain.projections.transcript import project, touched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Column, Connection

    from holdfast.domain.recorded import Recorded

NAME: Final = "transcript"

_FETCH = 400
"""Items fetched by one statement; below SQLite's limit of parameters."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Item).decode


def fold(connection: Connection, events: Sequence[tuple[int, Recorded]]) -> list[tuple[int, int, int]]:
    """Bring the items up to date with `events`, each with the number of its stream, in order of position.

    Returns stream, ordinal and position of every item that changed.

    Costs one statement to fetch the items that the events may change, and one to write those that did.
    """
    by_stream: dict[int, list[Recorded]] = {}
    for stream, recorded in events:
        by_stream.setdefault(stream, []).append(recorded)
    rows: list[dict[str, object]] = []
    spots: list[tuple[int, int, int]] = []
    for stream, happened in by_stream.items():
        items, changed, cleared = replay(fetch(connection, stream, happened), happened)
        if cleared:
            connection.execute(delete(schema.items).where(schema.items.c.stream == stream))
        rows += [as_row(stream, items[item_id]) for item_id in changed]
        spots += [(stream, items[item_id].ordinal, items[item_id].position) for item_id in changed]
    upsert(connection, schema.items, rows)
    return spots


def replay(items: dict[str, Item], events: Iterable[Recorded]) -> tuple[dict[str, Item], dict[str, None], bool]:
    """Fold `events` into `items`; return them, the ids that changed, and whether all before was cleared."""
    changed: dict[str, None] = {}
    cleared = False
    for recorded in events:
        for change in project(items, recorded):
            apply(items, change)
            if not isinstance(change, Append) and isinstance(change, Clear):
                changed.clear()
                cleared = True
            else:
                changed[change.item_id] = None
    return items, changed, cleared


def fetch(connection: Connection, stream: int, events: Iterable[Recorded]) -> dict[str, Item]:
    """Return those stored items that `events` may change."""
    wanted = {item_id for recorded in events if (item_id := touched(recorded.event)) is not None}
    return {item.id: item for item in some(connection, stream, wanted)}


def some(connection: Connection, stream: int, item_ids: Collection[str]) -> list[Item]:
    """Return those of these items that are stored."""
    return _where(connection, stream, schema.items.c.id, list(item_ids))


def placed(connection: Connection, stream: int, ordinals: Sequence[int]) -> list[Item]:
    """Return those stored items that stand at these places; the event that made an item has its place."""
    return _where(connection, stream, schema.items.c.ordinal, ordinals)


def newest(connection: Connection, stream: int, *, below: int | None, limit: int) -> list[Item]:
    """Return the `limit` newest stored items with an ordinal below `below`, ascending."""
    table = schema.items
    chosen = table.c.stream == stream
    if below is not None:
        chosen = and_(chosen, table.c.ordinal < below)
    statement = select(table.c.body).where(chosen).order_by(table.c.ordinal.desc()).limit(limit)
    return [_decode(body) for (body,) in connection.execute(statement)][::-1]


def oldest(connection: Connection, stream: int, *, above: int, limit: int) -> list[Item]:
    """Return the `limit` oldest stored items with an ordinal above `above`, ascending."""
    table = schema.items
    chosen = and_(table.c.stream == stream, table.c.ordinal > above)
    statement = select(table.c.body).where(chosen).order_by(table.c.ordinal).limit(limit)
    return [_decode(body) for (body,) in connection.execute(statement)]


def place_of(connection: Connection, stream: int, item_id: str) -> int | None:
    """Return the ordinal of a stored item, or None."""
    table = schema.items
    chosen = and_(table.c.stream == stream, table.c.id == item_id)
    return connection.scalar(select(table.c.ordinal).where(chosen))


def date(connection: Connection, items: Sequence[Item]) -> None:
    """Say of permissions among these items when they were answered: when the event happened that changed them last."""
    answered = {item.position: item for item in items if item.status == "answered" and item.decided_at is None}
    places = list(answered)
    events = schema.events.c
    for start in range(0, len(places), _FETCH):
        chosen = events.position.in_(places[start : start + _FETCH])
        happened = func.coalesce(events.occurred_at, events.recorded_at)
        for position, at in connection.execute(select(events.position, happened).where(chosen)):
            answered[position].decided_at = at


def _where(
    connection: Connection, stream: int, column: Column[Any], values: Sequence[str] | Sequence[int]
) -> list[Item]:
    table = schema.items
    items: list[Item] = []
    for start in range(0, len(values), _FETCH):
        chosen = and_(table.c.stream == stream, column.in_(values[start : start + _FETCH]))
        items += [_decode(body) for (body,) in connection.execute(select(table.c.body).where(chosen))]
    return items


def as_row(stream: int, item: Item) -> dict[str, object]:
    """Return an item as it is stored."""
    item.settled()
    item.decided_at = None
    return {
        "stream": stream,
        "ordinal": item.ordinal,
        "id": item.id,
        "position": item.position,
        "kind": item.kind,
        "body": _encode(item).decode(),
    }
