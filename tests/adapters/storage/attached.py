"""Sessions with pictures, for the tests of what becomes of them."""

from __future__ import annotations

import uuid
from base64 import b64encode
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from msgspec import Raw, json

from holdfast.domain.recorded import EventId, Recorded, StreamId
from holdfast.domain.session.events import MessageSent
from tests.adapters.storage.given import RECORDED_AT

if TYPE_CHECKING:
    from holdfast.adapters.storage.store import Store


def picture(seed: int = 1, size: int = 100_000) -> bytes:
    """Something that passes for a PNG, another one for each seed."""
    return b"\x89PNG\r\n\x1a\n" + Random(seed).randbytes(size - 8)


def name_of(content: bytes) -> str:
    """What an attachment is called."""
    return sha256(content).hexdigest()


def block(content: bytes) -> dict[str, object]:
    """The content block of a picture."""
    return {"type": "image", "mimeType": "image/png", "data": b64encode(content).decode()}


def shown(stream: str, version: int, *pictures: bytes, words: str = "look") -> Recorded:
    """An event with pictures."""
    content = [{"type": "text", "text": words}, *map(block, pictures)]
    fact = MessageSent(f"m{version}", Raw(json.encode(content)))
    return Recorded(StreamId(stream), version, EventId(uuid.uuid4().bytes), RECORDED_AT, fact)


def kept(store: Store) -> dict[str, int]:
    """Name and size of every attachment that is there."""
    with store.reading() as connection:
        return dict(store.attachments.listed(connection))


def content(store: Store, name: str) -> bytes:
    """One of them."""
    with store.reading() as connection:
        return b"".join(store.attachments.pieces(connection, name))
