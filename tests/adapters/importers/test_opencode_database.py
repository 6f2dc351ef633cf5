"""The database of opencode: many sessions in one file, which somebody may be writing to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.importers import found
from holdfast.domain.answers import Found, ImportReport
from holdfast.domain.errors import TranscriptError
from tests.adapters.importers import opencode_store as o
from tests.adapters.importers.memory_log import MemoryLog, imported
from tests.adapters.importers.test_opencode import SHOWN, shown

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "ses_e04c2891bffeHCjsm3mzvkVu3O"


def test_a_session_is_the_same_as_from_files(tmp_path: Path) -> None:
    log = MemoryLog()

    report = log.take(o.database(tmp_path / "opencode.db", *o.MESSAGES))

    assert report == ImportReport(files=1, sessions=1, events=len(log.events), malformed=0, skipped=0)
    row = log.row()
    assert (row.id, row.agent, row.imported_from, row.cwd) == (o.SESSION, "opencode", "opencode", "/srv/demo")
    assert (row.title, row.model, row.mode, row.target) == ("List the files", "stub/big", "build", "opencode 1.18.33")
    assert (row.created_at, row.updated_at) == ("2026-02-03T12:00:00.000Z", "2026-02-03T12:00:08.000Z")
    assert (row.lifecycle, row.unread) == ("created", 0)
    assert shown(log) == SHOWN
    assert log.take(o.stored(tmp_path / "storage", *o.MESSAGES)).events == 0


def test_every_session_is_imported_and_the_file_counts_once(tmp_path: Path) -> None:
    path = o.database(tmp_path / "opencode.db", *o.MESSAGES)
    o.database(path, o.message("msg_x", "user", o.text("prt_x", "elsewhere")), session=OTHER, title="Another")
    log = MemoryLog()

    report = log.take(tmp_path)

    assert (report.files, report.sessions) == (1, 2)
    assert {log.row(each).title for each in log.sessions} == {"List the files", "Another"}
    assert log.take(path).events == 0
    assert MemoryLog().watch(path, begin=False).begin().files == 1


def test_what_is_in_the_write_ahead_log_is_imported_and_nothing_is_written(tmp_path: Path) -> None:
    path = o.database(tmp_path / "opencode.db", *o.MESSAGES[:1])
    with closing(sqlite3.connect(path)) as opencode:
        opencode.execute("SELECT * FROM session").fetchall()
        o.database(path, *o.MESSAGES)
        assert (tmp_path / "opencode.db-wal").stat().st_size > 0
        before = {each: each.read_bytes() for each in tmp_path.glob("*.db*") if each.suffix != ".db-shm"}

        assert shown(imported(path)) == SHOWN

        assert {each: each.read_bytes() for each in before} == before
    assert [each.name for each in tmp_path.iterdir()] == ["opencode.db"]
    assert shown(imported(path)) == SHOWN
    assert [each.name for each in tmp_path.iterdir()] == ["opencode.db"]


def test_rows_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    path = o.database(tmp_path / "opencode.db", *o.MESSAGES)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE part SET data = CAST(x'ff7b' AS TEXT) WHERE id = 'prt_30'")
        connection.execute("INSERT INTO message VALUES ('msg_9', ?, 0, '{half')", (o.SESSION,))
    log = MemoryLog()

    assert log.take(path).malformed == 2
    assert [each[2] for each in shown(log)] == [each[2] for each in SHOWN if each[2] != "Done."]


def test_other_databases_and_damaged_ones_are_no_transcripts(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE session (id TEXT)")
    damaged = o.database(tmp_path / "opencode.db", *o.MESSAGES)
    damaged.write_bytes(damaged.read_bytes()[:4096] + b"?" * 8192)

    with pytest.raises(TranscriptError, match=r"other\.db holds no transcript of a known kind"):
        imported(other)
    with pytest.raises(TranscriptError, match=r"opencode\.db cannot be read: "):
        imported(damaged)


def test_databases_are_found_where_opencode_keeps_them(tmp_path: Path) -> None:
    home = tmp_path / "data" / "opencode"
    usual = o.database(home / "opencode.db", *o.MESSAGES)
    channel = o.database(home / "opencode-dev.db", *o.MESSAGES[:1], session=OTHER)
    log = MemoryLog()

    environ = {"XDG_DATA_HOME": str(tmp_path / "data")}
    assert found(environ) == [Found("opencode", str(each), 1, each.stat().st_size) for each in (usual, channel)]
    assert log.take("opencode", environ=environ).sessions == 2
    named = {**environ, "OPENCODE_DB": str(usual.rename(tmp_path / "mine.sqlite"))}
    assert MemoryLog().take("opencode", environ=named).sessions == 2


def test_a_watch_brings_what_is_added_to_any_session(tmp_path: Path) -> None:
    path = o.database(tmp_path / "opencode.db", *o.MESSAGES)
    log = MemoryLog()
    log.now = (o.NOON + 60_000) * 1000
    watch = log.watch(path)
    assert watch.look(everywhere=True).events == 0

    ask = o.message("msg_x", "user", o.text("prt_x", "elsewhere"), at=9)
    o.database(path, ask, session=OTHER, title="Another")
    report = watch.look(everywhere=True)
    assert (report.files, report.sessions) == (1, 1)
    assert (log.row(OTHER).lifecycle, log.row(o.SESSION).lifecycle) == ("streaming", "created")

    o.database(path, ask, o.answer("msg_y", o.text("prt_y", "here"), at=10), session=OTHER, title="Another")
    watch.look(everywhere=True)
    assert (log.row(OTHER).lifecycle, log.row(OTHER).unread) == ("unread", 1)
    assert watch.look(everywhere=True).events == 0
