"""What is refused when a store is opened, and that a refusal changes nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import create_engine, text

from holdfast.adapters.storage.commit import Heads
from holdfast.adapters.storage.opening import ROUNDS, open_store, settled
from holdfast.adapters.storage.schema import APPLICATION_ID, REVISION_PREFIX, SCHEMA_VERSION
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.domain.errors import (
    LogRegressedError,
    NotFoundError,
    SettingsError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreForeignError,
    StoreNewerError,
    StoreUnavailableError,
)
from tests.adapters.storage.given import Stores, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from holdfast.adapters.storage.store import Store

both = pytest.mark.parametrize("write", [True, False], ids=["to write", "to read"])


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files below a folder with their bytes and times."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(folder: Path, error: type[Exception], *, write: bool) -> str:
    before = everything(folder)
    with pytest.raises(error) as refusal:
        open_store(StoreSettings.from_url(f"sqlite:///{folder}/log.db", wait_s=0), write=write, environ={})
    assert everything(folder) == before
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def store_in(folder: Path) -> Store:
    return open_store(StoreSettings.from_url(f"sqlite:///{folder}/log.db"), environ={})


def test_reading_a_store_that_is_not_there_makes_nothing(stores: Stores, tmp_path: Path) -> None:
    before = everything(tmp_path)

    with pytest.raises(NotFoundError):
        stores.open(write=False)

    assert everything(tmp_path) == before


@both
def test_another_programs_database_is_left_alone(tmp_path: Path, write: bool) -> None:
    with sqlite3.connect(tmp_path / "log.db") as other:
        other.execute("CREATE TABLE events (id INTEGER)")
    other.close()

    assert "another program" in refused(tmp_path, StoreForeignError, write=write)


@both
def test_another_programs_marked_database_is_left_alone(tmp_path: Path, write: bool) -> None:
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute("PRAGMA application_id = 7")
    other.close()

    refused(tmp_path, StoreForeignError, write=write)


@both
def test_a_folder_in_its_place_is_left_alone(tmp_path: Path, write: bool) -> None:
    (tmp_path / "log.db").mkdir()

    refused(tmp_path, StoreForeignError, write=write)


@both
def test_a_newer_store_is_left_alone(tmp_path: Path, write: bool) -> None:
    store_in(tmp_path).close()
    newer = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.close()
    (tmp_path / "log.db.lock").unlink()

    assert "newer version" in refused(tmp_path, StoreNewerError, write=write)


@both
@pytest.mark.parametrize("revision", [f"{REVISION_PREFIX}9999", "f3b1c2d4e5a6"])
def test_a_store_with_migrations_of_a_later_version_is_left_alone(tmp_path: Path, write: bool, revision: str) -> None:
    store_in(tmp_path).close()
    newer = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    newer.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    newer.close()
    (tmp_path / "log.db.lock").unlink()

    assert "newer version" in refused(tmp_path, StoreNewerError, write=write)


@both
def test_a_later_version_that_only_the_write_ahead_log_tells_of_is_seen(tmp_path: Path, write: bool) -> None:
    store_in(tmp_path).close()
    newer = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    newer.execute("UPDATE alembic_version SET version_num = 'f3b1c2d4e5a6'")  # and stays open, so that nothing is moved
    before = list(newer.iterdump())

    with pytest.raises(StoreNewerError, match="newer version"):
        open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db", wait_s=0), write=write, environ={})
    assert list(newer.iterdump()) == before
    newer.close()


@both
def test_a_store_that_lost_its_own_id_is_damaged(tmp_path: Path, write: bool) -> None:
    store_in(tmp_path).close()
    changed = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    changed.execute("DELETE FROM keys WHERE stream = 0")
    changed.close()

    settings = StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db")
    with pytest.raises(StoreDamagedError, match="which store it is"):
        open_store(settings, write=write, checkpoints=tmp_path / "checkpoints", environ={})


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda _: b"this is not a database, whatever its name says" * 100,
    "header only": lambda content: content[:100],
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: b"\0" * len(content),
    "no magic": lambda content: b"\0" * 64 + content[64:],
}


@both
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_left_alone(tmp_path: Path, write: bool, damage: str) -> None:
    store_in(tmp_path).close()
    path = tmp_path / "log.db"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))

    with pytest.raises((StoreDamagedError, StoreForeignError)):
        store_in(tmp_path)
    refused(tmp_path, StoreError, write=write)


def test_an_empty_file_becomes_a_store_but_is_none_to_read(tmp_path: Path) -> None:
    (tmp_path / "log.db").touch()

    refused(tmp_path, NotFoundError, write=False)
    with store_in(tmp_path) as store:
        assert store.append_now([said("s", 1)]) == [1]


def test_a_store_killed_before_its_tables_were_made_is_made_anew(tmp_path: Path) -> None:
    begun = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    begun.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    begun.execute("PRAGMA journal_mode = WAL")
    begun.close()

    with pytest.raises(NotFoundError):
        open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db"), write=False, environ={})
    with store_in(tmp_path) as store:
        assert store.append_now([said("s", 1)]) == [1]


def test_everything_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    os.umask(0o000)
    try:
        with open_store(
            StoreSettings.from_url(f"sqlite:///{home}/log.db"), checkpoints=home / "checkpoints", environ={}
        ) as store:
            store.append_now([said("s", 1)])
            files = list(home.rglob("*"))
            assert {path.name for path in files} > {"log.db", "log.db-wal", "log.db-shm", "log.db.lock", "checkpoints"}
            assert {path.stat().st_mode & 0o777 for path in files if path.is_file()} == {0o600}
            assert {path.stat().st_mode & 0o777 for path in (home, *files) if path.is_dir()} == {0o700}
    finally:
        os.umask(0o022)


def test_a_file_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    store_in(tmp_path).close()
    (tmp_path / "log.db").chmod(0o644)

    with store_in(tmp_path):
        assert (tmp_path / "log.db").stat().st_mode & 0o777 == 0o600


def test_the_environment_of_the_process_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")

    with pytest.raises(SettingsError):
        open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db"))
    assert list(tmp_path.iterdir()) == []


def test_the_second_process_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    home = tmp_path / "first home"
    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db", home=home), environ={}):
        message = refused(tmp_path, StoreBusyError, write=True)

    assert f"process {os.getpid()}" in message
    assert str(home) in message


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    program = """
        import os, sys
        from holdfast.adapters.storage.opening import open_store
        from holdfast.adapters.storage.settings import StoreSettings
        open_store(StoreSettings.from_url(sys.argv[1]), environ={})
        os._exit(9)
    """
    url = f"sqlite:///{tmp_path}/log.db"
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), url], check=False, env=_environment())

    with open_store(StoreSettings.from_url(url, wait_s=0), environ={}) as store:
        assert store.append_now([said("s", 1)]) == [1]


def test_opening_does_not_depend_on_alembic_once_the_store_is_there(tmp_path: Path) -> None:
    store_in(tmp_path).close()
    program = """
        import sys
        from holdfast.adapters.storage.opening import open_store
        from holdfast.adapters.storage.settings import StoreSettings
        open_store(StoreSettings.from_url(sys.argv[1]), environ={}).close()
        print({"alembic", "psycopg", "cryptography"} & set(sys.modules))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), f"sqlite:///{tmp_path}/log.db"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment())

    assert output.stdout.strip() == "set()"


