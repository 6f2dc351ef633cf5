"""A workspace over a real store, on both dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.adapters.storage.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """The store, open for writing."""
    store = open_store(StoreSettings.from_url(store_url))
    yield store
    store.close()


@pytest.fixture
def workspace(store: Store) -> Workspace:
    """What changes the store."""
    return Workspace(store)


@pytest.fixture
def reopened(store_url: str, store: Store) -> Iterator[Callable[[], Workspace]]:
    """Close the store and open it again, as after a restart."""
    opened: list[Store] = []

    def reopen() -> Workspace:
        store.close()
        opened.append(open_store(StoreSettings.from_url(store_url)))
        return Workspace(opened[-1])

    yield reopen
    for each in opened:
        each.close()
