"""What tests of agent hosts share: starting one with the actor under it, driving it, and seeing processes die."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import anyio

from holdfast.adapters.supervision.host.client import Connection, connect
from holdfast.adapters.supervision.host.launch import PROGRAM, Limits, Order, environment, launch
from holdfast.adapters.supervision.host.reader import Lines
from holdfast.adapters.supervision.host.reap import end_orphans, survey

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Mapping

    from holdfast.adapters.supervision.host.folder import Host

ACTOR = Path(__file__).with_name("actor.py")
WITHIN_S = 30.0
"""No test waits longer for anything; reaching it is a failure, never a measurement."""


class House(NamedTuple):
    """Where the hosts of one test live."""

    hosts: Path
    runtime: Path

    async def launch(
        self,
        *arguments: str,
        limits: Limits | None = None,
        labels: Mapping[str, str] | None = None,
        program: Path = PROGRAM,
    ) -> Host:
        """Start the actor under a host."""
        order = Order(
            command=(sys.executable, "-I", "-S", str(ACTOR), *arguments),
            cwd=str(self.hosts.parent),
            environment=environment(os.environ),
            labels=labels or {},
            limits=limits or Limits(),
        )
        return await launch(self.hosts, order, runtime=self.runtime, program=program)


class Driven(NamedTuple):
    """A connection and the lines that come through it."""

    connection: Connection
    lines: Lines

    async def tell(self, command: str, key: str | None = None) -> None:
        """Write a command to the actor."""
        await self.connection.write(key or f"key of {command}", command.encode() + b"\n")

    async def ask(self, command: str) -> str:
        """Write a command and return the line that answers it."""
        await self.tell(command)
        return await self.line()

    async def line(self) -> str:
        """Return the next line."""
        line = await self.lines.next()
        assert line is not None, "the agent's output has ended"
        return line.data.decode()


@asynccontextmanager
async def driving(host: Host, *, epoch: int = 1, offset: int = 0, limit_bytes: int = 1 << 24) -> AsyncGenerator[Driven]:
    """Connect to a host for as long as the context lasts; the agent goes on afterwards."""
    with anyio.fail_after(WITHIN_S):
        connection = await connect(host, epoch=epoch)
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(connection.run)
            with connection.reader(offset) as reader:
                try:
                    yield Driven(connection, Lines(reader, limit_bytes))
                finally:
                    await connection.aclose()
                    nursery.cancel_scope.cancel()


def end_all(hosts: Path) -> None:
    """Kill every host of a home and whatever runs under it."""
    for found in survey(hosts):
        if found.state == "alive" and found.host:
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(found.host.host.pid)
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                assert select.select([handle], [], [], WITHIN_S)[0], "it outlives SIGKILL"
                os.close(handle)
    end_orphans(hosts)


async def death_of(pid: int) -> None:
    """Wait until a process is dead."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with anyio.fail_after(WITHIN_S):
            await anyio.wait_readable(cast("socket.socket", handle))
    finally:
        os.close(handle)


def proc(pid: int, name: str) -> bytes:
    """Return one of the kernel's files about a process."""
    return Path(f"/proc/{pid}/{name}").read_bytes()


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = proc(pid, "stat").rpartition(b")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != b"Z"
