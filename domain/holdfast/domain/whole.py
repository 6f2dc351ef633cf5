"""Transcripts with their attachments in place, for those who want the whole of it at once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.domain.attachments import attach_json
from holdfast.domain.errors import NotFoundError, StoreDamagedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.answers import Attachment, Page
    from holdfast.domain.attachments import Reference
    from holdfast.domain.projections.items import Item


def whole_item(item: Item, content_of: Callable[[Reference], bytes | None]) -> Item:
    """Return an item with its attachments in place; the same one, where it has none."""
    held = (item.input, item.output, item.content)
    whole = tuple(attach_json(each, content_of) for each in held)
    if all(one is other for one, other in zip(held, whole, strict=True)):
        return item
    return replace(item.settled(), input=whole[0], output=whole[1], content=whole[2])


def whole_page(page: Page, fetch: Callable[[str], Attachment], limit_bytes: int | None = None) -> Page:
    """Return a page with its attachments in place.

    References stay where the content is gone or was altered, and beyond `limit_bytes`: the newest items go first.

    Args:
        page: As it is read.
        fetch: Gives an attachment of the page's session by its name.
        limit_bytes: How much may be held, in bytes of attachments.
    """
    left = limit_bytes

    def content_of(reference: Reference) -> bytes | None:
        nonlocal left
        if left is not None and reference.size > left:
            return None
        content = checked(fetch, reference)
        if left is not None and content is not None:
            left -= len(content)
        return content

    items = [whole_item(each, content_of) for each in reversed(page.items)]
    return replace(page, items=items[::-1])


def checked(fetch: Callable[[str], Attachment], reference: Reference) -> bytes | None:
    """Return the content of a reference; None where it is gone, or is not what the reference says."""
    try:
        content = b"".join(fetch(reference.sha256).pieces)
    except (NotFoundError, StoreDamagedError):
        return None
    right = len(content) == reference.size and sha256(content).hexdigest() == reference.sha256
    return content if right else None
