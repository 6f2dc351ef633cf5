"""Attachments as rows of a PostgreSQL database: machines that share a store share no folder.

They are written in the transaction of the events that refer to them, and go with their last reference in one as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from holdfast.adapters.storage.attachments.keeping import PIECE, gone
from holdfast.adapters.storage.schema import attachments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection

_columns = attachments.c
_AT_ONCE: Final = 1_000


class RowAttachments:
    """The table `attachments`. A store that only older versions have written to has none, and no references."""

    @property
    def place(self) -> str:
        """The table."""
        return "table attachments of the database"

    def size(self, connection: Connection, name: str) -> int | None:
        """Return how many bytes one has."""
        return connection.scalar(select(_columns.size).where(_columns.sha256 == bytes.fromhex(name)))

    def pieces(self, connection: Connection, name: str) -> Iterator[bytes]:
        """Yield the content of one: the server hands out slices, and nobody holds the whole."""
        digest = bytes.fromhex(name)
        at = 0
        while True:
            piece = connection.scalar(
                select(func.substring(_columns.content, at + 1, PIECE)).where(_columns.sha256 == digest)
            )
            if piece is None:
                raise gone(name)
            if piece:
                yield bytes(piece)
            if len(piece) < PIECE:
                return
            at += PIECE

    def listed(self, connection: Connection) -> Iterator[tuple[str, int]]:
        """Yield name and size of every one that is there."""
        statement = select(_columns.sha256, func.length(_columns.content))
        yield from ((bytes(name).hex(), size) for name, size in connection.execute(statement))

    def remove(self, connection: Connection, names: Collection[str]) -> None:
        """Remove some, with the transaction of `connection`."""
        digests = [bytes.fromhex(name) for name in names]
        for start in range(0, len(digests), _AT_ONCE):
            connection.execute(delete(attachments).where(_columns.sha256.in_(digests[start : start + _AT_ONCE])))
