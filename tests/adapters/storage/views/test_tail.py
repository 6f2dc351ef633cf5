"""The log as the gateway follows it, on both dialects: each answer of one snapshot, with its position."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from holdfast.adapters.storage.tail import StoreTail
from holdfast.domain.content import of_text
from holdfast.domain.errors import CursorError, NotFoundError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.domain.scene import asks

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.workspace import Workspace

ONE = StreamId("aaaa1111-0000-4000-8000-000000000001")
TWO = StreamId("aaaa2222-0000-4000-8000-000000000002")


def begin(workspace: Workspace, session: StreamId) -> None:
    for command in (
        c.Create("acp", title="shop"),
        c.QueuePrompt("p1", of_text("hello")),
        c.StartTurn("t1"),
        c.Observe((e.TextAppended("m1", "Hi "), e.TextAppended("m1", "there"), asks(f"r-{session[:8]}"))),
    ):
        workspace.execute(session, command, cause=None, actor=Actor("human", "test"))


async def test_stretches_join_without_a_gap_and_end_at_the_head(store: Store, workspace: Workspace) -> None:
    begin(workspace, ONE)
    begin(workspace, TWO)
    tail = StoreTail(store)
    positions: list[int | None] = []
    after, at_end = 0, False

    while not at_end:
        stretch = await tail.stretch(after, limit=3)
        positions += [each.recorded.position for each in stretch.events]
        after, at_end = stretch.end, stretch.at_end

    head = await tail.head()
    assert positions == list(range(1, head + 1))
    assert after == head
    assert (await tail.stretch(head)).events == []


async def test_a_filtered_stretch_ends_where_it_has_looked(store: Store, workspace: Workspace) -> None:
    begin(workspace, ONE)
    begin(workspace, TWO)
    tail = StoreTail(store)

    stretch = await tail.stretch(0, session_id=ONE, types=["text-appended"])

    assert [each.type for each in stretch.events] == ["text-appended", "text-appended"]
    assert {each.recorded.originator_id for each in stretch.events} == {ONE}
    assert stretch.end == await tail.head()


async def test_rows_carry_the_position_of_their_latest_event(store: Store, workspace: Workspace) -> None:
    begin(workspace, ONE)
    begin(workspace, TWO)
    workspace.execute(ONE, c.End(), cause=None, actor=Actor("human"))
    tail = StoreTail(store)

    everything = await tail.roster()
    some = await tail.roster([ONE, StreamId("nobody")])

    assert {listed.id: listed.ended for listed in everything.rows} == {ONE: True, TWO: False}
    assert everything.position == await tail.head()
    assert [(listed.id, listed.position) for listed in some.rows] == [(ONE, everything.position)]
    assert msgspec.json.decode(some.rows[0].row)["position"] == everything.position


async def test_the_inbox_says_where_each_request_was_asked(store: Store, workspace: Workspace) -> None:
    begin(workspace, ONE)
    workspace.catch_up()
    begin(workspace, TWO)
    tail = StoreTail(store)

    inbox = await tail.inbox()

    asked = [each.recorded.position for each in (await tail.stretch(0, types=["permission-requested"])).events]
    assert [each.position for each in inbox.waiting] == asked
    assert [each.request.request_id for each in inbox.waiting] == [f"r-{ONE[:8]}", f"r-{TWO[:8]}"]


async def test_single_items_are_the_same_stored_or_fresh(store: Store, workspace: Workspace) -> None:
    begin(workspace, ONE)
    tail = StoreTail(store)

    fresh = await tail.items(ONE, {"m1", "nothing"})
    workspace.catch_up()
    stored = await tail.items(ONE, {"m1", "nothing"})

    assert [item.text for item in fresh] == ["Hi there"]
    assert stored == fresh
    assert await tail.items(StreamId("nobody"), {"m1"}) == []
    assert [item for item in (await tail.page(ONE)).items if item.id == "m1"] == stored


async def test_what_is_not_there_is_said(store: Store, workspace: Workspace) -> None:
    begin(workspace, ONE)
    tail = StoreTail(store)

    with pytest.raises(NotFoundError):
        await tail.page(TWO)
    with pytest.raises(CursorError):
        await tail.position_of(tail.cursor(10_000))
    with pytest.raises(CursorError):
        await tail.position_of("0" * 32 + ".1")
    assert await tail.position_of(tail.cursor(3)) == 3


async def test_the_bell_rings_at_a_commit(store: Store, workspace: Workspace) -> None:
    bell = StoreTail(store).bell()
    bell.arm()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, partial(begin, workspace, ONE))
        with anyio.fail_after(30):
            await bell.wait()
    bell.close()
