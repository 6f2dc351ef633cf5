"""A place for the hosts of each test, from which nothing survives it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.supervision.host.reap import end_orphans, survey
from tests.adapters.supervision.host.support import House

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Folders for hosts and their sockets; whatever runs in them at the end is killed."""
    runtime = Path(tempfile.mkdtemp(prefix="holdfast-"))  # sockets need a short address
    hosts = tmp_path / "hosts"
    yield House(hosts, runtime)
    for found in survey(hosts):
        if found.state == "alive" and found.host:
            with suppress(ProcessLookupError):
                os.kill(found.host.host.pid, signal.SIGKILL)
    end_orphans(hosts)
    shutil.rmtree(runtime)
