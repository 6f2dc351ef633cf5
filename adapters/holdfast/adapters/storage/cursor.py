"""A place in one store's log as an opaque string. Clients keep it and hand it back; they never look inside."""

from __future__ import annotations

from holdfast.domain.errors import CursorError

_STORE_DIGITS = 32


def encode_cursor(store_id: str, position: int) -> str:
    """Return the cursor after `position` in the store of that id (32 hexadecimal digits)."""
    return f"{store_id}.{position}"


def decode_cursor(cursor: str | int, store_id: str, head: int) -> int:
    """Return the position that `cursor` stands for. A bare position means this store.

    Raises:
        CursorError: It belongs to another store, lies beyond the head, or is no cursor at all.
    """
    text = str(cursor)
    name, dot, digits = text.rpartition(".")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19 or (dot and len(name) != _STORE_DIGITS):
        msg = f"{text[:80]!r} is not a cursor: begin again without one"
        raise CursorError(msg)
    if dot and name != store_id:
        msg = "the cursor belongs to another store: begin again without one"
        raise CursorError(msg)
    position = int(digits)
    if position > head:
        msg = f"the cursor stands at {position}, but the log ends at {head}: begin again without one"
        raise CursorError(msg)
    return position
