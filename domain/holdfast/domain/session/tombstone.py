"""What an erasure leaves of the names that peers had for a session: enough to know one again, and not to read it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from holdfast.domain.session.events import SessionErased

if TYPE_CHECKING:
    from collections.abc import Collection

SALT_BYTES: Final = 16


def erased(names: Collection[str], salt: str) -> SessionErased:
    """Return the fact that a session was erased.

    Args:
        names: What its agent called it.
        salt: `SALT_BYTES` random bytes, hexadecimal.
    """
    if not names:
        return SessionErased()
    return SessionErased(salt, tuple(sorted(_digest(salt, name) for name in names)))


def was_called(fact: SessionErased, name: str) -> bool:
    """Tell whether an agent called the session by this name. Which agent is not asked: recordings name none."""
    return bool(fact.names) and _digest(fact.salt, name) in fact.names


def _digest(salt: str, name: str) -> str:
    return sha256(f"{salt}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()
