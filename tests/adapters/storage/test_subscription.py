"""Following the log, on both databases and both event loops, in the writer's process and beside it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import pytest

from holdfast.adapters.storage.subscription import CaughtUp
from holdfast.domain.errors import CursorError
from tests.adapters.storage.given import Stores, said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import Recorded

Delivery = int | CaughtUp | None


async def deliveries(events: AsyncIterator[Recorded | CaughtUp], until: CaughtUp) -> list[Delivery]:
    seen: list[Delivery] = []
    with anyio.fail_after(20):
        async for delivery in events:
            seen.append(delivery if isinstance(delivery, CaughtUp) else delivery.position)
            if delivery == until:
                return seen
    return seen


async def test_a_reader_gets_what_was_there_and_a_mark(store: Store) -> None:
    store.append_now([said("s", 1), said("s", 2)])

    async with aclosing(store.subscribe()) as events:
        assert await deliveries(events, CaughtUp(2)) == [1, 2, CaughtUp(2)]


async def test_an_empty_log_is_caught_up_with_at_once(store: Store) -> None:
    async with aclosing(store.subscribe()) as events:
        assert await deliveries(events, CaughtUp(0)) == [CaughtUp(0)]


async def test_a_reader_gets_what_comes_and_a_mark_each_time(store: Store) -> None:
    async with aclosing(store.subscribe()) as events:
        assert await deliveries(events, CaughtUp(0)) == [CaughtUp(0)]
        await store.append([said("s", 1)])
        assert await deliveries(events, CaughtUp(1)) == [1, CaughtUp(1)]
        await store.append([said("s", 2), said("t", 1)])
        assert await deliveries(events, CaughtUp(3)) == [2, 3, CaughtUp(3)]


async def test_a_reader_goes_on_after_its_cursor(store: Store) -> None:
    store.append_now([said("s", number) for number in range(1, 6)])
    cursor = store.cursor(3)

    async with aclosing(store.subscribe(cursor)) as events:
        assert await deliveries(events, CaughtUp(5)) == [4, 5, CaughtUp(5)]


@pytest.mark.parametrize("cursor", ["nonsense", f"{'0' * 32}.0", "6", 6])
async def test_a_cursor_that_cannot_be_used_is_refused(store: Store, cursor: str | int) -> None:
    store.append_now([said("s", number) for number in range(1, 6)])

    with pytest.raises(CursorError):
        async with aclosing(store.subscribe(cursor)) as events:
            await anext(events)


async def test_a_reader_of_one_stream_and_type_is_still_told_how_far_it_is(store: Store) -> None:
    async with aclosing(store.subscribe(stream="b", types=["text-appended"])) as events:
        await deliveries(events, CaughtUp(0))
        await store.append([said("a", 1), said("b", 1), said("a", 2)])
        assert await deliveries(events, CaughtUp(3)) == [2, CaughtUp(3)]
        await store.append([said("b", 2)])
        assert await deliveries(events, CaughtUp(4)) == [4, CaughtUp(4)]


async def test_a_reader_in_another_process_hears_of_commits(store: Store, stores: Stores) -> None:
    reader = stores.open(write=False)  # it shares nothing with the writer but the database

    async with aclosing(reader.subscribe()) as events:
        await deliveries(events, CaughtUp(0))
        for version in range(1, 4):
            await store.append([said("s", version)])
            assert await deliveries(events, CaughtUp(version)) == [version, CaughtUp(version)]


@pytest.mark.slow
async def test_no_reader_misses_or_doubles_anything_while_many_write(store: Store) -> None:
    writers, each = 8, 30
    total = writers * each
    seen: list[list[Delivery]] = []

    async def read(after: int) -> None:
        async with aclosing(store.subscribe(after)) as events:
            seen.append(await deliveries(events, CaughtUp(total)))

    async def write(name: str) -> None:
        for version in range(1, each + 1):
            await store.append([said(name, version)])

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(read, 0)
        for number in range(writers):
            tasks.start_soon(write, f"s{number}")

    for deliveries_ in seen:
        assert [d for d in deliveries_ if not isinstance(d, CaughtUp)] == list(range(1, total + 1))
        marks = [d.position for d in deliveries_ if isinstance(d, CaughtUp)]
        assert marks == sorted(set(marks))


async def test_a_slow_reader_goes_on_from_its_own_place(store: Store) -> None:
    async with aclosing(store.subscribe()) as events:
        await deliveries(events, CaughtUp(0))
        for version in range(1, 51):
            await store.append([said("s", version)])
        assert await deliveries(events, CaughtUp(50)) == [*range(1, 51), CaughtUp(50)]


async def test_an_inline_store_wakes_its_readers(stores: Stores) -> None:
    store = stores.open(inline=True)
    async with aclosing(store.subscribe()) as events:
        await deliveries(events, CaughtUp(0))
        await store.append([said("s", 1)])
        assert await deliveries(events, CaughtUp(1)) == [1, CaughtUp(1)]
