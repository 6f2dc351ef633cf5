"""The query language, as a tree. Whatever is typed is either understood or refused in one line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.errors import NotFoundError, UsageError
from holdfast.domain.search.words import words
from holdfast.domain.timestamps import from_text

if TYPE_CHECKING:
    from collections.abc import Iterator

Field = Literal["agent", "cwd", "in"]

LONGEST: Final = 2_000
"""Characters of a query."""

MOST: Final = 64
"""Terms of a query."""

SHORTEST_PREFIX: Final = 2
"""Letters before a `*`: fewer stand for too much of every log."""

ID_PREFIX: Final = 4
"""Characters of a session's id that name it, as everywhere."""

_FIELD = re.compile(r"(agent|cwd|in|before|after):", re.IGNORECASE)
_BARE = re.compile(r'[^\s"]*')
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})


class Term(Struct, frozen=True):
    """A word, or several that follow each other. With `prefix` the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False


class Where(Struct, frozen=True):
    """A condition on the session: its agent, its folder or its id is, or with `excluded` is not, `value`."""

    field: Field
    value: str
    excluded: bool = False


class Query(Struct, frozen=True):
    """What an item must be to be found.

    Attributes:
        wanted: It holds all of these.
        unwanted: And none of these.
        where: Conditions on its session. Several of one field: one of them must hold.
        after: It appeared then or later, in microseconds since the epoch.
        before: It appeared earlier than that.
    """

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    where: tuple[Where, ...] = ()
    after: int | None = None
    before: int | None = None


class _Piece(Struct, frozen=True):
    """What stands between two spaces, quotes taken off."""

    text: str
    field: str = ""
    excluded: bool = False
    quoted: bool = False
    prefix: bool = False


def parse(text: str) -> Query:
    """Return the query that `text` means.

    Words, `"phrases"`, `-not`, `prefix*`, `agent:NAME`, `cwd:PATH`, `in:ID`, `before:DATE` and `after:DATE`.

    Raises:
        UsageError: It means none; the message says where and what to do.
    """
    if len(text) > LONGEST:
        msg = f"the query is {len(text):,} characters long, the longest one has {LONGEST:,}: look for less at once"
        raise UsageError(msg)
    query = Query()
    for count, piece in enumerate(_pieces(text.translate(_QUOTES)), 1):
        if count > MOST:
            msg = f"the query has more than {MOST} terms: look for less at once"
            raise UsageError(msg)
        query = _with(query, piece)
    if query.unwanted and not query.wanted:
        msg = "the query only says what not to find: add a word to look for"
        raise UsageError(msg)
    if query == Query():
        msg = "the query is empty: give words to look for"
        raise UsageError(msg)
    return query


def admits(query: Query, session_id: str, agent: str | None, cwd: str | None) -> bool:
    """Tell whether the conditions on the session hold. Called for each session there is."""
    named: set[Field] = set()
    holding: set[Field] = set()
    for where in query.where:
        holds = False
        match where.field:
            case "agent":
                holds = agent is not None and agent.casefold() == where.value.casefold()
            case "cwd":
                holds = cwd is not None and _lies_in(cwd, where.value)
            case "in":
                holds = session_id.startswith(where.value) and (
                    len(where.value) >= ID_PREFIX or session_id == where.value
                )
        if not where.excluded:
            named.add(where.field)
            if holds:
                holding.add(where.field)
        elif holds:
            return False
    return named == holding


def no_session(value: str) -> NotFoundError:
    """Return the error for a query that names a session which is not there: that nothing is in it says nothing."""
    msg = f"there is no session in:{_shown(value)}: give its id, or at least {ID_PREFIX} characters of it"
    return NotFoundError(msg)


def _pieces(text: str) -> Iterator[_Piece]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        piece, at = _piece(text, at)
        yield piece


def _piece(text: str, start: int) -> tuple[_Piece, int]:
    at = start
    excluded = text[at] == "-"
    at += excluded
    named = _FIELD.match(text, at)
    field = ""
    if named is not None:
        field, at = named[1].lower(), named.end()
    if text[at : at + 1] == '"':
        end = text.find('"', at + 1)
        if end < 0:
            msg = f"the quotation mark before {_shown(text[at + 1 :])} is never closed: close it, or leave it out"
            raise UsageError(msg)
        value, at, quoted = text[at + 1 : end], end + 1, True
        prefix = not field and text[at : at + 1] == "*"
        at += prefix
    else:
        bare = _BARE.match(text, at)
        value, at, quoted = ("", at, False) if bare is None else (bare[0], bare.end(), False)
        prefix = not field and value.endswith("*")
        value = value.removesuffix("*") if prefix else value
    if at < len(text) and not text[at].isspace():
        msg = f"a phrase must stand alone: put a space around it near {_shown(text[start : at + 1])}"
        raise UsageError(msg)
    return _Piece(value, field, excluded, quoted, prefix), at


def _with(query: Query, piece: _Piece) -> Query:
    match piece.field:
        case "":
            term = _term(piece)
            if piece.excluded:
                return replace(query, unwanted=(*query.unwanted, term))
            return replace(query, wanted=(*query.wanted, term))
        case "agent" | "cwd" | "in" as field:
            if not piece.text.strip():
                msg = f"nothing follows {field}: give it a value, as in {field}:{_EXAMPLES[field]}"
                raise UsageError(msg)
            return replace(query, where=(*query.where, Where(field, piece.text, piece.excluded)))
        case field:
            if piece.excluded:
                msg = f"-{field}: is not understood: say {'after' if field == 'before' else 'before'}: instead"
                raise UsageError(msg)
            at = _date(field, piece.text)
            if field == "after":
                return replace(query, after=at if query.after is None else max(query.after, at))
            return replace(query, before=at if query.before is None else min(query.before, at))


_EXAMPLES: Final[dict[Field, str]] = {"agent": "claude", "cwd": "/srv/shop", "in": "5f0c7d2e"}


def _term(piece: _Piece) -> Term:
    if "*" in piece.text and not piece.quoted:
        msg = f"a * stands only at the end of a word, not as in {_shown(piece.text)}: put it in quotes to mean the sign"
        raise UsageError(msg)
    found = tuple(words(piece.text))
    if not found:
        what = _shown("-" * piece.excluded + piece.text + "*" * piece.prefix)
        msg = f"there is nothing to look for in {what}: only letters and digits are searched"
        raise UsageError(msg)
    if piece.prefix and len(found[-1]) < SHORTEST_PREFIX and found[-1].isascii():
        msg = f"{_shown(piece.text + '*')} would find nearly everything: give {SHORTEST_PREFIX} letters before the *"
        raise UsageError(msg)
    return Term(found, piece.prefix)


def _date(field: str, text: str) -> int:
    """Return the beginning of a year, a month or a day, or a time; in UTC unless it says otherwise."""
    plain = _DATE.fullmatch(text)
    try:
        if plain is not None:
            year, month, day = (int(part or 1) for part in plain.groups())
            return from_text(datetime(year, month, day, tzinfo=UTC).isoformat())
        return from_text(text)
    except (ValueError, OverflowError) as error:
        msg = f"{_shown(text)} is no date: write {field}:2026-03-12, {field}:2026-03 or {field}:2026-03-12T10:00"
        raise UsageError(msg) from error


def _lies_in(cwd: str, folder: str) -> bool:
    """Tell whether `cwd` is `folder` or below it; a folder that is not absolute may lie anywhere."""
    wanted = folder.rstrip("/")
    if folder.startswith("/"):
        return f"{cwd}/".startswith(f"{wanted}/")
    return f"/{wanted}/" in f"/{cwd.strip('/')}/"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
