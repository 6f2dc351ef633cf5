"""Attachments: kept beside the log, referred to by it, and gone with their last reference."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw, json
from msgspec.structs import replace
from sqlalchemy import text

from holdfast.adapters.storage.attachments import reclaim, referred
from holdfast.adapters.storage.attachments.files import FileAttachments, folder_of
from holdfast.adapters.storage.attachments.whole import content_of, with_prompts
from holdfast.adapters.storage.compact import compact
from holdfast.adapters.storage.erase import erase, finish
from holdfast.adapters.storage.reading import select_stream, stream_number
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.views.rebuild import rebuild
from holdfast.domain.attachments import references
from holdfast.domain.errors import (
    NotFoundError,
    StoreClosedError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
)
from holdfast.domain.recorded import DAEMON, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Unknown
from tests.adapters.storage.attached import block, content, kept, name_of, picture, shown
from tests.adapters.storage.given import Stores, said

if TYPE_CHECKING:
    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.verify import Verdict
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.facts import Fact

PICTURE = picture()
NAME = name_of(PICTURE)


def checked(store: Store, tmp_path: Path) -> Verdict:
    return verify(store.readers, tmp_path / "checkpoints", attachments=store.attachments)


def payloads(store: Store) -> list[str]:
    with store.reading() as connection:
        return [row[0] for row in connection.execute(text("SELECT data FROM events ORDER BY position"))]


def test_a_picture_stands_beside_the_log_and_the_log_refers_to_it(store: Store, tmp_path: Path) -> None:
    store.append_now([shown("s1", 1, PICTURE)])

    (data,) = payloads(store)
    assert len(data) < 400
    assert [each.sha256 for each in references(data)] == [NAME]
    assert kept(store) == {NAME: len(PICTURE)}
    assert content(store, NAME) == PICTURE
    assert checked(store, tmp_path).ok


def test_a_picture_that_was_shown_twice_is_kept_once(store: Store) -> None:
    store.append_now([shown("s1", 1, PICTURE), shown("s1", 2, PICTURE), shown("s2", 1, PICTURE, picture(2))])

    assert kept(store) == {NAME: len(PICTURE), name_of(picture(2)): len(PICTURE)}


def test_the_same_event_again_is_answered_with_its_position(store: Store) -> None:
    event = shown("s1", 1, PICTURE)

    assert store.append_now([event]) == store.append_now([event]) == [1]


def test_a_large_picture_is_read_in_pieces(store: Store) -> None:
    large = picture(3, 3 * 1024 * 1024 + 1)
    store.append_now([shown("s1", 1, large)])

    with store.reading() as connection:
        pieces = list(store.attachments.pieces(connection, name_of(large)))
    assert b"".join(pieces) == large
    assert max(map(len, pieces)) < 1024 * 1024


def test_a_job_writes_attachments_as_well(store: Store) -> None:
    store.write(lambda transaction: transaction.append([shown("s1", 1, PICTURE)]))

    assert content(store, NAME) == PICTURE


def test_a_prompt_is_read_as_it_was_given(store: Store) -> None:
    event = shown("s1", 1, PICTURE)
    assert isinstance(event.event, e.MessageSent)
    store.append_now([_recorded("s1", 1, e.PromptQueued("p1", event.event.content))])

    with store.reading() as connection:
        (read,) = with_prompts(store.attachments, connection, select_stream(connection, "s1"))
    assert isinstance(read.event, e.PromptQueued)
    assert bytes(read.event.content) == bytes(event.event.content)


def test_what_an_event_from_elsewhere_refers_to_must_come_with_it_or_be_there(store: Store) -> None:
    store.append_now([shown("s1", 1, PICTURE)])
    (data,) = payloads(store)
    other = data.replace(NAME, name_of(picture(2)))

    def of(version: int, payload: str) -> list[Recorded]:
        return [_recorded("s2", version, Unknown("message-sent", 1, payload))]

    with pytest.raises(StoreDamagedError, match="nothing was written"):
        store.append_now(of(1, other))
    store.append_now(of(1, data))
    store.append_now(of(2, other), contents={name_of(picture(2)): picture(2), "unused": b""})

    assert payloads(store) == [data, data, other]
    assert kept(store) == {NAME: len(PICTURE), name_of(picture(2)): len(PICTURE)}


def test_erasing_removes_what_nobody_else_refers_to(store: Store, tmp_path: Path) -> None:
    shared, own = picture(2), picture(3)
    store.append_now([shown("s1", 1, own, shared)])
    store.append_now([shown("s2", 1, shared)])

    erase(store, StreamId("s1"), actor=DAEMON)

    assert kept(store) == {name_of(shared): len(shared)}
    assert checked(store, tmp_path).ok

    erase(store, StreamId("s2"), actor=DAEMON)

    assert kept(store) == {}
    assert checked(store, tmp_path).ok


def test_what_is_shown_again_after_an_erasure_is_kept(store: Store) -> None:
    store.append_now([shown("s1", 1, PICTURE)])
    erase(store, StreamId("s1"), actor=DAEMON)
    store.append_now([shown("s2", 1, PICTURE)])

    assert finish(store) is None or kept(store)
    assert content(store, NAME) == PICTURE


def test_an_erasure_that_was_killed_is_finished_later(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store = sqlite_store
    store.append_now([shown("s1", 1, PICTURE)])
    with monkeypatch.context() as patched:
        patched.setattr("holdfast.adapters.storage.erase.finish", _nothing)
        erase(store, StreamId("s1"), actor=DAEMON)
    assert kept(store)

    finish(store)

    assert kept(store) == {}
    with store.reading() as connection:
        assert referred.wanted(connection) == {}


def test_a_file_that_cannot_be_removed_is_named_and_the_next_time_goes_on(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = sqlite_store
    store.append_now([shown("s1", 1, PICTURE)])

    def refuse(*_: object) -> None:
        msg = "Operation not permitted"
        raise StoreError(msg)

    with monkeypatch.context() as patched:
        patched.setattr(store.attachments, "remove", refuse)
        erased = erase(store, StreamId("s1"), actor=DAEMON)
    assert erased.remains is not None
    assert "not permitted" in erased.remains
    assert checked(store, tmp_path).ok

    assert erase(store, StreamId("s1"), actor=DAEMON).remains is None
    assert kept(store) == {}


def test_orphans_are_counted_and_removed_only_when_asked(store: Store) -> None:
    store.append_now([shown("s1", 1, PICTURE)])
    _orphan(store, picture(9))

    with store.reading() as connection:
        found = reclaim.survey(store.attachments, connection)
    assert found.orphans == {name_of(picture(9)): len(PICTURE)}
    assert found.missing == 0

    assert reclaim.reclaim(store) == found.orphans
    assert kept(store) == {NAME: len(PICTURE)}


def test_compacting_removes_what_only_reduced_events_referred_to(store: Store, tmp_path: Path) -> None:
    pictures = [picture(number) for number in range(3)]
    facts = [
        e.TurnStarted("t1"),
        *(e.ToolUpdated("tool", "call", content=Raw(json.encode([block(each)]))) for each in pictures),
        e.ToolUpdated("tool", "call", status="completed"),
        e.TurnEnded("t1", "end_turn"),
    ]
    store.append_now([_recorded("s1", version, fact) for version, fact in enumerate(facts, 1)])

    done = compact(store, StreamId("s1"))

    assert (done.attachments, done.attachment_bytes) == (2, 2 * len(PICTURE))
    assert kept(store) == {name_of(pictures[-1]): len(PICTURE)}
    assert checked(store, tmp_path).ok


def test_the_view_of_references_is_made_anew_from_the_log(stores: Stores) -> None:
    store = stores.open()
    store.append_now([shown("s1", 1, PICTURE)])
    store.append_now([shown("s2", 1, PICTURE)])
    store.write(lambda transaction: referred.refresh(transaction.connection))
    before = _view(store)

    store.write(lambda transaction: rebuild(transaction.connection, transaction.connection))
    assert _view(store) == before
    store.write(lambda transaction: transaction.connection.execute(text("DROP TABLE attached")))
    store.close()
    store = stores.open()
    store.write(lambda transaction: referred.refresh(transaction.connection))

    assert _view(store) == before
    assert len(before) == 2


def test_the_view_of_references_is_brought_up_to_date_in_bites(store: Store) -> None:
    store.append_now([said("s1", 1), shown("s1", 2, PICTURE), said("s1", 3), shown("s1", 4, picture(2))])

    left = [store.write(lambda transaction: referred.refresh(transaction.connection, most=3)) for _ in range(3)]

    assert left == [1, 0, 0]
    assert [row[1].hex() for row in _view(store)] == sorted(map(name_of, (PICTURE, picture(2))))


def test_a_session_refers_to_its_own_attachments_only(store: Store) -> None:
    store.append_now([shown("s1", 1, PICTURE), shown("s2", 1, picture(2))])
    found: list[bool] = []
    for _ in range(2):
        with store.reading() as connection:
            numbers = [stream_number(connection, each) or 0 for each in ("s1", "s2")]
            found += [referred.refers(connection, number, NAME) is not None for number in numbers]
        store.write(lambda transaction: referred.refresh(transaction.connection))

    assert found == [True, False, True, False]


def test_verify_tells_a_missing_attachment_from_an_altered_one(store: Store, tmp_path: Path) -> None:
    store.append_now([said("s1", 1), shown("s1", 2, PICTURE), shown("s1", 3, PICTURE)])
    assert checked(store, tmp_path).ok

    _alter(store, NAME)
    bad = checked(store, tmp_path).first_bad
    assert bad is not None
    assert (bad.position, bad.session_id, bad.version, bad.reason) == (2, "s1", 2, "tampered")
    with store.reading() as connection, pytest.raises(StoreDamagedError):
        content_of(store.attachments, connection, next(references(payloads(store)[1])))

    store.write(lambda transaction: store.attachments.remove(transaction.connection, [NAME]))
    bad = checked(store, tmp_path).first_bad
    assert bad is not None
    assert (bad.position, bad.reason) == (2, "missing")
    with store.reading() as connection, pytest.raises(NotFoundError):
        content_of(store.attachments, connection, next(references(payloads(store)[1])))


def test_an_altered_attachment_is_put_right_when_it_comes_again(store: Store, tmp_path: Path) -> None:
    store.append_now([shown("s1", 1, PICTURE)])
    _alter(store, NAME)

    store.append_now([shown("s2", 1, PICTURE)])

    assert checked(store, tmp_path).ok


def test_files_are_private(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.append_now([shown("s1", 1, PICTURE)])

    folder = tmp_path / "attachments"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_every_database_has_a_folder_of_its_own() -> None:
    assert folder_of(Path("/home/log.db")) == Path("/home/attachments")
    assert folder_of(Path("/home/other.db")) == Path("/home/other.db-attachments")


def test_parts_of_a_killed_writer_go_at_the_next_opening(tmp_path: Path) -> None:
    stores = Stores(f"sqlite:///{tmp_path}/log.db")
    with stores.stack:
        stores.open().append_now([shown("s1", 1, PICTURE)])
    part = tmp_path / "attachments" / f".{NAME}.part"
    part.write_bytes(b"half")
    other = tmp_path / "attachments" / "notes.txt"
    other.write_bytes(b"mine")

    with stores.stack:
        assert kept(stores.open()) == {NAME: len(PICTURE)}

    assert not part.exists()
    assert other.exists()


@pytest.mark.parametrize(
    ("number", "error", "goes_on"),
    [(errno.ENOSPC, StoreFullError, True), (errno.EDQUOT, StoreFullError, True), (errno.EIO, StoreError, False)],
)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_an_attachment_that_cannot_be_written_leaves_no_event(
    sqlite_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    call: str,
    number: int,
    error: type[Exception],
    goes_on: bool,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(error):
            sqlite_store.append_now([shown("s1", 1, PICTURE)])

    assert sqlite_store.head() == 0
    assert kept(sqlite_store) == {}
    if goes_on:
        sqlite_store.append_now([shown("s1", 1, PICTURE)])
        assert checked(sqlite_store, tmp_path).ok
    else:
        with pytest.raises(StoreClosedError):
            sqlite_store.append_now([said("s1", 1)])


def _nothing(_: object) -> None:
    """What a kill leaves of it."""


def _recorded(stream: str, version: int, fact: Fact) -> Recorded:
    return replace(said(stream, version), event=fact)


def _view(store: Store) -> list[tuple[int, bytes, int]]:
    with store.reading() as connection:
        rows = connection.execute(text("SELECT stream, sha256, size FROM attached ORDER BY stream, sha256"))
        return [(row[0], bytes(row[1]), row[2]) for row in rows]


def _on_files(store: Store) -> Path | None:
    return Path(store.attachments.place) if isinstance(store.attachments, FileAttachments) else None


def _run(store: Store, statement: str, **values: object) -> None:
    def work(transaction: WriteTransaction) -> None:
        transaction.connection.execute(text(statement), values)

    store.write(work)


def _orphan(store: Store, content: bytes) -> None:
    folder = _on_files(store)
    if folder is not None:
        (folder / name_of(content)).write_bytes(content)
    else:
        _run(store, "INSERT INTO attachments VALUES (:n, :s, :c)", n=_digest(content), s=len(content), c=content)


def _alter(store: Store, name: str) -> None:
    folder = _on_files(store)
    if folder is not None:
        data = bytearray((folder / name).read_bytes())
        data[100] ^= 1
        (folder / name).write_bytes(data)
    else:
        statement = "UPDATE attachments SET content = set_byte(content, 100, 1 - get_byte(content, 100) % 2)"
        _run(store, statement + " WHERE sha256 = :n", n=bytes.fromhex(name))


def _digest(content: bytes) -> bytes:
    return bytes.fromhex(name_of(content))
