"""Tokens: who may speak to the daemon. The token of the home is the user's own; others are given out by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence


class Token(Struct, frozen=True):
    """A token that was given out. What it is cannot be read back, only recognised.

    Attributes:
        digest: SHA-256 of the token, hexadecimal.
        read_only: Whether its commands are refused.
        created: ISO 8601.
    """

    name: str
    digest: str
    read_only: bool
    created: str


class TokenBook(Protocol):
    """The tokens of one home. A running daemon hears of every change within a second, and closes what came in by it."""

    def new(self, name: str | None, *, read_only: bool) -> tuple[Token, str]:
        """Give a token out, and return it; it is never shown again.

        Raises:
            ConflictError: The name is taken.
            UsageError: It is no name.
        """
        ...

    def named(self) -> Sequence[Token]:
        """Return what was given out, the oldest first.

        Raises:
            UnsafeError: Others can read or change the file.
        """
        ...

    def rotate(self) -> None:
        """Put a new token in the place of the home's own; whoever came in with the old one is out."""
        ...

    def revoke(self, name: str) -> None:
        """Take a token back.

        Raises:
            NotFoundError: There is none of this name.
        """
        ...
