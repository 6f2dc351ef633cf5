"""Queries compiled for the full-text index of each dialect: which passages fit, the best first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import ARRAY, Float, Integer, any_, cast, column, exists, func, literal_column, select, table

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.postgres_types import TSQUERY
from holdfast.adapters.storage.views.passages import month, of_session
from holdfast.domain.search.query import Query, Term

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

CANDIDATES: Final = 5_000
"""Passages that are ranked: the newest that fit. So the time of a query does not grow with what it finds."""

POSTGRES_CANDIDATES: Final = 1_000
"""The same for PostgreSQL, which reads the words of each passage on the way to tell whether they fit."""

COMMON: Final = 10_000
"""A word in so many passages tells little of any one of them, and SQLite would count them all before it ranks."""

SCOPES: Final = 200
"""Up to so many sessions are looked up in SQLite's index itself; more are cheaper to tell by the rows."""

FEW: Final = 30_000
"""Passages of the sessions that are looked in: PostgreSQL looks fewer of them up one by one."""

_AT_ONCE: Final = 400
_MONTHS: Final = 1_200

Place = tuple[int, int, int]
"""A passage: the number of its stream, the place of its item there, and its own place in that."""

_passages = schema.passages.c
_index = table("passage_words", column("rowid"))
_match = literal_column("passage_words").op("MATCH", is_comparison=True)


def indexed(connection: Connection, query: Query, sessions: frozenset[int] | None) -> Iterator[Place]:
    """Yield the passages that fit, the best first, at most `CANDIDATES`.

    Args:
        connection: A snapshot.
        query: What to look for.
        sessions: The numbers of those to look in; None for all.
    """
    if connection.dialect.name == "sqlite":
        return _in_sqlite(connection, query, sessions)
    return _in_postgres(connection, query, sessions)


def fts5(terms: Sequence[Term], unwanted: Sequence[Term] = ()) -> str:
    """Return terms in the language of FTS5. Words are letters and digits, so nothing in them needs an escape."""
    wanted = " AND ".join(map(_in_fts5, terms))
    if unwanted:
        wanted = f"({wanted}) NOT ({' OR '.join(map(_in_fts5, unwanted))})"
    return f"words : ({wanted})"


def tsquery(query: Query) -> str:
    """Return the query's words in the language of `tsquery`."""
    return " & ".join([*map(_in_tsquery, query.wanted), *(f"!({_in_tsquery(term)})" for term in query.unwanted)])


