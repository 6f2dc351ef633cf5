"""Stores for the tests of this package, on both databases."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from tests.adapters.storage.given import Stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import Store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty place for a store, on each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def stores(store_url: str) -> Iterator[Stores]:
    """Opens stores at `store_url`, and closes what a test leaves open."""
    with ExitStack() as stack:
        yield Stores(store_url, stack)


@pytest.fixture
def store(stores: Stores) -> Store:
    """A store that is open for writing."""
    return stores.open()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A store in a file, open for writing."""
    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db"), environ={}) as store:
        yield store
