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
def town(tmp_path: Path) -> Iterator[Town]:
    """An empty home; whatever runs in it at the end is killed."""
    runtime = Path(tempfile.mkdtemp(prefix="holdfast-"))  # sockets need a short address
    home = tmp_path / "home"
    home.mkdir()
    town = Town(home, runtime)
    yield town
    end_all(town.hosts)
    shutil.rmtree(runtime)
