"""Browsers that snap confines cannot read the folder of the daemon; here is what they can read."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

_ASKING: Final = ("xdg-settings", "get", "default-web-browser")
_SNAP: Final = re.compile(r"([a-z0-9-]+)_")
_WITHIN_S: Final = 2.0


def folder_for_browser(otherwise: Path) -> Path:
    """Return a folder of this user that the default browser can read; blocks for as long as it takes to ask."""
    return shared_folder(_default_browser(), Path.home()) or otherwise


def shared_folder(browser: str, home: Path) -> Path | None:
    """Return the folder that a snap shares with its user, None where the browser is none.

    Snaps are told apart by their desktop entries, `NAME_APPLICATION.desktop`. Where another browser is called like
    one, it can read that folder all the same.
    """
    found = _SNAP.match(browser)
    folder = home / "snap" / found[1] / "common" if found else None
    return folder if folder is not None and folder.is_dir() else None


def _default_browser() -> str:
    try:
        done = subprocess.run(
            _ASKING,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # this desktop does not say
    return done.stdout.strip()
