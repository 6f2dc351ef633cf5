"""A workspace over a real store, on both dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import Store


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The store, open for writing."""
    store = open_store(StoreSettings.from_url(url))
    yield store
    store.close()


@pytest.fixture
def workspace(store: Store) -> Workspace:
    """What changes the store."""
    return Workspace(store)


@pytest.fixture
def reopened(url: str, store: Store) -> Iterator[Callable[[], Workspace]]:
    """Close the store and open it again, as after a restart."""
    opened: list[Store] = []

    def reopen() -> Workspace:
        store.close()
        opened.append(open_store(StoreSettings.from_url(url)))
        return Workspace(opened[-1])

    yield reopen
    for each in opened:
        each.close()
