"""What the stream needs to know of credentials, and of those who carry its commands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from msgspec import Raw

    from holdfast.domain.recorded import Actor


class Credential(Protocol):
    """What somebody came in with."""

    @property
    def name(self) -> str:
        """Which one it is, for people."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether it allows nothing that changes anything."""
        ...


class Gate(Protocol):
    """Knows the credentials."""

    def admit(self, token: str, peer: str) -> Credential:
        """Return whose token it is.

        Raises:
            DeniedError: Nobody's, or there were too many of those from this peer.
        """
        ...

    def holds(self, credential: Credential) -> bool:
        """Whether what somebody came in with is still good."""
        ...


class RefusedError(Exception):
    """A command is refused for what it is.

    Attributes:
        code: The stable code, as over HTTP.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Commands(Protocol):
    """Carries commands out, as the routes of HTTP do."""

    async def __call__(self, verb: str, session: str | None, body: Raw, *, client_id: str, actor: Actor) -> Raw:
        """Return the result as JSON, once what it led to is committed.

        Raises:
            HoldfastError: It is refused.
            RefusedError: It is refused for what it is.
        """
        ...
