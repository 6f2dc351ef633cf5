from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.adapters.transports.acp.agents import AGENTS, agent, known_as, listed, secrets
from holdfast.domain.errors import NotFoundError

MINUTE = 60_000_000


def test_the_agents_people_use_are_known() -> None:
    names = [each.name for each in AGENTS]

    assert names == ["claude", "codex", "gemini", "opencode", "qwen", "vibe", "fast-agent", "kimi", "goose", "demo"]
    assert all(each.install for each in AGENTS)


def test_an_agent_is_found_where_it_lies() -> None:
    installed = {"opencode": "/usr/bin/opencode", "claude-code-acp": "/opt/bin/claude-code-acp"}

    assert agent("opencode").find(installed.get) == ("/usr/bin/opencode", "acp")
    assert agent("claude").find(installed.get) == ("/opt/bin/claude-code-acp",)
    assert agent("gemini").find(installed.get) is None


def test_the_demo_agent_is_found_on_every_machine() -> None:
    command = agent("demo").find(lambda _: None)

    assert command is not None
    assert Path(command[-1]).is_file()
    assert known_as(command) == agent("demo")


def test_the_newer_command_is_preferred() -> None:
    assert agent("claude").find(lambda name: f"/bin/{name}") == ("/bin/claude-agent-acp",)


def test_an_unknown_agent_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="claude, codex, gemini"):
        agent("hal")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("/usr/bin/opencode", "acp"), "opencode"),
        (("gemini", "--acp", "--debug"), "gemini"),
        (("gemini",), None),
        (("python", "agent.py"), None),
        ((), None),
    ],
)
def test_a_command_is_known_by_its_words(command: tuple[str, ...], name: str | None) -> None:
    found = known_as(command)

    assert (None if found is None else found.name) == name


def test_gemini_loads_once_a_minute() -> None:
    gemini = agent("gemini")

    assert gemini.load_after([]) == 0
    assert gemini.load_after([MINUTE * 7 + 1]) == MINUTE * 8
    assert gemini.load_after([MINUTE * 7, MINUTE * 9 - 1]) == MINUTE * 9
    assert gemini.load_after([MINUTE * 7]) == MINUTE * 8
    assert agent("claude").load_after([MINUTE * 7]) == 0


def test_the_values_of_keys_are_named_so_that_they_can_be_kept_out() -> None:
    ours = {"OPENAI_API_KEY": "sk-1", "MISTRAL_API_KEY": "", "PATH": "/bin"}

    assert secrets(ours) == ("sk-1",)


def test_every_agent_is_listed_whether_it_is_there_or_not() -> None:
    found = {each.name: each for each in listed({"claude-code-acp": "/opt/bin/claude-code-acp"}.get)}

    assert list(found) == [each.name for each in AGENTS]
    assert (found["claude"].found, found["claude"].path) == (True, "/opt/bin/claude-code-acp")
    assert (found["codex"].found, found["codex"].path) == (False, None)
    assert (found["demo"].found, found["demo"].path) == (True, None), "it is built in"
    assert "npm install" in found["codex"].install
