"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.durable import replace_file, write_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"of before, and longer")
    path.chmod(0o644)

    replace_file(path, b"now")

    assert path.read_bytes() == b"now"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_what_a_killed_writer_left_beside_it_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "token.new").write_bytes(b"half of")

    replace_file(tmp_path / "token", b"whole")

    assert (tmp_path / "token").read_bytes() == b"whole"


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"stays")
    (tmp_path / "token.new").symlink_to(theirs)

    replace_file(tmp_path / "token", b"ours")

    assert theirs.read_bytes() == b"stays"
    assert not (tmp_path / "token").is_symlink()


def test_a_full_disk_leaves_the_old_file_and_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"old")

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            replace_file(path, b"new")

    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_an_empty_file_is_a_file_too(tmp_path: Path) -> None:
    write_file(tmp_path / "empty", b"")

    assert (tmp_path / "empty").stat().st_size == 0
