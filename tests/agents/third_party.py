"""Agents that others wrote, as `.ci/agents.sh` installs them: how each is started and pointed at our model server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "agents"


class ThirdParty(NamedTuple):
    """An agent that is installed for tests.

    Attributes:
        name: What `.ci/agents.txt` calls it.
        program: Where its program lies below `node_modules`, as a pattern.
        configure: Writes its configuration below a home folder, so that it talks to the model at an address.
    """

    name: str
    program: str
    configure: Callable[[Path, str], None]
    arguments: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """Return its argument list; without it, skip the test."""
        program = next((_installed(self.name) / "node_modules").glob(self.program))
        return [str(program), *self.arguments]


def sdk_example() -> list[str]:
    """Return the argument list of the example agent of the ACP Python SDK; without it, skip the test."""
    return [sys.executable, str(_installed("sdk-example") / "examples" / "agent.py")]


def versions() -> dict[str, str]:
    """Return the versions that are pinned, by name."""
    pinned = [line.split() for line in (ROOT / ".ci" / "agents.txt").read_text().splitlines()]
    return {name: version for name, _, version in pinned}


def _installed(name: str) -> Path:
    version = versions().get(name, "*")
    for place in PLACE.glob(f"{name}-{version}"):
        if (place / ".done").exists():
            return place
    # Not a failure in CI either: whether a registry can be reached is not for this project to say.
    return pytest.skip(f"{name} is not installed: .ci/agents.sh fetches it from its registry")


def _configure_claude(home: Path, url: str) -> None:
    environment = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "stub",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    _write(home / ".claude" / "settings.json", json.dumps({"env": environment}))


def _configure_codex(home: Path, url: str) -> None:
    _write(
        home / ".codex" / "config.toml",
        f"""
model = "stub-model"
model_provider = "stub"
approval_policy = "untrusted"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.stub]
name = "stub"
base_url = "{url}/v1"
wire_api = "responses"
requires_openai_auth = false
""",
    )


def _configure_opencode(home: Path, url: str) -> None:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Stub",
        "options": {"baseURL": f"{url}/v1", "apiKey": "stub"},
        "models": {"stub-model": {"name": "Stub"}},
    }
    configuration = {
        "provider": {"stub": provider},
        "model": "stub/stub-model",
        "small_model": "stub/stub-model",
        "permission": {"bash": "ask"},
        "autoupdate": False,
        "share": "disabled",
    }
    _write(home / ".config" / "opencode" / "opencode.json", json.dumps(configuration))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


THIRD_PARTY = {
    each.name: each
    for each in (
        ThirdParty("claude", ".bin/claude-agent-acp", _configure_claude),
        ThirdParty("codex", ".bin/codex-acp", _configure_codex),
        # What npm puts on the path is a placeholder until a script of the package has run.
        ThirdParty("opencode", "opencode-*64/bin/opencode", _configure_opencode, ("acp",)),
    )
}
