"""The roster while somebody looks: rows as the store keeps them, with how each session is connected at this moment.

The writer folds each row in the transaction of its event, so a row is read again when something happened to it, and
not folded here a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from holdfast.domain import wire
from holdfast.domain.errors import StoreError
from holdfast.frontends.gateway.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.projections.roster import Connection
    from holdfast.domain.recorded import StreamId
    from holdfast.domain.tail import Listed, Tail

Fields = dict[str, object]

_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_LOOKS = 2
"""How often to look after an event of a link: its keeper may hear of the commit a moment later than this does."""

_NOBODY: Fields = {"focused": []}


class RosterView(View):
    """All sessions, ended ones included.

    `follow` only notes what changed; `flush` sends it, and whoever calls it decides how often.
    """

    name = "roster"

    def __init__(
        self,
        tail: Tail,
        connection: Callable[[StreamId], Connection | None],
        focused: Callable[[StreamId], Sequence[str]],
        changed: Callable[[], None],
    ) -> None:
        """Show the log behind `tail`.

        Args:
            tail: The log.
            connection: Tells how a session is connected now, as far as more is known than the log says.
            focused: Names the frontends that look at a session.
            changed: Called when `flush` would have something to send.
        """
        super().__init__()
        self._tail = tail
        self._connection = connection
        self._focused = focused
        self._changed = changed
        self._dirty: set[StreamId] = set()
        self._known: set[StreamId] = set()
        self._shown: dict[StreamId, Fields] = {}
        self._looks = 0
        self._position = 0

    async def read(self, limit: int, *, ended: bool) -> tuple[int, bytes]:
        """Read all rows, or the first ones."""
        roster = await self._tail.roster()
        listed = [each for each in roster.rows if ended or not each.ended]
        self._known.update(each.id for each in roster.rows if not each.ended)
        rows: list[Raw] = []
        for each in listed[:limit]:
            fields = self._fields(each.id)
            self._shown.setdefault(each.id, fields)
            rows.append(self._row(each, fields))
        return roster.position, wire.encode({"items": rows, "before": None})[1:]

    async def follow(self, events: Sequence[LogEvent], end: int) -> None:
        """Note which rows changed; an event of a link may have changed how any session is connected."""
        for event in events:
            if event.stream_kind == "session":
                self._dirty.add(event.recorded.originator_id)
            else:
                self._looks = _LOOKS
        self._position = end
        if self._dirty or self._looks:
            self._changed()

    def look(self) -> None:
        """Look again who is connected how, and who looks at what."""
        self._looks = max(1, self._looks)
        self._changed()

    async def flush(self) -> None:
        """Send the rows that changed.

        Raises:
            StoreError: They cannot be read now; the next call sends them.
        """
        dirty, self._dirty = self._dirty, set()
        end = self._position
        if dirty:
            try:
                roster = await self._tail.roster(dirty)
            except StoreError:
                self._dirty |= dirty
                raise
            gone = dirty - {each.id for each in roster.rows}
            self._known -= gone | {each.id for each in roster.rows if each.ended}
            self._known |= {each.id for each in roster.rows if not each.ended}
            for session_id in gone:
                self._shown.pop(session_id, None)
            fields = {each.id: self._fields(each.id) for each in roster.rows}
            ops = [wire.encode({"op": "put", "item": self._row(each, fields[each.id])}) for each in roster.rows]
            ops += [wire.encode({"op": "drop", "id": session_id, "position": end}) for session_id in gone]
            self.patches.add(end, ops)
            # Who has a later snapshot skips these rows, and must not miss what is in no event.
            self._lay_over(fields, {each.id: each for each in roster.rows})
        if self._looks:
            self._looks -= 1
            await self._look_around()
        if self._looks:
            self._changed()

    async def _look_around(self) -> None:
        fields = {session_id: self._fields(session_id) for session_id in self._known}
        before = self._shown
        silent = [each for each in fields if "connection" in before.get(each, _NOBODY) and _unsaid(fields[each])]
        rows = (await self._tail.roster(silent)).rows if silent else []
        self._lay_over(fields, {each.id: each for each in rows})

    def _lay_over(self, fields: dict[StreamId, Fields], rows: dict[StreamId, Listed]) -> None:
        """Send what is not in the log where it has changed; `rows` are of those of whom now only the log tells."""
        ops: list[bytes] = []
        for session_id, now in fields.items():
            before = self._shown.get(session_id, _NOBODY)
            if now == before:
                continue
            self._shown[session_id] = now
            told = now
            if "connection" in before and _unsaid(now) and session_id in rows:
                told = {**now, "connection": _decode(rows[session_id].row)["connection"]}
            ops.append(wire.encode({"op": "set", "id": session_id, "fields": told}))
        self.patches.add(None, ops)

    def _fields(self, session_id: StreamId) -> Fields:
        connection = self._connection(session_id)
        fields: Fields = {"focused": list(self._focused(session_id))}
        return fields if connection is None else {**fields, "connection": connection}

    def _row(self, listed: Listed, fields: Fields) -> Raw:
        if "connection" in fields:
            return Raw(wire.encode({**_decode(listed.row), **fields}))
        return Raw(bytes(listed.row)[:-1] + b"," + wire.encode(fields)[1:])


def _unsaid(fields: Fields) -> bool:
    return "connection" not in fields
