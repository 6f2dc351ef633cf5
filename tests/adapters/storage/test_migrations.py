"""The schema is made by migrations, which leave the old version or the new one and nothing in between."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, event, inspect

from holdfast.adapters.storage.migrate import migrate, schema_version
from holdfast.adapters.storage.schema import SCHEMA_VERSION, contents, events, metadata
from holdfast.adapters.storage.sqlite import create_file, raw_connection, writer_engine
from holdfast.adapters.storage.views import passages, projector
from holdfast.adapters.storage.views.check import fresh_digests
from holdfast.adapters.storage.views.rebuild import digests
from holdfast.adapters.storage.views.search import search
from holdfast.adapters.storage.views.tables import tracked
from holdfast.adapters.storage.views.titles import Titles
from holdfast.domain.search.query import parse
from tests.adapters.storage.given import Stores, row, said
from tests.support.first_index import with_first_index

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from holdfast.adapters.storage.store import Store


def _is_known(name: str | None, *_: object) -> bool:
    """The search index is nothing that SQLAlchemy knows: on SQLite it has tables, on PostgreSQL indexes of its own."""
    return not str(name).startswith(("passage_words", "passages_at"))


class Killed(BaseException):
    """Stands for the end of the process: nothing below catches it."""


def test_the_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    with store.reading() as connection:
        opts: dict[str, object] = {"compare_type": True, "include_name": _is_known}
        context = MigrationContext.configure(connection, opts=opts)
        expected = MetaData()
        for each in (metadata, contents) if connection.dialect.name == "postgresql" else (metadata,):
            for table in each.sorted_tables:
                table.to_metadata(expected)
        assert compare_metadata(context, expected) == []
        assert schema_version(connection) == SCHEMA_VERSION


def test_constraints_that_alembic_does_not_compare_are_there_too(store: Store) -> None:
    with store.reading() as connection:
        inspector = inspect(connection)
        unique = {tuple(c["column_names"]) for c in inspector.get_unique_constraints("events")}
        indexes = {index["name"] for index in inspector.get_indexes("events")}
        assert inspector.get_pk_constraint("events")["constrained_columns"] == ["position"]
    assert unique == {("stream", "version")}
    assert "events_cause" in indexes


def test_sqlite_never_gives_a_position_twice(sqlite_store: Store) -> None:
    with sqlite_store.reading() as connection:
        sql = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'events'").scalar_one()
    assert "AUTOINCREMENT" in sql


def test_a_migration_killed_at_any_statement_leaves_nothing_or_everything(tmp_path: Path) -> None:
    """Every statement that a migration sends is once the last one."""
    statements = _statements_until(tmp_path / "whole.db", None)
    assert statements > 10

    for last in range(1, statements + 1):
        path = tmp_path / f"{last}.db"
        _statements_until(path, last)

        with sqlite3.connect(path) as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.close()
        assert (tables, version) == (0, 0)
        with Stores(f"sqlite:///{path}").open() as store:
            assert store.append_now([said("s", 1)]) == [1]


def _statements_until(path: Path, last: int | None) -> int:
    create_file(path)
    engine = writer_engine(path)
    count = 0

    def count_down(*_: object) -> None:
        nonlocal count
        count += 1
        if count == last:
            raise Killed

    event.listen(engine, "before_cursor_execute", count_down)
    connection = engine.connect()
    try:
        _migrate(connection)
    except Killed:
        # As the system does when a process dies: no ROLLBACK is sent.
        driver = raw_connection(connection)
        connection.detach()
        driver.close()
    finally:
        connection.close()
    return count


def _migrate(connection: Connection) -> None:
    with connection.begin():
        migrate(connection)


@pytest.mark.postgres
def test_a_killed_migration_leaves_nothing_on_postgres(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    connection = engine.connect()
    connection.begin()
    migrate(connection)
    connection.invalidate()  # cuts it without a COMMIT
    connection.close()

    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    with Stores(postgres_url).open() as store:
        assert store.append_now([said("s", 1)]) == [1]


@pytest.mark.postgres
def test_no_sequence_moves_without_its_transaction_on_postgres(postgres_url: str) -> None:
    with Stores(postgres_url).open() as store, store.reading() as connection:
        assert inspect(connection).get_sequence_names() == []
        (position,) = (c for c in inspect(connection).get_columns(events.name) if c["name"] == "position")
        assert position["default"] is None


class TestTheIndexOfFirstStores:
    """Given a store whose index was made before words were found by their beginnings and by their time."""

    def test_it_is_found_in_as_it_is_and_made_anew_by_who_writes(self, tmp_path: Path) -> None:
        stores = _told(Stores(f"sqlite:///{tmp_path}/log.db"))
        with_first_index(tmp_path / "log.db")

        with stores.open(write=False) as store:
            assert _found(store) == ["m1"]
        with stores.open() as store:
            assert _found(store) == ["m1"], "what is not folded yet is found all the same"
            _catch_up(store)
            with store.reading() as connection:
                made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'passage_words'")
                assert "prefix" in made.scalar_one()
                assert schema_version(connection) == SCHEMA_VERSION
                assert digests(connection) == fresh_digests(connection)
            assert _found(store) == ["m1"]

    @pytest.mark.postgres
    def test_a_server_gets_the_index_that_it_lacks(self, postgres_url: str) -> None:
        stores = _told(Stores(postgres_url))
        engine = create_engine(postgres_url)
        with engine.begin() as plain:
            plain.exec_driver_sql("DROP INDEX passages_at")
            plain.exec_driver_sql("UPDATE alembic_version SET version_num = 'holdfast_0001'")
        engine.dispose()

        with stores.open() as store, store.reading() as connection:
            assert "passages_at" in {index["name"] for index in inspect(connection).get_indexes("passages")}
            assert schema_version(connection) == SCHEMA_VERSION
            assert tracked(connection, passages.NAME) == 1
            assert _found(store) == ["m1"]

    def test_one_that_is_as_it_should_be_is_kept(self, tmp_path: Path) -> None:
        stores = _told(Stores(f"sqlite:///{tmp_path}/log.db"))
        with sqlite3.connect(tmp_path / "log.db") as plain:
            plain.execute("UPDATE alembic_version SET version_num = 'holdfast_0001'")
            plain.execute("PRAGMA user_version = 1")
        plain.close()

        with stores.open() as store, store.reading() as connection:
            assert tracked(connection, passages.NAME) == 1


def _told(stores: Stores) -> Stores:
    with stores.open() as store:
        store.append_now([said("s", 1, "the lighthouse")], row())
        _catch_up(store)
    return stores


def _catch_up(store: Store) -> None:
    while store.write(lambda transaction: projector.step(transaction.connection)):
        pass


def _found(store: Store) -> list[str]:
    with store.reading() as connection:
        return [hit.item_id for hit in search(connection, parse("lighth*"), 5, Titles())]
