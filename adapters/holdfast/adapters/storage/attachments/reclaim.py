"""Attachments that no event refers to: what a kill left before its event was committed, or what a compaction freed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.adapters.storage.attachments import referred

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction


class Survey(Struct, frozen=True):
    """What is there, and what is not, by names and sizes.

    Attributes:
        kept: Those that are there.
        orphans: Those of them that no event refers to.
        missing: How many are referred to and not there, or not as long as they should be.
    """

    kept: dict[str, int]
    orphans: dict[str, int]
    missing: int


def survey(attachments: Attachments, connection: Connection) -> Survey:
    """Compare names and sizes with the log. Reads no content."""
    wanted = referred.wanted(connection)
    kept = dict(attachments.listed(connection)) if wanted or referred.is_kept(connection) else {}
    orphans = {name: size for name, size in kept.items() if name not in wanted}
    return Survey(kept, orphans, sum(kept.get(name) != size for name, size in wanted.items()))


def reclaim(store: Store) -> dict[str, int]:
    """Remove what no event refers to and return it, by name and size.

    It runs on the writer thread, so that nothing is on its way into the log meanwhile.
    """

    def work(transaction: WriteTransaction) -> dict[str, int]:
        connection = transaction.connection
        orphans = survey(store.attachments, connection).orphans
        store.attachments.remove(connection, orphans)
        return orphans

    return store.write(work)
