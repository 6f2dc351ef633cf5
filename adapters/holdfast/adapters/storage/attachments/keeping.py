"""What both ways of keeping attachments can do: read one, tell what is there, remove what nobody refers to."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, Protocol

from holdfast.domain.errors import NotFoundError, StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection

PIECE: Final = 768 * 1024
"""Bytes that are read at a time; a multiple of three, so that base64 of the pieces is base64 of the whole."""

State = Literal["right", "missing", "altered"]


class Attachments(Protocol):
    """The contents that events refer to, by their SHA-256."""

    @property
    def place(self) -> str:
        """Where they are, for people."""
        ...

    def size(self, connection: Connection, name: str) -> int | None:
        """Return how many bytes one has; None where there is none."""
        ...

    def pieces(self, connection: Connection, name: str) -> Iterator[bytes]:
        """Yield the content of one, `PIECE` bytes at a time; nothing says that it is what its name says.

        Raises:
            NotFoundError: It is not there.
            StoreError: It cannot be read.
        """
        ...

    def listed(self, connection: Connection) -> Iterator[tuple[str, int]]:
        """Yield name and size of every one that is there."""
        ...

    def remove(self, connection: Connection, names: Collection[str]) -> None:
        """Remove some, durably once the transaction of `connection` commits. Those that are gone are no error.

        Raises:
            StoreError: One of them cannot be removed.
        """


def gone(name: str) -> NotFoundError:
    """Return the error for a content that is not there."""
    return NotFoundError(f"attachment {name} is not there: `holdfast verify` tells which events refer to it")


def altered(name: str) -> StoreDamagedError:
    """Return the error for a content that is not what its name says."""
    return StoreDamagedError(f"attachment {name} is not as it was written: `holdfast verify` tells where it belongs")


def state(attachments: Attachments, connection: Connection, name: str, size: int) -> State:
    """Tell whether a content is what an event says of it. Reads all of it, a piece at a time."""
    try:
        total, seen = sha256(), 0
        for piece in attachments.pieces(connection, name):
            total.update(piece)
            seen += len(piece)
    except NotFoundError:
        return "missing"
    return "right" if (total.hexdigest(), seen) == (name, size) else "altered"
