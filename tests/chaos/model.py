"""A store beside the simplest thing that could be one: hypothesis makes up what happens to both."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.adapters.storage.erase import erase
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.check import fresh_digests
from holdfast.adapters.storage.views.rebuild import rebuild
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.errors import HoldfastError, VersionConflictError
from holdfast.domain.recorded import Actor, Recorded, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, handle
from tests.chaos.load import loaded, name_of, next_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.reading import Feed
    from holdfast.adapters.storage.store import Store

SESSIONS = st.integers(0, 2).map(name_of)
READERS = st.sampled_from(["tui", "web"])


class LogMachine(RuleBasedStateMachine):
    """Appends, duplicates, conflicts, kills, readers that lag, renames, erasures and rebuilds, in any order.

    The model is a list of what was acknowledged: session, version and event id by position.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="holdfast-model-"))
        self._homes = count()
        self._home = self._folder / "none"
        self._log: list[tuple[str, int, bytes]] = []
        self._requests: list[tuple[Sequence[Recorded], list[int]]] = []
        self._sessions: dict[StreamId, Session] = {}
        self._erased: set[StreamId] = set()
        self._feeds: dict[str, Feed] = {}
        self._seen: dict[str, int] = {}
        self._store: Store

    @initialize()
    def begin(self) -> None:
        self._home = self._folder / str(next(self._homes))
        shutil.copytree(_empty_store(), self._home)
        self._open()

    def _open(self) -> None:
        self._store = _opened(self._home)
        assert self._store.regressed is None
        self._feeds.clear()

    def teardown(self) -> None:
        if self._log or self._home.exists():
            self._store.close()
        shutil.rmtree(self._folder)

    def _append(self, session_id: StreamId, events: Sequence[Recorded]) -> None:
        after = fold(self._sessions.get(session_id, Session(session_id)), events)
        positions = self._store.append_now(events, roster_row(after))
        assert positions == list(range(len(self._log) + 1, len(self._log) + len(events) + 1))
        self._sessions[session_id] = after
        self._log += [(session_id, event.originator_version, event.event_id) for event in events]
        self._requests.append((events, positions))

    def _carry_out(self, session_id: StreamId, command: c.Command) -> None:
        session = self._sessions.get(session_id, Session(session_id))
        context = Context(now_us(), new_event_id, Actor("human", "model"), new_event_id().hex())
        try:
            events = handle(session, command, context)
        except HoldfastError:
            return
        if events:
            self._append(session_id, events)

    @rule(session_id=SESSIONS, seed=st.integers(0, 2**16), times=st.integers(1, 4))
    def go_on(self, session_id: StreamId, seed: int, times: int) -> None:
        if session_id in self._erased:
            return
        random = Random(seed)
        for _ in range(times):
            self._append(session_id, next_events(self._sessions.get(session_id, Session(session_id)), random))

    @rule(session_id=SESSIONS, title=st.text(max_size=5).filter(lambda text: text.isprintable()))
    def rename(self, session_id: StreamId, title: str) -> None:
        self._carry_out(session_id, c.Rename(title))

    @precondition(lambda self: self._requests)
    @rule(which=st.integers(0, 2**16))
    def append_again(self, which: int) -> None:
        events, positions = self._requests[which % len(self._requests)]

        assert self._store.append_now(events) == positions

    @precondition(lambda self: self._log)
    @rule(which=st.integers(0, 2**16))
    def append_something_else(self, which: int) -> None:
        session_id, version, _ = self._log[which % len(self._log)]
        session = Session(StreamId(session_id), version - 1)
        other = Recorded(session.id, version, new_event_id(), now_us(), e.TextAppended("other", "words"))

        with pytest.raises(VersionConflictError):
            self._store.append_now([other])

    @rule()
    def close_and_open(self) -> None:
        self._store.close()
        self._open()

    @rule()
    def be_killed(self) -> None:
        """Go on with the bytes as they are now; whoever wrote them never gets to close them."""
        dead, copy = self._home, self._folder / str(next(self._homes))
        shutil.copytree(dead, copy)
        self._store.close()
        shutil.rmtree(dead)
        self._home = copy
        self._open()

    @rule(reader=READERS, chunk=st.integers(1, 30))
    def read_on(self, reader: str, chunk: int) -> None:
        feed = self._feeds.get(reader)
        if feed is None:
            after = self._seen.setdefault(reader, 0)
            feed = self._feeds[reader] = self._store.feed(after=after, chunk=chunk)
        with self._store.reading() as connection:
            events, _ = feed.read(connection)
        for event in events:
            before = self._seen[reader]
            assert event.position == before + 1
            assert self._log[before][2] == event.event_id
            self._seen[reader] += 1

    @rule(session_id=SESSIONS)
    def erase(self, session_id: StreamId) -> None:
        if session_id not in self._sessions or session_id in self._erased:
            return
        erase(self._store, session_id, actor=Actor("human", "model"))
        self._erased.add(session_id)
        self._sessions[session_id] = loaded(self._store, session_id)
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT version, event_id, position FROM events JOIN keys USING (stream) WHERE id = ? AND position > ?"
                " ORDER BY position",
                (session_id, len(self._log)),
            ).all()
        assert rows
        self._log += [(session_id, version, event_id) for version, event_id, _ in rows]
        self._requests = [each for each in self._requests if each[0][0].originator_id != session_id]

    @rule()
    def fold_views(self) -> None:
        self._store.write(lambda transaction: projector.step(transaction.connection, 20))

    @rule()
    def build_anew(self) -> None:
        self._store.write(lambda transaction: rebuild(transaction.connection, transaction.connection))

    @rule()
    def check_everything(self) -> None:
        while self._store.write(lambda transaction: projector.step(transaction.connection)):
            pass
        with self._store.reading() as connection:
            fresh_digests(connection)
        verdict = verify(self._store.readers, self._home / "checkpoints", f"{self._home}/log.db")
        assert verdict.ok, verdict

    @invariant()
    def the_log_is_what_was_acknowledged(self) -> None:
        query = "SELECT position, id, version, event_id FROM events JOIN keys USING (stream) ORDER BY position"
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(query).all()
        assert [tuple(row) for row in rows] == [(number, *entry) for number, entry in enumerate(self._log, 1)]


def _opened(home: Path) -> Store:
    settings = StoreSettings.from_url(f"sqlite:///{home}/log.db", wait_s=0)
    return open_store(settings, checkpoints=home / "checkpoints", inline=True)


@cache
def _empty_store() -> Path:
    """Return a folder with a store in which nothing happened yet: making it takes longer than living through it."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-model-"))
    atexit.register(shutil.rmtree, folder)
    _opened(folder).close()
    return folder
