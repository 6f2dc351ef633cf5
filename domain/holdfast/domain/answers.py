"""What the keeper of the log answers: the shapes that `ports` promises, in the words of the public contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Raw, Struct

from holdfast.domain.projections.items import Item, ItemKind
from holdfast.domain.projections.roster import Row
from holdfast.domain.recorded import Recorded, StreamId


class Page(Struct, frozen=True):
    """A piece of a transcript. Items ascend; `before` gets the page before this one, None at the beginning."""

    session: Row
    items: list[Item]
    position: int
    before: str | None


class Hit(Struct, frozen=True):
    """An item that a search found, or the first item of a session whose title it found.

    Attributes:
        item_id: Empty for a session that has no item yet.
        position: Position of the event that changed the item last.
        title: The title of its session.
        snippet: What surrounds the words that were found, on one line; each of them between `⟦` and `⟧`.
        at: When the item first appeared, or the session began, microseconds since the epoch.
    """

    session_id: StreamId
    item_id: str
    position: int
    title: str
    snippet: str
    kind: ItemKind | Literal["title"]
    role: str | None
    at: int

    @property
    def permalink(self) -> str:
        """Where the page shows the item; `show` takes it as well."""
        return f"/sessions/{self.session_id}#{self.item_id}".removesuffix("#")


class LogEvent(Struct, frozen=True):
    """One event as it stands in the log: the envelope decoded, the payload as it is stored.

    Attributes:
        stream_kind: Whether `recorded.originator_id` names a session or a link.
        type: The type tag.
        data: The payload as JSON, None once erased.
    """

    recorded: Recorded
    stream_kind: Literal["session", "link"]
    type: str
    data: Raw | None


class Attachment(Struct, frozen=True):
    """What an event refers to because it is too large to stand in it.

    Attributes:
        size: Its bytes.
        text: Whether it stood in its event as text; else as bytes that were spelled out.
        pieces: The content, read as it is asked for.
    """

    size: int
    text: bool
    pieces: Iterator[bytes]


class FirstBad(Struct, frozen=True):
    """The first event that is not as it was written."""

    position: int | None
    session_id: str | None
    version: int | None
    reason: Literal["tampered", "missing", "reordered"]


class Behind(Struct, frozen=True):
    """How far the log is behind its witness, in positions."""

    log: int
    checkpoint: int


class Verification(Struct, frozen=True):
    """What a check of the log found, and what no check can know."""

    ok: bool
    checked: int
    first_bad: FirstBad | None
    behind: Behind | None
    cannot_know: list[str]
    notes: list[str] = []


class ImportReport(Struct, frozen=True):
    """What an import did.

    Attributes:
        files: Files that were read.
        sessions: Sessions that got events.
        events: Events that were appended.
        malformed: Lines that are no JSON, or no record.
        skipped: Lines of known kinds that carry nothing for people, and of kinds that are not known.
    """

    files: int = 0
    sessions: int = 0
    events: int = 0
    malformed: int = 0
    skipped: int = 0


class Compaction(Struct, frozen=True):
    """What came of compacting.

    Attributes:
        sessions: Sessions that changed.
        messages: Messages, thoughts and uses of tools that are whole now.
        events: Events whose payload became a digest.
        before: Bytes of the events that were looked at.
        after: Bytes of the same and the new ones.
        file_before: Bytes of the whole database.
        file_after: Bytes of it afterwards.
        remains: Why the database did not shrink by that, in words, where something kept it from it.
        attachments: Attachments that no event refers to any more, or never did, and that were removed.
        attachment_bytes: What they took.
        connected: Sessions that were left alone because an agent is connected to them.
    """

    sessions: int
    messages: int
    events: int
    before: int
    after: int
    file_before: int
    file_after: int
    remains: str | None = None
    attachments: int = 0
    attachment_bytes: int = 0
    connected: int = 0


class Check(Struct, frozen=True):
    """One line of a health report."""

    check: str
    ok: bool
    detail: str


class Found(Struct, frozen=True):
    """Transcripts of another tool that lie on this machine."""

    source: str
    path: str
    files: int
    bytes: int
