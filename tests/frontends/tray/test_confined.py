"""Which browsers are snaps, by the names of their desktop entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.frontends.tray.confined import folder_for_browser, shared_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_snap_shares_a_folder_with_its_user(tmp_path: Path) -> None:
    folder = tmp_path / "snap" / "firefox" / "common"
    folder.mkdir(parents=True)

    assert shared_folder("firefox_firefox.desktop", tmp_path) == folder


@pytest.mark.parametrize(
    "browser",
    ["firefox.desktop", "chromium_chromium.desktop", "../snap/firefox_x.desktop", "..", "_", "_x.desktop", "", "\0_x"],
)
def test_no_other_browser_does(tmp_path: Path, browser: str) -> None:
    (tmp_path / "snap" / "firefox" / "common").mkdir(parents=True)
    (tmp_path / "snap" / "common").mkdir()

    assert shared_folder(browser, tmp_path) is None


def test_a_desktop_that_does_not_name_its_browser_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert folder_for_browser(tmp_path) == tmp_path
