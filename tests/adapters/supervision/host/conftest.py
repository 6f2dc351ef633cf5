"""A place for the hosts of each test, from which nothing survives it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.adapters.supervision.host.support import House, end_all

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Folders for hosts and their sockets; whatever runs in them at the end is killed."""
    runtime = Path(tempfile.mkdtemp(prefix="holdfast-"))  # sockets need a short address
    hosts = tmp_path / "hosts"
    yield House(hosts, runtime)
    end_all(hosts)
    shutil.rmtree(runtime)
