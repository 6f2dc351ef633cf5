from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.chain import GENESIS, extend
from holdfast.adapters.storage.checkpoints import file_of, read_lines
from holdfast.adapters.storage.guard import EVERY_EVENTS, EVERY_S, Guard, lost_store
from holdfast.adapters.storage.witness import FILE_NAME, read_head
from holdfast.domain.errors import LogRegressedError, StoreDamagedError

if TYPE_CHECKING:
    from pathlib import Path

STORE = "a" * 32
PLACE = "/home/log.db"


class Log:
    """A log of hashes, as far as a guard can see one."""

    def __init__(self, folder: Path, store: str = STORE) -> None:
        self.folder = folder
        self.store = store
        self.hashes: list[bytes] = []
        self.time = 0

    def guard(self, *, background: bool = False) -> Guard:
        return Guard(self.folder, PLACE, lambda: self.time, background=background)

    def hash_at(self, position: int) -> bytes | None:
        return self.hashes[position - 1] if 1 <= position <= len(self.hashes) else None

    def open(self, guard: Guard) -> LogRegressedError | None:
        return guard.open(self.store, len(self.hashes), extend(GENESIS, self.hashes), self.hash_at)

    def commit(self, guard: Guard, events: int = 1) -> None:
        for _ in range(events):
            self.hashes.append(len(self.hashes).to_bytes(16) + self.store.encode()[:16])
        guard.committed(len(self.hashes), self.hashes[-1], extend(GENESIS, self.hashes))

    def signed(self) -> list[int]:
        lines = read_lines(file_of(self.folder, self.store))
        return [line.checkpoint.position for line in lines if line.checkpoint]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A log of ten events that was closed in good order."""
    log = Log(tmp_path / "checkpoints")
    guard = log.guard()
    assert log.open(guard) is None
    for _ in range(10):
        log.commit(guard)
    guard.close()
    return log


def test_a_log_as_it_was_left_opens(log: Log) -> None:
    guard = log.guard()

    assert log.open(guard) is None
    guard.close()


def test_a_clean_close_signs_the_last_position(log: Log) -> None:
    assert log.signed() == [10]
    assert log.folder.stat().st_mode & 0o777 == 0o700


def test_closing_without_a_commit_signs_nothing_again(log: Log) -> None:
    guard = log.guard()
    log.open(guard)
    guard.close()
    guard.close()

    assert log.signed() == [10]


def test_the_head_is_there_before_anyone_is_told(log: Log) -> None:
    guard = log.guard()
    log.open(guard)
    log.commit(guard)

    head = read_head(log.folder, STORE)

    assert head is not None
    assert (head.position, head.hash, head.log_hash) == (11, log.hashes[-1], extend(GENESIS, log.hashes))
    guard.close()


def test_a_checkpoint_is_signed_every_thousand_events(log: Log) -> None:
    guard = log.guard()
    log.open(guard)

    log.commit(guard, EVERY_EVENTS - 1)
    assert log.signed() == [10]
    log.commit(guard)

    assert log.signed() == [10, 10 + EVERY_EVENTS]
    guard.close()


def test_a_checkpoint_is_signed_every_minute(log: Log) -> None:
    guard = log.guard()
    log.open(guard)
    log.commit(guard)
    assert log.signed() == [10]

    log.time += EVERY_S * 1_000_000
    log.commit(guard)

    assert log.signed() == [10, 12]
    guard.close()


def test_the_thread_signs_too(log: Log) -> None:
    guard = log.guard(background=True)
    log.open(guard)
    for _ in range(5):
        log.commit(guard, EVERY_EVENTS)
    guard.close()

    assert log.signed()[-1] == 10 + 5 * EVERY_EVENTS


def test_a_log_that_is_ahead_of_its_witness_opens(log: Log) -> None:
    """A kill between COMMIT and the head file is no regression."""
    log.hashes.append(b"n" * 32)
    guard = log.guard()

    assert log.open(guard) is None
    guard.close()


@pytest.mark.parametrize("gone", ["head", "signed", "none"])
def test_a_log_that_was_cut_short_is_refused_by_either_witness(log: Log, gone: str) -> None:
    if gone == "head":
        (log.folder / FILE_NAME).unlink()
    if gone == "signed":
        file_of(log.folder, STORE).unlink()
    del log.hashes[7:]
    before = {path.name: path.read_bytes() for path in log.folder.iterdir()}

    regressed = log.open(log.guard())

    assert regressed is not None
    assert str(regressed).startswith("LOG_REGRESSED")
    assert "position 7" in str(regressed)
    assert "position 10" in str(regressed)
    assert "holdfast verify" in str(regressed)
    assert {path.name: path.read_bytes() for path in log.folder.iterdir()} == before


@pytest.mark.parametrize("gone", ["head", "signed", "none"])
def test_a_log_that_says_something_else_is_refused(log: Log, gone: str) -> None:
    if gone == "head":
        (log.folder / FILE_NAME).unlink()
    if gone == "signed":
        file_of(log.folder, STORE).unlink()
    log.hashes[9] = b"o" * 32
    log.hashes.append(b"n" * 32)

    assert log.open(log.guard()) is not None


def test_moving_the_folder_away_accepts_what_is_left(log: Log) -> None:
    del log.hashes[7:]
    log.folder.rename(log.folder.with_name("checkpoints.before"))
    guard = log.guard()

    assert log.open(guard) is None
    guard.close()


def test_an_edited_checkpoint_does_not_lock_the_store(log: Log) -> None:
    path = file_of(log.folder, STORE)
    path.write_bytes(path.read_bytes().replace(b'"position":10', b'"position":99'))
    guard = log.guard()

    assert log.open(guard) is None
    guard.close()


def test_another_store_in_the_same_place_is_noticed(log: Log) -> None:
    other = Log(log.folder, "b" * 32)

    assert other.open(other.guard()) is not None


def test_a_store_that_is_gone_is_noticed_before_a_new_one_is_made(log: Log) -> None:
    assert lost_store(log.folder, PLACE) is not None
    assert lost_store(log.folder, "/elsewhere/log.db") is None
    assert lost_store(log.folder / "missing", PLACE) is None


def test_a_key_that_cannot_be_read_is_told_at_the_next_commit(log: Log) -> None:
    (log.folder / "key").write_bytes(b"nonsense")
    guard = log.guard(background=True)
    log.open(guard)
    log.commit(guard, EVERY_EVENTS)
    for thread in threading.enumerate():
        if thread.name == "holdfast-checkpoints":
            thread.join()

    with pytest.raises(StoreDamagedError):
        log.commit(guard)
    with pytest.raises(StoreDamagedError):
        guard.close()
