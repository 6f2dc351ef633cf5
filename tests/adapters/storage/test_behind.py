"""A store and its witnesses together: what a log that was cut short, put back or rewritten looks like."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.chain import GENESIS, keyed, link
from holdfast.adapters.storage.checkpoints import read_lines
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.store import RosterRow
from holdfast.adapters.storage.verify import Behind, Verdict, verify
from holdfast.domain.errors import LogRegressedError
from holdfast.domain.recorded import Recorded, StreamId
from holdfast.domain.session import events as e
from tests.adapters.storage import forging

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from holdfast.adapters.storage.store import Store


class Home:
    """A home with one SQLite store in it."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "log.db"
        self.checkpoints = folder / "checkpoints"
        self.settings = StoreSettings.from_url(f"sqlite:///{self.database}", home=folder)

    def open(self) -> Store:
        return open_store(self.settings, checkpoints=self.checkpoints, environ={})

    def write(self, *versions: int) -> None:
        with self.open() as store:
            append(store, *versions)

    def verify(self) -> Verdict:
        with open_store(self.settings, write=False, environ={}) as store:
            return verify(store.readers, self.checkpoints, self.settings.label)

    def engine(self) -> Engine:
        return create_engine(f"sqlite:///{self.database}")

    def signed(self) -> Path:
        (path,) = self.checkpoints.glob("*.jsonl")
        return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose log has ten events and was closed in good order twice, after five and after ten."""
    home = Home(tmp_path)
    home.write(1, 2, 3, 4, 5)
    shutil.copy(home.database, tmp_path / "older.db")
    home.write(6, 7, 8, 9, 10)
    return home


def append(store: Store, *versions: int) -> None:
    for version in versions:
        fact = e.SessionRenamed(f"title {version}")
        row = RosterRow("session", ended=False, rank=0, updated_at=version, row="{}")
        store.append_now([Recorded(StreamId("s"), version, new_event_id(), version, fact)], row)


def test_a_store_that_was_closed_in_good_order_is_well(home: Home) -> None:
    found = home.verify()

    assert found.ok
    assert found.checkpoints.signed == 2
    assert found.checkpoints.position == 10


def test_a_store_that_is_being_written_is_well(home: Home) -> None:
    with home.open() as store:
        append(store, 11, 12)

        assert verify(store.readers, home.checkpoints).ok


def test_an_older_copy_that_was_put_back_only_reads_and_is_behind(home: Home) -> None:
    shutil.copy(home.database.with_name("older.db"), home.database)

    with home.open() as store:
        assert isinstance(store.regressed, LogRegressedError)
        assert len(list(store.log())) == 5
        with pytest.raises(LogRegressedError, match="LOG_REGRESSED"):
            append(store, 6)

    found = home.verify()
    assert not found.ok
    assert found.first_bad is None
    assert found.behind == Behind(5, 10)
    assert any("after position 5" in sentence for sentence in found.cannot_know)


def test_moving_the_witnesses_away_accepts_the_older_copy(home: Home) -> None:
    shutil.copy(home.database.with_name("older.db"), home.database)
    home.checkpoints.rename(home.checkpoints.with_name("checkpoints.before"))

    home.write(6)

    assert home.verify().ok


@pytest.mark.parametrize("gone", ["head", "signed"])
def test_either_witness_alone_notices_an_older_copy(home: Home, gone: str) -> None:
    shutil.copy(home.database.with_name("older.db"), home.database)
    (home.checkpoints / "head" if gone == "head" else home.signed()).unlink()

    assert home.verify().behind == Behind(5, 10)
    with home.open() as store:
        assert store.regressed is not None


def test_without_any_witness_an_older_copy_is_well_and_it_says_what_that_is_worth(home: Home) -> None:
    shutil.copy(home.database.with_name("older.db"), home.database)
    shutil.rmtree(home.checkpoints)

    found = home.verify()

    assert found.ok
    assert any("no witness" in sentence for sentence in found.cannot_know)


def test_the_newest_event_taken_off_is_missing_and_behind_and_its_position_never_used_again(home: Home) -> None:
    engine = home.engine()
    forging.execute(engine, "DELETE FROM events WHERE position = 10")
    engine.dispose()

    found = home.verify()
    assert found.behind == Behind(9, 10)
    assert found.first_bad is not None
    assert (found.first_bad.position, found.first_bad.session_id, found.first_bad.reason) == (10, "s", "missing")
    with home.open() as store:
        assert store.regressed is not None

    shutil.rmtree(home.checkpoints)
    home.write(10)
    with home.open() as store:
        assert [event.position for event in store.log(after=8)] == [9, 11]


def test_a_database_that_was_deleted_does_not_begin_anew_in_silence(home: Home) -> None:
    home.database.unlink()

    with pytest.raises(LogRegressedError, match="LOG_REGRESSED"):
        home.open()

    assert not home.database.exists()


@pytest.mark.parametrize("change", [{"position": 3}, {"position": 3_000}, {"hash": "00" * 32}, {"at": 1}])
def test_an_edited_checkpoint_is_said_and_does_not_lock_the_store(home: Home, change: dict[str, object]) -> None:
    first, second = home.signed().read_text().splitlines()
    edited = json.dumps(json.loads(second) | change, separators=(",", ":"))
    home.signed().write_text(f"{first}\n{edited}\n")

    found = home.verify()

    assert not found.ok
    assert found.behind is None
    assert found.first_bad is None
    assert any("line 2" in sentence for sentence in found.checkpoints.complaints)
    with home.open() as store:
        assert store.regressed is None


def test_a_history_with_every_hash_made_anew_is_found_by_the_checkpoints(home: Home) -> None:
    """Who can write the database can read the salts too: the chain alone would agree."""
    engine = home.engine()
    rewrite(engine, position=7, data='{"title":"something else"}')

    found = home.verify()

    assert found.first_bad is not None
    assert found.first_bad.position == 6, "the first one after the last checkpoint that agrees"
    assert found.first_bad.reason == "tampered"
    engine.dispose()


def test_a_history_made_anew_where_no_witness_is_left_cannot_be_told(home: Home) -> None:
    engine = home.engine()
    rewrite(engine, position=7, data='{"title":"something else"}')
    shutil.rmtree(home.checkpoints)

    found = home.verify()

    assert found.ok
    assert any("anew" in sentence for sentence in found.cannot_know)
    engine.dispose()


def rewrite(engine: Engine, position: int, data: str) -> None:
    """Change a payload, then every hash after it, and everything in the database that repeats them."""
    forging.change(engine, position, data=data)
    with engine.connect() as connection:
        salt = connection.scalar(
            schema.keys.select().with_only_columns(schema.keys.c.salt).where(schema.keys.c.stream == 1)
        )
        rows = connection.execute(schema.events.select().order_by(schema.events.c.position)).mappings().all()
    assert salt is not None
    before = GENESIS
    for row in rows:
        header = {name: row[name] for name in row if name not in {"position", "stream", "data", "digest", "hash"}}
        digest = keyed(salt)(row["data"].encode())
        before = link(before, position=row["position"], stream="s", digest=digest, **header)
        forging.change(engine, row["position"], hash=before)
    forging.execute(engine, "UPDATE sessions SET hash = :hash", hash=before)
    forging.execute(engine, "UPDATE store SET log_hash = :hash", hash=forging.log_hash(engine, len(rows)))


def test_the_verifier_of_the_documentation_agrees(home: Home) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/integrity.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    command = [sys.executable, "-c", code, str(home.database)]
    last = read_lines(home.signed())[-1].checkpoint
    assert last is not None

    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert told.split() == ["10", last.log_hash]

    engine = home.engine()
    forging.change(engine, 7, data='{"title":"something else"}')
    engine.dispose()

    assert subprocess.run(command, check=False, capture_output=True, text=True).stderr == "bad: position 7\n"
