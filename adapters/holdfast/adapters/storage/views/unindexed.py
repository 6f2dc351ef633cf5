"""What the search index has not seen yet: items that changed since, looked at one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import inspect, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.reading import head_position
from holdfast.adapters.storage.views import passages, transcript
from holdfast.adapters.storage.views.source import Stream, batches, tail
from holdfast.adapters.storage.views.tables import tracked
from holdfast.domain.projections.items import Item
from holdfast.domain.search.hits import fits
from holdfast.domain.search.text import passages as passages_of
from holdfast.domain.search.text import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from holdfast.adapters.storage.views.indexed import Place
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.search.query import Query

_CHUNK: Final = 500

_FEW: Final = 50_000
"""Events that are read to learn which items changed; beyond, it is cheaper to look at every item."""

_decode = msgspec.json.Decoder(Item).decode


class Unindexed(msgspec.Struct):
    """What fits among the items that changed since, the newest first, and which ones those are.

    Attributes:
        found: The items that fit, each with the passage that does.
        changed: All items that changed, fitting or not.
        cleared: Sessions of which nothing is left that the index may know.
    """

    found: dict[tuple[int, int], tuple[Item, int]]
    changed: set[tuple[int, int]]
    cleared: set[int]

    def covers(self, place: Place) -> bool:
        """Tell whether what the index says of a place is out of date."""
        return place[0] in self.cleared or place[:2] in self.changed


def unindexed(connection: Connection, query: Query, sessions: frozenset[int] | None) -> Unindexed:
    """Look at what changed after the position up to which the index is folded. Costs one statement where nothing did.

    Args:
        connection: A snapshot.
        query: What to look for.
        sessions: The numbers of those to look at; None for all.
    """
    rest = Unindexed({}, set(), set())
    there = inspect(connection).has_table(schema.passages.name)
    seen = tracked(connection, passages.NAME) if there else 0
    folded = tracked(connection, transcript.NAME)
    if head_position(connection) > folded:
        for stream in _behind(connection, folded):
            _look_at_tail(connection, query, stream, folded, rest, wanted=sessions is None or stream.number in sessions)
    if seen < folded:
        for number, item in _changed(connection, seen, folded):
            spot = number, item.ordinal
            if spot not in rest.changed and number not in rest.cleared:
                rest.changed.add(spot)
                if sessions is None or number in sessions:
                    _look_at(query, spot, item, rest)
    rest.found = dict(sorted(rest.found.items(), key=lambda each: -each[1][0].position))
    return rest


def _behind(connection: Connection, folded: int) -> list[Stream]:
    """Return the sessions with events that are not folded."""
    keys, events = schema.keys.c, schema.events.c
    late = select(events.stream).where(events.position > folded).distinct()
    chosen = select(keys.stream, keys.kind, keys.id).where(keys.kind == "session", keys.stream.in_(late))
    return [Stream(*row) for row in connection.execute(chosen)]


def _look_at_tail(
    connection: Connection, query: Query, stream: Stream, folded: int, rest: Unindexed, *, wanted: bool
) -> None:
    events = tail(connection, stream, after=folded)
    items, changed, cleared = transcript.replay(transcript.fetch(connection, stream.number, events), events)
    if cleared:
        rest.cleared.add(stream.number)
    for item_id in changed:
        spot = stream.number, items[item_id].ordinal
        rest.changed.add(spot)
        if wanted:
            _look_at(query, spot, items[item_id], rest)


def _changed(connection: Connection, seen: int, folded: int) -> Iterator[tuple[int, Item]]:
    """Yield the stored items that changed after a position; only a store that was never indexed has many."""
    if folded - seen <= _FEW:
        for number, events in _happened(connection, seen, folded).items():
            for item in transcript.fetch(connection, number, events).values():
                yield number, item
            made = [recorded.position or 0 for recorded in events]
            for item in transcript.placed(connection, number, made):
                yield number, item
        return
    table = schema.items.c
    statement = select(table.stream, table.body).where(table.position > seen).execution_options(yield_per=_CHUNK)
    for stream, body in connection.execute(statement):
        yield stream, _decode(body)


def _happened(connection: Connection, after: int, until: int) -> dict[int, list[Recorded]]:
    """Return the events of sessions at positions in (after, until], by the numbers of their streams."""
    found: dict[int, list[Recorded]] = {}
    for batch in batches(connection, after=after):
        for number, recorded in batch.events:
            if (recorded.position or 0) > until:
                return found
            found.setdefault(number, []).append(recorded)
    return found


def _look_at(query: Query, spot: tuple[int, int], item: Item, rest: Unindexed) -> None:
    if (query.after is not None and item.at < query.after) or (query.before is not None and item.at >= query.before):
        return
    for part, words in enumerate(passages_of(text_of(item))):
        if fits(query, words):
            rest.found[spot] = item, part
            return
