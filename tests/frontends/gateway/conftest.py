"""The stream over each kind of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.frontends.gateway.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])])
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """A running stream over a store of its own."""
    running = Serving(tmp_path, None if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield running
    running.close()
