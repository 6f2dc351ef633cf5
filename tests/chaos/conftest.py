"""What every test under faults uses: processes that fork quickly, a store to hurt, and how much of it is done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from tests.chaos.invariants import told
from tests.chaos.processes import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chaos.words import Words


@dataclass(frozen=True)
class Place:
    """A home with a store in it."""

    home: Path

    @property
    def url(self) -> str:
        """The address of the store."""
        return f"sqlite:///{self.home}/log.db"

    @property
    def settings(self) -> StoreSettings:
        """The same for `open_store`."""
        return StoreSettings.from_url(self.url, wait_s=5)

    @property
    def options(self) -> tuple[str, ...]:
        """The same for a process."""
        return ("--url", self.url, "--home", str(self.home))

    def copied(self, home: Path) -> Place:
        """Return a copy as it is at this moment, as if the machine of this one had stopped."""
        shutil.copytree(self.home, home)
        return Place(home)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """A process of the test worker's own from which writers are forked."""
    with Zygote() as process:
        yield process


@dataclass(frozen=True)
class Filled:
    """A store with some history, its latest commits in the write-ahead log that a killed writer left.

    Attributes:
        place: Where it is. Only ever to be copied.
        words: What was said of it.
        told: A digest of each view.
    """

    place: Place
    words: Words
    told: dict[str, str]


@pytest.fixture(scope="session")
def filled(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A store to be copied."""
    place = Place(tmp_path_factory.mktemp("filled"))
    words = zygote.start("deed", "fill", *place.options, "--leave").wait()
    assert words.done
    with open_store(place.copied(tmp_path_factory.mktemp("told") / "home").settings, write=False) as store:
        return Filled(place, words, told(store))


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Place]:
    """Empty homes, as many as are asked for; one that is done with is removed when the next one is asked for."""

    def fresh() -> Iterator[Place]:
        number = 0
        while True:
            home = tmp_path / f"home-{number}"
            home.mkdir(mode=0o700)
            yield Place(home)
            shutil.rmtree(home)
            number += 1

    return fresh()
