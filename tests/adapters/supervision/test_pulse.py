"""Many who are busy share one beat, and none of them reads for longer than its part of it."""

from __future__ import annotations

import anyio
import pytest

from holdfast.adapters.supervision import pulse as module
from holdfast.adapters.supervision.pulse import Pulse, Turn

pytestmark = pytest.mark.anyio


async def test_all_who_rest_wake_at_the_same_beat() -> None:
    pulse = Pulse(0.001)
    woken: list[int] = []

    async def one(number: int) -> None:
        await pulse.rest()
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
                    resting.start_soon(pulse.rest)
            nursery.cancel_scope.cancel()
    assert pulse.share_s == max(alone / 2, 0.0005)


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
