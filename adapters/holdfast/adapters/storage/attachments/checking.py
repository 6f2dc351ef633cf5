"""Whether the attachments that events refer to are there, and are what the events say. Follows a walk of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import column, select, table

from holdfast.adapters.storage.attachments.keeping import state
from holdfast.adapters.storage.diagnosis import Bad
from holdfast.domain.attachments import references

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.adapters.storage.diagnosis import Reason

_EVENTS = table("events", column("position"), column("data"))


class First(NamedTuple):
    """The event that refers to a content of this size first."""

    position: int
    session_id: str
    version: int


class Uses:
    """What the events of a log refer to, each with the first event that does. Memory for one entry each."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], First] = {}

    def see(self, data: str, first: First) -> None:
        """Take note of what the payload of an event refers to."""
        for reference in references(data):
            self._first.setdefault((reference.sha256, reference.size), first)

    def check(
        self, attachments: Attachments, engine: Engine, connection: Connection, progress: Callable[[], None]
    ) -> Bad | None:
        """Read every content; return the first event of which one is missing, or is not as it was written.

        Args:
            attachments: Where they are.
            engine: Gives a look at the log as it is now, for sessions that are erased meanwhile.
            connection: The snapshot that the uses were seen in.
            progress: Called after each.
        """
        for (name, size), first in self._first.items():
            found = state(attachments, connection, name, size)
            progress()
            if found == "right" or not _still_refers(engine, first.position):
                continue
            reason: Reason = "missing" if found == "missing" else "tampered"
            what = "is not there" if found == "missing" else "is not as it was written"
            detail = f"its attachment {name} {what} ({attachments.place})"
            return Bad(first.position, first.session_id, first.version, reason, detail)
        return None


def _still_refers(engine: Engine, position: int) -> bool:
    with engine.connect() as connection, connection.begin():
        statement = select(_EVENTS.c.data).where(_EVENTS.c.position == position)
        return connection.scalar(statement) is not None
