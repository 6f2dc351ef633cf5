"""What a person chose is read from a file they may edit, and written there without touching anything else."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.configuration.preferences import FilePreferences
from holdfast.domain.errors import SettingsError
from holdfast.domain.preferences import Chosen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "config.toml"


def test_without_a_file_nothing_is_chosen(file: Path) -> None:
    assert FilePreferences(file).read() == Chosen()
    assert not file.parent.exists()


def test_a_choice_is_written_for_this_user_alone_and_read_by_the_next(file: Path) -> None:
    chosen = FilePreferences(file).change("tray", "keep_running", value=True)

    assert chosen.tray.keep_running is True
    assert FilePreferences(file).read() == chosen
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_everything_else_in_the_file_stays(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('# mine\n[agents]\nenv = ["A"]   # why\n\n[notifications] # loud\nsound = true\n')

    FilePreferences(file).change("notifications", "sound", value=False)

    assert file.read_text() == '# mine\n[agents]\nenv = ["A"]   # why\n\n[notifications] # loud\nsound = false\n'


def test_a_choice_is_taken_back(file: Path) -> None:
    preferences = FilePreferences(file)
    until = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)

    assert preferences.change("notifications", "muted_until", until).notifications.muted_until == until
    assert preferences.change("notifications", "muted_until", None).notifications.muted_until is None
    assert preferences.change("notifications", "muted_until", None) == Chosen()


def test_what_somebody_writes_into_the_file_counts_at_once(file: Path) -> None:
    preferences = FilePreferences(file)
    assert preferences.read().tray.open == "web"
    file.parent.mkdir()

    file.write_text('[tray]\nopen = "tui"\n')

    assert preferences.read().tray.open == "tui"
    file.unlink()
    assert preferences.read().tray.open == "web"


def test_a_link_to_a_file_that_is_kept_elsewhere_stays_one(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("")
    file.parent.mkdir()
    file.symlink_to(kept)

    FilePreferences(file).change("tray", "open", "tui")

    assert file.is_symlink()
    assert 'open = "tui"' in kept.read_text()


@pytest.mark.parametrize(
    "line",
    [
        "[notifications]\nquiet_hours = '9 to 5'",
        "[notifications]\nquiet_hours = '09:00-09:00'",
        "[notifications]\ntime_zone = 'Mars/Base'",
        "[notifications]\ntime_zone = '../etc/passwd'",
        "[notifications]\nmuted_until = 2026-03-12T09:30:00",
        "[notifications]\nallow = 'all'",
        "[notifications]\nloud = true",
        "[tray]\nopen = 'emacs'",
        "[tray]\nkeep_running = 'maybe'",
        "[tray",
    ],
)
def test_what_cannot_be_understood_is_refused_and_not_overwritten(file: Path, line: str) -> None:
    file.parent.mkdir()
    file.write_text(line)

    with pytest.raises(SettingsError):
        FilePreferences(file).read()
    with pytest.raises(SettingsError):
        FilePreferences(file).change("notifications", "sound", value=False)
    assert file.read_text() == line


def test_a_value_that_is_none_is_refused(file: Path) -> None:
    with pytest.raises(SettingsError):
        FilePreferences(file).change("notifications", "quiet_hours", "whenever")

    assert not file.exists()


def test_where_no_file_can_be_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")

    with pytest.raises(SettingsError):
        FilePreferences(tmp_path / "home" / "config.toml").change("tray", "open", "tui")
