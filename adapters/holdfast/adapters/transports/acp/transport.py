"""The transport `acp`: agents that run as programs here, and agents that are reached over WebSocket."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from holdfast.adapters.transports.acp.agents import AGENTS, agent, known_as, listed
from holdfast.adapters.transports.acp.protocol.framing import Lines, Messages
from holdfast.adapters.transports.acp.speech import AcpSpeech
from holdfast.adapters.transports.acp.websocket import dial
from holdfast.domain.errors import CommandNotFoundError, NotFoundError, UsageError
from holdfast.domain.policy_table import DEFAULTS
from holdfast.domain.transport import Peer, Speech, Stream, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.adapters.transports.acp.agents import Which
    from holdfast.domain.keeping import KnownAgent

DEMO: Final = Path(__file__).with_name("demo") / "agent.py"
"""The program of the built-in agent."""


class AcpTransport(Transport):
    """Speaks the Agent Client Protocol."""

    name = "acp"
    schemes = ("acp+ws", "acp+wss")
    policy = DEFAULTS["acp"]
    heeds = ("heartbeat.kind=ws-ping", "missing=error", "missing=ask", "missing=recreate-once")

    def __init__(self, environ: Mapping[str, str] | None = None, which: Which = shutil.which) -> None:
        """Look for programs with `which`, and for the names of credentials in `environ`; this process's by default."""
        self._environ = os.environ if environ is None else environ
        self._which = which

    def peer(self, target: str, cwd: str | None) -> Peer:
        """Return the agent behind a WebSocket address.

        Raises:
            UsageError: It is none, or holds a password.
        """
        try:
            parts = urlsplit(target)
            port = parts.port
        except ValueError as error:
            msg = f"{target} is no address: {error}"
            raise UsageError(msg) from error
        if parts.scheme not in self.schemes or not parts.hostname:
            msg = f"{target} is no address of an agent: give acp+ws://HOST[:PORT]/PATH or acp+wss://…"
            raise UsageError(msg)
        if parts.username or parts.password:
            msg = "an address is kept in the log and shown in lists: take the password out of it"
            raise UsageError(msg)
        del port
        return Peer(transport=self.name, target=target, address=target.removeprefix("acp+"), cwd=cwd)

    def program(self, command: tuple[str, ...], agent: str | None, cwd: str | None) -> Peer:
        """Return the agent that an argument list starts."""
        if agent == "demo" and known_as(command) is None:
            return Peer(transport=self.name, target="demo", command=_DEMO, cwd=cwd, agent="demo")
        known = known_as(command)
        if known is None and agent is not None:
            known = next((each for each in AGENTS if each.name == agent), None)
        return Peer(
            transport=self.name,
            target=shlex.join(command),
            command=command,
            cwd=cwd,
            environment=() if known is None else known.keys,
            agent=agent or (None if known is None else known.name),
        )

    def agent(self, name: str, cwd: str | None) -> Peer:
        """Return the agent of this name.

        Raises:
            UsageError: None is known by it.
            CommandNotFoundError: It is not installed.
        """
        try:
            known = agent(name)
        except NotFoundError as error:
            raise UsageError(str(error)) from error
        if name == "demo":
            return self.program((), "demo", cwd)
        found = next((command for command in known.commands if self._which(command[0]) is not None), None)
        if found is None:
            msg = f"agent {name} is not installed: {known.install}"
            raise CommandNotFoundError(msg)
        return self.program(found, name, cwd)

    def agents(self) -> Sequence[KnownAgent]:
        """Return the agents that are known, found or not."""
        return listed(self._which)

    async def dial(self, peer: Peer, *, heartbeat_s: float, limit_bytes: int) -> Stream:
        """Open a WebSocket to an agent."""
        return await dial(peer.address, heartbeat_s=heartbeat_s, limit_bytes=limit_bytes)

    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Speech:
        """Return the protocol for a new connection."""
        framing = Messages(limit_bytes=limit_bytes) if peer.command is None else Lines(offset, limit_bytes)
        keys = [name for name in peer.environment if self._environ.get(name)]
        return AcpSpeech(link_id, incarnation, framing, version=version("holdfast"), keys=keys)

    def not_before(self, peer: Peer, opened_at: Sequence[int]) -> int:
        """Return from when on an agent that destroys what it loads too early may be asked for a session."""
        known = next((each for each in AGENTS if each.name == peer.agent), None)
        return 0 if known is None else known.load_after(opened_at)


_DEMO: Final = (sys.executable, "-I", str(DEMO))
