"""The words of every item as rows and in a full-text index, for search. Made from the items, not from the log.

Each row is a passage of one item. The rows say where a passage stands and hold its words; the index beside them finds
it. SQLite's is contentless: it keeps no text, and forgets a passage only when it is told its words again.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Text, bindparam, cast, delete, func, insert, select, text

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.postgres_types import TSQUERY, TSVECTOR
from holdfast.domain.projections.items import Item
from holdfast.domain.projections.transcript import touched
from holdfast.domain.search.text import passages, text_of
from holdfast.domain.session.events import SessionErased

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from holdfast.domain.recorded import Recorded

NAME: Final = "search"

_AT_ONCE = 400
_MONTH_US = 30 * 86_400 * 1_000_000
_POSITIONS = 250
"""Places of one word in a passage that Postgres is told; it keeps no more than 255."""

_PROBES = ("the", "error", "test", "file", "a", "1")
"""What a digest asks the index for, so that one which finds something else than its rows say is noticed."""

_FIND = text("INSERT INTO passage_words (rowid, words, scope) VALUES (:id, :words, :scope)")
_FORGET = text("INSERT INTO passage_words (passage_words, rowid, words, scope) VALUES ('delete', :id, :words, :scope)")
_MERGE = text("INSERT INTO passage_words (passage_words) VALUES ('optimize')")
_MATCHING = text("SELECT rowid FROM passage_words WHERE passage_words MATCH :expression")
_LEXEME = re.compile("'([^']+)'")

_table = schema.passages
_decode = msgspec.json.Decoder(Item).decode


def fold(connection: Connection, events: Sequence[tuple[int, Recorded]]) -> None:
    """Bring the passages of the items that `events` changed up to date. The transcript is folded before.

    Costs two statements a session to fetch the items, one to look at their passages and those that write.
    """
    by_stream: dict[int, list[Recorded]] = {}
    for stream, recorded in events:
        by_stream.setdefault(stream, []).append(recorded)
    wanted: list[Indexed] = []
    for stream, some in by_stream.items():
        if any(isinstance(each.event, SessionErased) for each in some):
            forget(connection, stream)
        wanted += (_indexed(stream, ordinal, item) for ordinal, item in _changed(connection, stream, some).items())
    _replace(connection, wanted)


def bring_up(connection: Connection, spots: Iterable[tuple[int, int]]) -> None:
    """Bring the passages of items up to date, each named by its stream and its place there; some may be gone."""
    by_stream: dict[int, list[int]] = {}
    for stream, ordinal in spots:
        by_stream.setdefault(stream, []).append(ordinal)
    table = schema.items.c
    for stream, ordinals in by_stream.items():
        chosen = select(table.ordinal, table.body).where(table.stream == stream, table.ordinal.in_(ordinals))
        rows = connection.execute(chosen)
        _replace(connection, [_indexed(stream, ordinal, _decode(body)) for ordinal, body in rows])


def forget(connection: Connection, stream: int) -> None:
    """Take every passage of a session out of rows and index, so that neither holds a word that only it had."""
    there = connection.scalars(select(_table.c.ordinal).where(_table.c.stream == stream).distinct()).all()
    if not there:
        return
    for start in range(0, len(there), _AT_ONCE):
        _remove(connection, stream, there[start : start + _AT_ONCE])
    if connection.dialect.name == "sqlite":
        # A removed passage leaves marks that name its words, until all parts of the index are merged into one.
        connection.execute(_MERGE)


def clear(connection: Connection) -> None:
    """Take out everything. The index is made anew, whatever state it was in."""
    connection.execute(delete(_table))
    if connection.dialect.name == "sqlite":
        schema.make_index(connection)


def fill(connection: Connection) -> None:
    """Take in all items there are, the latest last. None was taken in before, so that each is looked at once."""
    table = schema.items.c
    items = select(table.stream, table.ordinal, table.body).order_by(table.position, table.ordinal)
    found = connection.execute(items.execution_options(yield_per=_AT_ONCE))
    for rows in found.partitions():
        add(connection, [_indexed(stream, ordinal, _decode(body)) for stream, ordinal, body in rows])


def digest_lines(connection: Connection, named: Mapping[int, str]) -> Iterator[Sequence[object]]:
    """Yield what there is to find, in an order that is the same on both dialects, then what the index finds."""
    on_sqlite = connection.dialect.name == "sqlite"
    columns = (_table.c.ordinal, _table.c.part, _table.c.at, _kept_words(connection))
    for stream in sorted(named, key=lambda number: named[number]):
        chosen = select(*columns).where(_table.c.stream == stream).order_by(_table.c.ordinal, _table.c.part)
        for ordinal, part, at, kept in connection.execute(chosen):
            yield [named[stream], ordinal, part, at, _distinct(kept)]
    for probe in _PROBES:
        fitting = holds(connection, f'words : "{probe}"' if on_sqlite else f"'{probe}'")
        found = connection.execute(select(_table.c.stream, _table.c.ordinal, _table.c.part).where(fitting))
        yield [probe, sorted([named.get(stream, ""), ordinal, part] for stream, ordinal, part in found)]


class Indexed(msgspec.Struct, frozen=True):
    """An item and the passages it should have, each as words with a space in between."""

    stream: int
    ordinal: int
    at: int
    passages: list[str]


def _changed(connection: Connection, stream: int, events: Iterable[Recorded]) -> dict[int, Item]:
    """Return the items that `events` made or named, as they are now, by their place in the transcript."""
    table = schema.items.c
    keys: list[tuple[str | None, int]] = [(touched(each.event), each.position or 0) for each in events]
    items: dict[int, Item] = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        named = {item_id for item_id, _ in some if item_id is not None}
        made = [position for _, position in some]
        # Asked one by one: for either of the two, SQLite reads the whole session.
        for chosen in (table.id.in_(named), table.ordinal.in_(made)):
            rows = connection.execute(select(table.ordinal, table.body).where(table.stream == stream, chosen))
            items.update({ordinal: _decode(body) for ordinal, body in rows if ordinal not in items})
    return items


def _indexed(stream: int, ordinal: int, item: Item) -> Indexed:
    return Indexed(stream, ordinal, item.at, [" ".join(found) for found in passages(text_of(item))])


def _replace(connection: Connection, wanted: Sequence[Indexed]) -> None:
    by_stream: dict[int, list[Indexed]] = {}
    for each in wanted:
        by_stream.setdefault(each.stream, []).append(each)
    new: list[Indexed] = []
    for stream, items in by_stream.items():
        for start in range(0, len(items), _AT_ONCE):
            some = items[start : start + _AT_ONCE]
            kept = _kept(connection, stream, [each.ordinal for each in some])
            stale = [each for each in some if kept.get(each.ordinal, []) != each.passages]
            _remove(connection, stream, [each.ordinal for each in stale if each.ordinal in kept])
            new += stale
    add(connection, new)


def _kept(connection: Connection, stream: int, ordinals: Sequence[int]) -> dict[int, list[str]]:
    """Return the passages that the items have; Postgres cannot tell them in order, so there each has another one."""
    chosen = _table.c.stream == stream, _table.c.ordinal.in_(ordinals)
    statement = select(_table.c.ordinal, _kept_words(connection)).where(*chosen).order_by(_table.c.part)
    kept: dict[int, list[str]] = {}
    for ordinal, words in connection.execute(statement):
        kept.setdefault(ordinal, []).append(_unpacked(words) if isinstance(words, bytes) else "")
    return kept


def _remove(connection: Connection, stream: int, ordinals: Sequence[int]) -> None:
    if not ordinals:
        return
    chosen = (_table.c.stream == stream) & _table.c.ordinal.in_(ordinals)
    if connection.dialect.name == "sqlite":
        columns = (_table.c.id, _table.c.at, _table.c.words)
        rows = connection.execute(select(*columns).where(chosen).order_by(_table.c.id))
        gone = [{"id": number, "words": _unpacked(words), "scope": _scope(stream, at)} for number, at, words in rows]
        if gone:
            connection.execute(_FORGET, gone)
    connection.execute(delete(_table).where(chosen))


def add(connection: Connection, items: Sequence[Indexed]) -> None:
    """Take passages of items into rows and index that have none there yet."""
    number = connection.scalar(select(func.max(_table.c.id))) or 0
    rows: list[dict[str, object]] = []
    found: list[dict[str, object]] = []
    for each in items:
        for part, words in enumerate(each.passages):
            number += 1
            found.append({"id": number, "words": words, "scope": _scope(each.stream, each.at)})
            rows.append({"id": number, "stream": each.stream, "ordinal": each.ordinal, "part": part, "at": each.at})
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        packed = [zlib.compress(words.encode(), 1) for each in items for words in each.passages]
        connection.execute(insert(_table), [row | {"words": words} for row, words in zip(rows, packed, strict=True)])
        connection.execute(_FIND, found)
    else:
        vectors = [_vector(words) for each in items for words in each.passages]
        statement = insert(_table).values(words=cast(bindparam("vector"), TSVECTOR))
        connection.execute(statement, [row | {"vector": words} for row, words in zip(rows, vectors, strict=True)])


def of_session(stream: int) -> str:
    """Return the word by which SQLite's index knows the session of a passage."""
    return f"s{stream}"


