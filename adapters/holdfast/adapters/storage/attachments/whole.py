"""Giving back what was taken out of payloads, where the whole of it is wanted: for a peer, a reader, a document."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.adapters.storage.attachments.keeping import altered
from holdfast.domain.attachments import attach_json
from holdfast.domain.errors import NotFoundError, StoreDamagedError
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from holdfast.adapters.storage.attachments.keeping import Attachments
    from holdfast.domain.attachments import Reference
    from holdfast.domain.recorded import Recorded


def content_of(attachments: Attachments, connection: Connection, reference: Reference) -> bytes:
    """Return a content. Memory for it.

    Raises:
        NotFoundError: It is not there.
        StoreDamagedError: It is not what the event says.
        StoreError: It cannot be read.
    """
    content = b"".join(attachments.pieces(connection, reference.sha256))
    if len(content) != reference.size or sha256(content).hexdigest() != reference.sha256:
        raise altered(reference.sha256)
    return content


def with_prompts(attachments: Attachments, connection: Connection, events: Iterable[Recorded]) -> Iterator[Recorded]:
    """Yield `events`, prompts as the person gave them: they go to the peer, and into later events, from what is read.

    Raises:
        StoreDamagedError: What a prompt held is not there any more, or was changed.
    """

    def found(reference: Reference) -> bytes:
        try:
            return content_of(attachments, connection, reference)
        except NotFoundError as error:
            raise StoreDamagedError(str(error)) from error

    for recorded in events:
        match recorded.event:
            case e.PromptQueued() | e.PromptEdited() | e.PromptSent() as fact:
                content = attach_json(fact.content, found)
                yield recorded if content is fact.content else replace(recorded, event=replace(fact, content=content))
            case _:
                yield recorded
