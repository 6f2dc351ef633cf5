"""Programs beyond Python that tests need: found, or the test is skipped with its reason (in CI: failed)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest


class Program(NamedTuple):
    """A program that some tests run.

    Attributes:
        title: What people call it.
        command: What its file is called.
        package: The Debian package that brings it; `.ci/provision.sh` installs it.
        folders: Where to look beyond the PATH, best first.
    """

    title: str
    command: str
    package: str
    folders: tuple[Path, ...] = ()

    def find(self) -> Path | None:
        """Return where the program lies, or None."""
        places = [*map(str, self.folders), os.environ.get("PATH", os.defpath)]
        found = shutil.which(self.command, path=os.pathsep.join(places))
        return Path(found) if found else None


def _versions_first(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*/bin"), key=lambda bin_: float(bin_.parent.name), reverse=True))


PROGRAMS = {
    "bubbles": Program(
        "the notification daemon",
        "notification-daemon",
        "notification-daemon",
        (Path("/usr/lib/notification-daemon"), Path("/usr/libexec")),
    ),
    "chromium": Program("Chromium", "chromium", "chromium"),
    "dbus": Program("the message bus", "dbus-daemon", "dbus-daemon"),
    "dunst": Program("dunst", "dunst", "dunst"),
    "gdbus": Program("gdbus", "gdbus", "libglib2.0-bin"),
    "imagemagick": Program("ImageMagick", "import", "imagemagick"),
    "node": Program("Node", "node", "nodejs"),
    "panel": Program("the panel of Xfce", "xfce4-panel", "xfce4-panel"),
    "postgres": Program("PostgreSQL", "postgres", "postgresql", _versions_first(Path("/usr/lib/postgresql"))),
    "strace": Program("strace", "strace", "strace"),
    "tmux": Program("tmux", "tmux", "tmux"),
    "xdotool": Program("xdotool", "xdotool", "xdotool"),
    "xvfb": Program("Xvfb", "Xvfb", "xvfb"),
}
"""By the name of the marker that says a test needs it."""

MISSING = " is missing: apt-get install "


def need(marker: str) -> Path:
    """Return where the program of this marker lies; without it end the test, as skipped or, in CI, as failed."""
    program = PROGRAMS[marker]
    if found := program.find():
        return found
    reason = f"{program.title}{MISSING}{program.package}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
