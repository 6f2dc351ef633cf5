"""A log that somebody names, to be looked at and never written: in its file, a folder, or a database."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.configuration.file import Configuration, database_url, read_configuration
from holdfast.adapters.configuration.home import Home, find_home
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.bootstrap.library import LocalLibrary, LocalReading
from holdfast.domain.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from holdfast.domain import ports


class NamedLibrary(LocalLibrary):
    """Reads one store. Takes no lock, sets no rights, makes nothing; another home's, or a copy, is as good."""

    def __init__(self, environ: Mapping[str, str], warn: Callable[[str], None], place: str | None) -> None:
        """Find the store.

        Args:
            environ: The environment.
            warn: Tells the person something that stops nothing.
            place: A file, a folder with a `log.db` in it, or a database address; None for this user's store.

        Raises:
            NotFoundError: There is none.
            SettingsError: It cannot be one.
        """
        self._environ = environ
        self._warn = warn
        self.configuration = Configuration()
        if place is None:
            self.home = find_home(environ)
            self.configuration = read_configuration(self.home.configuration)
            url = database_url(self.configuration, environ) or f"sqlite:///{self.home.log}"
        elif "://" in place:
            self.home, url = find_home(environ), place
        else:
            path = Path(place).absolute()
            self.home = Home(path if path.is_dir() else path.parent)
            url = f"sqlite:///{self.home.log if path.is_dir() else path}"
        self.settings = StoreSettings.from_url(url, home=self.home.path, environ=environ)
        if self.settings.path is not None and not self.settings.path.is_file():
            msg = f"there is no store at {self.settings.path}"
            raise NotFoundError(msg)

    @contextmanager
    def reading(self) -> Generator[ports.Reading]:
        """Open it for reading."""
        store = open_store(self.settings, write=False, environ=self._environ)
        try:
            yield LocalReading(store, self)
        finally:
            store.close()
