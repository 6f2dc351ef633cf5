"""R14: logs of every version that ever landed open, show the same views and have the same chain, on both databases."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
from typing import TYPE_CHECKING, cast

import msgspec
import pytest
from sqlalchemy import create_engine, insert, select, text

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.views import projector
from holdfast.adapters.storage.views.check import fresh_digests
from holdfast.adapters.storage.views.rebuild import digests, rebuild
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.domain.errors import StoreDamagedError, StoreNewerError
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session.facts import BY_TAG
from holdfast.domain.session.session import Context, Session, fold, handle
from tests.chaos.mutants import mutated
from tests.golden.make import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.store import Store
    from tests.chaos.figures import Figures

_ALSO = [pytest.param(False, id="slice"), pytest.param(True, id="whole", marks=pytest.mark.chaos)]
NUMBERS = sorted(path.name.removesuffix(".db.gz") for path in FOLDER.glob("*.db.gz"))


LATER = {"0001": ("options", "offers", "remote_id")}
"""Members of a roster's row that came after a golden log was made; all the others are as they were then."""


class Golden(msgspec.Struct, frozen=True):
    """What must be found in a golden log."""

    schema: int
    events: int
    log_hash: str
    views: dict[str, str]
    kinds: list[str]


def unpacked(number: str, folder: Path) -> tuple[Golden, StoreSettings]:
    path = folder / "log.db"
    path.write_bytes(gzip.decompress((FOLDER / f"{number}.db.gz").read_bytes()))
    golden = msgspec.json.decode((FOLDER / f"{number}.json").read_bytes(), type=Golden)
    return golden, StoreSettings.from_url(f"sqlite:///{path}")


def in_postgres(path: Path, url: str) -> None:
    """Put the lasting rows of a file into an empty database."""
    settings = StoreSettings.from_url(url)
    open_store(settings).close()
    source = sqlite3.connect(path)
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in (schema.keys, schema.events, schema.store):
            connection.execute(table.delete())
        for table in (schema.keys, schema.events):
            names = [column.name for column in table.columns]
            rows = source.execute(f"SELECT {', '.join(names)} FROM {table.name}").fetchall()
            connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
    engine.dispose()
    source.close()


def show(store: Store, number: str) -> dict[str, str]:
    """Return a digest of each view, built anew, without what only later versions show."""

    def work(transaction: WriteTransaction) -> dict[str, str]:
        rebuild(transaction.connection, transaction.connection)
        return without_later(transaction, number)

    return store.write(work)


def without_later(transaction: WriteTransaction, number: str) -> dict[str, str]:
    """Return a digest of each view; the store is then only fit to be thrown away."""
    sessions = schema.sessions
    for name, body in transaction.connection.execute(select(sessions.c.id, sessions.c.row)).all():
        row = {key: value for key, value in msgspec.json.decode(body).items() if key not in LATER.get(number, ())}
        changed = sessions.update().where(sessions.c.id == name).values(row=msgspec.json.encode(row).decode())
        transaction.connection.execute(changed)
    return digests(transaction.connection)


@pytest.mark.parametrize("_whole", _ALSO)
@pytest.mark.parametrize("number", NUMBERS)
def test_an_old_log_opens_with_the_same_views_and_the_same_chain(
    number: str, _whole: bool, tmp_path: Path, figures: Figures
) -> None:
    golden, settings = unpacked(number, tmp_path)

    with open_store(settings) as store:
        while store.write(lambda transaction: projector.step(transaction.connection)):
            pass  # an index that is made in another way now
        verdict = verify(store.readers, tmp_path / "checkpoints")
        with store.reading() as connection:
            fresh = fresh_digests(connection)
            assert digests(connection) == fresh
            log_hash = cast("bytes", connection.scalar(text("SELECT log_hash FROM store")))
        events = sum(1 for _ in store.log())
        shown = store.write(lambda transaction: without_later(transaction, number))

    # A view that came later is not in an old file, and is built beside it all the same.
    known = {name: shown[name] for name in golden.views}
    figures("R14", "golden logs, SQLite", tried=1, violations=int(known != golden.views))
    assert verdict.first_bad is None
    assert known == golden.views
    assert (events, log_hash.hex()) == (golden.events, golden.log_hash)


