"""The rows of all sessions, as the writer keeps them in the transaction of each append, and the order of every list."""

from __future__ import annotations

from collections import OrderedDict
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.commit import RosterRow
from holdfast.adapters.storage.reading import at_versions, fetch
from holdfast.adapters.storage.views.tables import upsert
from holdfast.domain.errors import NotFoundError
from holdfast.domain.projections.offers import offered
from holdfast.domain.projections.roster import Row, StatusWord, row, status
from holdfast.domain.projections.summary import Summary
from holdfast.domain.session.state import SessionState
from holdfast.domain.tail import Listed
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.recorded import StreamId
    from holdfast.domain.session.session import Session

NAME: Final = "roster"

_TOGETHER = 400
"""Rows asked for by one statement; below SQLite's limit of parameters."""

_STREAMING: Final = 256
"""Rows that are remembered: of as many sessions as talk at the same time."""

_RANKED: Final = itemgetter(4)
_UPDATED_AT: Final = itemgetter(5)

_UPDATED: Final = '"updated_at":"'

_encode = msgspec.json.Encoder().encode
_decode_rows = msgspec.json.Decoder(list[Row]).decode

_ORDER: Final[tuple[StatusWord, ...]] = (
    "needs_you",
    "failed",
    "working",
    "reconnecting",
    "unread",
    "idle",
    "hibernated",
    "ended",
)
_RANK: Final[Mapping[StatusWord, int]] = {word: rank for rank, word in enumerate(_ORDER)}


def roster_row(session: Session) -> RosterRow:
    """Return the row as the writer takes it."""
    made = row(session)
    ended = session.state.ended is not None
    rank = _RANK[status(made)] + (0 if made.pinned else len(_ORDER))
    text = _encode(made).decode().replace('"position":0,', "", 1)  # a column: only the commit knows it
    return RosterRow("session", ended, rank, session.summary.updated_at, text)


class Rows:
    """Rows of those sessions that change all the time: while an agent talks, nothing in its row does but the time."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def of(self, session: Session) -> RosterRow:
        """Return the row as `roster_row` does."""
        state, updated_at = session.state, session.summary.updated_at
        summary = replace(session.summary, updated_at=0)
        known = self._known.get(session.id)
        if known is None or known.state is not state or known.summary != summary:
            made = roster_row(session)
            # Inside a text of the row these quotes have backslashes before them.
            before, name, rest = made.row.partition(_UPDATED)
            self._known[session.id] = _Known(state, summary, before + name, rest[rest.index('"') :], made)
            if len(self._known) > _STREAMING:
                self._known.popitem(last=False)
            return made
        text = f"{known.before}{to_text(updated_at)}{known.after}"
        return RosterRow("session", known.made.ended, known.made.rank, updated_at, text)


class _Known(msgspec.Struct, frozen=True):
    """What a row was made of, and its text around the time."""

    state: SessionState
    summary: Summary
    before: str
    after: str
    made: RosterRow


def listed(connection: Connection, *, ended: bool) -> list[str]:
    """Return the rows as JSON in the order of every list: pinned first, then what is most pressing, then the newest.

    Costs one statement and no decoding, however many sessions there are.
    """
    table = schema.sessions
    statement = select(table.c.row, table.c.position, table.c.rank, table.c.updated_at)
    if not ended:
        statement = statement.where(table.c.ended.is_(False))
    found = sorted(fetch(connection, statement), key=lambda each: (each[2], -each[3]))
    return [_placed(text, position) for text, position, _, _ in found]


def stored(connection: Connection, among: Collection[StreamId] | None = None) -> list[Listed]:
    """Return these rows, or all of them, as they are stored, in the order of every list. Decodes none."""
    table = schema.sessions
    statement = select(table.c.id, table.c.row, table.c.position, table.c.ended, table.c.rank, table.c.updated_at)
    if among is None:
        found = fetch(connection, statement)
    else:
        names = list(among)
        chunks = (names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER))
        found = [each for chunk in chunks for each in fetch(connection, statement.where(table.c.id.in_(chunk)))]
    found.sort(key=_UPDATED_AT, reverse=True)
    found.sort(key=_RANKED)  # keeps the order of those that are equal, and both keys are taken without a call of ours
    raw = msgspec.Raw
    return [
        Listed(session_id, position, bool(ended), raw(f'{text[:-1]},"position":{position}}}'))
        for session_id, text, position, ended, _, _ in found
    ]


def open_sessions(connection: Connection) -> int:
    """Return how many sessions have not ended."""
    return connection.scalar(select(func.count()).where(schema.sessions.c.ended.is_(False))) or 0


def titled(connection: Connection, title: str) -> list[str]:
    """Return the ids of the sessions with exactly this title. Scans the roster without decoding it."""
    table = schema.sessions
    member = f'"title":{_encode(title).decode()},'  # inside a JSON text, these quotes cannot be part of a value
    statement = select(table.c.id).where(table.c.row.contains(member, autoescape=True)).order_by(table.c.id)
    return list(connection.scalars(statement))


def decoded(rows: list[str]) -> list[Row]:
    """Return rows of `listed` as structures."""
    return _decode_rows("[" + ",".join(rows) + "]")


def _placed(text: str, position: int) -> str:
    return f'{text[:-1]},"position":{position}}}'


def one(connection: Connection, session_id: StreamId) -> Row:
    """Return one session's row.

    Raises:
        NotFoundError: There is no such session.
    """
    table = schema.sessions
    found = connection.execute(select(table.c.row, table.c.position).where(table.c.id == session_id)).one_or_none()
    if found is None:
        msg = f"there is no session {session_id}"
        raise NotFoundError(msg)
    return decoded([_placed(*found)])[0]


def offers(connection: Connection, session_id: StreamId) -> Offers:
    """Return what a session's peer offers. One look-up for the row, and one for each event that it names.

    Raises:
        NotFoundError: There is no such session.
    """
    found = one(connection, session_id)
    versions = [version for version in (found.offers.modes, found.offers.options, found.offers.commands) if version]
    facts = [recorded.event for recorded in at_versions(connection, session_id, versions)] if versions else []
    return offered(facts, mode=found.mode, values=found.options)


class Head(msgspec.Struct, frozen=True):
    """The end of a stream, as the roster keeps it beside the row."""

    stream: int
    version: int
    hash: bytes
    position: int


def store(connection: Connection, sessions: Mapping[Head, Session]) -> None:
    """Write the rows of `sessions`, as a rebuild does; the writer does it by itself. Erased sessions have none."""
    rows: list[dict[str, object]] = []
    for head, session in sessions.items():
        if session.state.erased:
            continue
        made = roster_row(session)
        rows.append(
            {
                "stream": head.stream,
                "id": session.id,
                "version": head.version,
                "hash": head.hash,
                "position": head.position,
                "ended": made.ended,
                "rank": made.rank,
                "updated_at": made.updated_at,
                "row": made.row,
            }
        )
    upsert(connection, schema.sessions, rows)
