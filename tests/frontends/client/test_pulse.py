"""When the other end of a connection counts as silent, and when it is given up, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import pytest
from trio.testing import MockClock

from holdfast.frontends.client.pulse import ANSWER_S, QUIET_S, SILENT_S, watch


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """A clock that jumps to whatever is due next."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@dataclass
class Line:
    """A connection of which the test says when something comes."""

    answers: bool = True
    moved_at: float = field(default_factory=anyio.current_time)
    asked: list[float] = field(default_factory=list[float])
    silent: list[float] = field(default_factory=list[float])
    over: anyio.Event = field(default_factory=anyio.Event)

    async def ask(self) -> None:
        self.asked.append(anyio.current_time())
        if self.answers:
            self.moved_at = anyio.current_time()

    def fell_silent(self) -> None:
        self.silent.append(anyio.current_time())

    async def watched(self) -> None:
        await watch(self, self.ask, self.fell_silent, self.over.set)


async def test_one_that_answers_is_asked_and_stays() -> None:
    line = Line()
    with anyio.move_on_after(60):
        await line.watched()

    assert len(line.asked) > 10
    assert line.silent == []
    assert not line.over.is_set()


async def test_one_on_which_something_moves_is_not_even_asked() -> None:
    line = Line(answers=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.watched)
        for _ in range(100):
            await anyio.sleep(QUIET_S / 2)
            line.moved_at = anyio.current_time()
        tasks.cancel_scope.cancel()

    assert (line.asked, line.silent) == ([], [])


async def test_one_that_does_not_answer_is_silent_within_three_seconds_and_given_up_later() -> None:
    line = Line(answers=False)
    began = anyio.current_time()
    await line.watched()

    assert line.over.is_set()
    assert [each - began for each in line.silent] == [pytest.approx(QUIET_S + ANSWER_S)]
    assert line.silent[0] - began <= 3
    assert SILENT_S < anyio.current_time() - began < SILENT_S + 5


async def test_one_that_speaks_again_is_heard_again() -> None:
    line = Line(answers=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.watched)
        for _ in range(3):
            await anyio.sleep(6)
            line.moved_at = anyio.current_time()
        tasks.cancel_scope.cancel()

    assert len(line.silent) == 3
    assert not line.over.is_set()


async def test_what_cannot_even_be_asked_is_silent_too() -> None:
    line = Line()

    async def ask() -> None:
        await anyio.sleep_forever()  # nothing more fits on the way

    await watch(line, ask, line.fell_silent, line.over.set)

    assert len(line.silent) == 1
    assert line.over.is_set()
