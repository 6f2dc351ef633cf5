"""`holdfast watch`: one line each time a session changes. A whole frontend, to begin your own from."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import anyio

from holdfast.domain.daemon import DaemonControl, Listen
from holdfast.domain.escaping import one_line
from holdfast.frontends.client.stream import Stream, attached


def main(control: DaemonControl, args: Sequence[str]) -> int:
    """Carry out the verb; what it returns is the exit code."""
    if args:
        sys.stderr.write("holdfast watch takes no arguments\n")
        return 2
    control.start(Listen())
    anyio.run(watch, control)
    return 0


async def watch(control: DaemonControl) -> None:
    """Show every session, and then what changes, until interrupted. The daemon may go and come back meanwhile."""
    async with attached(control, "watch") as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(tell_state, stream)
        roster = await stream.view("roster")
        async for changed in roster.changes():
            for session_id in sorted(changed):
                say(session_id, roster.items.get(session_id))


def say(session_id: str, row: dict[str, object] | None) -> None:
    """Print one row. What comes from an agent is escaped, so that it cannot command the terminal."""
    if row is None:
        line = f"{session_id[:8]}  erased"
    else:
        line = f"{session_id[:8]}  {row['lifecycle']}  {row['title']}  {row['preview']}"
    sys.stdout.write(one_line(line) + "\n")
    sys.stdout.flush()


async def tell_state(stream: Stream) -> None:
    """Say when what is shown is not live."""
    while True:
        await stream.turned()
        if stream.state == "waiting":
            sys.stderr.write(f"not connected: {stream.error}; what is above is as it was\n")
