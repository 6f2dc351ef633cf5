from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, cast

import pytest

from holdfast.adapters.storage.erase import erase, finish
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.reader import Reader
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import RosterRow
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.errors import NotFoundError
from holdfast.domain.recorded import Actor, Recorded, StreamId
from holdfast.domain.search.query import parse
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.state import SessionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.verify import Verdict

OWNER = Actor("human", "phone")
SECRET = "the-secret-of-session-"
DOOMED, OTHER = StreamId("doomed"), StreamId("other")


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    with opened(store_url, tmp_path) as store:
        yield store


def opened(url: str, home: Path) -> Store:
    settings = StoreSettings.from_url(url, home=home)
    return open_store(settings, checkpoints=home / "checkpoints", environ={})


def fill(store: Store, session: StreamId, turns: int = 40) -> None:
    """Write a session whose every text holds its secret, with views of each, in several commits."""
    secret = SECRET + session
    version = 0
    for turn in range(turns):
        facts = (e.SessionRenamed(f"{secret} {turn}"), e.TextAppended(f"item-{turn}", secret * (1 + turn * 7 % 90)))
        events = [Recorded(session, version + step, new_event_id(), turn, fact) for step, fact in enumerate(facts, 1)]
        version += len(events)
        store.append_now(events, RosterRow("session", False, 0, turn, f'{{"preview": "{secret}"}}'))
    while store.write(lambda transaction: projector.step(transaction.connection)):
        pass


def wipe_nothing(store: Store) -> None:
    """Let deleted content lie where it was, as most builds of SQLite do without being told otherwise."""
    store.write(lambda transaction: transaction.connection.exec_driver_sql("PRAGMA secure_delete = OFF").all())


def verified(store: Store, home: Path) -> Verdict:
    return verify(store.readers, home / "checkpoints")


def traces(home: Path, session: StreamId) -> dict[str, int]:
    secret = (SECRET + session).encode()
    found = {path.name: path.read_bytes().count(secret) for path in home.glob("log.db*")}
    return {name: count for name, count in found.items() if count}


def test_the_chain_of_an_erased_session_still_verifies(store: Store, tmp_path: Path) -> None:
    fill(store, DOOMED)
    fill(store, OTHER)

    erased = erase(store, DOOMED, actor=OWNER)

    assert erased.events == 80
    found = verified(store, tmp_path)
    assert found.ok, found
    assert found.checked == 161
    assert any("erased" in sentence for sentence in found.cannot_know)


def test_the_erasure_is_on_record_and_the_content_is_not(store: Store) -> None:
    fill(store, DOOMED)

    erase(store, DOOMED, actor=OWNER)

    *before, last = store.events(DOOMED)
    assert isinstance(last.event, e.SessionErased)
    assert last.actor == OWNER
    assert all(isinstance(event.event, e.Unknown) and event.event.data is None for event in before)
    assert [event.originator_version for event in store.events(DOOMED)] == list(range(1, 82))


