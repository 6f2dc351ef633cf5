"""A connection to an agent host, seen from the host. Standard library only."""

from __future__ import annotations

from holdfast.adapters.supervision.host.protocol import HEADER_LIMIT, Decoder, encode

TYPE_CHECKING = False  # the module typing is a tenth of a host's memory
if TYPE_CHECKING:
    import socket
    from typing import Any

_READ_BYTES = 1 << 16


class Peer:
    """A connection, from a daemon or from somebody who only asks.

    Attributes:
        outgoing: What it has not taken yet.
        told: The news it was told last.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.outgoing, self.told = sock, bytearray(), ""
        self._decoder = Decoder()
        sock.setblocking(False)

    def send(self, header: dict[str, Any]) -> None:
        """Send a message, or keep what is not taken at once.

        Raises:
            OSError: It is gone, or takes nothing while answers pile up.
        """
        self.outgoing += encode(header)
        self.flush()

    def flush(self) -> None:
        """Send what was kept."""
        try:
            while self.outgoing:
                del self.outgoing[: self.sock.send(self.outgoing[:_READ_BYTES])]
        except BlockingIOError:
            if len(self.outgoing) > HEADER_LIMIT:
                raise ConnectionError("answers are not taken") from None

    def receive(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return the requests that one read completes.

        Raises:
            OSError: It is gone.
            WireError: What it says is no request.
        """
        data = self.sock.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("closed")
        return list(self._decoder.feed(data))
