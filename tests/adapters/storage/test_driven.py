"""Whether a session of another tool is one of ours, by the name that its agent has for it; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store

ME = Actor("human", "test")
THEIRS = StreamId("0b2f6a5e-51c3-4d0e-9d5e-7f6a1c2b3d4e")


@pytest.fixture
def workspace(store: Store) -> Workspace:
    return Workspace(store)


def driven(workspace: Workspace, name: str, agent: str | None, remote_id: str | None = THEIRS) -> StreamId:
    """Have a session that is being connected, or is where it has a name there."""
    ours = StreamId(name)
    happen(workspace, ours, c.Create("acp", "agent", agent), e.AttachRequested("link"))
    if remote_id is not None:
        happen(workspace, ours, None, e.Attached("link", remote_id))
    return ours


def happen(workspace: Workspace, session: StreamId, create: c.Create | None, *facts: e.Fact) -> None:
    if create is not None:
        workspace.execute(session, create, cause=None, actor=ME)
    workspace.execute(session, c.Observe(facts), cause=None, actor=ME)


@pytest.mark.parametrize("agent", ["claude", None])
def test_a_session_is_known_by_its_agents_name_for_it(workspace: Workspace, agent: str | None) -> None:
    assert workspace.driver(THEIRS, "claude") is None

    ours = driven(workspace, "ours", agent)

    assert workspace.driver(THEIRS, "claude") == ours
    assert workspace.driver(StreamId("another"), "claude") is None


def test_another_agent_may_use_the_same_short_name(workspace: Workspace) -> None:
    ours = driven(workspace, "ours", "codex", "session-1")

    assert workspace.driver(StreamId("session-1"), "claude") is None
    assert workspace.driver(StreamId("session-1"), "codex") == ours


def test_a_session_that_configuration_gave_another_agent_is_known_by_that_ones_name_for_it(
    workspace: Workspace,
) -> None:
    ours = driven(workspace, "ours", "codex")  # as the target was when the session began

    assert workspace.driver(THEIRS, "claude") == ours


def test_a_session_that_was_continued_has_both_names(workspace: Workspace) -> None:
    happen(workspace, THEIRS, c.Create("import", "claude", "claude", imported_from="claude"), e.AttachRequested("link"))
    assert workspace.driver(THEIRS, "claude") is None

    happen(workspace, THEIRS, None, e.Attached("link", "forked", resumed=True))

    assert workspace.driver(StreamId("forked"), "claude") == THEIRS
    assert workspace.driver(THEIRS, "claude") is None, "under its own name it is itself"


def test_one_that_is_about_to_get_a_name_is_told(workspace: Workspace) -> None:
    ours = driven(workspace, "ours", "claude", None)
    workspace.driver(THEIRS, "claude")
    assert (workspace.is_connecting("claude"), workspace.is_connecting("codex")) == (True, False)

    happen(workspace, ours, None, e.Attached("link", THEIRS))

    assert workspace.driver(THEIRS, "claude") == ours
    assert not workspace.is_connecting("claude")


def test_one_that_could_not_be_connected_keeps_nobody_waiting(workspace: Workspace) -> None:
    ours = driven(workspace, "ours", "claude", None)
    happen(workspace, ours, None, e.Detached("link", "failed", "no such program"))

    workspace.driver(THEIRS, "claude")

    assert not workspace.is_connecting("claude")


@pytest.mark.parametrize("agent", ["claude", None])
def test_one_that_was_erased_is_known_by_every_name_it_had(
    workspace: Workspace, store: Store, agent: str | None
) -> None:
    ours = driven(workspace, "ours", agent)
    happen(workspace, ours, None, e.Detached("link", "lost"), e.AttachRequested("link"), e.Attached("link", "second"))
    assert not workspace.is_erased(THEIRS)

    workspace.erase(ours, actor=ME)

    for seen in (workspace, Workspace(store)):
        assert seen.is_erased(THEIRS)
        assert seen.is_erased(StreamId("second"))
        assert not seen.is_erased(StreamId("third"))


def test_its_names_cannot_be_read_and_survive_a_rebuild(workspace: Workspace, store: Store) -> None:
    driven(workspace, "another", "claude", "second")
    ours = driven(workspace, "ours", "claude")
    workspace.erase(ours, actor=ME)
    workspace.erase(StreamId("another"), actor=ME)

    workspace.rebuild()

    assert Workspace(store).is_erased(THEIRS)
    stored = [each.data for each in workspace.events() if each.recorded.originator_id == ours]
    assert stored[-1] is not None
    assert THEIRS.encode() not in bytes(stored[-1])
    assert all(data is None for data in stored[:-1])
