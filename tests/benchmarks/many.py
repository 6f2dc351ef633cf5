"""A transport as another package would bring it: agents that listen on one Unix socket, each with a link of its own.

No program is started and no host spools, so that a hundred agents cost what one process takes to play them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from holdfast.adapters.transports.acp.protocol.framing import Lines
from holdfast.adapters.transports.acp.speech import AcpSpeech
from holdfast.domain.transport import Peer, Speech, Stream, Transport

if TYPE_CHECKING:
    from pathlib import Path


class Many(Transport):
    """`many:PATH?NAME`: the agent of that name; `many:PATH?NAME#SESSION`: a session that shares its link."""

    schemes = ("many",)

    def peer(self, target: str, cwd: str | None) -> Peer:
        """Return an agent of the process that listens there."""
        path, _, name = target.removeprefix("many:").partition("?")
        agent, several, _ = name.partition("#")
        return Peer(transport=self.name, target=target, address=path, shared=agent if several else None, cwd=cwd)

    async def dial(self, peer: Peer, *, heartbeat_s: float, limit_bytes: int) -> Stream:
        """Connect to it."""
        del heartbeat_s, limit_bytes
        return await anyio.connect_unix(peer.address)

    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Speech:
        """Speak ACP in lines."""
        del peer
        return AcpSpeech(link_id, incarnation, Lines(offset, limit_bytes), version="1")


def install(site: Path) -> None:
    """Write what an installer leaves in a folder for packages."""
    told = site / "holdfast_many-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast-many\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[holdfast.transports]\nmany = {__name__}:Many\n")
