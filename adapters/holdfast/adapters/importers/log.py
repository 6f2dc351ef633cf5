"""What importers need from whoever keeps the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.session.session import Session


class ImportLog(Protocol):
    """The log as an import sees it: sessions by id, and how far each file was consumed."""

    def load(self, session_id: StreamId) -> Session:
        """Return the session after all its committed events; at version 0, where there is none."""
        ...

    def driver(self, session_id: StreamId, agent: str) -> StreamId | None:
        """Return the session under which Holdfast drives the agent's session of this id; None where it does not."""
        ...

    def is_erased(self, session_id: StreamId) -> bool:
        """Tell whether an agent's session of this id is one that Holdfast drove and that was erased since."""
        ...

    def is_connecting(self, agent: str) -> bool:
        """Tell whether a session with the agent is about to get a name there, as of the latest `driver`."""
        ...

    def recent(self, session_id: StreamId, limit: int) -> Sequence[Recorded]:
        """Return the latest events of the session, at most `limit`, the oldest first."""
        ...

    def history(self, session_id: StreamId) -> Iterator[Recorded]:
        """Yield all events of the session in order, each with its payload as it is stored, in an `Unknown`."""
        ...

    def offset(self, session_id: StreamId, source: bytes) -> int:
        """Return the greatest offset among the session's events with this source id; 0 where there is none.

        Erasing a session keeps the sources of its events, so that its content does not come back.
        """
        ...

    def append(self, session: Session, events: Sequence[Recorded], contents: Mapping[str, bytes] | None = None) -> None:
        """Append events of one session in one transaction; durable on return.

        Args:
            session: The session after `events`.
            events: They follow the session's latest committed event.
            contents: Attachments that events refer to which are restored as they were, by their SHA-256.

        Raises:
            StoreError: The store cannot take them.
            VersionConflictError: Somebody else wrote to the session meanwhile.
        """
        ...
