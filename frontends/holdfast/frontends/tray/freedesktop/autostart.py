"""Starting the tray at login: an entry after the Desktop Application Autostart specification."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.domain.errors import DesktopError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "holdfast-tray.desktop"

_ENTRY: Final = """\
[Desktop Entry]
Type=Application
Name=Holdfast
Comment=Sessions that go on while no window is open
Exec={command}
Terminal=false
NoDisplay=true
X-GNOME-Autostart-enabled=true
"""


class Autostart:
    """The entry of one user."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Look where the desktop looks."""
        self._environ = environ
        folder = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
        self.path = Path(folder) / "autostart" / NAME

    @property
    def enabled(self) -> bool:
        """Whether the tray starts at login."""
        return self.path.exists()

    def enable(self) -> list[str]:
        """Write the entry; return what was done.

        Raises:
            DesktopError: It cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made = self.path.with_name(f"{NAME}.{os.getpid()}")
            made.write_text(_ENTRY.format(command=" ".join(map(_quoted, self._command()))))
            made.replace(self.path)
        except OSError as error:
            msg = f"{self.path} cannot be written: {error.strerror}"
            raise DesktopError(msg) from error
        done = [f"wrote {self.path}: the tray starts when you log in"]
        if self._environ.get("HOLDFAST_DATABASE_URL"):
            # It may hold a password, and others may read this file.
            done.append("HOLDFAST_DATABASE_URL is not in it: put that into config.toml, as `[storage] url`")
        return done

    def disable(self) -> list[str]:
        """Remove the entry; return what was done.

        Raises:
            DesktopError: It cannot be removed.
        """
        if not self.path.exists():
            return [f"there is no {self.path}: nothing to remove"]
        try:
            self.path.unlink()
        except OSError as error:
            msg = f"{self.path} cannot be removed: {error.strerror}"
            raise DesktopError(msg) from error
        return [f"removed {self.path}"]

    def _command(self) -> list[str]:
        """A session at login knows nothing of the shell in which a home was named."""
        named = [f"{name}={self._environ[name]}" for name in ("HOLDFAST_HOME",) if self._environ.get(name)]
        return [*(["env", *named] if named else []), sys.executable, "-I", "-m", "holdfast.bootstrap", "tray"]


def _quoted(word: str) -> str:
    """Return one argument as the Desktop Entry specification wants it: in quotes, its own escapes, no field codes."""
    inner = "".join(f"\\{letter}" if letter in '"`$\\' else letter for letter in word)
    inner = inner.replace("%", "%%").replace("\\", "\\\\")  # the file's own escapes come on top
    return f'"{inner}"'
