"""One life of a daemon's inside, to be killed: `life.py HOME RUNTIME COMMAND PROMPTS [DIES_AT]`.

It sends all prompts, each under a client id of its own, answers what is asked, and ends once every prompt has its
outcome. `DIES_AT` is `POINT:N`: it kills itself the N-th time it comes there. The points are `committed` (the log holds
it, the agent was told nothing), `told` (the agent's host has it, nothing of that is on record) and `heard` (bytes were
read, nothing was recorded). `forgets:0` is a mistake instead of a death: it reads every spool from its beginning.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from holdfast.adapters.storage.journal import StoreJournal
from holdfast.adapters.storage.store import CaughtUp
from holdfast.adapters.supervision.wire import HostedWire
from holdfast.domain.content import of_text
from holdfast.domain.errors import PermissionExpiredError
from holdfast.domain.keeping import Order
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.supervision.town import ME, Daemon, Town

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.journal import Batch
    from holdfast.domain.transport import Write

SESSION = "the session"
ENDS = (e.TurnEnded, e.TurnInterrupted, e.TurnUnknown)


async def live(town: Town, command: tuple[str, ...], prompts: int) -> None:
    """Do everything that is still to be done."""
    async with town.daemon() as daemon:
        session = await daemon.keeping.create(Order(command=command), client_id=SESSION, actor=ME)
        (town.home / "session").write_text(session)
        for number in range(prompts):
            said = c.QueuePrompt(f"p{number}", of_text(f"prompt {number}"))
            await daemon.keeping.execute(session, said, cause=f"say {number}", actor=ME)
        done = 0
        async with aclosing(daemon.store.subscribe(stream=session)) as events:
            async for event in events:
                if isinstance(event, CaughtUp):
                    if done >= prompts:
                        return
                elif isinstance(event.event, ENDS):
                    done += 1
                elif isinstance(event.event, e.PermissionRequested):
                    await _answer(daemon, event.event.request_id)


async def _answer(daemon: Daemon, request_id: str) -> None:
    with suppress(PermissionExpiredError):  # it was answered in an earlier life
        await daemon.keeping.answer(request_id, "once", None, cause=request_id, actor=ME)


def arm(point: str, times: int) -> None:
    """Have this process kill itself when it comes to a point for the given time."""
    left = times

    def here() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    append, send, receive = StoreJournal.append, HostedWire.send, HostedWire.receive

    async def appended(self: StoreJournal, batches: Sequence[Batch]) -> Sequence[Sequence[int]]:
        places = await append(self, batches)
        here()
        return places

    async def nothing(self: StoreJournal, session_id: object, source: bytes) -> int:
        return 0

    async def sent(self: HostedWire, write: Write) -> None:
        await send(self, write)
        here()

    async def received(self: HostedWire) -> bytes:
        data = await receive(self)
        here()
        return data

    kind, name, instead = {
        "committed": (StoreJournal, "append", appended),
        "forgets": (StoreJournal, "offset", nothing),
        "told": (HostedWire, "send", sent),
        "heard": (HostedWire, "receive", received),
    }[point]
    setattr(kind, name, instead)


if __name__ == "__main__":
    home, runtime, command, prompts, *dies_at = sys.argv[1:]
    if dies_at:
        where, _, count = dies_at[0].partition(":")
        arm(where, int(count))
    anyio.run(
        live,
        Town(Path(home), Path(runtime), os.environ.get("HOLDFAST_DATABASE_URL")),
        tuple(json.loads(command)),
        int(prompts),
    )
