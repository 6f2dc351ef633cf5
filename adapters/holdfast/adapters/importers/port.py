"""What a kind of transcript has to offer. One package a kind; everything else about importing is written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from msgspec import Struct

from holdfast.domain.session.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdfast.adapters.importers.lines import JsonObject
    from holdfast.adapters.importers.recent import RecentItems
    from holdfast.domain.session.commands import Create
    from holdfast.domain.session.session import Session


class Translation(Struct, frozen=True):
    """What a record says in the words of the log. `skipped` marks one of no known kind, or without use for people."""

    facts: tuple[Fact, ...] = ()
    skipped: bool = False


class Record(Protocol):
    """One line of a transcript, parsed."""

    @property
    def session_id(self) -> str | None:
        """The session that it names; None, where it belongs to the one before."""
        ...

    @property
    def at(self) -> int | None:
        """When it happened, microseconds since the epoch, where it says so."""
        ...

    def opening(self) -> Create | None:
        """Return how the session begins when this is its first record; None where it tells too little for that."""
        ...

    def translate(self, session: Session, recent: RecentItems, anchor: str) -> Translation:
        """Return what the record says that `session` does not know yet.

        Pure but for `recent`, which takes note of the facts. All it depends on is in these arguments, so that an
        import can stop after any line and go on in another process.

        Args:
            session: The session so far.
            recent: Its latest items.
            anchor: Names the line in its session, for items whose source gives them no id.
        """
        ...


class Format(Protocol):
    """One kind of transcript, written line by line as JSON objects into files that only grow."""

    @property
    def name(self) -> str:
        """What a person calls it, as in `holdfast import NAME`."""
        ...

    def roots(self, environ: Mapping[str, str]) -> Sequence[Path]:
        """Return the folders where the tool keeps its transcripts."""
        ...

    def recognises(self, record: JsonObject) -> bool:
        """Tell whether a line is one of this kind. Must be sure: other kinds are asked in turn."""
        ...

    def owner(self, path: Path) -> str | None:
        """Return the session that the name of a file stands for, where the tool names files so."""
        ...

    def parse(self, line: bytes) -> Record | None:
        """Return the record of a line, None for one that is none. Never raises."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """A kind of which the beginning of a file tells what holds for all of it."""

    def prepared(self, path: Path, head: Sequence[JsonObject]) -> Format:
        """Return the kind as the place and the first lines of a file make it."""
        ...


@runtime_checkable
class OneSession(Protocol):
    """A kind of which every file holds one session: the one that its name or its beginning names, whatever follows."""

    one_session: Literal[True]


@runtime_checkable
class Rewritten(Protocol):
    """A kind that says things again, and changes them: it is compared with all that the log has of the session."""

    rewritten: Literal[True]


class Document(Struct, frozen=True):
    """A transcript that is not made of lines.

    Attributes:
        session_id: Its session.
        digest: Digest of all its content.
        records: What it consists of, in order.
        malformed: How many parts of it could not be read.
    """

    session_id: str
    digest: bytes
    records: Sequence[Record]
    malformed: int = 0


@runtime_checkable
class Documents(Rewritten, Protocol):
    """A kind of which some transcripts are documents: rewritten whole at every change, or spread over many files."""

    def document(self, path: Path) -> Document | None:
        """Return what a file holds; None, where that is nothing of this kind.

        Raises:
            OSError: It cannot be read.
        """
        ...


@runtime_checkable
class Spread(Protocol):
    """A kind of which a transcript is spread over other files as well."""

    def around(self, path: Path) -> tuple[int, ...]:
        """Return numbers that change when one of those is written; none, where there are no such files."""
        ...


@runtime_checkable
class Shelved(Rewritten, Protocol):
    """A kind of which a file may be a database with many transcripts."""

    def shelf(self, path: Path) -> Mapping[str, int] | None:
        """Return the sessions in a database, each with when it was last written to; None, where it is of no such kind.

        They are in order; times are microseconds since the epoch.

        Raises:
            OSError: It cannot be read.
        """
        ...

    def volume(self, path: Path, session_id: str) -> Document | None:
        """Return one of the sessions; None, where it is gone.

        Raises:
            OSError: It cannot be read.
        """
        ...
