"""A query as text again, for whoever can only be asked in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.search.query import Query, Term

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(query: Query) -> str:
    """Return a text that `parse` reads as this query."""
    return " ".join(_parts(query))


def _parts(query: Query) -> Iterator[str]:
    yield from map(_term, query.wanted)
    for term in query.unwanted:
        yield f"-{_term(term)}"
    for where in query.where:
        yield f'{"-" * where.excluded}{where.field}:"{where.value}"'
    if query.after is not None:
        yield f"after:{_time(query.after)}"
    if query.before is not None:
        yield f"before:{_time(query.before)}"


def _term(term: Term) -> str:
    phrase = " ".join(term.words)
    return f'"{phrase}"{"*" * term.prefix}'


def _time(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).isoformat()
