"""What a frontend holds of events that it has not taken yet, in virtual time."""

from __future__ import annotations

from typing import cast

import anyio
import pytest
from trio.testing import MockClock

from holdfast.domain.errors import StoreError
from holdfast.frontends.client.following import AHEAD, PATIENCE_S, Delivery, Following


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """A clock that jumps to whatever is due next."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def delivery(number: int) -> Delivery:
    return Delivery([{"position": number}], f"cursor {number}")


async def full() -> Following:
    following = Following(None, None, None)
    for number in range(AHEAD):
        assert await following.put(delivery(number))
    return following


async def taken(following: Following) -> list[str]:
    """Everything up to where it was left behind."""
    found: list[str] = []
    while (each := await following.take()) is not None:
        found.append(each.cursor)
    return found


async def closed(following: Following) -> None:
    following.close()


def asked_after(following: Following) -> object:
    return cast("dict[str, object]", following.subscription("e2")["events"])["after"]


async def test_whoever_takes_nothing_is_left_behind_and_goes_on_from_there() -> None:
    following = await full()
    began = anyio.current_time()

    assert not await following.put(delivery(AHEAD))

    assert anyio.current_time() - began == pytest.approx(PATIENCE_S)
    assert await taken(following) == [f"cursor {number}" for number in range(AHEAD)]
    assert asked_after(following) == f"cursor {AHEAD - 1}"


async def test_whoever_takes_in_time_is_waited_for() -> None:
    following = await full()
    async with anyio.create_task_group() as tasks:

        async def take() -> None:
            await anyio.sleep(PATIENCE_S / 2)
            await following.take()

        tasks.start_soon(take)
        assert await following.put(delivery(AHEAD))

    assert following.after == f"cursor {AHEAD}"


async def test_what_could_not_be_put_because_the_connection_went_is_asked_for_again() -> None:
    following = await full()
    with anyio.move_on_after(PATIENCE_S / 2):
        await following.put(delivery(AHEAD))

    assert asked_after(following) == f"cursor {AHEAD - 1}"


async def test_it_goes_on_after_it_was_left_behind() -> None:
    following = await full()
    assert not await following.put(delivery(AHEAD))
    await taken(following)
    following.subscription("e2")

    assert await following.put(delivery(AHEAD))
    assert await following.take() == delivery(AHEAD)


async def test_what_came_before_an_error_is_given_first() -> None:
    following = Following(None, None, None)
    await following.put(delivery(1))
    following.fail(StoreError("the log cannot be read"))

    assert await following.take() == delivery(1)
    with pytest.raises(StoreError):
        await following.take()


async def test_nobody_waits_for_one_who_is_gone() -> None:
    following = await full()
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(following.put, delivery(AHEAD))
        tasks.start_soon(closed, following)

    assert anyio.current_time() == began