def test_the_views_keep_nothing_of_it(store: Store) -> None:
    fill(store, DOOMED)
    fill(store, OTHER)

    erase(store, DOOMED, actor=OWNER)

    with store.reading() as connection:
        for name in ("sessions", "items", "inbox", "snapshots"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {name}").all()
            assert SECRET + DOOMED not in str(rows)
        assert SECRET + OTHER in str(connection.exec_driver_sql("SELECT * FROM sessions").all())


def test_nothing_of_it_is_left_in_the_files(tmp_path: Path) -> None:
    """The mutant: without writing the file anew, traces stay in the unused parts of pages."""
    with opened(f"sqlite:///{tmp_path / 'log.db'}", tmp_path) as store:
        wipe_nothing(store)
        fill(store, DOOMED)
        fill(store, OTHER)
        fill(store, StreamId("third"))
        assert traces(tmp_path, DOOMED)

        erased = erase(store, DOOMED, actor=OWNER)

        assert erased.remains is None
        assert traces(tmp_path, DOOMED) == {}
        assert traces(tmp_path, OTHER)
    assert traces(tmp_path, DOOMED) == {}


def test_nothing_of_it_is_left_in_the_memory_of_those_who_searched(tmp_path: Path) -> None:
    """As the daemon has it: one reads and searches, another follows transcripts, a third erases."""
    word = token_hex(8)
    with opened(f"sqlite:///{tmp_path / 'log.db'}", tmp_path) as store:
        writer, reader = Workspace(store), Reader(store)
        for command in (c.Create("acp"), c.Rename(word)):
            writer.execute(DOOMED, command, cause=None, actor=OWNER)
        assert [hit.title for hit in reader.search(parse(word))] == [word]
        assert held(word)

        erase(store, DOOMED, actor=OWNER)

        assert not held(word)
        assert reader.search(parse(word)) == []


def held(word: str) -> bool:
    """Tell whether a list of words, or the state of a session, has the word in this process."""
    gc.collect()
    found: list[object] = gc.get_objects()
    return any(
        word in cast("list[object]", each)
        if type(each) is list
        else isinstance(each, SessionState) and each.title == word
        for each in found
    )


def test_postgres_says_what_it_cannot_do(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path) as store:
        fill(store, DOOMED)

        assert "vacuum" in (erase(store, DOOMED, actor=OWNER).remains or "")


@pytest.mark.slow
def test_a_reader_that_stays_keeps_traces_and_is_named(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'log.db'}", tmp_path) as store:
        fill(store, DOOMED)
        with store.reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM events").all()
            assert "reader" in (erase(store, DOOMED, actor=OWNER).remains or "")

        assert finish(store) is None
        assert traces(tmp_path, DOOMED) == {}


def test_erasing_twice_is_harmless(store: Store, tmp_path: Path) -> None:
    fill(store, DOOMED)
    erase(store, DOOMED, actor=OWNER)
    head = store.head()

    assert erase(store, DOOMED, actor=OWNER).events == 0
    assert store.head() == head
    assert verified(store, tmp_path).ok


def test_a_session_that_is_not_there_cannot_be_erased(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no session 'nobody'"):
        erase(store, StreamId("nobody"), actor=OWNER)


def test_other_sessions_go_on(store: Store, tmp_path: Path) -> None:
    fill(store, DOOMED)
    fill(store, OTHER)
    erase(store, DOOMED, actor=OWNER)

    store.append_now([Recorded(OTHER, 81, new_event_id(), 1, e.SessionRenamed("still here"))])

    assert verified(store, tmp_path).ok


_CHILD = """
import os, signal, sys
from pathlib import Path
from tests.adapters.storage.test_erase import DOOMED, OWNER, erase, opened

home, last = Path(sys.argv[1]), int(sys.argv[2])
left = last

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

store = opened(f"sqlite:///{home / 'log.db'}", home)
store.write(lambda tx: tx.connection.connection.driver_connection.set_trace_callback(count))
left = last
erase(store, DOOMED, actor=OWNER)
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.chaos)])
def test_killed_at_any_statement_it_is_wholly_there_or_wholly_erased(tmp_path: Path, step: int) -> None:
    """The mutant: with the views deleted in a transaction of their own, some kill leaves one without the other."""
    outcomes: set[bool] = set()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path.cwd())])}
    for last in range(1, 100, step):
        home = tmp_path / str(last)
        home.mkdir()
        with opened(f"sqlite:///{home / 'log.db'}", home) as store:
            fill(store, DOOMED, turns=6)
            fill(store, OTHER, turns=6)
        command = [sys.executable, "-c", _CHILD, str(home), str(last)]
        code = subprocess.run(command, env=environment, check=False, timeout=60).returncode
        assert code in {0, -signal.SIGKILL}
        if code == 0:
            break
        with opened(f"sqlite:///{home / 'log.db'}", home) as store:
            facts = [event.event for event in store.events(DOOMED)]
            is_erased = isinstance(facts[-1], e.SessionErased)
            outcomes.add(is_erased)
            gone = [isinstance(fact, e.Unknown) for fact in facts]
            assert gone == ([True] * 12 + [False] if is_erased else [False] * 12)
            with store.reading() as connection:
                rows = str(connection.exec_driver_sql("SELECT * FROM sessions").all())
            assert (SECRET + DOOMED in rows) is not is_erased
            assert verified(store, home).ok
            assert finish(store) is None
            assert bool(traces(home, DOOMED)) is not is_erased
    else:
        pytest.fail("the erasure never came to its end")
    assert outcomes == {True, False}