@pytest.fixture
def home_for_all() -> Iterator[Path]:
    """A folder that other users can reach. Pytest keeps its own to itself, again whenever a run begins."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become a user without permission")
@pytest.mark.parametrize("state", ["closed", "killed", "open"])
def test_a_store_is_read_in_a_folder_without_write_permission(home_for_all: Path, state: str) -> None:
    """Given a home that its reader may not write to, the log is read, whether or not its writer left in order."""
    url = f"sqlite:///{home_for_all}/log.db"
    program = """
        import os, sys
        from holdfast.adapters.storage.opening import open_store
        from holdfast.adapters.storage.settings import StoreSettings
        from tests.adapters.storage.given import said
        store = open_store(StoreSettings.from_url(sys.argv[1]), environ={})
        store.append_now([said("s", 1), said("s", 2)])
        if sys.argv[2] == "killed":
            os._exit(9)
        store.close()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), url, state], check=False, env=_environment())
    if state == "killed":
        (home_for_all / "log.db-shm").unlink()  # as after a reboot or a copy
    writer = open_store(StoreSettings.from_url(url), environ={}) if state == "open" else None
    for path in (home_for_all, *home_for_all.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = everything(home_for_all)
    reader = """
        import os, sys
        from holdfast.adapters.storage.opening import open_store
        from holdfast.adapters.storage.settings import StoreSettings
        os.setuid(65534)
        with open_store(StoreSettings.from_url(sys.argv[1]), write=False, environ={}) as store:
            print([event.position for event in store.log()])
        try:
            open_store(StoreSettings.from_url(sys.argv[1], wait_s=0), environ={})
        except Exception as error:
            print(type(error).__name__)
    """
    try:
        command = [sys.executable, "-c", textwrap.dedent(reader), url]
        output = subprocess.run(command, check=False, capture_output=True, text=True, env=_environment())
    finally:
        if writer is not None:
            writer.close()

    assert output.stdout.split("\n") == ["[1, 2]", "StoreReadOnlyError", ""], output.stderr
    if state != "open":
        assert everything(home_for_all) == before


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.postgres
@both
def test_a_postgres_database_of_another_program_is_left_alone(postgres_url: str, write: bool) -> None:
    _run(postgres_url, "CREATE TABLE events (id int)")

    with pytest.raises(StoreForeignError):
        Stores(postgres_url).open(write=write)
    assert _tables(postgres_url) == {"events"}


@pytest.mark.postgres
@both
def test_a_postgres_database_with_migrations_of_another_program_is_left_alone(postgres_url: str, write: bool) -> None:
    _run(postgres_url, "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('1f')")

    with pytest.raises(StoreForeignError):
        Stores(postgres_url).open(write=write)
    assert _tables(postgres_url) == {"alembic_version"}


@pytest.mark.postgres
@both
def test_a_newer_postgres_store_is_left_alone(postgres_url: str, write: bool) -> None:
    Stores(postgres_url).open().close()
    _run(postgres_url, f"UPDATE alembic_version SET version_num = 'holdfast_{SCHEMA_VERSION + 1:04}'; DROP TABLE items")

    with pytest.raises(StoreNewerError):
        Stores(postgres_url).open(write=write)
    assert "items" not in _tables(postgres_url)


@pytest.mark.postgres
def test_a_store_beside_tables_of_other_names_is_made(postgres_url: str) -> None:
    _run(postgres_url, "CREATE TABLE customers (id int)")

    with Stores(postgres_url).open() as store:
        assert store.append_now([said("s", 1)]) == [1]


@both
def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path, write: bool) -> None:
    url = f"postgresql+psycopg://ann:hunter2@/log?host={tmp_path}"

    with pytest.raises(StoreUnavailableError) as refusal:
        Stores(url).open(write=write)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.postgres
