"""The home: private, and whole from the start."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from holdfast.adapters.configuration.home import Home, prepare_home

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_home_has_its_folders_and_nobody_else_can_look_in(tmp_path: Path) -> None:
    warned: list[str] = []
    home = Home(tmp_path / "deep" / "home")

    prepare_home(home, warned.append)
    prepare_home(home, warned.append)

    assert sorted(each.name for each in home.path.iterdir()) == ["attachments", "checkpoints", "hosts", "logs"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in (home.path, *home.path.iterdir())} == {0o700}
    assert warned == []


def test_what_stands_in_the_place_of_a_folder_is_left_to_whoever_needs_the_folder(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a file")
    (tmp_path / "logs").mkdir(mode=0o755)
    tmp_path.chmod(0o700)

    prepare_home(Home(tmp_path), lambda line: None)

    assert (tmp_path / "hosts").read_text() == "a file"
    assert (tmp_path / "attachments").is_dir()
