"""An agent can read what its user can, the credential of the daemon too; what it says of it is not kept."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.journeys.world import World

pytestmark = pytest.mark.slow


def test_no_token_of_the_home_gets_into_the_log_also_one_that_was_made_meanwhile(world: World) -> None:
    file = world.home / "token"
    tokens = [file.read_text().strip()]
    agent = world.agent()
    agent.change(prompts=[[{"say": f"here: {tokens[0][:9]}"}, {"say": f"{tokens[0][9:]}."}]], resume={})
    session = world.ready(agent.command, "show me the token")
    world.wait(session)

    assert world.cli("token", "rotate").returncode == 0
    tokens.append(file.read_text().strip())
    agent.change(
        prompts=[[{"tool": {"toolCallId": "c1", "title": f"echo {tokens[1]}"}}, {"say": tokens[1]}]], resume={}
    )
    os.kill(agent.pids()[0], signal.SIGKILL)  # the next process does what is written now
    assert world.cli("send", session, f"and {tokens[1]}?", "--wait").returncode == 0

    stars = "*" * len(tokens[0])
    assert world.said(session) == f"here: {stars}.{stars}"
    assert world.asked(session) == ["show me the token", f"and {stars}?"]
    for path in world.home.rglob("log.db*"):
        content = path.read_bytes()
        assert not any(token.encode() in content for token in tokens)
