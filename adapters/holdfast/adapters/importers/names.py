"""Names that come from a transcript: taken as they are where that is safe, replaced by a digest where it is not."""

from __future__ import annotations

import re
from hashlib import blake2b

_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
_ITEM = re.compile(r"[\x21\x22\x24-\x7e]{1,128}", re.ASCII)

KNOWN_BY = 4096
"""How many bytes of its first line a file is known by."""


def session_name(value: object) -> str | None:
    """Return `value` where it can name a session: in an address, in a file name, on a command line."""
    return value if isinstance(value, str) and _SESSION.fullmatch(value) else None


def item_name(value: object) -> str | None:
    """Return a name for the item that the source calls `value`; None where it gives no name.

    The `#` is ours: it counts the pieces of one message.
    """
    if not isinstance(value, str) or not value:
        return None
    return value if _ITEM.fullmatch(value) else f"id-{blake2b(value.encode(), digest_size=12).hexdigest()}"


def source_id(kind: str, session_id: str, first_line: bytes) -> bytes:
    """Return the eight bytes that name a file as a source of a session.

    They come from its content, so that a file may be moved, renamed or copied and is still the same.
    """
    digest = blake2b(digest_size=8)
    for part in (kind.encode(), session_id.encode(), first_line[:KNOWN_BY]):
        digest.update(len(part).to_bytes(4))
        digest.update(part)
    return digest.digest()
