"""Journeys: what a user does and what may happen to him, with real processes from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
