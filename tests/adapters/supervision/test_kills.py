"""`kill -9` of a daemon with an agent at work, at random moments and right between a commit and what follows it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.domain.session import events as e
from tests.adapters.supervision.life import ENDS
from tests.adapters.supervision.town import ON_BOTH
from tests.agents.scripting import Scripted

if TYPE_CHECKING:
    from holdfast.domain.recorded import Recorded
    from tests.adapters.supervision.town import Town
    from tests.chaos.figures import Figures

pytestmark = [pytest.mark.slow, ON_BOTH]

ROOT = Path(__file__).parents[3]
PROMPTS = 4
POINTS = ("committed", "told", "heard")


def live(town: Town, agent: Scripted, dies_at: str | None = None) -> subprocess.Popen[bytes]:
    """Start one life."""
    words = [str(town.home), str(town.runtime), json.dumps(agent.command), str(PROMPTS)]
    words += [] if dies_at is None else [dies_at]
    program = [sys.executable, "-m", "tests.adapters.supervision.life", *words]
    environ = {**os.environ, "HOLDFAST_HOST": "", "HOLDFAST_DATABASE_URL": town.url}
    return subprocess.Popen(program, cwd=ROOT, env=environ)


def finish(town: Town, agent: Scripted, mistake: str | None = None) -> list[Recorded]:
    """Live once more, undisturbed; return the log."""
    with live(town, agent, mistake) as last:
        assert last.wait(120) == 0
    session = (town.home / "session").read_text()
    with open_store(StoreSettings.from_url(town.url), write=False, environ={}) as store:
        return list(store.events(session))


def violations(log: list[Recorded], agent: Scripted) -> list[str]:
    """Return what is not as if nobody had been killed."""
    facts = [recorded.event for recorded in log]
    found: list[str] = []
    if agent.prompts() != [f"prompt {number}" for number in range(PROMPTS)]:
        found.append(f"the agent got {agent.prompts()}")
    text = "".join(fact.text for fact in facts if isinstance(fact, e.TextAppended))
    said = "".join(turn["said"] for turn in agent.turns())
    if text != said:
        found.append(f"the agent said {len(said)} characters, the log has {len(text)}")
    if [type(fact) for fact in facts if isinstance(fact, ENDS)] != [e.TurnEnded] * PROMPTS:
        found.append(f"turns ended as {[fact for fact in facts if isinstance(fact, ENDS)]}")
    asked = [fact for fact in facts if isinstance(fact, e.PermissionRequested)]
    if len(asked) != PROMPTS or len(agent.journal("answered")) != PROMPTS:
        found.append(f"{len(asked)} questions, {len(agent.journal('answered'))} answers")
    # One that was started and never spoken to, because the daemon died before it was on record, is no harm.
    if (len(agent.got("initialize")), len(agent.got("session/new"))) != (1, 1):
        found.append(f"{len(agent.got('initialize'))} agents and {len(agent.got('session/new'))} sessions of theirs")
    if [recorded.originator_version for recorded in log] != list(range(1, len(log) + 1)):
        found.append("versions have gaps")
    return found


@pytest.fixture
def agent(tmp_path: Path) -> Scripted:
    turn = [
        {"say": "{n} ", "times": 60, "every_s": 0.002},
        {"ask": "c1", "tool": {"title": "touch x"}, "allow": [{"say": "yes {n} ", "times": 20, "every_s": 0.002}]},
    ]
    return Scripted(tmp_path / "agent", prompts=[turn])


@pytest.mark.parametrize(
    ("seed", "kills"),
    [pytest.param(0, 6, id="slice"), *(pytest.param(seed, 20, marks=pytest.mark.chaos) for seed in range(1, 21))],
)
def test_a_daemon_that_is_killed_again_and_again_loses_and_doubles_nothing(
    town: Town, agent: Scripted, seed: int, kills: int, figures: Figures
) -> None:
    dice = random.Random(seed)
    for _ in range(kills):
        with live(town, agent) as process:
            try:
                process.wait(dice.uniform(0.3, 1.6))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
    wrong = violations(finish(town, agent), agent)
    figures("R1", "kill -9 of the daemon with an agent at work", tried=kills, violations=len(wrong))
    assert not wrong


@pytest.mark.parametrize(
    ("point", "times"),
    [
        *(pytest.param(point, times, id=f"{point}-{times}") for point, times in zip(POINTS, (6, 3, 9), strict=True)),
        *(pytest.param(point, times, marks=pytest.mark.chaos) for point in POINTS for times in range(1, 30)),
    ],
)
def test_a_daemon_that_dies_between_the_log_and_the_agent_loses_and_doubles_nothing(
    town: Town, agent: Scripted, point: str, times: int, figures: Figures
) -> None:
    with live(town, agent, f"{point}:{times}") as process:
        process.wait(120)
    wrong = violations(finish(town, agent), agent)
    figures("R1", f"death of the daemon at: {point}", tried=1, violations=len(wrong))
    assert not wrong


def test_a_daemon_that_forgets_how_far_it_had_read_is_caught(town: Town, agent: Scripted) -> None:
    # In the middle of what the agent says, and not sooner: enough of it must be in the log to be read a second time.
    with live(town, agent, "committed:16") as process:
        process.wait(120)

    assert violations(finish(town, agent, "forgets:0"), agent)
