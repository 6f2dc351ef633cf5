"""A session at any position of the log is what the stored views showed at that moment, on both dialects."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from hypothesis import HealthCheck, given, settings

from holdfast.domain.errors import HoldfastError
from holdfast.domain.projections.replay import Moment, story
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from tests.domain.histories import commands
from tests.domain.scene import dump

if TYPE_CHECKING:
    from holdfast.adapters.storage.workspace import Workspace

ME = Actor("human", "cli")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(asked=commands(max_size=25))
def test_the_view_at_a_position_is_the_one_that_was_live_then(workspace: Workspace, asked: list[c.Command]) -> None:
    session = StreamId(str(uuid4()))
    live: dict[int, bytes] = {}
    for number, command in enumerate(asked):
        if isinstance(command, c.Erase):
            continue  # it takes the past away
        with suppress(HoldfastError):
            workspace.execute(session, command, cause=None, actor=ME)
        if number % 7 == 3:
            workspace.catch_up()
        page = workspace.page(session, limit=1_000)
        live[page.position] = dump(page)

    for position, seen in live.items():
        then = Moment(session)
        for recorded in story(workspace, session, until=position):
            then.take(recorded)
        assert dump(then.page(limit=1_000)) == seen
