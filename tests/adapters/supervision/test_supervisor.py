"""Sessions with real agents, from the first prompt to the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain.session import events as e
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.supervision.town import Town

pytestmark = pytest.mark.slow


async def test_a_session_begins_speaks_and_ends_its_turn(town: Town, tmp_path: Path) -> None:
    agent = Scripted(tmp_path / "agent", prompts=[[{"say": "I will {n} ", "times": 20}]])

    async with town.daemon() as daemon:
        session = await daemon.new(agent.command, "hello")
        await daemon.saw(session, e.TurnEnded)

        assert agent.prompts() == ["hello"]
        assert daemon.text(session) == "".join(entry["said"] for entry in agent.turns())
        shown = daemon.keeping.connection(session)
        assert shown is not None
        assert shown.state == "connected"
