"""Answering queries: what the index finds, and what is not indexed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import and_, inspect, literal, or_, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.reading import fetch
from holdfast.adapters.storage.views.indexed import indexed
from holdfast.adapters.storage.views.unindexed import unindexed
from holdfast.domain.answers import Hit
from holdfast.domain.projections.items import Item
from holdfast.domain.recorded import StreamId
from holdfast.domain.search.hits import snippet
from holdfast.domain.search.query import ID_PREFIX, admits, no_session
from holdfast.domain.search.text import shown_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from holdfast.adapters.storage.views.indexed import Place
    from holdfast.adapters.storage.views.titles import Titles
    from holdfast.domain.search.query import Query

_AT_ONCE: Final = 50

Spot = tuple[int, int]
"""An item: the number of its stream, and its place there."""

_decode = msgspec.json.Decoder(Item).decode


class _Face(msgspec.Struct, frozen=True):
    """What a query may ask of a session, and what a hit shows of it."""

    title: str = ""
    agent: str | None = None
    cwd: str | None = None


_decode_face = msgspec.json.Decoder(_Face).decode


def search(connection: Connection, query: Query, limit: int, titles: Titles) -> list[Hit]:
    """Return at most `limit` items that fit, the best first, each with the place that shows why.

    Costs a look into the index, the ranks of a bounded number of passages and the items that are returned. What is
    not indexed yet costs a look at each item; it stands first, and for what the index still says of it. Before all of
    them stand sessions that only their titles tell of: a quarter of what is returned, and more where there is room.

    Raises:
        NotFoundError: A session that the query names is not there.
    """
    _see_that_there_is(connection, query)
    sessions = _admitted(connection, query)
    if sessions is not None and not sessions:
        return []
    rest = unindexed(connection, query, sessions)
    found: dict[Spot, tuple[Item, int]] = dict(list(rest.found.items())[:limit])
    if inspect(connection).has_table(schema.passages.name):
        places = (place for place in indexed(connection, query, sessions) if not rest.covers(place))
        for spot, item, part in _items(connection, places):
            if len(found) >= limit:
                break
            found.setdefault(spot, (item, part))
    items = _shown(connection, query, found)
    seen = {stream for stream, _ in found}
    named = [stream for stream in titles.find(connection, query, sessions) if stream not in seen]
    room = max(limit - len(items), limit // 4, 1)
    told = list(titles.hits(connection, query, named[:room]))
    return [*told, *items][:limit]


def _see_that_there_is(connection: Connection, query: Query) -> None:
    """Raise `NotFoundError` for a session that is asked for by name: nothing found in it would be no answer."""
    table = schema.sessions.c
    for where in query.where:
        if where.field != "in" or where.excluded:
            continue
        fitting = table.id == where.value
        if len(where.value) >= ID_PREFIX:
            fitting |= table.id.startswith(where.value, autoescape=True)
        # No database can be asked for NUL, nor for half a character, and no session is called so.
        if not where.value.isprintable() or connection.scalar(select(table.id).where(fitting).limit(1)) is None:
            raise no_session(where.value)


def _admitted(connection: Connection, query: Query) -> frozenset[int] | None:
    """Return the numbers of the sessions that fit the query's conditions, None for all."""
    if not query.where and query.after is None:
        return None
    table = schema.sessions.c
    wants_row = any(each.field != "in" for each in query.where)
    statement = select(table.stream, table.id, table.row if wants_row else literal("{}"))
    if query.after is not None:
        statement = statement.where(table.updated_at >= query.after)  # nothing in a session is newer than itself
    numbers: set[int] = set()
    for stream, name, row in fetch(connection, statement):
        face = _decode_face(row)
        if admits(query, name, face.agent, face.cwd):
            numbers.add(stream)
    return frozenset(numbers)


def _items(connection: Connection, places: Iterable[Place]) -> Iterator[tuple[Spot, Item, int]]:
    """Yield the items of places in their order, fetched some at a time."""
    waiting: list[Place] = []
    for place in places:
        waiting.append(place)
        if len(waiting) == _AT_ONCE:
            yield from _fetched(connection, waiting)
            waiting = []
    yield from _fetched(connection, waiting)


def _fetched(connection: Connection, places: list[Place]) -> Iterator[tuple[Spot, Item, int]]:
    if not places:
        return
    table = schema.items.c
    # Not as pairs IN a list: SQLite would scan the table for them.
    chosen = [and_(table.stream == stream, table.ordinal == ordinal) for stream, ordinal, _ in places]
    rows = connection.execute(select(table.stream, table.ordinal, table.body).where(or_(*chosen)))
    bodies = {(stream, ordinal): body for stream, ordinal, body in rows}
    for stream, ordinal, part in places:
        body = bodies.get((stream, ordinal))
        if body is not None:
            yield (stream, ordinal), _decode(body), part


def _shown(connection: Connection, query: Query, found: Mapping[Spot, tuple[Item, int]]) -> list[Hit]:
    keys, rows = schema.keys.c, schema.sessions.c
    named = (
        select(keys.stream, keys.id, rows.row)
        .join_from(schema.keys, schema.sessions, rows.stream == keys.stream, isouter=True)
        .where(keys.stream.in_({stream for stream, _ in found}))
    )
    sessions = {
        stream: (StreamId(name), _Face() if row is None else _decode_face(row))
        for stream, name, row in connection.execute(named)
    }
    return [
        Hit(
            session_id=sessions[stream][0],
            item_id=item.id,
            position=item.position,
            title=sessions[stream][1].title,
            snippet=snippet(query, shown_of(item, part), part),
            kind=item.kind,
            role=item.role,
            at=item.at,
        )
        for (stream, _), (item, part) in found.items()
    ]
