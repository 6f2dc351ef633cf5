"""What changes a store on behalf of a person: the port `Writing` over one open store, but for what others import."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments.whole import with_prompts
from holdfast.adapters.storage.compact import compact
from holdfast.adapters.storage.driven import Driven
from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.reader import Reader
from holdfast.adapters.storage.reading import by_cause, latest, select_stream, source_offset
from holdfast.adapters.storage.views import projector, rebuild
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.session.commands import Command, Erase
from holdfast.domain.session.session import Context, Session, fold, handle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction
    from holdfast.domain.answers import Compaction
    from holdfast.domain.ports import Progress
    from holdfast.domain.recorded import Actor, Recorded, StreamId


class Workspace(Reader):
    """One open store with everything that changes it. Commands of one session are carried out one after the other."""

    def __init__(self, store: Store) -> None:
        """Change `store`, which was opened for writing and which the caller closes."""
        super().__init__(store)
        self._sessions: dict[StreamId, Session] = {}
        self._driven = Driven()

    def forget(self, session_id: StreamId) -> None:
        """Hold nothing of a session that was erased."""
        super().forget(session_id)
        self._sessions.pop(session_id, None)

    def execute(self, session_id: StreamId, command: Command, *, cause: str | None, actor: Actor) -> Sequence[Recorded]:
        """Carry out a command and return what it led to, after that is durable.

        Raises:
            ConflictError: The command contradicts the session's state.
            NotFoundError: The session, or what the command names, does not exist.
            StoreError: The store cannot take it.
        """
        if isinstance(command, Erase):
            self.erase(session_id, actor=actor)
            return ()
        if cause is not None:
            with self._store.reading() as connection:
                earlier = by_cause(connection, session_id, cause)
            if earlier:
                return earlier
        session = self.load(session_id)
        context = Context(now=_now_us(), new_event_id=new_event_id, actor=actor, cause=cause)
        events = handle(session, command, context)
        if events:
            self.append(fold(session, events), events)
        return events

    def load(self, session_id: StreamId) -> Session:
        """Return the session after all its events; a new one where there are none."""
        session = self._sessions.get(session_id)
        if session is not None and session.version != self._version(session_id):
            session = None  # somebody else of this process writes to it as well
        if session is None:
            with self._store.reading() as connection:
                events = select_stream(connection, session_id)
                session = fold(Session(session_id), with_prompts(self._store.attachments, connection, events))
            self._sessions[session_id] = session
        return session

    def _version(self, session_id: StreamId) -> int:
        with self._store.reading() as connection:
            sessions = schema.sessions.c
            return connection.scalar(select(sessions.version).where(sessions.id == session_id)) or 0

    def append(self, session: Session, events: Sequence[Recorded], contents: Mapping[str, bytes] | None = None) -> None:
        """Write `events`, after which the session is `session`, with attachments that they refer to already.

        Raises:
            StoreError: The store cannot take it; the session is read anew before the next command.
            VersionConflictError: Other events stand there.
        """
        self._sessions.pop(session.id, None)
        self._store.append_now(events, roster_row(session), contents=contents)
        self._sessions[session.id] = session

    def driver(self, session_id: StreamId, agent: str) -> StreamId | None:
        """Return the session under which Holdfast drives the agent's session of this id; None where it does not."""
        with self._store.reading() as connection:
            return self._driven.find(connection, session_id, agent)

    def is_erased(self, session_id: StreamId) -> bool:
        """Tell whether a session that an agent calls so was one of ours, and was erased."""
        with self._store.reading() as connection:
            return self._driven.is_erased(connection, session_id)

    def is_connecting(self, agent: str) -> bool:
        """Tell whether a session with the agent is about to get a name there, as of the latest `driver`."""
        return self._driven.is_connecting(agent)

    def recent(self, session_id: StreamId, limit: int) -> Sequence[Recorded]:
        """Return the session's latest events, the oldest of them first."""
        with self._store.reading() as connection:
            return latest(connection, session_id, limit)

    def offset(self, session_id: StreamId, source: bytes) -> int:
        """Return how far a source has been consumed into this session, 0 for one that never was."""
        with self._store.reading() as connection:
            return source_offset(connection, session_id, source) or 0

    def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        """Erase the content of a session for good; its chain still verifies.

        Returns:
            Where traces of the content may remain on the disk, in words; None for nowhere in the store.

        Raises:
            NotFoundError: There is no such session.
        """
        return erase(self._store, session_id, actor=actor).remains

    def compact(
        self,
        session_id: StreamId | None = None,
        *,
        actor: Actor,
        progress: Progress | None = None,
        held: Callable[[StreamId], bool] = lambda _session: False,
    ) -> Compaction:
        """Tell the messages of ended turns as wholes and keep only digests of their pieces.

        Sessions that are `held` in memory by somebody are left alone.

        Raises:
            NotFoundError: There is no such session.
            ConflictError: It is held.
            StoreError: The store cannot take it.
        """

        def report(done: int, total: int) -> None:
            if progress is not None:
                progress("sessions", done, total)

        return compact(self._store, session_id, actor=actor, held=held, progress=report)

    def rebuild(self, progress: Progress | None = None) -> dict[str, str]:
        """Drop every view, build it anew from the log, and return a digest of each.

        It happens in one transaction: whoever reads meanwhile sees the old views, and a kill or an interrupt leaves
        them.
        """
        given_up = Event()

        def work(transaction: WriteTransaction) -> dict[str, str]:
            def report(done: int, total: int) -> None:
                if progress is not None:
                    progress("events", done, total)
                if given_up.is_set():
                    raise InterruptedError

            rebuild.rebuild(transaction.connection, transaction.connection, report)
            return rebuild.digests(transaction.connection)

        try:
            return self._store.write(work)
        except KeyboardInterrupt:
            given_up.set()  # or closing the store would wait until all of it is folded
            raise

    def catch_up(self, progress: Progress | None = None) -> None:
        """Fold what is new into the stored views."""
        left = 1
        total = 0
        while left:
            left = self._store.write(lambda transaction: projector.step(transaction.connection))
            total = max(total, left)
            if progress is not None and total:
                progress("items", total - left, total)


def _now_us() -> int:
    return time.time_ns() // 1000
