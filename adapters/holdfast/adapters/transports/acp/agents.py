"""The agents we know: their commands, how to get them, where they look for credentials, and their quirks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from holdfast.domain.errors import NotFoundError
from holdfast.domain.keeping import KnownAgent

_MINUTE_US: Final = 60_000_000

Which = Callable[[str], str | None]
"""Returns where a command lies on the PATH, or None: `shutil.which`."""


class Agent(Struct, frozen=True):
    """An agent that people use.

    Attributes:
        name: What `--agent` takes.
        commands: Argument lists that start it as an ACP agent, best first; the first word is looked up on the PATH.
        install: A line for people that says how to get it.
        keys: Environment variables of its own in which it looks for credentials.
        one_load_a_minute: It destroys a session that is loaded in the same minute (UTC) in which it was created, or
            loaded before (gemini-cli#28775).
        built_in: It comes with Holdfast, and is found on every machine.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    install: str
    keys: tuple[str, ...] = ()
    one_load_a_minute: bool = False
    built_in: bool = False

    def find(self, which: Which) -> tuple[str, ...] | None:
        """Return the argument list that starts it, with the command where it lies; None where it is not installed."""
        if self.built_in:
            return self.commands[0]
        for command in self.commands:
            path = which(command[0])
            if path is not None:
                return (path, *command[1:])
        return None

    def load_after(self, opened_at: Iterable[int]) -> int:
        """Return from when on a session may be loaded, in microseconds since the epoch.

        Args:
            opened_at: When it was created, and loaded, so far.
        """
        latest = max(opened_at, default=0)
        if not self.one_load_a_minute or not latest:
            return 0
        return (latest // _MINUTE_US + 1) * _MINUTE_US


_MANY_PROVIDERS: Final = (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "OPENROUTER_API_KEY",
)

AGENTS: Final = (
    Agent(
        "claude",
        (("claude-agent-acp",), ("claude-code-acp",)),
        "npm install -g @agentclientprotocol/claude-agent-acp",
        ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
    ),
    Agent(
        "codex",
        (("codex-acp",),),
        "npm install -g @agentclientprotocol/codex-acp",
        ("OPENAI_API_KEY", "CODEX_API_KEY"),
    ),
    Agent(
        "gemini",
        (("gemini", "--acp"),),
        "npm install -g @google/gemini-cli",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        one_load_a_minute=True,
    ),
    Agent(
        "opencode",
        (("opencode", "acp"),),
        "npm install -g opencode-ai",
        ("OPENCODE_API_KEY", *_MANY_PROVIDERS),
    ),
    Agent(
        "qwen",
        (("qwen", "--acp"),),
        "npm install -g @qwen-code/qwen-code",
        ("DASHSCOPE_API_KEY", "OPENAI_API_KEY"),
    ),
    Agent("vibe", (("vibe-acp",),), "uv tool install mistral-vibe", ("MISTRAL_API_KEY",)),
    Agent("fast-agent", (("fast-agent-acp",),), "uv tool install fast-agent-acp", _MANY_PROVIDERS),
    Agent("kimi", (("kimi", "acp"),), "uv tool install kimi-cli", ("KIMI_API_KEY", "MOONSHOT_API_KEY")),
    Agent(
        "goose",
        (("goose", "acp"),),
        "brew install block-goose-cli, or see https://block.github.io/goose/",
        _MANY_PROVIDERS,
    ),
    Agent(
        "demo",
        ((sys.executable, "-I", str(Path(__file__).with_name("demo") / "agent.py")),),
        "built in: plays a recorded session at its own pace",
        built_in=True,
    ),
)
"""In the order in which they are listed."""

_BY_NAME: Final[Mapping[str, Agent]] = {agent.name: agent for agent in AGENTS}


def agent(name: str) -> Agent:
    """Return the agent of this name.

    Raises:
        NotFoundError: We know none.
    """
    found = _BY_NAME.get(name)
    if found is None:
        msg = f"there is no agent {name!r}; known are {', '.join(_BY_NAME)}"
        raise NotFoundError(msg)
    return found


def listed(which: Which) -> list[KnownAgent]:
    """Return every agent we know, found or not, in the order to show them. What is built in is always found."""
    found = [(each, each.find(which)) for each in AGENTS]
    return [
        KnownAgent(each.name, command is not None, command[0] if command and not each.built_in else None, each.install)
        for each, command in found
    ]


def known_as(command: tuple[str, ...]) -> Agent | None:
    """Return the agent that an argument list starts, whatever folder its command lies in."""
    words = _wherever(command)
    return next(
        (each for each in AGENTS for known in map(_wherever, each.commands) if words[: len(known)] == known),
        None,
    )


def _wherever(command: tuple[str, ...]) -> tuple[str, ...]:
    return (command[0].rpartition("/")[2], *command[1:]) if command else ()


def secrets(ours: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of all keys that agents may be handed, to be kept out of the log."""
    return tuple({ours[key] for each in AGENTS for key in each.keys if ours.get(key)})