@pytest.mark.parametrize("number", NUMBERS)
def test_an_old_log_is_read_without_a_write(number: str, tmp_path: Path) -> None:
    golden, settings = unpacked(number, tmp_path)
    before = _fingerprint(tmp_path)

    with open_store(settings, write=False) as store, store.reading() as connection:
        shown = digests(connection)

    assert {name: shown[name] for name in golden.views} == golden.views
    assert _fingerprint(tmp_path)["log.db"] == before["log.db"]


@pytest.mark.slow
@pytest.mark.parametrize("_whole", _ALSO)
@pytest.mark.parametrize("number", NUMBERS)
def test_an_old_log_is_the_same_in_postgres(
    number: str, _whole: bool, tmp_path: Path, postgres_url: str, figures: Figures
) -> None:
    golden, settings = unpacked(number, tmp_path)
    assert settings.path is not None
    in_postgres(settings.path, postgres_url)

    with open_store(StoreSettings.from_url(postgres_url)) as store:
        shown = {name: digest for name, digest in show(store, number).items() if name in golden.views}
        verdict = verify(store.readers, tmp_path / "checkpoints")
        with store.reading() as connection:
            log_hash = bytes(cast("bytes", connection.scalar(text("SELECT log_hash FROM store"))))

    figures("R14", "golden logs, PostgreSQL", tried=1, violations=int(shown != golden.views))
    assert verdict.first_bad is None
    assert shown == golden.views
    assert log_hash.hex() == golden.log_hash


@pytest.mark.parametrize("number", NUMBERS)
def test_an_old_log_can_be_gone_on_with(number: str, tmp_path: Path) -> None:
    golden, settings = unpacked(number, tmp_path)
    session = Session(StreamId("20000000-0000-4000-8000-000000000001"))
    events = handle(session, c.Create(transport="acp"), Context(now_us(), new_event_id))

    with open_store(settings) as store:
        positions = store.append_now(events, roster_row(fold(session, events)))

    assert positions == [golden.events + 1]


def test_the_golden_logs_hold_every_kind_of_event_there_is(tmp_path: Path) -> None:
    held = {kind for number in NUMBERS for kind in unpacked(number, tmp_path)[0].kinds}

    wanted = {f"{tag} {registration.schema}" for tag, registration in BY_TAG.items()}
    assert wanted <= held, "make the next golden log: python -m tests.golden.make"
    assert "session-created 1" in held


@pytest.mark.parametrize("number", NUMBERS[:1])
def test_old_logs_catch_a_version_that_forgot_how_to_read_them(number: str, tmp_path: Path) -> None:
    golden, settings = unpacked(number, tmp_path)

    with open_store(settings) as store, mutated("no-upcasting"):
        try:
            shown = {name: digest for name, digest in show(store, number).items() if name in golden.views}
        except StoreDamagedError:
            shown = {}

    assert shown != golden.views


@pytest.mark.parametrize("write", [True, False])
def test_a_newer_file_is_refused_without_a_write(write: bool, tmp_path: Path) -> None:
    _, settings = unpacked(NUMBERS[0], tmp_path)
    assert settings.path is not None
    connection = sqlite3.connect(settings.path)
    connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    connection.close()
    before = _fingerprint(tmp_path)

    with pytest.raises(StoreNewerError):
        open_store(settings, write=write)

    assert _fingerprint(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("write", [True, False])
def test_a_newer_database_is_refused_without_a_write(write: bool, postgres_url: str) -> None:
    settings = StoreSettings.from_url(postgres_url)
    open_store(settings).close()
    engine = create_engine(postgres_url)
    newer = f"{schema.REVISION_PREFIX}{schema.SCHEMA_VERSION + 1:04d}"
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :newer"), {"newer": newer})
        epoch = connection.scalar(text("SELECT epoch FROM store"))

    with pytest.raises(StoreNewerError):
        open_store(settings, write=write)

    with engine.begin() as connection:
        assert connection.scalar(text("SELECT epoch FROM store")) == epoch
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == newer
    engine.dispose()


def _fingerprint(folder: Path) -> dict[str, str]:
    return {
        path.name: f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(folder.iterdir())
        if path.suffix != ".lock"
    }
