"""What a new daemon finds: sessions that were connected, hosts that live or died, and processes that nobody wants."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from holdfast.adapters.supervision.directory import IMPORT
from holdfast.adapters.supervision.host import client, reap
from holdfast.adapters.supervision.host import folder as folders
from holdfast.adapters.supervision.keeper import Keeper, Observed
from holdfast.adapters.supervision.verdict import answered, outcome
from holdfast.domain.errors import AgentError, HoldfastError
from holdfast.domain.recorded import DAEMON
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session
from holdfast.domain.transport import Failure, Peer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdfast.adapters.supervision.fleet import Fleet
    from holdfast.adapters.supervision.host.delivery import Outcome
    from holdfast.adapters.supervision.host.reap import Found
    from holdfast.adapters.supervision.link_keeper import Yard
    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import SessionState

logger = logging.getLogger("holdfast.supervision")

AT_ONCE: Final = 16
_HELD: Final = ("requested", "attached")


async def recover(fleet: Fleet, yard: Yard) -> None:
    """Take up what can be taken up, say what was lost, end what nobody wants. Sessions are recovered side by side."""
    hosts = yard.settings.hosts
    found = {each.incarnation: each for each in await to_thread.run_sync(reap.survey, hosts)}
    keepers: list[Keeper] = []
    for each in await yard.journal.open_sessions():
        keeper = Keeper(Session(each.session_id))
        if fleet.keepers.expect(keeper):
            keepers.append(keeper)
    fleet.keepers.surveyed.set()
    left_over = _Hosts(found, anyio.CapacityLimiter(AT_ONCE))
    async with anyio.create_task_group() as nursery:
        nursery.start_soon(_end_orphans, hosts)
        for keeper in keepers:
            nursery.start_soon(_take_up, fleet, yard, keeper, left_over)
    fleet.loaded.set()
    async with anyio.create_task_group() as nursery:
        for name, left in found.items():
            if name in left_over.claimed:
                continue
            if _is_of_another_log(left, yard):
                logger.info("agent host %s belongs to another log: left alone", name)
            else:
                nursery.start_soon(_put_away, left, yard)


class _Hosts:
    """What was found, and what of it a session has claimed."""

    def __init__(self, found: Mapping[str, Found], limiter: anyio.CapacityLimiter) -> None:
        self.found = found
        self.claimed: set[str] = set()
        self.limiter = limiter


async def _end_orphans(hosts: Path) -> None:
    for pid in await to_thread.run_sync(reap.end_orphans, hosts):
        logger.warning("process %s was left of an agent whose host is dead: ended", pid)


async def _take_up(fleet: Fleet, yard: Yard, keeper: Keeper, hosts: _Hosts) -> None:
    try:
        async with hosts.limiter:
            await _read_log(fleet, yard, keeper)
            state = keeper.session.state
            host = hosts.found.get(state.link_id or "")
            if host is not None and host.host is not None and state.attachment in _HELD and state.ended is None:
                hosts.claimed.add(host.incarnation)
                fleet.resume(keeper, host, _as_started(keeper, host))
                return
            await _give_up(fleet, yard, keeper, state)
    except AgentError as error:
        logger.warning("session %s: %s", keeper.id, error)
    keeper.recovered.set()


async def _read_log(fleet: Fleet, yard: Yard, keeper: Keeper) -> None:
    keeper.session = await yard.journal.load(keeper.id)
    if keeper.session.state.turn is not None:
        history = await yard.journal.since_prompt(keeper.id)
        keeper.sent = history[0].event_id.hex() if history else None
    fleet.keepers.adopt(keeper)
    if waiting := {prompt.prompt_id for prompt in keeper.session.state.queued}:
        queued_at = await yard.journal.queued_at(keeper.id)
        fleet.await_delivery(keeper, {name: at for name, at in queued_at.items() if name in waiting})


async def _give_up(fleet: Fleet, yard: Yard, keeper: Keeper, state: SessionState) -> None:
    """No peer outlived the daemon: say what became of the turn, and connect again where that is wanted."""
    driven = keeper.session.summary.transport != IMPORT or state.ever_attached
    program = fleet.is_program(keeper)
    if driven and (state.attachment in _HELD or state.turn is not None):
        failure = (
            Failure("host-dead", "the agent and its host were gone when the daemon came back")
            if program
            else Failure("daemon-restarted", "the daemon was restarted, and the connection ended with it")
        )
        facts: list[Fact] = []
        if state.turn is not None or state.pending:
            facts += outcome(state, _fate(state), failure)
        if state.attachment in _HELD and state.link_id is not None:
            facts.append(e.Detached(state.link_id, "exited" if program else "lost", failure.error))
        await yard.ledger.observe([Observed(keeper, facts)], actor=DAEMON)
    keeper.recovered.set()
    back = state.attachment in _HELD if not program else state.attachment == "requested"
    if driven and (back or state.detached_because == "lost"):
        fleet.want(keeper)
    elif driven:
        await yard.ledger.drive(keeper)


def _fate(state: SessionState) -> Outcome | None:
    turn = state.turn
    if turn is None or turn.prompt_id is None:
        return None
    return "interrupted" if answered(state) else "unknown"


def _as_started(keeper: Keeper, found: Found) -> Peer:
    """Return the peer as its host knows it, for a session whose target is not known any more."""
    assert found.host is not None
    summary = keeper.session.summary
    return Peer(
        transport=summary.transport,
        target=summary.target,
        command=tuple(found.host.command),
        cwd=found.host.cwd,
        agent=summary.agent,
    )


def _is_of_another_log(found: Found, yard: Yard) -> bool:
    """Tell whether a daemon of this home started it for sessions of another store, which may be used again."""
    return found.host is not None and found.host.labels.get("store", yard.journal.name) != yard.journal.name


async def _put_away(found: Found, yard: Yard) -> None:
    """End an agent whose session has ended, or never came to be; remove what a dead one left."""
    try:
        if found.state == "alive" and found.host is not None:
            connection = await client.connect(found.host, epoch=yard.journal.epoch)
            async with anyio.create_task_group() as nursery:
                nursery.start_soon(connection.run)
                await connection.stop("its session does not want it any more")
                await connection.aclose()
                nursery.cancel_scope.cancel()
            await client.gone(found.host)
        await to_thread.run_sync(_discard, found)
    except* (HoldfastError, OSError) as group:
        logger.warning("agent host %s could not be put away: %s", found.incarnation, group.exceptions[0])


def _discard(found: Found) -> None:
    if not folders.is_alive(found.folder):
        reap.discard(found)
