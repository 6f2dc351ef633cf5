"""A desktop for each module, and on it a world of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.frontends.tray.desk import Desk
from tests.journeys.world import World
from tests.journeys.world import world as a_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_home: Path) -> Iterator[World]:
    """A home with a daemon that runs."""
    with a_world(tmp_home) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, tmp_home: Path) -> Iterator[Desk]:
    """A session bus for the same home, and nothing on it yet."""
    made = Desk(tmp_path / "desk", tmp_home)
    try:
        made.bus()
        yield made
    finally:
        made.close()