def month(at: int) -> int:
    """Return the number of the thirty days by which SQLite's index knows when an item appeared."""
    return max(0, at) // _MONTH_US


def _scope(stream: int, at: int) -> str:
    return f"{of_session(stream)} m{month(at)}"


def holds(connection: Connection, expression: str) -> ColumnElement[bool]:
    """Return the condition that a passage fits an expression in the language of the index."""
    if connection.dialect.name == "sqlite":
        return _table.c.id.in_(_MATCHING.bindparams(expression=expression))
    return _table.c.words.op("@@", is_comparison=True)(cast(expression, TSQUERY))


def _kept_words(connection: Connection) -> ColumnElement[Any]:
    return _table.c.words if connection.dialect.name == "sqlite" else cast(_table.c.words, Text)


def _distinct(kept: bytes | str) -> list[str]:
    return sorted(set(_unpacked(kept).split(" ") if isinstance(kept, bytes) else _LEXEME.findall(kept)))


def _unpacked(words: bytes) -> str:
    return zlib.decompress(words).decode()


def _vector(words: str) -> str:
    """Return the words as Postgres writes them, each with its places: `'word':1,7`. No word holds a quotation mark."""
    at: dict[str, list[str]] = {}
    for place, word in enumerate(words.split(" "), 1):
        places = at.setdefault(word, [])
        if len(places) < _POSITIONS:
            places.append(str(place))
    return " ".join(f"'{word}':{','.join(places)}" for word, places in at.items())