@pytest.mark.parametrize("option", ["-c default_transaction_read_only=on"])
def test_a_server_that_only_reads_is_said(postgres_url: str, option: str) -> None:
    with pytest.raises(StoreError, match="write"):
        Stores(f"{postgres_url}&options={option.replace(' ', '%20')}").open()


def _run(url: str, script: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in script.split(";"):
            connection.execute(text(statement))
    engine.dispose()


def _tables(url: str) -> set[str]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    return {str(row[0]) for row in rows}


class TestALogThatSeemsBehindItsWitness:
    """Each look at the log finds the next of some positions, and each look at the witness one of its own."""

    @staticmethod
    def looked_at(log: Sequence[int], witness: Sequence[int]) -> tuple[int, bool, int]:
        """Return where the log was said to end, whether it was said to be behind, and how often it was read."""
        heads, seen, reads = iter(log), iter(witness), 0

        def read() -> Heads:
            nonlocal reads
            reads += 1
            return Heads(next(heads))

        def compare(heads: Heads) -> LogRegressedError | None:
            return LogRegressedError("behind") if heads.position < next(seen) else None

        found, regressed = settled(read, compare)
        return found.position, regressed is not None, reads

    def test_one_that_is_not_is_looked_at_once(self) -> None:
        assert self.looked_at([5], [5]) == (5, False, 1)

    def test_one_that_stands_still_is_behind(self) -> None:
        assert self.looked_at([5, 5], [6]) == (5, True, 2)

    def test_one_that_was_moved_between_the_two_looks_is_not(self) -> None:
        assert self.looked_at([5, 6], [6, 6]) == (6, False, 2)

    def test_one_that_grows_for_some_time_is_looked_at_that_long(self) -> None:
        assert self.looked_at([5, 6, 7, 8], [6, 7, 8, 8]) == (8, False, 4)

    def test_one_that_grew_and_stands_still_is_behind(self) -> None:
        assert self.looked_at([5, 6, 6], [9, 9]) == (6, True, 3)

    def test_one_that_never_stops_growing_is_given_up(self) -> None:
        endless = range(ROUNDS * 2)

        assert self.looked_at(endless, [each + 1 for each in endless]) == (ROUNDS, True, ROUNDS + 1)