def _in_fts5(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'


def _in_tsquery(term: Term) -> str:
    *others, last = (f"'{word}'" for word in term.words)
    return " <-> ".join([*others, f"{last}:*" if term.prefix else last])


def _in_sqlite(connection: Connection, query: Query, sessions: frozenset[int] | None) -> Iterator[Place]:
    newest = _newest(connection, query, sessions)
    rank = _ranks(connection, query, newest) if len(newest) > 1 else {}
    newest.sort(key=lambda number: (rank.get(number, 0.0), -number))
    for start in range(0, len(newest), _AT_ONCE):
        some = newest[start : start + _AT_ONCE]
        rows = select(_passages.id, _passages.stream, _passages.ordinal, _passages.part).where(_passages.id.in_(some))
        places: dict[int, Place] = {number: (stream, at, part) for number, stream, at, part in connection.execute(rows)}
        yield from (places[number] for number in some if number in places)


def _newest(connection: Connection, query: Query, sessions: frozenset[int] | None) -> list[int]:
    """Return the newest passages that fit. As much as can be is asked of the index, which looks at nothing else."""
    asked = [fts5(query.wanted, query.unwanted)] if query.wanted else []
    if sessions is not None and len(sessions) <= SCOPES:
        asked.append(f"scope : ({' OR '.join(map(of_session, sorted(sessions)))})")
        sessions = None
    months = _months(query)
    if months:
        asked.append(f"scope : ({' OR '.join(months)})")
    conditions = _conditions(connection, query, sessions)
    if not asked:
        found = select(_passages.id).where(*conditions).order_by(_passages.id.desc())
    else:
        found = select(_index.c.rowid).where(_match(" AND ".join(f"({each})" for each in asked)))
        if conditions:
            # Within EXISTS the rows are looked up for what the index finds, and never the other way round.
            found = found.where(exists().where(_passages.id == _index.c.rowid, *conditions))
        found = found.order_by(_index.c.rowid.desc())
    return list(connection.scalars(found.limit(CANDIDATES)))


def _months(query: Query) -> list[str]:
    """Return the months before a date, or the newest passages would all be looked at on the way to older ones."""
    if query.before is None:
        return []
    first, last = month(query.after or 0), month(query.before)
    return [f"m{number}" for number in range(first, last + 1)] if last - first < _MONTHS else []


def _ranks(connection: Connection, query: Query, newest: Sequence[int]) -> dict[int, float]:
    """Return BM25 of the candidates, the lower the better, by those words that are not everywhere."""
    if _is_one_word(query) and len(newest) < CANDIDATES:
        telling = list(query.wanted)  # no passage has it but these, so its rank is cheap
    else:
        telling = [term for term in query.wanted if not _is_common(connection, term)]
    if not telling:
        return {}
    rank = literal_column("bm25(passage_words, 1.0, 0.0)", Float)
    found = select(_index.c.rowid, rank).where(
        _match(fts5(telling)), _index.c.rowid >= newest[-1], _index.c.rowid <= newest[0]
    )
    return {int(number): float(score) for number, score in connection.execute(found)}


def _is_one_word(query: Query) -> bool:
    return query == Query(query.wanted) and [len(term.words) for term in query.wanted] == [1]


def _is_common(connection: Connection, term: Term) -> bool:
    """Tell whether each word of the term is. How rare a phrase of such words is, or a beginning, takes long to say."""
    if term.prefix:
        return True
    for word in term.words:
        some = select(_index.c.rowid).where(_match(fts5([Term((word,))]))).limit(COMMON).subquery()
        if connection.scalar(select(func.count()).select_from(some)) != COMMON:
            return False
    return True


def _in_postgres(connection: Connection, query: Query, sessions: frozenset[int] | None) -> Iterator[Place]:
    conditions = _conditions(connection, query, sessions)
    expression = cast(tsquery(query), TSQUERY)
    if query.wanted:
        conditions.append(_passages.words.op("@@", is_comparison=True)(expression))
    latest: ColumnElement[int] = _passages.id
    if query.before is not None:
        # Those before a date may be far from the newest ones: the index over times leads to them.
        latest = _passages.at
    elif sessions is not None and _are_few(connection, sessions):
        # The sum keeps PostgreSQL from walking through all passages, the newest first, to find those of these.
        latest = latest.op("+")(0)
    found = select(schema.passages).where(*conditions).order_by(latest.desc()).limit(POSTGRES_CANDIDATES)
    newest = found.subquery().c
    rank = func.ts_rank_cd(newest.words, expression, 1)  # 1: divided by the logarithm of the length
    order = (rank.desc(), newest.id.desc()) if query.wanted else (newest.id.desc(),)
    ranked = select(newest.stream, newest.ordinal, newest.part).order_by(*order)
    yield from ((stream, ordinal, part) for stream, ordinal, part in connection.execute(ranked))


def _are_few(connection: Connection, sessions: frozenset[int]) -> bool:
    """Tell whether looking at all passages of these sessions takes less than looking for the newest that fit."""
    if len(sessions) > SCOPES:
        return False
    theirs = _passages.stream == any_(cast(sorted(sessions), ARRAY(Integer)))
    some = select(_passages.stream).where(theirs).limit(FEW).subquery()
    return connection.scalar(select(func.count()).select_from(some)) != FEW


def _conditions(connection: Connection, query: Query, sessions: frozenset[int] | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.after is not None:
        conditions.append(_passages.at >= query.after)
    if query.before is not None:
        conditions.append(_passages.at < query.before)
    if sessions is not None and connection.dialect.name == "sqlite":
        # One parameter, however many there are.
        numbers = func.json_each(json.dumps(sorted(sessions))).table_valued("value")
        # The unary plus keeps SQLite from walking all passages of these sessions to find the newest ones.
        conditions.append(_passages.stream.op("+")(0).in_(select(numbers.c.value)))
    elif sessions is not None:
        # As above: many sessions are told by the rows, few are looked up.
        stream = _passages.stream if len(sessions) <= SCOPES else _passages.stream.op("+")(0)
        conditions.append(stream == any_(cast(sorted(sessions), ARRAY(Integer))))
    return conditions
