"""What the writer sends to SQLite: only columns that hold something, and of each value what was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.statements import chunks, filled, insert_many
from holdfast.domain.recorded import Actor, Source
from tests.adapters.storage.given import row, said

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store

KINDS = text("SELECT typeof(event_id), typeof(hash), typeof(cause), typeof(source), typeof(source_offset) FROM events")


def test_a_column_in_which_no_row_holds_anything_is_left_out() -> None:
    names, columns = filled(schema.keys, [(1, "session", "a", None), (2, "session", "b", None)])

    assert names == ("stream", "kind", "id")
    assert columns == [(1, 2), ("session", "session"), ("a", "b")]
    assert insert_many(schema.keys, names, 2).endswith("keys (stream, kind, id) VALUES (?, ?, ?), (?, ?, ?)")


def test_one_row_that_holds_something_brings_the_column_in_for_all() -> None:
    names, columns = filled(schema.keys, [(1, "session", "a", None), (2, "session", "b", b"salt")])

    assert names == ("stream", "kind", "id", "salt")
    assert columns[-1] == (None, b"salt")


@pytest.mark.parametrize("rows", [1, 2, 63, 64, 65, 200])
def test_statements_of_a_few_sizes_take_all_rows(rows: int) -> None:
    assert sum(chunks(rows)) == rows


def test_events_that_say_more_and_less_of_themselves_come_back_from_one_commit_as_they_were(store: Store) -> None:
    bare = said("s", 1)
    caused = replace(said("s", 2), cause="c1", actor=Actor("human", "cli"), occurred_at=5)
    sourced = replace(said("s", 3), source=Source(b"\0eight\xff.", 12))
    store.append_now([bare, caused, sourced], row(ended=True))

    assert [replace(event, position=None) for event in store.events("s")] == [bare, caused, sourced]


def test_what_is_stored_is_of_the_kind_that_its_column_promises(sqlite_store: Store) -> None:
    sqlite_store.append_now([replace(said("s", 1), cause="c1", source=Source(b"12345678", 3))], row(ended=True))
    sqlite_store.append_now([said("s", 2)])

    with sqlite_store.reading() as connection:
        assert connection.execute(KINDS).all() == [
            ("blob", "blob", "text", "blob", "integer"),
            ("blob", "blob", "null", "null", "null"),
        ]
        assert connection.scalar(text("SELECT typeof(ended) || ended FROM sessions")) == "integer1"
