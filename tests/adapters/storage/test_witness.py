from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.witness import FILE_NAME, HeadFile, Witness, read_head, read_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STORE, OTHER = "a" * 32, "b" * 32
HASH, LOG_HASH = b"h" * 32, b"l" * 32


def remember(folder: Path, *positions: int, store: str = STORE, place: str = "/log.db") -> None:
    head = HeadFile(folder, store, place)
    for position in positions:
        head.write(position, HASH, LOG_HASH)
    head.close()


def test_what_was_written_last_is_remembered(tmp_path: Path) -> None:
    remember(tmp_path, 1, 2, 3)

    assert read_head(tmp_path, STORE) == Witness(STORE, 3, HASH, LOG_HASH)


def test_nothing_is_remembered_where_nothing_was_written(tmp_path: Path) -> None:
    assert read_head(tmp_path, STORE) is None
    assert read_head(tmp_path / "missing", STORE) is None
    assert read_place(tmp_path / "missing", "/log.db") is None


def test_the_file_is_private_and_does_not_grow(tmp_path: Path) -> None:
    remember(tmp_path, 1, 2)
    size = (tmp_path / FILE_NAME).stat().st_size
    remember(tmp_path, *range(3, 100))

    assert (tmp_path / FILE_NAME).stat().st_size == size
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(0, 160, 7))
def test_a_torn_write_leaves_the_witness_before_it(tmp_path: Path, cut: int) -> None:
    """The mutant: with one slot instead of two, nothing would be left."""
    remember(tmp_path, 1, 2)
    before = (tmp_path / FILE_NAME).read_bytes()
    remember(tmp_path, 3)
    after = (tmp_path / FILE_NAME).read_bytes()
    first = next(at for at in range(len(after)) if before[at] != after[at])
    start = first // 4096 * 4096
    torn = after[: start + cut] + before[start + cut :]
    (tmp_path / FILE_NAME).write_bytes(torn)

    found = read_head(tmp_path, STORE)

    assert found is not None
    assert found.position in {2, 3}


def test_a_slot_in_which_a_bit_flipped_does_not_count(tmp_path: Path) -> None:
    remember(tmp_path, 1, 2)
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[4096 + 60] ^= 1
    (tmp_path / FILE_NAME).write_bytes(content)

    assert read_head(tmp_path, STORE) == Witness(STORE, 1, HASH, LOG_HASH)


def test_a_reopened_file_goes_on_with_the_older_slot(tmp_path: Path) -> None:
    remember(tmp_path, 1, 2)
    remember(tmp_path, 3)
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[60] ^= 1  # the slot of 3, which had replaced 1

    (tmp_path / FILE_NAME).write_bytes(content)

    found = read_head(tmp_path, STORE)
    assert found is not None
    assert found.position == 2


def test_the_head_of_another_store_is_moved_aside_and_found_again(tmp_path: Path) -> None:
    remember(tmp_path, 7, place="/one.db")
    remember(tmp_path, 9, store=OTHER, place="/two.db")

    assert read_head(tmp_path, STORE) == Witness(STORE, 7, HASH, LOG_HASH)
    assert read_head(tmp_path, OTHER) == Witness(OTHER, 9, HASH, LOG_HASH)

    remember(tmp_path, 8, place="/one.db")

    assert read_head(tmp_path, STORE) == Witness(STORE, 8, HASH, LOG_HASH)
    assert read_head(tmp_path, OTHER) == Witness(OTHER, 9, HASH, LOG_HASH)


def test_a_place_remembers_which_store_stood_there(tmp_path: Path) -> None:
    remember(tmp_path, 7, place="/one.db")

    assert read_place(tmp_path, "/one.db") == Witness(STORE, 7, HASH, LOG_HASH)
    assert read_place(tmp_path, "/two.db") is None


def test_a_full_disk_costs_the_witness_and_not_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = HeadFile(tmp_path, STORE, "/log.db")
    head.write(1, HASH, LOG_HASH)

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", failing(errno.ENOSPC))
        head.write(2, HASH, LOG_HASH)

    assert read_head(tmp_path, STORE) == Witness(STORE, 1, HASH, LOG_HASH)
    head.write(3, HASH, LOG_HASH)
    head.close()
    assert read_head(tmp_path, STORE) == Witness(STORE, 3, HASH, LOG_HASH)


def test_any_other_error_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = HeadFile(tmp_path, STORE, "/log.db")

    monkeypatch.setattr(os, "pwrite", failing(errno.EIO))

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        head.write(1, HASH, LOG_HASH)

    head.close()
    head.close()


def failing(code: int) -> Callable[..., int]:
    """Return what the disk does when it fails."""

    def pwrite(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return pwrite
