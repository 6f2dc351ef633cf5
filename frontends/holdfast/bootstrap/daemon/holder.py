"""Whether another home writes to the store: asked before anything heavy is imported, so that a refusal is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.configuration.file import database_url, read_configuration
from holdfast.adapters.storage.lock import StoreLock
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.domain.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.adapters.configuration.home import Home


def refuse_if_taken(home: Home, environ: Mapping[str, str]) -> None:
    """Refuse a store in a file that another home writes to. Everything else is decided when the store is opened.

    Raises:
        StoreBusyError: It is taken; the message says by whom.
        SettingsError: The address of the store cannot be used.
    """
    url = database_url(read_configuration(home.configuration), environ) or f"sqlite:///{home.log}"
    path = StoreSettings.from_url(url, home=home.path, environ=environ).path
    if path is None:
        return
    lock = StoreLock(path)
    if not lock.path.exists():
        return
    try:
        lock.acquire(home=home.path, wait_s=0)
    except StoreBusyError as error:
        if error.home not in (None, str(home.path)):
            raise
    else:
        lock.release()
