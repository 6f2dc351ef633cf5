"""Which sessions of other tools are ours under another name: those whose agent Holdfast drives, or drove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.reading import fetch, head_position
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.codec import decode
from holdfast.domain.session.events import SessionErased
from holdfast.domain.session.tombstone import was_called

if TYPE_CHECKING:
    from sqlalchemy import Connection


_UNIQUE: Final = 16
"""A name this long was drawn at random, as all known agents do: no other agent gives it to anybody else."""


class _Connection(Struct):
    state: str = "offline"


class _Listed(Struct):
    """The part of a roster row that says who is driven."""

    connection: _Connection
    agent: str | None = None
    remote_id: str | None = None
    lifecycle: str = ""


class Driven:
    """The sessions that an agent of ours has under a name of its own, found in the roster once and then followed."""

    def __init__(self) -> None:
        self._by_remote: dict[str, dict[StreamId, str | None]] = {}
        self._connecting: dict[StreamId, str | None] = {}
        self._end = 0
        self._erased: list[SessionErased] = []
        self._erased_until = 0

    def find(self, connection: Connection, remote_id: str, agent: str) -> StreamId | None:
        """Return the session of ours that an agent calls `remote_id`. Costs the rows that changed since the last call.

        Args:
            connection: Any.
            remote_id: The agent's name of the session.
            agent: Name of the agent; sessions with an agent of no known name are taken to be with it. It is asked for
                only where the name is short: the row has the agent of the first day, and configuration may have given
                the target another one since.
        """
        self._follow(connection)
        found = self._by_remote.get(remote_id, {})
        fits = (None, agent) if len(remote_id) < _UNIQUE else (None, agent, *found.values())
        return next((ours for ours, with_ in found.items() if ours != remote_id and with_ in fits), None)

    def is_erased(self, connection: Connection, remote_id: str) -> bool:
        """Tell whether a session that an agent calls `remote_id` was erased. Costs a look at each that was."""
        self._follow_erasures(connection)
        return any(was_called(fact, remote_id) for fact in self._erased)

    def is_connecting(self, agent: str) -> bool:
        """Tell whether a session with the agent is about to get a name there, as of the latest `find`."""
        return any(with_ in (None, agent) for with_ in self._connecting.values())

    def _follow(self, connection: Connection) -> None:
        table = schema.sessions.c
        head = head_position(connection)
        for name, row in fetch(connection, select(table.id, table.row).where(table.position > self._end)):
            listed = msgspec.json.decode(row, type=_Listed)
            session_id = StreamId(name)
            self._connecting.pop(session_id, None)
            if listed.remote_id is not None:
                self._by_remote.setdefault(listed.remote_id, {})[session_id] = listed.agent
            elif listed.connection.state == "connecting" and listed.lifecycle == "created":
                self._connecting[session_id] = listed.agent
        self._end = head

    def _follow_erasures(self, connection: Connection) -> None:
        keys, events = schema.keys.c, schema.events.c
        others = schema.events.alias()
        # The last event of the session: an erased one ends with its erasure.
        last = select(func.max(others.c.version)).where(others.c.stream == keys.stream).scalar_subquery()
        chosen = select(events.position, events.type, events.schema, events.data).where(
            keys.kind == "session",
            keys.salt.is_(None),
            events.stream == keys.stream,
            events.version == last,
            events.position > self._erased_until,
        )
        for position, tag, version, data in fetch(connection, chosen.order_by(events.position)):
            fact = decode(tag, version, data)
            if isinstance(fact, SessionErased) and fact.names:
                self._erased.append(fact)
            self._erased_until = position
