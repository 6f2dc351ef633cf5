"""Choices in `config.toml`: read again when the file changes, and changed without touching what else stands there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from holdfast.adapters.configuration.file import parsed, read_configuration
from holdfast.adapters.durable import write_file
from holdfast.domain.errors import SettingsError
from holdfast.domain.preferences import Chosen

if TYPE_CHECKING:
    from pathlib import Path


class FilePreferences:
    """The sections `[tray]` and `[notifications]` of one file."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet; the file need not exist."""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._chosen = Chosen()

    @property
    def home(self) -> str:
        """The folder that the file is in."""
        return str(self._path.parent.resolve())

    def read(self) -> Chosen:
        """Return what the file says now.

        Raises:
            SettingsError: It cannot be read or understood.
        """
        stamp = self._stamped()
        if stamp is None or stamp != self._stamp:
            configuration = read_configuration(self._path)
            self._chosen = Chosen(configuration.tray, configuration.notifications)
            self._stamp = stamp
        return self._chosen

    def change(self, section: Literal["tray", "notifications"], name: str, value: object) -> Chosen:
        """Write one value; comments, order and everything else in the file stay as they are.

        Raises:
            SettingsError: What would stand there cannot be understood, or the file not be written.
        """
        import tomlkit  # only where something is changed
        from tomlkit.exceptions import TOMLKitError

        try:
            before = self._path.read_text() if self._path.exists() else ""
            document = tomlkit.parse(before)
            table = document.setdefault(section, tomlkit.table())
            if value is None:
                table.pop(name, None)
            else:
                table[name] = value
            text = tomlkit.dumps(document)
        except (OSError, UnicodeDecodeError, TOMLKitError) as error:
            msg = f"{self._path} cannot be changed: {error}"
            raise SettingsError(msg) from error
        parsed(text.encode(), self._path)
        self._write(text)
        self._stamp = None
        return self.read()

    def _write(self, text: str) -> None:
        """Put a whole new file in the place of the old one, so that nobody reads half of it."""
        target = self._path.resolve()  # a link to a file that is kept elsewhere stays one
        made = target.with_name(f"{target.name}.{uuid4().hex[:8]}")
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_file(made, text.encode())
            made.replace(target)
        except OSError as error:
            with suppress(OSError):
                made.unlink()
            msg = f"{self._path} cannot be written: {error.strerror}"
            raise SettingsError(msg) from error

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
