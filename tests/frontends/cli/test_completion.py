"""What a shell offers after a tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.keeping import KnownAgent
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.frontends.cli.conftest import Run
    from tests.frontends.cli.memory import MemoryLibrary

    Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(run: Run, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch) -> Offered:
    """Return what is offered for the last word of a line."""
    library.happened("0199aaaa-1", e.SessionCreated("acp", "owner", title="One\x1b[2J"))
    library.happened("0199bbbb-2", e.SessionCreated("acp", "owner"), e.SessionEnded("user"))
    library.known = [KnownAgent("claude", True, "/bin/claude", ""), KnownAgent("codex", False, None, "")]

    def offered(line: str) -> list[str]:
        monkeypatch.setenv("_HOLDFAST_COMPLETE", "zsh_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        ran = run()
        assert (ran.code, ran.err) == (0, "")
        assert "\x1b" not in ran.out
        return ran.out.splitlines()[1::3]

    return offered


def test_verbs_and_options_are_offered(offered: Offered) -> None:
    assert offered("holdfast re") == ["reconnect", "replay", "rename", "read", "rebuild", "restart"]
    assert "--client-id" in offered("holdfast send --")


def test_sessions_are_offered_by_their_ids_and_ended_ones_once_asked_for(offered: Offered) -> None:
    assert offered("holdfast show ") == ["0199aaaa-1"]
    assert offered("holdfast show 0199") == ["0199aaaa-1", "0199bbbb-2"]
    assert offered("holdfast send 0199aa") == ["0199aaaa-1"]


def test_agents_that_are_here_are_offered(offered: Offered) -> None:
    assert offered("holdfast new --agent c") == ["claude"]


def test_where_nothing_can_be_known_nothing_is_offered(offered: Offered, library: MemoryLibrary) -> None:
    library.broken = StoreDamagedError("broken")

    assert offered("holdfast show ") == []
    assert offered("holdfast approve ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_HOLDFAST_COMPLETE", f"{shell}_source")

    ran = run()

    assert ran.code == 0
    assert "_HOLDFAST_COMPLETE" in ran.out
