"""Facts of a link's life: attempts, delays, authentication. What this means to a session stands in its own stream."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw

from holdfast.domain.content import NOTHING
from holdfast.domain.session.facts import Fact, registered

Classification = Literal["retryable", "terminal", "ended"]


@registered("connection-requested")
class ConnectionRequested(Fact, frozen=True):
    """An attempt begins.

    Attributes:
        transport: Which kind of peer, such as `acp`.
        target: A command line or an address, without secrets.
        attempt: 1 for the first since the link was last ready.
    """

    transport: str
    target: str
    attempt: int = 1


@registered("connection-authenticated")
class ConnectionAuthenticated(Fact, frozen=True):
    """The peer accepted who we are. What was shown to it is never recorded.

    Attributes:
        method: The peer's name for the way.
    """

    method: str


@registered("connection-opened")
class ConnectionOpened(Fact, frozen=True):
    """The link is ready in the sense of its transport; the count of attempts begins anew.

    Attributes:
        remote: What the peer calls itself.
        resumed: Whether it took up an earlier connection.
        capabilities: What it said it can do, verbatim.
    """

    remote: str | None = None
    resumed: bool = False
    capabilities: Raw = NOTHING


@registered("connection-lost")
class ConnectionLost(Fact, frozen=True):
    """The link broke, or could not be made.

    Attributes:
        reason: In the words of whoever knew.
        classified: Whether trying again can help, cannot, or the peer ended it by itself.
    """

    reason: str
    classified: Classification


@registered("connection-retry-scheduled")
class ConnectionRetryScheduled(Fact, frozen=True):
    """Another attempt will be made.

    Attributes:
        attempt: Which one.
        due_at: When, in microseconds since the epoch.
    """

    attempt: int
    due_at: int


@registered("connection-gave-up")
class ConnectionGaveUp(Fact, frozen=True):
    """No attempt follows by itself any more; a person can ask for one.

    Attributes:
        attempts: How many were made.
        reason: Which limit was reached, or what went wrong last.
    """

    attempts: int
    reason: str


@registered("connection-hibernated")
class ConnectionHibernated(Fact, frozen=True):
    """The link was closed because nothing went over it; the next message opens it again."""


@registered("connection-closed")
class ConnectionClosed(Fact, frozen=True):
    """The link was closed on purpose.

    Attributes:
        reason: By whom or what for.
    """

    reason: str
