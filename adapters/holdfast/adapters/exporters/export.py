"""One session in the format that was asked for, in pieces, so that its size does not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from holdfast.adapters.exporters import bundle, html, jsonl, markdown
from holdfast.adapters.exporters.redaction import Redactor
from holdfast.domain.errors import UsageError
from holdfast.domain.exported import Export, Removed
from holdfast.domain.whole import whole_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.domain.attachments import Reference
    from holdfast.domain.exported import Evidence, Format, Origin
    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import StreamId


class Source(Protocol):
    """What an export is made from."""

    def row(self, session_id: StreamId) -> Row:
        """Return the session's row."""
        ...

    def items(self, session_id: StreamId) -> Iterator[Item]:
        """Yield the items of its transcript, the oldest first."""
        ...

    def content(self, reference: Reference) -> bytes | None:
        """Return what an item refers to; None where it is gone, or was altered."""
        ...

    def origin(self, session_id: StreamId) -> Origin:
        """Return its events as they are hashed."""
        ...

    def evidence(self, first: int, last: int) -> Evidence:
        """Return what vouches for events between two positions."""
        ...


def export(
    source: Source, session_id: StreamId, kind: Format, *, redact: bool | None, environ: Mapping[str, str]
) -> Export:
    """Return one session as `kind`. Nothing is read before the export is.

    Args:
        source: Where the session is.
        session_id: The session.
        kind: The format.
        redact: Whether secrets are taken out; None: for people, not for proof.
        environ: The environment, whose secrets are known values.

    Raises:
        UsageError: What has to verify cannot be redacted.
    """
    removed = Removed()
    if kind in ("jsonl", "bundle"):
        if redact:
            msg = f"what is taken out of {kind} would make it unverifiable: export md or html, or leave --redact out"
            raise UsageError(msg)
        files = _one(jsonl.lines(source.origin(session_id))) if kind == "jsonl" else bundle.files(source, session_id)
        return Export(files, removed)
    clean = Redactor(environ, removed) if redact is not False else _unchanged
    write = markdown.document if kind == "md" else html.document
    pictures = kind == "html" and not removed.looked

    def content_of(reference: Reference) -> bytes | None:
        """Give texts, for they can be searched for secrets; and images where they are shown."""
        return source.content(reference) if pictures or reference.encoding == "utf-8" else None

    items = (whole_item(item, content_of) for item in source.items(session_id))
    return Export(_one(write(source.row(session_id), items, clean, removed)), removed)


def _one(pieces: Iterator[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    yield "", pieces


def _unchanged(text: str) -> str:
    return text
