"""A transport as another package would bring it: agents that listen on one Unix socket, each with a link of its own.

No program is started and no host spools, so that a hundred agents cost what one process takes to play them.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

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
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        sock.connect(peer.address)
        await checkpoint()
        return Line(sock)

    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Speech:
        """Speak ACP in lines."""
        del peer
        return AcpSpeech(link_id, incarnation, Lines(offset, limit_bytes), version="1")


class Line:
    """A connection to an agent that tells what has come already, as the spool of a host does."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def at_hand(self, most: int) -> bytes:
        """Return what has come."""
        try:
            return self._sock.recv(most)
        except OSError:
            return b""

    async def receive(self) -> bytes:
        """Return the next bytes."""
        await anyio.wait_readable(self._sock)
        data = self._sock.recv(1 << 16)
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """Send all of it; what a client says to these agents is short."""
        self._sock.sendall(item)
        await checkpoint()

    async def aclose(self) -> None:
        """Close it."""
        anyio.notify_closing(self._sock)
        self._sock.close()
        await checkpoint()


def install(site: Path) -> None:
    """Write what an installer leaves in a folder for packages."""
    told = site / "holdfast_many-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: holdfast-many\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[holdfast.transports]\nmany = {__name__}:Many\n")
