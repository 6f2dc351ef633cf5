"""The port `Journal` over one open store: the log as supervision uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio.to_thread
import msgspec
from sqlalchemy import func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments.whole import with_prompts
from holdfast.adapters.storage.commit import RosterRow
from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.mapper import ROW_COLUMNS, to_recorded
from holdfast.adapters.storage.opening import now_us
from holdfast.adapters.storage.reading import by_cause, fetch, select_stream, source_offset, stream_number
from holdfast.adapters.storage.views.roster import Rows
from holdfast.domain.content import text_of
from holdfast.domain.journal import Open, Past
from holdfast.domain.link.state import LinkState
from holdfast.domain.link.state import evolve as evolve_link
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from sqlalchemy import Connection

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.errors import HoldfastError
    from holdfast.domain.journal import Batch
    from holdfast.domain.recorded import Actor, EventId, Recorded

_events = schema.events.c
_columns = tuple(_events[name] for name in ROW_COLUMNS)

_LINK_RANK: Final = 0
_QUEUED: Final = 1_000
_OPENING: Final = ("session-created", "attached")


class _Listed(msgspec.Struct):
    """The part of a roster row that says whether a daemon has something to do."""

    connection: _Connection
    lifecycle: str = ""
    transport: str = ""
    queued: int = 0


class _Connection(msgspec.Struct):
    state: str = "offline"


class StoreJournal:
    """Keeps sessions and links in a store that was opened for writing. Reads in worker threads."""

    def __init__(self, store: Store, *, now: Callable[[], int] = now_us) -> None:
        """Write to `store`, which the caller keeps open and closes."""
        self._store = store
        self._now = now
        self._rows = Rows()
        with store.reading() as connection:
            self._epoch: int = connection.scalar(select(func.max(schema.store.c.epoch))) or 0

    @property
    def epoch(self) -> int:
        """The fencing epoch of the store: greater for every later writer."""
        return self._epoch

    @property
    def name(self) -> str:
        """The id of the store."""
        return self._store.id

    def now(self) -> int:
        """Return the time in microseconds since the epoch, UTC."""
        return self._now()

    def new_event_id(self) -> EventId:
        """Return an id that no other event has."""
        return new_event_id()

    async def load(self, session_id: StreamId) -> Session:
        """Return a session after all its events; one of version 0 where there are none."""

        def read(connection: Connection) -> Session:
            events = select_stream(connection, session_id)
            return fold(Session(session_id), with_prompts(self._store.attachments, connection, events))

        return await self._store.read_async(read)

    async def link(self, link_id: StreamId) -> tuple[int, LinkState]:
        """Return the version and the state of a link; 0 where there is none."""

        def read(connection: Connection) -> tuple[int, LinkState]:
            version, state = 0, LinkState()
            for recorded in select_stream(connection, link_id):
                version, state = recorded.originator_version, evolve_link(state, recorded.event)
            return version, state

        return await self._store.read_async(read)

    async def append(self, batches: Sequence[Batch]) -> Sequence[Sequence[int]]:
        """Write batches in this order and return the positions of their events once they are durable."""
        return await self._store.append_all([(batch.events, self._row(batch)) for batch in batches])

    async def append_each(self, batches: Sequence[Batch]) -> Sequence[Sequence[int] | HoldfastError]:
        """Do what `append` does and return what came of each batch: its positions, or what stood in its way."""
        return await self._store.append_each([(batch.events, self._row(batch)) for batch in batches])

    def _row(self, batch: Batch) -> RosterRow:
        if batch.session is not None:
            return self._rows.of(batch.session)
        return RosterRow("link", False, _LINK_RANK, batch.events[-1].recorded_at, "{}")

    async def by_cause(self, session_id: StreamId, cause: str) -> Sequence[Recorded]:
        """Return what the command with this client id led to, nothing where it is new."""
        return await self._store.read_async(lambda connection: by_cause(connection, session_id, cause))

    async def since_prompt(self, session_id: StreamId) -> Sequence[Recorded]:
        """Return the events of a session from its latest `prompt-sent` on, that one included."""

        def read(connection: Connection) -> list[Recorded]:
            number = stream_number(connection, session_id)
            latest = select(func.max(_events.version)).where(_events.stream == number, _events.type == "prompt-sent")
            version: int | None = connection.scalar(latest)
            if version is None:
                return []
            events = select_stream(connection, session_id, after=version - 1)
            return list(with_prompts(self._store.attachments, connection, events))

        return await self._store.read_async(read)

    async def after(self, session_id: StreamId, version: int) -> Sequence[Recorded]:
        """Return the events of a session after a version."""
        return await self._store.read_async(
            lambda connection: list(select_stream(connection, session_id, after=version))
        )

    async def past(self, session_id: StreamId) -> Past:
        """Return what the peer was told so far. Scans the headers of that stream."""

        def read(connection: Connection) -> Past:
            number = stream_number(connection, session_id)
            if number is None:
                return Past()
            prompts = _of_type(connection, session_id, number, ("prompt-sent",), newest=1)
            count: int | None = connection.scalar(
                select(func.count()).where(_events.stream == number, _events.type == "prompt-sent")
            )
            last = prompts[0].event if prompts else None
            opened = _of_type(connection, session_id, number, _OPENING, newest=16)
            text = text_of(last.content) if isinstance(last, e.PromptSent) else None
            return Past(count or 0, text, tuple(each.at for each in opened))

        return await self._store.read_async(read)

    async def queued_at(self, session_id: StreamId) -> Mapping[str, int]:
        """Return when the latest prompts of a session were queued, by their ids. Scans the headers of that stream."""

        def read(connection: Connection) -> dict[str, int]:
            number = stream_number(connection, session_id)
            if number is None:
                return {}
            queued = _of_type(connection, session_id, number, ("prompt-queued",), newest=_QUEUED)
            return {each.event.prompt_id: each.at for each in queued if isinstance(each.event, e.PromptQueued)}

        return await self._store.read_async(read)

    async def offset(self, session_id: StreamId, source: bytes) -> int:
        """Return how far a source was consumed into a session, 0 for one that never was."""
        return await self._store.read_async(lambda connection: source_offset(connection, session_id, source)) or 0

    async def open_sessions(self) -> Sequence[Open]:
        """Return the sessions that a daemon was connected to, or wanted to be, or that have prompts waiting."""

        def read(connection: Connection) -> list[Open]:
            table = schema.sessions.c
            found: list[Open] = []
            for session_id, row in fetch(connection, select(table.id, table.row).where(table.ended.is_(False))):
                listed = msgspec.json.decode(row, type=_Listed)
                turn = listed.lifecycle == "streaming"
                connected = listed.connection.state in ("connected", "connecting", "reconnecting")
                imported = listed.transport == "import" and listed.connection.state == "offline"
                if connected or listed.queued or (turn and not imported):
                    found.append(Open(StreamId(session_id), turn, listed.queued))
            return found

        return await self._store.read_async(read)

    async def asked_by(self, request_id: str) -> StreamId | None:
        """Return the session in which a permission was asked for. Scans; nothing that waits is looked for here."""

        def read(connection: Connection) -> StreamId | None:
            items, keys = schema.items.c, schema.keys.c
            projected = (
                select(keys.id)
                .join(schema.items, items.stream == keys.stream)
                .where(items.id == request_id, items.kind == "permission")
            )
            member = f'"request_id":{msgspec.json.encode(request_id).decode()}'
            recorded = (
                select(keys.id)
                .join(schema.events, _events.stream == keys.stream)
                .where(_events.type == "permission-requested", _events.data.contains(member, autoescape=True))
            )
            found: str | None = connection.scalar(projected.limit(1)) or connection.scalar(recorded.limit(1))
            return None if found is None else StreamId(found)

        return await self._store.read_async(read)

    async def erase(self, session_id: StreamId, actor: Actor) -> str | None:
        """Erase the content of a session; return where traces of it may remain."""
        erased = await anyio.to_thread.run_sync(lambda: erase(self._store, session_id, actor=actor))
        return erased.remains


def _of_type(
    connection: Connection, session_id: StreamId, number: int, types: Sequence[str], *, newest: int
) -> list[Recorded]:
    statement = (
        select(*_columns)
        .where(_events.stream == number, _events.type.in_(types))
        .order_by(_events.version.desc())
        .limit(newest)
    )
    rows: list[Any] = fetch(connection, statement)
    return [to_recorded(session_id, row) for row in rows]
