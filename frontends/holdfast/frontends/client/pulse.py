"""Whether the other end of a connection is there: one that is frozen closes nothing, and only stops answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

QUIET_S: Final = 1.0
"""After so long without a byte the other end is asked whether it is there."""

ANSWER_S: Final = 1.8
"""How long it has for a byte of its answer, or it counts as not to be reached."""

SILENT_S: Final = 15.0
"""After so long without a byte it is given up."""


class Moving(Protocol):
    """A connection that knows when something last moved on it, by the clock of the event loop."""

    moved_at: float


async def watch(
    connection: Moving, ask: Callable[[], Awaitable[None]], silent: Callable[[], None], give_up: Callable[[], None]
) -> None:
    """Watch over a connection until its other end has been silent for too long, or for as long as it is not cancelled.

    What counts is bytes, not messages: over a slow line a long one takes longer than any patience.

    Args:
        connection: What is watched.
        ask: Sends something that is answered; given up where it cannot be sent in time.
        silent: Called where there is no answer, once for each time that the other end falls silent.
        give_up: Called where it is no use any more.
    """
    while True:
        heard = connection.moved_at
        await anyio.sleep_until(heard + QUIET_S)
        if connection.moved_at != heard:
            continue
        asked = anyio.current_time()  # later than it should be, where this process was held up
        with anyio.move_on_after(ANSWER_S):
            await ask()
        await anyio.sleep_until(asked + ANSWER_S)
        if connection.moved_at != heard:
            continue
        silent()
        while connection.moved_at == heard:
            if anyio.current_time() - asked > SILENT_S:
                give_up()
                return
            await anyio.sleep(QUIET_S)
