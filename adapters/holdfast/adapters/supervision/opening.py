"""How the bytes of a link begin to flow: a program under a new host, or a connection that is dialled."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import to_thread

from holdfast.adapters.supervision.host import client, folder, reap
from holdfast.adapters.supervision.host.launch import Limits, Order, environment, launch
from holdfast.adapters.supervision.wire import dialled, hosted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from holdfast.adapters.supervision.settings import Settings
    from holdfast.adapters.supervision.wire import Wire
    from holdfast.domain.policy import TransportPolicy
    from holdfast.domain.transport import Peer, Transport


@asynccontextmanager
async def started(
    peer: Peer,
    incarnation: bytes,
    *,
    settings: Settings,
    epoch: int,
    labels: Mapping[str, str],
) -> AsyncGenerator[Wire]:
    """Start the program of a peer under a host of its own, which outlives this process.

    Raises:
        CommandNotFoundError: There is no such program.
        AgentFolderError: Its folder cannot be entered.
        AgentError: It cannot be started for another reason.
    """
    agents = settings.agents
    order = Order(
        command=peer.command or (),
        cwd=peer.cwd or settings.environ.get("HOME", "/"),
        environment=environment(settings.environ, (*agents.env, *peer.environment)),
        labels=labels,
        limits=Limits(
            spool_bytes=max(Limits().spool_bytes, 4 * agents.frame_limit_bytes),
            abandon_after_s=agents.abandon_after_s,
        ),
    )
    host = await launch(settings.hosts, order, runtime=settings.runtime, incarnation=incarnation)
    async with hosted(host, None, epoch=epoch) as wire:
        yield wire


@asynccontextmanager
async def connected(
    transport: Transport, peer: Peer, incarnation: bytes, *, policy: TransportPolicy, settings: Settings
) -> AsyncGenerator[Wire]:
    """Dial a peer.

    Raises:
        ConnectError: It is not there, or not for us.
        OSError: The same, for reasons that may pass.
    """
    heartbeat = policy.heartbeat.interval_s if policy.heartbeat.kind == "ws-ping" else 0.0
    stream = await transport.dial(peer, heartbeat_s=heartbeat, limit_bytes=settings.agents.frame_limit_bytes)
    async with dialled(stream, incarnation) as wire:
        yield wire


async def discard(settings: Settings, incarnation: str) -> None:
    """Remove the files of a host that has ended, or is about to, now that all it said is in the log."""
    place = settings.hosts.absolute() / incarnation
    host = await to_thread.run_sync(folder.describe, place) if place.is_dir() else None
    if host is not None and await client.gone(host):
        found = reap.Found(incarnation, place, "ended", host, None, agent_alive=False)
        await to_thread.run_sync(reap.discard, found)
