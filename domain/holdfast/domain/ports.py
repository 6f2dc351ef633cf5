"""What frontends need from whoever keeps the log: a store opened in this process, or a daemon that holds it.

Everything here is in the words of the public contract, so that one implementation can stand in for another.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holdfast.domain.answers import (
        Attachment,
        Check,
        Compaction,
        Found,
        Hit,
        ImportReport,
        LogEvent,
        Page,
        Verification,
    )
    from holdfast.domain.exported import Export, Format
    from holdfast.domain.keeping import KnownAgent, Order
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import Actor, StreamId
    from holdfast.domain.search.query import Query
    from holdfast.domain.session.commands import Personal

Progress = Callable[[str, int, int | None], None]
"""Called now and then with what is counted, how many are done, and how many there are where that is known."""


class Reading(Protocol):
    """Everything that can be asked without changing anything."""

    def resolve(self, name: str) -> StreamId:
        """Return the session that an id, an unambiguous prefix of at least four characters, or a title names.

        Raises:
            NotFoundError: No session fits.
            AmbiguousNameError: Several do.
        """
        ...

    def rows(self, *, ended: bool = False) -> list[Row]:
        """Return the roster in the order every frontend shows it; ended sessions only when asked for."""
        ...

    def row(self, session_id: StreamId) -> Row:
        """Return one session's row.

        Raises:
            NotFoundError: There is no such session.
        """
        ...

    def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        """Return the newest items, or those before a cursor.

        Raises:
            NotFoundError: There is no such session.
            UsageError: The cursor is not one of this transcript.
        """
        ...

    def last_turn(self, session_id: StreamId) -> Page:
        """Return the items since the person spoke last."""
        ...

    def around(self, session_id: StreamId, item_id: str, *, each_side: int = 3) -> Page:
        """Return one item with those before and after it.

        Raises:
            NotFoundError: There is no such session, or no such item in it.
        """
        ...

    def offers(self, session_id: StreamId) -> Offers:
        """Return what the session's peer offers a person to choose from: modes, options, commands.

        Raises:
            NotFoundError: There is no such session.
        """
        ...

    def attachment(self, session_id: StreamId, name: str) -> Attachment:
        """Return what an event of a session refers to by this SHA-256.

        Raises:
            NotFoundError: No event of the session refers to it, or it is gone.
            StoreDamagedError: It was altered.
        """
        ...

    def search(self, query: Query, *, limit: int = 20) -> list[Hit]:
        """Return the items and titles that fit a query, the best first, or raise `NotFoundError` for its `in:`."""
        ...

    def inbox(self) -> list[Request]:
        """Return what waits for a person, the oldest first."""
        ...

    def events(
        self, *, since: int = 0, session_id: StreamId | None = None, types: Sequence[str] = (), follow: bool = False
    ) -> Iterator[LogEvent]:
        """Yield events with positions above `since`, in order; with `follow` for ever, as they are committed."""
        ...

    def verify(self, progress: Progress | None = None) -> Verification:
        """Check the whole log."""
        ...

    def export(self, session_id: StreamId, kind: Format, *, redact: bool | None = None) -> Export:
        """Return one session as `kind`; `redact` says whether secrets are taken out, None leaves that to the format.

        Raises:
            NotFoundError: There is no such session; some formats say so only when they are read.
            UsageError: A format that has to verify cannot be redacted.
        """
        ...

    def digests(self) -> dict[str, str]:
        """Return a digest for every view as it would be built anew from the log."""
        ...

    def checks(self) -> list[Check]:
        """Return the state of the store, its folder and its files."""
        ...


class Writing(Protocol):
    """Everything that changes the log or its views."""

    def change(self, session_id: StreamId, command: Personal, *, cause: str | None, actor: Actor) -> Row:
        """Carry out a command and return the row afterwards, once that is durable.

        The same `cause` on the same session again changes nothing.

        Raises:
            ConflictError: The command contradicts the session's state.
            NotFoundError: The session, or what the command names, does not exist.
            StoreError: The store cannot take it.
        """
        ...

    def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        """Erase the content of a session for good; its chain still verifies.

        Returns:
            Where traces of the content may remain on the disk, in words; None for nowhere in the store.
        """
        ...

    def compact(
        self, session_id: StreamId | None = None, *, actor: Actor, progress: Progress | None = None
    ) -> Compaction:
        """Tell the messages of ended turns as wholes and keep only digests of their pieces.

        Args:
            session_id: One session, all of it; None for what takes less room then, in every session.
            actor: Who wants it.
            progress: Called now and then.

        Raises:
            NotFoundError: There is no such session.
            StoreError: The store cannot take it.
        """
        ...

    def rebuild(self, progress: Progress | None = None) -> dict[str, str]:
        """Drop every view, build it anew from the log, and return a digest of each."""
        ...

    def import_(self, sources: Sequence[str], progress: Progress | None = None) -> ImportReport:
        """Import transcripts: files, folders, or the name of a tool for what this user has of it.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: A named file holds no transcript.
        """
        ...

    def watch(self, sources: Sequence[str], progress: Progress | None = None) -> Generator[ImportReport]:
        """Import transcripts, then follow them as they grow; yield what came in, the first time what was there.

        Goes on until it is closed; then turns that are still open end as `unrecorded`. A folder may be empty as yet.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: A named file holds no transcript.
        """
        ...


class Workspace(Reading, Writing, Protocol):
    """A log that may be read and changed."""


class Library(Protocol):
    """Where frontends get at sessions: for reading or for writing, until the context is left."""

    def reading(self) -> AbstractContextManager[Reading]:
        """Open what there is for reading; writes nothing, waits for nobody.

        Raises:
            StoreError: There is a store, and it cannot be read.
        """
        ...

    def writing(self) -> AbstractContextManager[Workspace]:
        """Open for changes, and make the store where there is none.

        Raises:
            StoreBusyError: Another process kept the store for longer than a person would wait.
            StoreError: It cannot be opened.
        """
        ...

    def verify_file(self, path: str, progress: Progress | None = None) -> Verification:
        """Check an exported file, or the folder of an evidence bundle. Opens no store.

        Raises:
            NotFoundError: It does not exist.
            TranscriptError: It is no export, or cannot be read.
        """
        ...

    def agents(self) -> list[KnownAgent]:
        """Return the agents that are known, found or not, in the order to show them. Opens no store."""
        ...

    def found(self) -> list[Found]:
        """Return the transcripts of other tools on this machine; looks at folders, reads no file."""
        ...

    def check_order(self, order: Order) -> None:
        """Look whether there is whom an order names, before a daemon is started for it.

        Raises:
            UsageError: Nobody, more than one, or somebody who is not known.
            CommandNotFoundError: An agent that is not installed.
        """
        ...

    def check_sources(self, sources: Sequence[str], *, empty: bool = False) -> None:
        """Look whether each source has something to import, before a store is opened or made for it.

        With `empty` a folder may hold nothing as yet.

        Raises:
            NotFoundError: A path does not exist, or a tool has no transcripts here.
            TranscriptError: A named file holds no transcript, or a folder none at all.
        """
        ...
