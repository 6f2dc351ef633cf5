"""What `doctor` finds in a store and its home, each fault with what to do about it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.compact import compact, savings
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.health import checks
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.reading import stream_number
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.recorded import Actor, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.commands import Create, Rename
from holdfast.domain.sizes import in_words

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.adapters.storage.store import Store

ME = Actor("human", "cli")
ONE = StreamId("aaaa1111-0000-4000-8000-000000000001")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one session in its log."""
    tmp_path.chmod(0o700)
    with opened(tmp_path) as store:
        Workspace(store).execute(ONE, Create("acp", title="shop"), cause=None, actor=ME)
        Workspace(store).catch_up()
    return tmp_path


def settings(home: Path) -> StoreSettings:
    return StoreSettings.from_url(f"sqlite:///{home}/log.db")


def opened(home: Path) -> Store:
    return open_store(settings(home), checkpoints=home / "checkpoints", environ={})


def found(home: Path) -> dict[str, tuple[bool, str]]:
    with open_store(settings(home), write=False, environ={}) as store:
        return {
            each.check: (each.ok, each.detail) for each in checks(store, settings(home), home, home / "checkpoints")
        }


def faults(home: Path) -> dict[str, str]:
    return {check: detail for check, (ok, detail) in found(home).items() if not ok}


def test_a_home_in_order_has_no_fault(home: Path) -> None:
    assert faults(home) == {}
    assert f"1 session, 1 event, schema {schema.SCHEMA_VERSION}" in found(home)["store"][1]
    assert found(home)["growth"][1].startswith("1 event in the last 24 hours, ")
    assert list(found(home)) == [
        "store",
        "witness",
        "permissions",
        "sqlite",
        "disk",
        "growth",
        "room",
        "reclaimable",
        "attachments",
        "views",
    ]


def test_an_older_copy_that_was_put_back_is_a_fault(home: Path) -> None:
    shutil.copy(home / "log.db", home / "older.db")
    with opened(home) as store:
        Workspace(store).execute(ONE, Rename("market"), cause=None, actor=ME)
    (home / "older.db").replace(home / "log.db")

    assert list(faults(home)) == ["witness"]
    assert "LOG_REGRESSED" in faults(home)["witness"]


def test_a_session_that_the_roster_lacks_is_a_fault(home: Path) -> None:
    with opened(home) as store:
        store.write(lambda transaction: transaction.connection.execute(delete(schema.sessions)).rowcount)

    assert faults(home) == {"views": "the roster lacks 1 session of the log: run `holdfast rebuild`"}


def test_an_erased_session_is_not_lacking(home: Path) -> None:
    with opened(home) as store:
        Workspace(store).erase(ONE, actor=ME)

    assert faults(home) == {}


def test_a_file_that_others_may_read_is_a_fault(home: Path) -> None:
    (home / "log.db").chmod(0o644)

    assert list(faults(home)) == ["permissions"]
    assert "log.db is 0644" in faults(home)["permissions"]


def test_growth_is_what_the_last_day_brought(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    day_us = 86_400_000_000
    times = iter([now_us() - ago for ago in (3 * day_us, 2 * day_us, day_us - 1_000_000_000, 0)])
    with open_store(settings(tmp_path), environ={}) as store:
        for version, at in enumerate(times, 1):
            fact = (
                e.SessionCreated(transport="acp", owner="owner")
                if version == 1
                else e.SessionRenamed(f"title {version}")
            )
            store.append_now([Recorded(ONE, version, new_event_id(), at, fact)])

    assert found(tmp_path)["growth"][1].startswith("2 events in the last 24 hours, ")


def test_the_largest_sessions_and_what_compacting_saves_are_told(home: Path) -> None:
    other = StreamId("bbbb2222-0000-4000-8000-000000000002")
    item = "item-0123456789abcdef0123456789abcdef"
    facts = [e.SessionCreated("acp", "owner"), *(e.TextAppended(item, f"word{number} ") for number in range(100))]
    with opened(home) as store:
        store.append_now(
            [Recorded(other, version, new_event_id(), now_us(), fact) for version, fact in enumerate(facts, 1)]
        )
        with store.reading() as connection:
            number = stream_number(connection, other) or 0
            worth = savings(connection, number)
    assert worth > 500

    told = found(home)

    assert told["room"][1].index(other) < told["room"][1].index(ONE)
    assert told["reclaimable"] == (True, f"{in_words(worth)} by `holdfast compact`")
    with opened(home) as store:
        compact(store)
    assert found(home)["reclaimable"][1].startswith("0 bytes by ")
