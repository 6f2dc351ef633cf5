"""A town for each test, in which nothing lives on after it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.adapters.supervision.host.support import end_all
from tests.adapters.supervision.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def town(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """An empty home; whatever runs in it at the end is killed. With `ON_BOTH` its log is in each database in turn."""
    on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    url = str(request.getfixturevalue("postgres_url")) if on_postgres else None
    runtime = Path(tempfile.mkdtemp(prefix="holdfast-"))  # sockets need a short address
    home = tmp_path / "home"
    home.mkdir()
    town = Town(home, runtime, url)
    yield town
    end_all(town.hosts)
    shutil.rmtree(runtime)
