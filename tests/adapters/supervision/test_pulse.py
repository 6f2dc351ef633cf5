"""Many who are busy share one beat, and none of them reads for longer than its part of it."""

from __future__ import annotations

import anyio
import pytest

from holdfast.adapters.supervision import pulse as module
from holdfast.adapters.supervision.pulse import Pulse, Turn

pytestmark = pytest.mark.anyio


def nothing() -> bool:
    return False


async def test_all_who_rest_are_woken() -> None:
    pulse = Pulse(0.001)
    woken: list[int] = []

    async def one(number: int) -> None:
        await pulse.rest(nothing)
        woken.append(number)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(pulse.run)
            async with anyio.create_task_group() as resting:
                for number in range(20):
                    resting.start_soon(one, number)
            nursery.cancel_scope.cancel()
    assert sorted(woken) == list(range(20))


async def test_the_part_of_each_is_smaller_the_more_are_busy() -> None:
    pulse = Pulse(0.001)
    alone = pulse.share_s

    with anyio.fail_after(30):
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(pulse.run)
            async with anyio.create_task_group() as resting:
                for _ in range(2):
                    resting.start_soon(pulse.rest, nothing)
            nursery.cancel_scope.cancel()
    assert pulse.share_s == max(alone / 2, 0.0005)


async def test_who_can_go_on_without_being_woken_is_woken_only_once_it_cannot() -> None:
    pulse = Pulse(0.001)
    at_hand = [b"one", b"two", b"three"]
    taken: list[bytes] = []

    def take() -> bool:
        if not at_hand:
            return False
        taken.append(at_hand.pop(0))
        return True

    with anyio.fail_after(30):
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(pulse.run)
            await pulse.rest(take)
            nursery.cancel_scope.cancel()
    assert taken == [b"one", b"two", b"three"]


async def test_nobody_reads_for_who_was_cancelled_while_it_rested() -> None:
    pulse = Pulse(0.001)
    asked: list[str] = []

    def note() -> bool:
        asked.append("the one that has gone")
        return True

    with anyio.fail_after(30):
        async with anyio.create_task_group() as nursery:
            with anyio.move_on_after(0):
                await pulse.rest(note)
            nursery.start_soon(pulse.run)
            await pulse.rest(nothing)
            nursery.cancel_scope.cancel()
    assert asked == []


def test_pieces_are_all_of_what_was_received_and_smaller_where_they_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    monkeypatch.setattr(module, "thread_time", lambda: clock)
    turn = Turn(Pulse())
    data = bytes(range(256)) * 256

    taken: list[bytes] = []
    for piece in turn.pieces(data):
        turn.begin()
        clock += len(piece) * 0.000_001  # a microsecond a byte
        turn.end(len(piece))
        taken.append(piece)

    assert b"".join(taken) == data
    assert max(map(len, taken[2:])) <= 1_001, "a millisecond each"
    assert turn.over


def test_what_takes_no_time_is_read_in_ever_larger_pieces() -> None:
    turn = Turn(Pulse())
    sizes: list[int] = []
    for piece in turn.pieces(bytes(1_000_000)):
        sizes.append(len(piece))
        turn.begin()
        turn.end(len(piece))

    assert sum(sizes) == 1_000_000
    assert sizes[1] == 2 * sizes[0]
