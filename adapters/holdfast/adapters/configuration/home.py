"""The home: the one folder that holds everything of a user's Holdfast, private to that user."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.domain.errors import SettingsError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FOLDERS = ("hosts", "checkpoints", "attachments", "logs")
"""There from the start, so that a backup or a script finds what it was told of."""


class Home(Struct, frozen=True):
    """Where the files of one user lie. Nothing here has to exist."""

    path: Path

    @property
    def configuration(self) -> Path:
        """The file a person edits."""
        return self.path / "config.toml"

    @property
    def log(self) -> Path:
        """The log, where it is kept in SQLite."""
        return self.path / "log.db"

    @property
    def checkpoints(self) -> Path:
        """What remembers the log's head outside the log."""
        return self.path / "checkpoints"

    @property
    def token(self) -> Path:
        """The credential for the daemon's HTTP API."""
        return self.path / "token"

    @property
    def daemon(self) -> Path:
        """What the daemon that is ready says of itself."""
        return self.path / "daemon.json"

    @property
    def daemon_lock(self) -> Path:
        """Locked for as long as a daemon of this home lives."""
        return self.path / "daemon.lock"

    @property
    def hosts(self) -> Path:
        """What the hosts of agents keep, a folder each."""
        return self.path / "hosts"

    @property
    def logs(self) -> Path:
        """What the daemon tells of itself, line by line."""
        return self.path / "logs"


def find_home(environ: Mapping[str, str]) -> Home:
    """Return the home that `HOLDFAST_HOME` names, else the platform's folder for user data.

    Raises:
        SettingsError: `HOLDFAST_HOME` is not an absolute path to a folder.
    """
    named = environ.get("HOLDFAST_HOME")
    if not named:
        from platformdirs import user_data_path  # most commands are told where their home is

        return Home(user_data_path("holdfast", appauthor=False))
    path = Path(named).absolute()
    if path.exists() and not path.is_dir():
        msg = f"HOLDFAST_HOME names {path}, which is not a folder: give another one"
        raise SettingsError(msg)
    return Home(path)


def prepare_home(home: Home, warn: Callable[[str], None]) -> None:
    """Make the folder where it is missing, with those in it, and keep it and its files from others.

    Raises:
        StoreReadOnlyError: It cannot be made.
    """
    try:
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {home.path} ({error.strerror}): set HOLDFAST_HOME to one that can be written"
        raise StoreReadOnlyError(msg) from error
    for name in _FOLDERS:
        with suppress(OSError):  # whoever needs it says so
            (home.path / name).mkdir(mode=0o700, exist_ok=True)
    close_to_others(home, warn)


def close_to_others(home: Home, warn: Callable[[str], None]) -> None:
    """Take the rights of others off a home that they can enter, and off the files in it. Says so once."""
    try:
        mode = stat.S_IMODE(home.path.stat().st_mode)
        if not mode & 0o077 or home.path.stat().st_uid != os.geteuid():
            return
        home.path.chmod(0o700)
        for folder, _, files in os.walk(home.path):
            os.chmod(folder, 0o700)  # noqa: PTH101 - `os.walk` gives strings
            for name in files:
                file = Path(folder, name)
                if not file.is_symlink():
                    file.chmod(0o600)
    except OSError:
        warn(f"{home.path} is open to others and its rights cannot be changed")
    else:
        warn(f"{home.path} was open to others (mode {mode:04o}): set back to 0700")
