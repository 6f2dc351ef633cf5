"""Attachments as files beside a SQLite database, each under the SHA-256 of its content, written once and never changed.

The writer alone makes and removes them. A file is complete and durable, and so is its name, before the event that
refers to it is committed: killed anywhere in between, what is left at worst is a file that nobody refers to.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdfast.adapters.durable import sync_folder, write_file
from holdfast.adapters.storage.attachments.keeping import PIECE, gone
from holdfast.domain.attachments import is_name
from holdfast.domain.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Connection

_DATABASE: Final = "log.db"
_FOLDER: Final = "attachments"
_PART: Final = ".part"


def folder_of(database: Path) -> Path:
    """Return the folder of a database's attachments.

    It follows from the path alone, so that two homes that share a database share it, and two databases never do.
    """
    return database.with_name(_FOLDER if database.name == _DATABASE else f"{database.name}-{_FOLDER}")


class NotKeptError(Exception):
    """An attachment could not be written, for the reason `errno`; what SQLite cannot write has errors of its own."""

    def __init__(self, error: OSError, place: Path) -> None:
        self.errno = error.errno or 0
        super().__init__(f"{error.strerror or error}, in {place}")


class FileAttachments:
    """One folder of attachments. Readers need no connection; they are given one because tables do."""

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet; the folder is made with the first file."""
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Have these contents durably on the disk. One that is there already is compared, and written anew if damaged.

        Raises:
            NotKeptError: One could not be written; what was, harms nobody.
        """
        try:
            self._keep(contents)
        except OSError as error:
            raise NotKeptError(error, self._folder) from error

    def _keep(self, contents: Mapping[str, bytes]) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._folder.parent)
        for name, content in contents.items():
            if not self._holds(name, content):
                self._write(name, content)
        # Also for those that were there: whoever wrote them may have been killed before this.
        sync_folder(self._folder)

    def keeps(self, name: str) -> bool:
        """Tell whether one is there."""
        return self._path(name).is_file()

    def discard_parts(self) -> None:
        """Remove what a killed writer had begun to write. Only the writer may."""
        with suppress(FileNotFoundError):
            for path in self._folder.glob(f".*{_PART}"):
                path.unlink(missing_ok=True)

    def size(self, connection: Connection, name: str) -> int | None:
        """Return how many bytes one has."""
        del connection
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(name, error) from error

    def pieces(self, connection: Connection, name: str) -> Iterator[bytes]:
        """Yield the content of one."""
        del connection
        try:
            with self._path(name).open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        except FileNotFoundError as error:
            raise gone(name) from error
        except OSError as error:
            raise self._unreadable(name, error) from error

    def listed(self, connection: Connection) -> Iterator[tuple[str, int]]:
        """Yield name and size of every one that is there; other files in the folder are none."""
        del connection
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if is_name(entry.name) and entry.is_file(follow_symlinks=False):
                        with suppress(FileNotFoundError):  # the writer removes files too
                            yield entry.name, entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unreadable("", error) from error

    def remove(self, connection: Connection, names: Collection[str]) -> None:
        """Remove some, durably."""
        del connection
        if not names or not self._folder.is_dir():
            return
        try:
            for name in names:
                self._path(name).unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:
            msg = f"attachments in {self._folder} cannot be removed: {error.strerror or error}"
            raise StoreError(msg) from error

    def _holds(self, name: str, content: bytes) -> bool:
        try:
            with self._path(name).open("rb") as file:
                at = 0
                while piece := file.read(PIECE):
                    if piece != content[at : at + len(piece)]:
                        return False
                    at += len(piece)
                return at == len(content)
        except FileNotFoundError:
            return False

    def _write(self, name: str, content: bytes) -> None:
        part = self._folder / f".{name}{_PART}"
        write_file(part, content)
        part.replace(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / name

    def _unreadable(self, name: str, error: OSError) -> StoreError:
        return StoreError(f"{self._folder / name} cannot be read: {error.strerror or error}")
