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
def world(tmp_home: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A home with a daemon that runs. With `ON_BOTH` its log is in each database in turn."""
    on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    environ = {"HOLDFAST_DATABASE_URL": str(request.getfixturevalue("postgres_url"))} if on_postgres else None
    with a_world(tmp_home, environ) as made:
        yield made
